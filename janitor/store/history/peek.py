"""A database read while a person is typing: nothing is written, migrated or waited for, and it ends soon."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from janitor.files import check_regular
from janitor.store.connection import Connection
from janitor.store.database import files_beside

_LONGEST = 0.5  # seconds
_BUSY_SECONDS = 0.1
_STEPS_BETWEEN_LOOKS = 1000
_AFTER_ALL = "\U0010ffff"


class Peek:
    """What is looked up. Every method raises sqlite3.Error where that is not possible in time."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def images(self, begun: str, most: int) -> list[tuple[str, str]]:
        """The ids that begin so of images that the latest surveys list, in their order, each with its name."""
        return [(image, name or "") for image, name in self._db.execute(_IMAGES, (begun, begun + _AFTER_ALL, most))]

    def names(self, begun: str, most: int) -> list[str]:
        """The names that begin so of such images."""
        return self._texts(_NAMES, begun, begun + _AFTER_ALL, most)

    def exempt(self, begun: str, most: int) -> list[str]:
        """The ids that begin so of images that somebody exempted, and nobody revoked that."""
        return self._texts(_EXEMPT, begun, begun + _AFTER_ALL, most)

    def runs(self, begun: str, most: int) -> list[tuple[str, str]]:
        """The numbers that begin so of runs, newest first, each with its mode, its outcome and its day."""
        rows = self._db.execute(_RUNS, (f"{begun}%" if begun.isdigit() or not begun else "", most))
        return [(run, f"{mode} {outcome or 'unfinished'} {day}") for run, mode, outcome, day in rows]

    def days(self, begun: str, most: int) -> list[str]:
        """The days that begin so on which a run began, in UTC, the latest first."""
        return self._texts(_DAYS, begun, begun + _AFTER_ALL, most)

    def policies(self) -> list[str]:
        """The names of the policies of the latest run."""
        return self._texts("SELECT policy FROM policy_texts WHERE until_run IS NULL ORDER BY policy")

    def targets(self) -> list[str]:
        """The names of all targets that any run surveyed."""
        return self._texts("SELECT DISTINCT target FROM surveys ORDER BY target")

    def _texts(self, sql: str, *values: object) -> list[str]:
        return [row[0] for row in self._db.execute(sql, values)]


@contextlib.contextmanager
def peeking(path: Path) -> Iterator[Peek | None]:
    """The database to look something up in, as it is on the disk; None where there is none.

    Raises sqlite3.Error and OSError.
    """
    try:
        check_regular(path.stat())
    except FileNotFoundError:
        yield None
        return
    with contextlib.closing(_opened(path)) as db:
        ends = time.monotonic() + _LONGEST
        db.set_progress_handler(lambda: time.monotonic() > ends, _STEPS_BETWEEN_LOOKS)
        yield Peek(db)


def _opened(path: Path) -> Connection:
    """A connection that can write nothing.

    Where no other process has the database open, SQLite would make files beside it: then it is read as a file that
    never changes, without them.
    """
    log, index, _ = files_beside(path)
    how = "mode=ro" if log.exists() and index.exists() else "immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=_BUSY_SECONDS)


_IMAGES = """
SELECT i.image, max(f.name) FROM images i
LEFT JOIN image_facts f ON f.image_key = i.image_key AND f.until_run IS NULL
WHERE i.present AND i.image >= ? AND i.image < ? GROUP BY i.image ORDER BY i.image LIMIT ?
"""
# CROSS JOIN keeps SQLite to that order: there are far fewer images than facts of years.
_NAMES = """
SELECT DISTINCT f.name FROM images i CROSS JOIN image_facts f ON f.image_key = i.image_key AND f.until_run IS NULL
WHERE i.present AND f.name >= ? AND f.name < ? LIMIT ?
"""
_EXEMPT = """
SELECT DISTINCT image FROM exemptions WHERE ended_at IS NULL AND image >= ? AND image < ? ORDER BY image LIMIT ?
"""
_DAYS = """
SELECT DISTINCT substr(started_at, 1, 10) FROM runs WHERE started_at >= ? AND started_at < ?
ORDER BY started_at DESC LIMIT ?
"""
_RUNS = """
SELECT CAST(run AS TEXT), mode, outcome, substr(started_at, 1, 10) FROM runs
WHERE CAST(run AS TEXT) LIKE ? ORDER BY run DESC LIMIT ?
"""
