"""Notices: announcements that a channel accepted, the reminders of them, and how each ended."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import Image
from janitor.core.memory import Notice
from janitor.core.names.image_ids import folded
from janitor.core.notices import reminded
from janitor.core.units import format_minute, iso
from janitor.store.connection import Connection, query
from janitor.store.rows import instant, instant_or_none
from janitor.store.surveys.recorded import last_known
from janitor.store.trust.hearing import STANDING, unreminded
from janitor.store.trust.outcomes import is_deleted

_SURELY_GONE = timedelta(days=7)

STEP = """
-- Announcements that a channel accepted. An ended one was `spared`, `gone`, or `replaced` by another.
CREATE TABLE notices (
    notice INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    image TEXT NOT NULL,
    policy TEXT NOT NULL,
    length_seconds INTEGER NOT NULL,
    run INTEGER NOT NULL REFERENCES runs,
    announced_at TEXT NOT NULL,
    due TEXT NOT NULL,
    reminded_at TEXT,
    ended_at TEXT,
    ended TEXT
);
CREATE UNIQUE INDEX standing_notices ON notices (target, image) WHERE ended_at IS NULL;
"""

NAMING = """
-- name: what the image was called in the announcement; NULL where that was not written down.
ALTER TABLE notices ADD COLUMN name TEXT;
"""

OWNING = """
-- owner: the owner that was found when it was announced; NULL where reports did not go to owners. instead: the main
-- channel was told last, as that owner could not be reached.
ALTER TABLE notices ADD COLUMN owner TEXT;
ALTER TABLE notices ADD COLUMN instead INTEGER NOT NULL DEFAULT 0;
"""

PLACING = """
-- place: where the image was reported when it was announced, as in reports.channel, or would have been if it could have
-- been reached (see instead); NULL where that is not known.
ALTER TABLE notices ADD COLUMN place TEXT;

