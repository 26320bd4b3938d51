"""What all rules use: a run as it was begun, queries to the database, and the error for a broken rule."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from janitor.core.result import Mode
from tests.nights.mishaps import NONE, Mishaps

_CONNECTIONS: dict[Path, sqlite3.Connection] = {}
"""Those of `rows`: to open one for each query, and to read the schema again, took a sixth of a simulation's time."""


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
    """The rows of a query to the database; empty if none exists yet. The connection stays for further ones."""
    if not database.exists():
        return []
    if database not in _CONNECTIONS:
        # A run asks the account, and so its rules, from threads of its own, one at a time.
        _CONNECTIONS[database] = sqlite3.connect(database, check_same_thread=False)
        _CONNECTIONS[database].row_factory = sqlite3.Row
    conn = _CONNECTIONS[database]
    is_set_up = conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone()
    return list(conn.execute(sql, values)) if is_set_up else []


def disconnect(database: Path) -> None:
    """Let go of the database: a run may find what the last one left, and a person may replace the file."""
    if (conn := _CONNECTIONS.pop(database, None)) is not None:
        conn.close()


def instant(text: Any) -> datetime | None:
    """A time as the database has it."""
    return datetime.fromisoformat(text) if text else None
