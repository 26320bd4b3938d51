"""The clock of each run, if an answer of an API confirmed it."""

from datetime import datetime

from janitor.core.units import iso
from janitor.store.connection import Connection
from janitor.store.rows import instant

STEP = """
-- What our clock said when an answer of an API bore it out; NULL where none did.
ALTER TABLE runs ADD COLUMN clock_borne_out_at TEXT;
"""


def record_clock(db: Connection, run: int, at: datetime) -> None:
    """Record the time of a run's clock when an answer confirmed it; the latest of several such instants."""
    sql = "UPDATE runs SET clock_borne_out_at = max(coalesce(clock_borne_out_at, ''), ?) WHERE run = ?"
    db.execute(sql, (iso(at), run))


def last_clock(db: Connection, before: int) -> tuple[int, datetime] | None:
    """The latest run before this one whose clock an answer confirmed, and its time."""
    sql = "SELECT run, clock_borne_out_at FROM runs WHERE run < ? AND clock_borne_out_at > '' ORDER BY run DESC LIMIT 1"
    row = db.execute(sql, (before,)).fetchone()
    return None if row is None else (row[0], instant(row[1]))
