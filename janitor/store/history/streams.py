"""Rows in the order of the runs that they are about, taken run by run: no more is in memory than one run needs."""

from collections.abc import Iterable, Iterator
from typing import Any

from janitor.store.connection import Connection
from janitor.store.rows import Row


class Stream:
    """The rows that a SELECT finds, whose first column is a run, by which they are ordered."""

    def __init__(self, db: Connection, sql: str, values: Iterable[Any]) -> None:
        self._rows: Iterator[Row] = db.execute(sql, tuple(values))
        self._next = next(self._rows, None)

    def until(self, run: int) -> Iterator[Row]:
        """The next rows, up to those of this run, without the run."""
        while self._next is not None and self._next[0] <= run:
            yield self._next[1:]
            self._next = next(self._rows, None)
