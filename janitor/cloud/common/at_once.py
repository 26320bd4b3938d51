"""Doing several things in parallel, a few at a time."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

_AT_ONCE = 4


def at_once(ask: Callable[[T], R], of: Iterable[T]) -> list[R]:
    """The answer for each, in the same order, with four requests at a time. The first error ends it."""
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ask")
    try:
        return list(pool.map(ask, of))
    finally:
        pool.shutdown(cancel_futures=True)


class Started(Protocol[R_co]):
    """Something that runs beside, as a Future of a thread does."""

    def done(self) -> bool:
        """Whether `result` would not wait."""

    def result(self) -> R_co:
        """What came of it, or raises that; waits for it."""

    def cancel(self) -> bool:
        """Do not begin with it, if there is still time."""


class Beside(Protocol):
    """Runs things beside what its one user does."""

    def start(self, run: Callable[[], R]) -> Started[R]:
        """Have this run."""

    def wait(self) -> None:
        """Until another of those that were started is done, since the last time."""

    def close(self) -> None:
        """Begin with no more, and wait until nothing runs any longer."""


class Threads:
    """Runs things in threads of this name, so many at a time."""

    def __init__(self, most: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix=name)
        self._done = Semaphore(0)

    def start(self, run: Callable[[], R]) -> Started[R]:
        """Have this run."""
        future = self._pool.submit(run)
        future.add_done_callback(lambda _: self._done.release())
        return future

    def wait(self) -> None:
        """Until another of those that were started is done, since the last time."""
        self._done.acquire()

    def close(self) -> None:
        """Begin with no more, and wait until nothing runs any longer."""
        self._pool.shutdown(cancel_futures=True)
