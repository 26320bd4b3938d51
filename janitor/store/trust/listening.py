"""Who listens to clicks: the sign of life of each listener, by which runs know whether buttons would be heard."""

from datetime import datetime, timedelta

from janitor.core.units import iso
from janitor.store.connection import Connection
from janitor.store.rows import instant

STEP = """
-- Programs that listen to clicks. connected_at: since when the present connection stands; heard_at: when Slack last
-- answered on it.
CREATE TABLE listeners (
    listener TEXT PRIMARY KEY,
    connected_at TEXT NOT NULL,
    heard_at TEXT NOT NULL
) WITHOUT ROWID;
"""

HEARD_WITHIN = timedelta(minutes=2)
"""How long ago Slack may have answered a listener that counts."""

_FORGOTTEN_AFTER = timedelta(days=1)


def record_listener(db: Connection, listener: str, connected_at: datetime, heard_at: datetime) -> None:
    """Record a sign of life of a listener; those that have been silent for long are forgotten."""
    db.execute("DELETE FROM listeners WHERE heard_at < ?", (iso(heard_at - _FORGOTTEN_AFTER),))
    db.execute(_PUT, (listener, iso(connected_at), iso(heard_at)))


def end_listener(db: Connection, listener: str) -> None:
    """Record that a listener has ended."""
    db.execute("DELETE FROM listeners WHERE listener = ?", (listener,))


def is_heard(db: Connection, now: datetime) -> bool:
    """Whether somebody listens: Slack answered less than two minutes ago. A time that is to come says nothing."""
    heard = (instant(text) for (text,) in db.execute("SELECT heard_at FROM listeners"))
    return any(abs(now - at) < HEARD_WITHIN for at in heard)


_PUT = "INSERT OR REPLACE INTO listeners (listener, connected_at, heard_at) VALUES (?, ?, ?)"
