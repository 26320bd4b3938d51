"""Reports as they are delivered, kept until their channel has accepted them and afterwards; and who has which address.

Whom a service has for an e-mail address is kept so that it is asked once a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from janitor.core.memory import Backlog
from janitor.core.units import iso
from janitor.store.connection import Connection
from janitor.store.rows import instant, instant_or_none
from janitor.store.trust.announcements import NewOffer, add_offers, place_offer

STEP = """
-- accepted: how many of the messages the channel has accepted; place: where those stand. listing is a file that goes
-- with the messages, and is dropped once all is delivered.
ALTER TABLE reports ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reports ADD COLUMN place TEXT;
ALTER TABLE reports ADD COLUMN listing TEXT;
"""

OWING = """
-- owes_report: its report was to be posted, and has not been kept yet.
ALTER TABLE runs ADD COLUMN owes_report INTEGER NOT NULL DEFAULT 0;
"""

ADDRESSING = """
-- owners: JSON, the owners to whom it is addressed, as found, "" for the default; NULL if it is to no owner.
ALTER TABLE reports ADD COLUMN owners TEXT;
"""

PEOPLE = """
-- Whom a service, such as Slack at an address, had for an e-mail address when it was last asked; NULL is nobody.
CREATE TABLE people (
    service TEXT NOT NULL,
    address TEXT NOT NULL,
    user TEXT,
    asked_at TEXT NOT NULL,
    PRIMARY KEY (service, address)
) WITHOUT ROWID;
"""

_MOST_PEOPLE = 10_000
_REMEMBERED_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report that its channel has not accepted yet, or not all of it.

    `messages_json` is what its kind of channel sends late: a list of Slack's messages, or an object that names another
    kind. `error` says why, if it was tried. `accepted` counts the accepted messages, and `place_json` is where they
    are. `began_at` is when its run began, or when the report was made if there was no run. `owners_json` is a list of
    the owners to whom it is addressed, if it is to any.

    Wide because each field is a column.
    """

    report: int
    run: int | None
    channel: str
    messages_json: str
    created_at: datetime
    error: str | None
    began_at: datetime
    accepted: int = 0
    place_json: str | None = None
    listing_json: str | None = None
    owners_json: str | None = None


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report that is about to be sent to a channel; `offers` are those of its messages that have buttons."""

    channel: str
    messages_json: str
    listing_json: str | None = None
    offers: Sequence[NewOffer] = ()
    owners_json: str | None = None


def add_report(db: Connection, run: int | None, report: NewReport, at: datetime) -> int:
    """Keep a report; returns its number."""
    cursor = db.execute(
        _ADD, (run, report.channel, report.messages_json, iso(at), report.listing_json, report.owners_json)
    )
    assert cursor.lastrowid is not None
    if run is not None and report.offers:
        add_offers(db, run, cursor.lastrowid, report.offers, at)
    return cursor.lastrowid


def mark_accepted(db: Connection, report: int, accepted: int, place_json: str) -> None:
    """Record that the channel has accepted so many messages of it, which are at this place."""
    db.execute("UPDATE reports SET accepted = ?, place = ? WHERE report = ?", (accepted, place_json, report))
    place_offer(db, report, accepted, place_json)


def mark_delivered(db: Connection, report: int, at: datetime, channel: str | None = None) -> None:
    """Record that the channel has accepted all of it, or that another `channel` has, to which it went instead."""
    db.execute(_DELIVERED, (iso(at), channel, report))


def mark_superfluous(db: Connection, report: int, why: str, at: datetime) -> None:
    """Record that it will not be sent, and why. Its own channel has not accepted it."""
    db.execute("UPDATE reports SET delivered_at = ?, error = ? WHERE report = ?", (iso(at), why, report))


def mark_undelivered(db: Connection, report: int, error: str, at: datetime) -> None:
    """Record that the channel has not accepted it, or not all of it."""
    db.execute("UPDATE reports SET failed_at = ?, error = ? WHERE report = ?", (iso(at), error, report))


def undelivered(db: Connection) -> list[KeptReport]:
    """The reports that are still to be delivered, oldest first."""
    return [
        KeptReport(report, run, channel, messages, instant(created_at), error, instant(began_at), *delivery)
        for report, run, channel, messages, created_at, error, began_at, *delivery in db.execute(_UNDELIVERED)
    ]


def backlog(db: Connection) -> Backlog:
    """How many reports are still to be delivered, those included that runs which died owe, and since when."""
    reports, since = db.execute(_BACKLOG).fetchone()
    return Backlog(reports, instant_or_none(since))


def channels_of(db: Connection, kept: KeptReport) -> dict[str, bool]:
    """The channels for which the same report of the same run was kept, each with whether it has accepted it."""
    return dict(db.execute(_SAME, (kept.run, kept.messages_json)))


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """The id for an address, None for nobody, as of a time."""

    user: str | None
    asked_at: datetime


def person(db: Connection, service: str, address: str) -> FoundPerson | None:
    """The last answer about an address; None if there is none."""
    row = db.execute(
        "SELECT user, asked_at FROM people WHERE service = ? AND address = ?", (service, address)
    ).fetchone()
    return None if row is None else FoundPerson(row[0], instant(row[1]))


def record_person(db: Connection, service: str, address: str, user: str | None, at: datetime) -> None:
    """Record an answer about an address; of all, only the latest 10,000 of the last week are kept."""
    db.execute("INSERT OR REPLACE INTO people VALUES (?, ?, ?, ?)", (service, address, user, iso(at)))
    db.execute("DELETE FROM people WHERE asked_at < ?", (iso(at - _REMEMBERED_FOR),))
    db.execute(_FORGET, (_MOST_PEOPLE,))


def forget_person(db: Connection, service: str, address: str) -> None:
    """Forget the answer about an address, so that it is asked for again."""
    db.execute("DELETE FROM people WHERE service = ? AND address = ?", (service, address))


_FORGET = """
DELETE FROM people WHERE (service, address) IN (
    SELECT service, address FROM people ORDER BY asked_at DESC LIMIT -1 OFFSET ?
)
"""
_ADD = "INSERT INTO reports (run, channel, messages, created_at, listing, owners) VALUES (?, ?, ?, ?, ?, ?)"
_DELIVERED = """
UPDATE reports SET delivered_at = ?, error = NULL, listing = NULL, channel = coalesce(?, channel) WHERE report = ?
"""
_SAME = """
SELECT channel, max(delivered_at IS NOT NULL) FROM reports
WHERE run IS ? AND messages = ? AND (delivered_at IS NULL OR error IS NULL) GROUP BY channel
"""
_UNDELIVERED = """
SELECT p.report, p.run, p.channel, p.messages, p.created_at, p.error, coalesce(r.started_at, p.created_at),
    p.accepted, p.place, p.listing, p.owners
FROM reports p LEFT JOIN runs r ON r.run = p.run
WHERE p.delivered_at IS NULL ORDER BY p.report
"""
_BACKLOG = """
SELECT count(*), min(began_at) FROM (
    SELECT coalesce(r.started_at, p.created_at) AS began_at FROM reports p LEFT JOIN runs r ON r.run = p.run
    WHERE p.delivered_at IS NULL
    UNION ALL SELECT started_at FROM runs WHERE owes_report AND outcome IS NOT NULL
)
"""
