"""Bringing a database up to date: what is left of the migrations is applied, in order, with the log saying how far."""

import logging
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING

from janitor.store.connection import Connection, tables
from janitor.store.migrations import ALL_STEPS, Step

if TYPE_CHECKING:
    from sqlite_utils import Database

_log = logging.getLogger("janitor.store")

_NAME = "image-janitor"
_MANY = 500_000
"""A database of more rows takes seconds to upgrade, so that its log is worth a warning."""
_AROUND = ("BEGIN TRANSACTION;", "COMMIT;")
_APPLIED = "SELECT name FROM _sqlite_migrations WHERE migration_set = ?"


class Unfit(Exception):
    """Why the database cannot be used, and what to do; becomes a StoreError that names the file."""


def is_current(db: Connection) -> bool:
    """Whether nothing is left to be applied. Only reads."""
    return ALL_STEPS.keys() <= _applied(db)


def steps_left(db: Connection, steps: Mapping[str, Step] = ALL_STEPS) -> list[str]:
    """The names of the steps that are left to be applied, in their order. Only reads."""
    applied = _applied(db)
    return [name for name in steps if name not in applied]


def set_up(db: Connection) -> None:
    """Bring a database up to date, in the transaction that is open: an empty one at once, as all steps leave it."""
    if tables(db):
        apply_migrations(db)
        return
    for statement in _new():
        db.execute(statement)


@cache
def _new() -> tuple[str, ...]:
    """What makes a new database: steps take twenty times as long, and a worker of a fleet makes thousands."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute("BEGIN")
        apply_migrations(db)
        db.execute("COMMIT")
        return tuple(statement for statement in db.iterdump() if statement not in _AROUND)


def apply_migrations(db: Connection, steps: Mapping[str, Step] = ALL_STEPS) -> None:
    """Apply what is left to be applied, in the transaction that is open; where there is data, the log says how far."""
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    migrations, left = Migrations(_NAME), steps_left(db, steps)
    rows = rows_of(db) if _applied(db) else 0
    level = logging.WARNING if rows > _MANY else logging.INFO
    for name, step in steps.items():
        told = f"{name}: {left.index(name) + 1} of {len(left)}" if name in left and rows else None
        migrations(name=name)(_on_connection(step, told, level))
    if rows:
        _log.log(level, "database-upgrade rows=%d steps=%d", rows, len(left))
    migrations.apply(Database(db, execute_plugins=False))


def rows_of(db: Connection) -> int:
    """How many rows of images and of what was seen of them there are, as far as an upgrade looks at them."""
    count: int = db.execute("SELECT (SELECT count(*) FROM images) + (SELECT count(*) FROM image_facts)").fetchone()[0]
    return count


def _on_connection(step: Step, told: str | None, level: int) -> "Callable[[Database], None]":
    def apply(database: "Database") -> None:
        if told is not None:
            _log.log(level, "database-upgrade step=%s", told)
        step(database.conn)

    return apply


def _applied(db: Connection) -> frozenset[str]:
    if "_sqlite_migrations" not in tables(db):
        return frozenset()
    return frozenset(name for (name,) in db.execute(_APPLIED, (_NAME,)))


def check_ours(db: Connection) -> None:
    """Raises Unfit for a database of a newer version or of another program. Only reads."""
    applied = _applied(db)
    if applied - ALL_STEPS.keys():
        raise Unfit("it was written by a newer version of the janitor: use that version, or another database")
    if not applied and tables(db):
        raise Unfit("it is the database of another program: set `database` to a file of its own")
