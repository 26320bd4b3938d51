"""One thing after the other: the order of threads varies, and a seed must be reproducible."""

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar
from unittest import mock

from janitor.cloud.common import at_once
from janitor.cloud.openstack import image_lists as openstack
from janitor.cloud.openstack.usage import gathering
from janitor.cloud.toast import client as toast
from janitor.run import surveying

T = TypeVar("T")
R = TypeVar("R")

_CLIENTS = (openstack, toast)
_POOLS = (at_once, gathering, surveying)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Inside, no client asks for several things at once, or for pages ahead."""
    with ExitStack() as held:
        for client in _CLIENTS:
            held.enter_context(mock.patch.object(client, "ahead", _in_turn))
        for module in _POOLS:
            held.enter_context(mock.patch.object(module, "ThreadPoolExecutor", _Turns))
        yield


class _Turns:
    """Replaces a pool of threads: it runs each task at once, in the caller's thread."""

    def __init__(self, *_words: object, **_named: object) -> None:
        pass

    def __enter__(self) -> "_Turns":
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def map(self, ask: Callable[[T], R], of: Iterable[T]) -> list[R]:
        return [ask(item) for item in of]

    def shutdown(self, **_how: object) -> None:
        pass

    def submit(self, ask: Callable[..., R], *words: Any) -> "Future[R]":
        done: Future[R] = Future()
        try:
            done.set_result(ask(*words))
        except BaseException as error:  # noqa: BLE001 - as a pool does; a crash is not an Exception
            done.set_exception(error)
        return done


def _in_turn(source: Iterator[T]) -> Generator[T, None, None]:
    yield from source
