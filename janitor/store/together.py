"""What several threads write at the same time becomes one transaction: they need not queue up for the disk."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from janitor.store.connection import Connection

T = TypeVar("T")


class Together:
    """Does pieces of work in transactions of a database; `writing` begins one. Safe to use from several threads."""

    def __init__(self, writing: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._writing = writing
        self._lock = threading.Lock()
        self._waiting = deque[tuple[Callable[[Connection], Any], Future[Any]]]()

    def write(self, work: Callable[[Connection], T]) -> T:
        """The result of a piece of work, once it is on disk: what comes while a transaction is written makes the next.

        A transaction is written as a whole or not at all; then all of its threads get the error. Raises StoreError.
        """
        done = Future[T]()
        self._waiting.append((work, done))
        with self._lock:
            if not done.done():
                self._write_waiting()
        return done.result()

    def _write_waiting(self) -> None:
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            with self._writing() as db:
                results = [work(db) for work, _ in batch]
        except BaseException as error:
            for _, done in batch:
                done.set_exception(error)
            raise
        for (_, done), result in zip(batch, results, strict=True):
            done.set_result(result)
