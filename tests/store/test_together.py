"""What several threads write at the same time is one transaction, which is written as a whole or not at all."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from janitor.errors import StoreError
from janitor.store.connection import Connection
from janitor.store.together import Together

THREADS = 8


class Ledger:
    """A database whose first transaction does not end before it may; counts transactions."""

    def __init__(self, db: Connection) -> None:
        self.db = db
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.transactions = 0
        self.together = Together(self.writing)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        self.db.execute("BEGIN IMMEDIATE")
        self.begun.set()
        try:
            yield self.db
            assert self.may_end.wait(30)
            self.db.execute("COMMIT")
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.transactions += 1

    def enter(self, number: int) -> int:
        def work(db: Connection) -> int:
            if number < 0:
                raise StoreError("the disk is full")
            db.execute("INSERT INTO entries VALUES (?)", (number,))
            return number * 10

        return self.together.write(work)

    def entries(self) -> list[int]:
        return [number for (number,) in self.db.execute("SELECT number FROM entries ORDER BY number")]

    def entered_at_once(self, first: int, *others: int) -> list[Future[int]]:
        """The results of threads that all wait while the transaction of the first one is written."""
        with ThreadPoolExecutor(THREADS) as pool:
            results = [pool.submit(self.enter, first)]
            assert self.begun.wait(30)
            results += [pool.submit(self.enter, number) for number in others]
            while len(self.together._waiting) < len(others):
                time.sleep(0)
            self.may_end.set()
        return results


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None, check_same_thread=False)) as db:
        db.execute("CREATE TABLE entries (number INTEGER)")
        yield Ledger(db)


def test_what_comes_while_a_transaction_is_written_makes_the_next(ledger: Ledger) -> None:
    results = ledger.entered_at_once(*range(THREADS))
    assert [result.result() for result in results] == [number * 10 for number in range(THREADS)]
    assert ledger.entries() == list(range(THREADS))
    assert ledger.transactions == 2


def test_where_one_fails_nothing_of_its_transaction_is_written_and_all_are_told(ledger: Ledger) -> None:
    first, *others = ledger.entered_at_once(0, 1, -1, 2)
    assert first.result() == 0
    assert {str(other.exception()) for other in others} == {"the disk is full"}
    assert ledger.entries() == [0]
    assert ledger.enter(3) == 30
    assert ledger.entries() == [0, 3]
