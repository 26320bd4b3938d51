"""Clicks on buttons of announcements: those that had an effect, and those that were refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from janitor.core.clicks.announcement import Announced
from janitor.core.clicks.click import Click
from janitor.core.clicks.keeping import Answer, Fate, Kept, answer_to
from janitor.core.clicks.permission import Refusal
from janitor.core.memory import Exemption
from janitor.core.units import iso
from janitor.store.connection import Connection, query
from janitor.store.rows import instant, instant_or_none
from janitor.store.trust.announcements import note_change
from janitor.store.trust.bindings import counts_after
from janitor.store.trust.exemptions import add_exemption, end_exemptions, exemption_records

STEP = """
-- Clicks on buttons. given: the id that came with it; announcement: the one that it is of, where that is known.
-- outcome: what it came to, or why it was refused. exemption: the one that it granted.
CREATE TABLE clicks (
    click INTEGER PRIMARY KEY,
    clicked_at TEXT NOT NULL,
    given TEXT NOT NULL,
    announcement TEXT REFERENCES announcements,
    team TEXT NOT NULL,
    person TEXT NOT NULL,
    person_name TEXT NOT NULL,
    wish TEXT NOT NULL,
    days INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    refused INTEGER NOT NULL,
    exemption INTEGER REFERENCES exemptions
);
CREATE INDEX clicks_on_announcement ON clicks (announcement, click);
"""

_LONGEST = 200
"""How much of a text is kept that came with a click."""


@dataclass(frozen=True, slots=True)
class AnsweredClick:
    """What a click came to for one announced image, and what had become of the image just before."""

    announced: Announced
    answer: Answer
    fate: Fate


def answer_click(
    db: Connection, click: Click, announced: Announced, *, until: datetime, why: str, at: datetime
) -> AnsweredClick:
    """Do what a permitted click asks for, for one image, and record it; a second time it changes nothing more."""
    fate = fate_of(db, announced, at)
    answer = answer_to(click.wish, fate, click.days, until, at)
    exemption = None
    if answer.exempts:
        given = Exemption(announced.image, until, why, str(click.person))
        exemption = add_exemption(db, announced.target, given, at)
    elif answer is Answer.ENDED:
        end_exemptions(db, announced.target, announced.image, str(click.person), at)
        end_through_clicks(db, announced.target, announced.image)
    _record(db, click, announced.id, (answer.value, False, exemption), at)
    if answer is Answer.KEPT:
        note_change(db, announced.id)
    return AnsweredClick(announced, answer, fate)


def record_refusal(db: Connection, click: Click, refusal: Refusal, at: datetime) -> None:
    """Record that a click had no effect, and why."""
    _record(db, click, None, (refusal.value, True, None), at)


def _record(
    db: Connection, click: Click, announcement: str | None, came_to: tuple[str, bool, int | None], at: datetime
) -> None:
    person = click.person
    words = (click.team[:_LONGEST], person.id[:_LONGEST], person.name[:_LONGEST], click.wish.value)
    db.execute(_ADD, (iso(at), click.of[:_LONGEST], announcement, *words, click.days, *came_to))


def fate_of(db: Connection, announced: Announced, now: datetime) -> Fate:
    """What has become of an announced image."""
    keys = {
        "target": announced.target,
        "image": announced.image,
        "after": counts_after(db, announced.target),
        "announcement": announced.id,
    }
    [row] = query(db, _FATE, keys)
    records = exemption_records(db, announced.target, announced.image)
    return Fate(
        kept_through(db, announced.id),
        any(record.active(now) for record in records),
        instant_or_none(row["deleted_at"]),
        instant_or_none(row["requested_at"]),
        instant_or_none(row["gone_at"]),
    )


def kept_through(db: Connection, announcement: str) -> Kept | None:
    """The exemption granted last through an announcement."""
    rows = query(db, _KEPT, {"announcement": announcement})
    return _kept(rows[0]) if rows else None


def shown_in(db: Connection, offer: int) -> dict[str, Kept]:
    """What was kept in time through the announcements of a message, by their ids."""
    rows = query(db, _SHOWN, {"offer": offer})
    return {row["announcement"]: _kept(row) for row in rows}


def end_through_clicks(db: Connection, target: str, image: str) -> None:
    """Note that the messages change through which the exemptions of an image were granted, as these have ended."""
    for (announcement,) in db.execute(_KEPT_BY, (target, image)):
        note_change(db, announcement)


def _kept(row: Mapping[str, Any]) -> Kept:
    return Kept(row["who"], instant(row["until"]), instant_or_none(row["ended_at"]), row["ended_by"])


def counts_of_clicks(db: Connection) -> dict[str, int]:
    """How many clicks came to what, since the database exists."""
    return dict(db.execute("SELECT outcome, count(*) FROM clicks GROUP BY outcome ORDER BY outcome"))


_ADD = """
INSERT INTO clicks (clicked_at, given, announcement, team, person, person_name, wish, days, outcome, refused, exemption)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SHOWN = """
SELECT c.announcement, e.who, e.until, e.ended_at, e.ended_by
FROM offered d JOIN clicks c USING (announcement) JOIN exemptions e USING (exemption)
WHERE d.offer = :offer AND c.outcome = 'kept' ORDER BY c.click
"""
_KEPT_BY = """
SELECT DISTINCT c.announcement FROM announcements a JOIN clicks c USING (announcement)
WHERE a.target = ? AND a.image = ? AND c.exemption IS NOT NULL
"""
_KEPT = """
SELECT e.who, e.until, e.ended_at, e.ended_by FROM clicks c JOIN exemptions e USING (exemption)
WHERE c.announcement = :announcement ORDER BY c.click DESC LIMIT 1
"""
# A deletion no longer counts where a later survey lists the image nevertheless.
_LATER = """
SELECT 1 FROM images i JOIN image_facts f ON f.image_key = i.image_key AND f.until_run IS NULL
JOIN surveys s ON s.target = i.target AND s.run > x.run AND s.finished_at IS NOT NULL
WHERE i.target = x.target AND i.image = x.image AND f.status NOT IN ('deleted', 'pending_delete')
"""
_LATEST = "FROM deletions x WHERE x.target = :target AND x.image = :image AND x.run > :after"
_OUTCOME = "coalesce(x.confirmed_outcome, x.settled_outcome, x.outcome)"
_FATE = f"""
SELECT
    (SELECT max(x.requested_at) {_LATEST} AND {_OUTCOME} = 'deleted' AND NOT EXISTS ({_LATER})) AS deleted_at,
    (
        SELECT max(x.requested_at) {_LATEST} AND x.requested_at IS NOT NULL AND (
            {_OUTCOME} IS NULL OR {_OUTCOME} = 'accepted' OR (x.unsettled AND x.settled_in_run IS NULL)
        )
    ) AS requested_at,
    (
        SELECT max(n.ended_at) FROM notices n JOIN images i USING (target, image)
        WHERE n.target = :target AND n.image = :image AND n.ended = 'gone' AND NOT i.present
    ) AS gone_at
"""  # noqa: S608 - conditions of ours
