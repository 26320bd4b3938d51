"""Announcements that people can answer by a click: what each button is for, and the messages in which it stands."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from janitor.core.clicks.announcement import Announced
from janitor.core.clicks.click import Place
from janitor.core.units import iso, iso_or_none
from janitor.store.connection import Connection, query
from janitor.store.rows import instant_or_none

STEP = """
-- What buttons are for. announcement: an opaque id, of one image in one report.
CREATE TABLE announcements (
    announcement TEXT PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,
    target TEXT NOT NULL,
    image TEXT NOT NULL,
    name TEXT NOT NULL,
    policy TEXT NOT NULL,
    due TEXT
) WITHOUT ROWID;
CREATE INDEX announcements_of_image ON announcements (target, image);
-- Buttons for several images at once: an opaque id, too.
CREATE TABLE announcement_groups (
    announcement_group TEXT NOT NULL,
    announcement TEXT NOT NULL REFERENCES announcements,
    PRIMARY KEY (announcement_group, announcement)
) WITHOUT ROWID;
-- Messages with buttons, each at its position in a report. channel, message: where Slack put it, once accepted.
-- changes: how often what it says of its images has changed, rewritten: how often it had when it was last rewritten.
CREATE TABLE offers (
    offer INTEGER PRIMARY KEY,
    report INTEGER NOT NULL,
    position INTEGER NOT NULL,
    run INTEGER NOT NULL REFERENCES runs,
    channel TEXT,
    channel_name TEXT,
    message TEXT,
    text TEXT NOT NULL,
    blocks TEXT,
    created_at TEXT NOT NULL,
    changes INTEGER NOT NULL DEFAULT 0,
    rewritten INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX offers_of_report ON offers (report, position);
CREATE INDEX offers_by_age ON offers (created_at) WHERE blocks IS NOT NULL;
CREATE INDEX offers_to_rewrite ON offers (offer) WHERE changes > rewritten;
CREATE TABLE offered (
    announcement TEXT NOT NULL REFERENCES announcements,
    offer INTEGER NOT NULL REFERENCES offers,
    PRIMARY KEY (announcement, offer)
) WITHOUT ROWID;
CREATE INDEX announcements_of_offer ON offered (offer);
"""

_SHOWN_FOR = timedelta(days=90)
"""For how long a message is kept so that it can be rewritten after a click; later clicks are answered all the same."""


@dataclass(frozen=True, slots=True)
class NewOffer:
    """A message with buttons that is about to be sent: `position` is its place in its report, from 0.

    `groups` are the ids of buttons for several images, each with theirs: the announced ones, and those in `also`, which
    have no buttons of their own in this message.
    """

    position: int
    text: str
    blocks: Sequence[Mapping[str, Any]]
    announced: Sequence[Announced]
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    also: Sequence[Announced] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """A message with buttons that stands in Slack, as it was sent; `changes` is how often that has changed since."""

    offer: int
    place: Place
    text: str
    blocks: Sequence[Mapping[str, Any]]
    changes: int


@dataclass(frozen=True, slots=True)
class Offered:
    """What a button is for: the announced images, the messages in which it stands, and the report's run and channel."""

    announced: tuple[Announced, ...]
    places: frozenset[Place]
    run: int
    channel: str


def add_offers(db: Connection, run: int, report: int, offers: Iterable[NewOffer], at: datetime) -> None:
    """Record the messages of a report that have buttons, before they are sent."""
    db.execute(_FORGET, (iso(at - _SHOWN_FOR),))
    for offer in offers:
        row = (report, offer.position, run, offer.text, json.dumps(offer.blocks), iso(at))
        number = db.execute(_ADD_OFFER, row).lastrowid
        db.executemany(_ADD, [_row(run, announced) for announced in (*offer.announced, *offer.also)])
        db.executemany(_ADD_OFFERED, [(announced.id, number) for announced in offer.announced])
        grouped = ((group, each) for group, members in offer.groups.items() for each in members)
        db.executemany(_ADD_GROUPED, list(grouped))


def _row(run: int, announced: Announced) -> tuple[Any, ...]:
    about = (announced.target, announced.image, announced.name, announced.policy)
    return (announced.id, run, *about, iso_or_none(announced.due))


def place_offer(db: Connection, report: int, accepted: int, place_json: str) -> None:
    """Record where the message stands that was accepted last of a report; nothing where it has no buttons.

    Of `place_json` the keys `id`, `latest` and `channel` are read: the id of the channel, the time stamp of that
    message, and the name of the channel. Without the first two its buttons stay without effect.
    """
    place = json.loads(place_json)
    if isinstance(place, dict) and place.get("id") and place.get("latest"):
        db.execute(_PLACE, (place["id"], place.get("channel"), place["latest"], report, accepted - 1))


def offered(db: Connection, given: str) -> Offered | None:
    """What a button with this id is for, if it is known and stands in an accepted message."""
    rows = query(db, _ASKED, {"id": given})
    if not rows:
        return None
    announced = tuple(_announced(row) for row in rows)
    places = query(db, _PLACES, {"id": given})
    if not places:
        return None
    found = frozenset(Place(row["channel"], row["message"]) for row in places)
    return Offered(announced, found, rows[0]["run"], places[0]["channel_name"] or places[0]["channel"])


def _announced(row: Mapping[str, Any]) -> Announced:
    due = instant_or_none(row["due"])
    return Announced(row["announcement"], row["target"], row["image"], row["name"], row["policy"], due)


def note_change(db: Connection, announcement: str) -> None:
    """Record that the messages in which an announcement stands no longer say what is so."""
    db.execute(_CHANGED, (announcement,))


def offers_to_rewrite(db: Connection) -> list[Offer]:
    """The messages that no longer say what is so, oldest first, as far as they are still kept."""
    return [
        Offer(
            row["offer"],
            Place(row["channel"], row["message"]),
            row["text"],
            json.loads(row["blocks"]),
            row["changes"],
        )
        for row in query(db, _TO_REWRITE, {})
    ]


def mark_rewritten(db: Connection, offer: Offer) -> None:
    """Record that a message was rewritten by what was so when the offer was read."""
    db.execute("UPDATE offers SET rewritten = ? WHERE offer = ?", (offer.changes, offer.offer))


_FORGET = "UPDATE offers SET blocks = NULL WHERE blocks IS NOT NULL AND created_at < ?"
_ADD_OFFER = "INSERT INTO offers (report, position, run, text, blocks, created_at) VALUES (?, ?, ?, ?, ?, ?)"
_ADD = """
INSERT INTO announcements (announcement, run, target, image, name, policy, due) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
"""
_ADD_OFFERED = "INSERT INTO offered (announcement, offer) VALUES (?, ?)"
_ADD_GROUPED = "INSERT INTO announcement_groups (announcement_group, announcement) VALUES (?, ?) ON CONFLICT DO NOTHING"
_PLACE = """
UPDATE offers SET channel = ?, channel_name = ?, message = ? WHERE report = ? AND position = ? AND message IS NULL
"""
_OF = "SELECT :id UNION SELECT announcement FROM announcement_groups WHERE announcement_group = :id"
_ASKED = f"SELECT * FROM announcements WHERE announcement IN ({_OF}) ORDER BY target, name, image"  # noqa: S608 - ours
_PLACES = f"""
SELECT DISTINCT o.channel, o.channel_name, o.message FROM offered d JOIN offers o USING (offer)
WHERE d.announcement IN ({_OF}) AND o.message IS NOT NULL
"""  # noqa: S608 - a query of ours
_CHANGED = """
UPDATE offers SET changes = changes + 1 WHERE offer IN (SELECT offer FROM offered WHERE announcement = ?)
"""
_TO_REWRITE = """
SELECT offer, channel, message, text, blocks, changes FROM offers
WHERE changes > rewritten AND message IS NOT NULL AND blocks IS NOT NULL ORDER BY offer
"""
