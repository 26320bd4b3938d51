"""Reports as they were to be delivered: kept until their channel has accepted them, and after."""

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from janitor.store.rows import instant
from janitor.units import iso


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report that no channel has accepted yet. `error` says why, where it was tried."""

    report: int
    run: int | None
    channel: str
    messages_json: str
    created_at: datetime
    error: str | None


def add_report(db: Database, run: int | None, channel: str, messages_json: str, at: datetime) -> int:
    """Keep a report that is about to be sent; returns its number."""
    cursor = db.execute(_ADD, (run, channel, messages_json, iso(at)))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def mark_delivered(db: Database, report: int, at: datetime) -> None:
    """The channel has accepted all of it."""
    db.execute("UPDATE reports SET delivered_at = ?, error = NULL WHERE report = ?", (iso(at), report))


def mark_undelivered(db: Database, report: int, error: str, at: datetime) -> None:
    """The channel has not accepted it, or not all of it."""
    db.execute("UPDATE reports SET failed_at = ?, error = ? WHERE report = ?", (iso(at), error, report))


def undelivered(db: Database) -> list[KeptReport]:
    """The reports that are still to be delivered, oldest first."""
    return [
        KeptReport(report, run, channel, messages, instant(created_at), error)
        for report, run, channel, messages, created_at, error in db.execute(_UNDELIVERED)
    ]


_ADD = "INSERT INTO reports (run, channel, messages, created_at) VALUES (?, ?, ?, ?)"
_UNDELIVERED = """
SELECT report, run, channel, messages, created_at, error FROM reports WHERE delivered_at IS NULL ORDER BY report
"""
