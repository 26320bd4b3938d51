"""The mark that runs leave beside the database, by which an older, restored copy is recognised.

It lies in a file of its own, so that restoring the database leaves it as it is. The database knows every mark that was
ever made from it: an unknown one was made from a later copy. A mark is written after the database holds it, so that a
process killed in between leaves an earlier mark, which is known.

A copy that `janitor db copy` makes holds in itself the run after which it was made (SQLite's `user_version`, as copies
are to need no further file). What happened since in the original it does not know either.
"""

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from janitor.core.result import Mode
from janitor.core.survey.mark import OF_FLEET, OF_ORIGINAL, Behind, Mark
from janitor.core.units import iso
from janitor.errors import StoreError
from janitor.files import write_durably
from janitor.store.connection import Connection

STEP = """
-- mark: what the run, or the exemption by command, left beside the database. behind_run: the run whose mark the
-- database did not know when this run began, as after a copy was restored.
ALTER TABLE runs ADD COLUMN mark TEXT;
ALTER TABLE runs ADD COLUMN behind_run INTEGER;
ALTER TABLE exemptions ADD COLUMN mark TEXT;
CREATE INDEX marks_of_runs ON runs (mark) WHERE mark IS NOT NULL;
CREATE INDEX runs_behind ON runs (run) WHERE behind_run IS NOT NULL;
"""

FLEET = """
-- behind_in_fleet: it is the fleet's own database that knows that run, or how often processes have begun to own this
-- account: each time they record it here, too.
ALTER TABLE runs ADD COLUMN behind_in_fleet INTEGER NOT NULL DEFAULT 0;
CREATE TABLE epochs (epoch INTEGER NOT NULL);
"""

_LARGEST = 4096


def mark_file(database: Path) -> Path:
    """The mark of a database; the same one by whatever link the database is reached."""
    return Path(f"{os.path.realpath(database)}.mark")


def read_mark(database: Path) -> Mark | None:
    """The mark beside a database; None where there is none. Raises StoreError for one that cannot be read."""
    path = mark_file(database)
    try:
        with _translated(path), contextlib.ExitStack() as opened:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            opened.callback(os.close, descriptor)
            return _mark_in(os.read(descriptor, _LARGEST))
    except FileNotFoundError:
        return None


def _mark_in(content: bytes) -> Mark:
    match json.loads(content):
        case {"run": int(run), "id": str(identity)} if not isinstance(run, bool):
            return Mark(run, identity)
    raise ValueError("it is not a mark")


def write_mark(database: Path, mark: Mark) -> None:
    """Replace the mark beside a database: the whole of it is on disk when this returns. Raises StoreError."""
    path = mark_file(database)
    with _translated(path):
        write_durably(path, json.dumps({"run": mark.run, "id": mark.id}).encode() + b"\n")


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        what, advice = (_LINK, _ADVICE_LINK) if error.errno == errno.ELOOP else (error.strerror, _ADVICE)
        raise StoreError(f"mark of the database {path}: {what}: {advice}") from error
    except (ValueError, RecursionError) as error:
        raise StoreError(f"mark of the database {path}: it cannot be read: {_ADVICE}") from error


_ADVICE = "check that the database is the latest one, then move this file away, and run again"
_LINK = "it is a link, not a regular file"
_ADVICE_LINK = "check that the database is the latest one, then remove the link, and run again"


def mark_run(db: Connection, run: int) -> Mark:
    """Make the mark of a run that has ended."""
    mark = Mark(run, secrets.token_hex(16))
    db.execute("UPDATE runs SET mark = ? WHERE run = ?", (mark.id, run))
    return mark


def mark_exemption(db: Connection) -> Mark:
    """Make the mark of the exemption granted last."""
    (latest,) = db.execute("SELECT coalesce(max(run), 0) FROM runs").fetchone()
    mark = Mark(latest, secrets.token_hex(16))
    db.execute("UPDATE exemptions SET mark = ? WHERE exemption = (SELECT max(exemption) FROM exemptions)", (mark.id,))
    return mark


def knows(db: Connection, mark: Mark) -> bool:
    """Whether the database made this mark."""
    sql = "SELECT EXISTS (SELECT 1 FROM runs WHERE mark = ?) OR EXISTS (SELECT 1 FROM exemptions WHERE mark = ?)"
    return bool(db.execute(sql, (mark.id, mark.id)).fetchone()[0])


def note_behind(db: Connection, run: int, mark: Mark, at: datetime) -> None:
    """Record that a run found the database older than this mark, and end all notices: later ones may be lost."""
    sql = "UPDATE runs SET behind_run = ?, behind_in_fleet = ? WHERE run = ?"
    db.execute(sql, (mark.run, mark.id == OF_FLEET, run))
    db.execute("UPDATE notices SET ended_at = ?, ended = 'restored' WHERE ended_at IS NULL", (iso(at),))


def note_copy(db: Connection, latest: int | None) -> None:
    """Make it known that a database is a copy, made after this run."""
    db.execute(f"PRAGMA user_version = {latest or 0}")


def copied_after(db: Connection) -> int | None:
    """The run after which a database was copied; None for one that is no copy, or was copied before its first run."""
    (run,) = db.execute("PRAGMA user_version").fetchone()
    return run or None


def unnoted_copy(db: Connection) -> Mark | None:
    """For a copy in which no run has noted yet that it is one, what stands for the mark of the original."""
    run = copied_after(db)
    noted = db.execute("SELECT EXISTS (SELECT 1 FROM runs WHERE behind_run = ? AND run > ?)", (run, run)).fetchone()[0]
    return None if run is None or noted else Mark(run, OF_ORIGINAL)


def behind_in(db: Connection, run: int, target: str, mode: Mode) -> Behind | None:
    """What is unknown, if a run may not delete anything in a target because of that; otherwise None.

    This concerns the run that found it, and for each target the first live run that surveys it.
    """
    keys = {"run": run, "target": target, "live": mode is Mode.DELETE}
    row = db.execute(_BEHIND, keys).fetchone()
    return None if row is None else Behind(row[0], not row[1] and row[0] == copied_after(db), bool(row[1]))


def epoch(db: Connection) -> int:
    """The latest epoch in which a process has begun to own the account of this database; 0 for none."""
    (latest,) = db.execute("SELECT coalesce(max(epoch), 0) FROM epochs").fetchone()
    return int(latest)


def record_epoch(db: Connection, number: int) -> None:
    """Record an epoch in place of the one before."""
    db.execute("DELETE FROM epochs")
    db.execute("INSERT INTO epochs (epoch) VALUES (?)", (number,))


_BEHIND = """
SELECT b.behind_run, b.behind_in_fleet FROM runs b
WHERE b.run = (SELECT max(run) FROM runs WHERE behind_run IS NOT NULL AND run <= :run) AND (
    b.run = :run OR (
        :live AND EXISTS (
            SELECT 1 FROM surveys s WHERE s.target = :target AND s.run <= b.run AND s.finished_at IS NOT NULL
        ) AND NOT EXISTS (
            SELECT 1 FROM surveys s JOIN runs r ON r.run = s.run
            WHERE s.target = :target AND s.run >= b.run AND s.run < :run AND r.mode = 'delete'
                AND s.finished_at IS NOT NULL
        )
    )
)
"""
