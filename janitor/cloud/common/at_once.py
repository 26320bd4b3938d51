"""Doing several things in parallel, a few at a time."""

from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Semaphore
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
Q = TypeVar("Q", bound=Hashable)
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


class NextAsked(Generic[Q, T]):
    """Asks one thing at a time. What is expected to be asked next is asked in a thread, until it is; `close` when done.

    Nothing is ever asked before the answer to what was asked before has come.
    """

    def __init__(self, ask: Callable[[Q], T]) -> None:
        self._ask = ask
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="next")
        self._coming: tuple[Q, Future[T]] | None = None
        self._asked: set[Q] = set()

    def ask(self, question: Q) -> T:
        """The answer, or raises what asking raised."""
        coming, self._coming = self._coming, None
        self._asked.add(question)
        if coming is None:
            return self._ask(question)
        expected, answer = coming
        if expected == question:
            return answer.result()
        wait([answer])
        return self._ask(question)

    def expect(self, question: Q) -> None:
        """Ask this now, as it will be asked for next; not if it was asked before: nothing tells what it is then."""
        if question not in self._asked:
            self._coming = question, self._pool.submit(self._ask, question)

    def close(self) -> None:
        """Wait until nothing is asked any longer."""
        self._pool.shutdown(cancel_futures=True)


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
