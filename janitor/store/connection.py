"""The connection to the database, and rows by the names of their columns.

A connection of the standard library: sqlite-utils, which brings databases up to date, takes a tenth of a second to
import, and only a database that is not up to date needs it.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any

Connection = sqlite3.Connection


def query(db: Connection, sql: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows that a SELECT finds, by the names of its columns."""
    cursor = db.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def tables(db: Connection) -> frozenset[str]:
    """The tables that are there."""
    return frozenset(name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
