"""What all rules use: a run as it was begun, queries to the database, and the error for a broken rule."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from janitor.core.result import Mode
from tests.nights.mishaps import NONE, Mishaps


class Broken(AssertionError):
    """A rule does not hold."""


@dataclass(frozen=True)
class Limits:
    """What one run may delete: so many images, and that share of the owned ones in percent."""

    most: int
    share: int


@dataclass(frozen=True)
class Attempt:
    """A run as it was begun: what goes wrong with its API, and what a person said to it."""

    mishaps: Mishaps = NONE
    mode: Mode = Mode.DELETE
    accept: bool = False
    apply: int | None = None


def rows(database: Path, sql: str, *values: object) -> list[sqlite3.Row]:
    """The rows of a query to the database; empty if none exists yet."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(database)) as conn:
        conn.row_factory = sqlite3.Row
        is_set_up = conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone()
        return list(conn.execute(sql, values)) if is_set_up else []


def instant(text: Any) -> datetime | None:
    """A time as the database has it."""
    return datetime.fromisoformat(text) if text else None