-- Before there were owners, the channel of its policy was told, if it has one of its own that got a report of that run,
-- or else the main one. Where owners are told, only a run with one report was certainly told in one place.
UPDATE notices SET place = (
    SELECT p.channel FROM policy_texts t
    JOIN reports p ON p.run = notices.run AND p.channel IN (json_extract(t.value, '$.channel'), 'slack')
    WHERE t.policy = notices.policy AND json_valid(t.value)
        AND t.from_run <= notices.run AND (t.until_run IS NULL OR t.until_run > notices.run)
    ORDER BY p.channel = 'slack' LIMIT 1
) WHERE ended_at IS NULL AND owner IS NULL;
UPDATE notices SET place = (
    SELECT min(channel) FROM reports WHERE run = notices.run HAVING count(*) = 1 AND min(error) IS NULL
) WHERE ended_at IS NULL AND place IS NULL AND NOT instead;
"""

REMINDING = """
-- reminded_in_run: the run whose report reminded, which was accepted at reminded_at.
ALTER TABLE notices ADD COLUMN reminded_in_run INTEGER REFERENCES runs;
UPDATE notices SET reminded_in_run = (
    SELECT max(m.run) FROM mentions m JOIN runs r ON r.run = m.run
    WHERE m.kind = 'reminded' AND m.target = notices.target AND m.image = notices.image
        AND r.started_at <= notices.reminded_at
) WHERE reminded_at IS NOT NULL;
"""


def standing_notices(db: Connection, target: str) -> dict[str, Notice]:
    """The current notices of a target, by image id."""
    return {row["image"]: notice_of(row) for row in query(db, _OF_TARGET, {"target": target})}


def announced_since(db: Connection, at: datetime) -> int:
    """How many images, of all targets, were announced since."""
    (count,) = db.execute(_ANNOUNCED_SINCE, (iso(at),)).fetchone()
    return int(count)


def notice_of(row: Mapping[str, Any]) -> Notice:
    """The notice in a row."""
    return Notice(
        row["policy"],
        timedelta(seconds=row["length_seconds"]),
        instant(row["announced_at"]),
        instant(row["due"]),
        instant_or_none(row["reminded_at"]),
        row["name"],
        owner=row["owner"],
        instead=bool(row["instead"]),
        place=row["place"],
    )


def announce(db: Connection, run: int, target: str, image: str, notice: Notice) -> None:
    """Start a notice that a channel has accepted; it replaces an earlier one."""
    db.execute(_END_STANDING, (iso(notice.announced_at), "replaced", target, image))
    db.execute(
        "INSERT INTO notices (target, image, policy, length_seconds, run, announced_at, due, name, owner, instead,"
        " place) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            target,
            image,
            notice.policy,
            int(notice.length.total_seconds()),
            run,
            iso(notice.announced_at),
            iso(notice.due),
            notice.name,
            notice.owner,
            notice.instead,
            notice.place,
        ),
    )


def respell(db: Connection, target: str, images: Sequence[Image], at: datetime) -> None:
    """Let the current notices go on of images whose ids a list now spells otherwise than when they were announced."""
    announced = {image for (image,) in db.execute(_STANDING_OF, (target,))}
    identities = {folded(image) for image in announced}
    listed = [each for each in images if each.identity in identities]
    spelled = {each.identity: each.id for each in listed}
    for before in sorted(announced.difference(each.id for each in listed)):
        if (now := spelled.get(folded(before))) is None:
            continue
        if now not in announced:
            announced.add(now)
            db.execute(_RESPELLED, (now, target, before))
        db.execute(_END_STANDING, (iso(at), "replaced", target, before))


def remind(
    db: Connection, run: int, target: str, images: Iterable[str], at: datetime, instead: Collection[str] = ()
) -> None:
    """Record that a channel has accepted the reminders of a run for these images.

    A late one moves the date of the deletion. Of some, the main channel was told `instead` of the owner.
    """
    standing, missed = standing_notices(db, target), unreminded(db, target, run)
    for image in standing.keys() & set(images):
        notice = reminded(standing[image], at, missed=image in missed)
        announced_due = iso(standing[image].due) if notice.due != standing[image].due else None
        db.execute(_REMIND, (iso(at), run, iso(notice.due), announced_due, image in instead, target, image))


def end_notices_of_gone(
    db: Connection, target: str, unlisted: Iterable[str], at: datetime, zone: tzinfo
) -> list[Decision]:
    """End the notices of those of these images that the janitor deleted, or may have deleted.

    Returns those that no survey has listed for a week, and that somebody else deleted, with sentences in `zone`;
    their notices go on.
    """
    long_ago, ended, others = iso(at - _SURELY_GONE), list[str](), list[Decision]()
    for image in unlisted:
        missing = missed_since(db, target, image)
        if is_deleted(db, target, image):
            ended.append(image)
        elif missing <= long_ago:
            if db.execute(_MAY_BE_OURS, {"target": target, "image": image}).fetchone():
                ended.append(image)
            else:
                others.append(_taken(db, target, image, instant(missing), zone))
    db.executemany(_END_STANDING, [(iso(at), "gone", target, image) for image in ended])
    return others


def _taken(db: Connection, target: str, image: str, missing: datetime, zone: tzinfo) -> Decision:
    """An announced image as it was last seen, and since when no survey lists it."""
    notice = standing_notices(db, target)[image]
    since = f"announced {format_minute(notice.announced_at, zone)}; no survey since {format_minute(missing, zone)}"
    return _gone(last_known(db, target, image), notice.policy, f"{since} lists it, and no run deleted it")


def _gone(image: Image | None, policy: str, detail: str) -> Decision:
    assert image is not None
    return Decision(image, Verdict.KEEP, policy, Reason.GONE, detail)


def gone_in(db: Connection, run: int, target: str) -> tuple[Decision, ...]:
    """The announced images that somebody else deleted, as a run reported them."""
    gone = []
    for image, detail in db.execute(_GONE_IN, (run, target)).fetchall():
        (policy,) = db.execute(_ANNOUNCED_BY, (target, image, run)).fetchone()
        gone.append(_gone(last_known(db, target, image, run), policy, detail))
    return tuple(gone)


def end_gone(db: Connection, run: int, at: datetime) -> None:
    """End the notices of the images that the report of a run says somebody else deleted."""
    db.execute(_END_GONE, (iso(at), run))


def missed_since(db: Connection, target: str, image: str) -> str:
    """When the first of the surveys finished that no longer list an image."""
    finished_at: str = db.execute(_MISSED_SINCE, (target, image)).fetchone()[0]
    return finished_at


def end_spared(db: Connection, run: int, at: datetime) -> None:
    """End the notices of the images that the report of a run calls spared."""
    db.execute(_END_SPARED, (iso(at), run))


_OF_TARGET = f"SELECT * FROM {STANDING} WHERE target = :target AND ended_at IS NULL"  # noqa: S608 - a name of ours
_ANNOUNCED_SINCE = "SELECT count(*) FROM (SELECT DISTINCT target, image FROM notices WHERE announced_at >= ?)"
_END_STANDING = "UPDATE notices SET ended_at = ?, ended = ? WHERE target = ? AND image = ? AND ended_at IS NULL"
_STANDING_OF = f"SELECT image FROM {STANDING} WHERE target = ? AND ended_at IS NULL"  # noqa: S608 - a name of ours
_AS_ANNOUNCED = (
    "policy, length_seconds, run, announced_at, due, reminded_at, announced_due, name, owner, instead, place, "
    "reminded_in_run"
)
_RESPELLED = f"""
INSERT INTO notices (target, image, {_AS_ANNOUNCED})
SELECT target, ?, {_AS_ANNOUNCED} FROM notices WHERE target = ? AND image = ? AND ended_at IS NULL
"""  # noqa: S608 - the names of columns
_REMIND = """
UPDATE notices SET reminded_at = ?, reminded_in_run = ?, due = ?, announced_due = coalesce(announced_due, ?),
    instead = ?
WHERE target = ? AND image = ? AND ended_at IS NULL
"""
_MISSED_SINCE = """
SELECT s.finished_at FROM images i JOIN image_facts f USING (image_key)
JOIN surveys s ON s.target = i.target AND s.run = f.until_run
WHERE i.target = ? AND i.image = ? ORDER BY f.until_run DESC LIMIT 1
"""
_MAY_BE_OURS = """
SELECT 1 FROM deletions x JOIN notices n ON n.target = x.target AND n.image = x.image AND n.ended_at IS NULL
WHERE x.target = :target AND x.image = :image AND x.run >= n.run AND x.requested_at IS NOT NULL
    AND coalesce(x.confirmed_outcome, x.settled_outcome, x.outcome, '') != 'refused'
"""
_ANNOUNCED_BY = """
SELECT policy FROM notices WHERE target = ? AND image = ? AND run < ? ORDER BY notice DESC LIMIT 1
"""
_GONE_IN = "SELECT image, detail FROM mentions WHERE run = ? AND target = ? AND kind = 'gone' ORDER BY position"
_END_GONE = f"""
UPDATE {STANDING} SET ended_at = ?, ended = 'gone'
WHERE ended_at IS NULL AND (target, image) IN (SELECT target, image FROM mentions WHERE run = ? AND kind = 'gone')
"""  # noqa: S608 - the name of a table
_END_SPARED = f"""
UPDATE {STANDING} SET ended_at = ?, ended = 'spared'
WHERE ended_at IS NULL AND (target, image) IN (SELECT target, image FROM mentions WHERE run = ? AND kind = 'spared')
"""  # noqa: S608 - the name of a table
