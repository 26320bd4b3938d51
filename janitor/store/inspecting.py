"""What can be said of a database from outside, as a run would find it. Changes nothing."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from janitor.core.units import counted
from janitor.store.connection import Connection, tables
from janitor.store.database import (
    DAMAGED,
    FULL,
    LEAST_SPACE,
    check_place,
    connect,
    files_beside,
    space_left,
    translated,
)
from janitor.store.upgrading import Unfit, check_ours, rows_of, steps_left


def inspect(path: Path) -> str:
    """The database in a sentence, as a run would find it; reads all of it. Raises StoreError. Changes nothing."""
    with translated(path):
        check_place(path)
        if space_left(path.parent) < LEAST_SPACE:
            raise Unfit(FULL)
        if not path.exists() or path.stat().st_size == 0:
            return _none_yet(path)
        with contextlib.closing(connect(path)) as db:
            return _inspected(path, db)


def size_of(path: Path) -> int:
    """How many bytes a database takes on disk, with what SQLite has still to write into it. Raises StoreError.

    Without the file by which processes share an index of that: it is there only while the database is open.
    """
    with translated(path):
        files = [file for file in (path, *files_beside(path)) if not file.name.endswith("-shm")]
        return sum(file.stat().st_size for file in files if file.exists())


def _inspected(path: Path, db: Connection) -> str:
    check_ours(db)
    if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise Unfit(DAMAGED)
    db.execute("BEGIN IMMEDIATE")
    try:
        if not tables(db):
            return _none_yet(path)  # the process that was to set it up was killed
        (runs,) = db.execute("SELECT count(*) FROM runs").fetchone()
        to_come = _to_come(db, left) if (left := steps_left(db)) else ""
    finally:
        db.rollback()
    return f"{path}, {counted(runs, 'run')} recorded{to_come}"


def _to_come(db: Connection, left: Sequence[str]) -> str:
    rows = counted(rows_of(db), "row")
    return f"; whatever opens it upgrades it, this command too ({rows}: {', '.join(left)})"


def _none_yet(path: Path) -> str:
    return f"none yet, the first run sets up {path}"
