"""What trust needs to remember: notices, refusals, good surveys, plans, and what a report said of which image."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from janitor.core.decision import Change, Decision
from janitor.core.memory import Notice, Refusals
from janitor.core.notices import reminded
from janitor.core.result import DeletionOutcome, TargetResult
from janitor.core.survey.plausibility import Measure
from janitor.core.units import iso
from janitor.store.rows import instant, instant_or_none
from janitor.store.trust.bindings import counts_after
from janitor.store.trust.hearing import unreminded

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

-- What the report of a run said of single images, beside decisions and deletions.
CREATE TABLE mentions (
    run INTEGER NOT NULL REFERENCES runs,
    target TEXT NOT NULL,
    kind TEXT NOT NULL,
    position INTEGER NOT NULL,
    image TEXT NOT NULL,
    detail TEXT,
    PRIMARY KEY (run, target, kind, position)
) WITHOUT ROWID;

-- The policies as they were; a new row when one changes.
CREATE TABLE policy_texts (
    policy TEXT NOT NULL,
    text TEXT NOT NULL,
    from_run INTEGER NOT NULL REFERENCES runs,
    until_run INTEGER REFERENCES runs
);

ALTER TABLE surveys ADD COLUMN protected INTEGER;
ALTER TABLE surveys ADD COLUMN instances INTEGER;
ALTER TABLE surveys ADD COLUMN good INTEGER NOT NULL DEFAULT 0;
-- Whether the run applied a reviewed plan; the images of it that were still as they were are mentions, `approved`.
ALTER TABLE surveys ADD COLUMN applied INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN digest TEXT;
"""

COUNTING = """
-- Entries of the image list that had no id; NULL where they were not counted.
ALTER TABLE surveys ADD COLUMN without_id INTEGER;
"""

NAMING = """
-- name: what the image was called in the announcement; NULL where that was not written down.
ALTER TABLE notices ADD COLUMN name TEXT;
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


def standing_notices(db: Database, target: str) -> dict[str, Notice]:
    """The notices that run in a target, by image id."""
    rows = db.query("SELECT * FROM notices WHERE target = :target AND ended_at IS NULL", {"target": target})
    return {row["image"]: _notice(row) for row in rows}


def _notice(row: Mapping[str, Any]) -> Notice:
    return Notice(
        row["policy"],
        timedelta(seconds=row["length_seconds"]),
        instant(row["announced_at"]),
        instant(row["due"]),
        instant_or_none(row["reminded_at"]),
        row["name"],
    )


def announce(db: Database, run: int, target: str, image: str, notice: Notice) -> None:
    """Start a notice that a channel has accepted; it replaces one that runs."""
    db.execute(_END_STANDING, (iso(notice.announced_at), "replaced", target, image))
    db.execute(
        "INSERT INTO notices (target, image, policy, length_seconds, run, announced_at, due, name)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            target,
            image,
            notice.policy,
            int(notice.length.total_seconds()),
            run,
            iso(notice.announced_at),
            iso(notice.due),
            notice.name,
        ),
    )


def remind(db: Database, run: int, target: str, images: Iterable[str], at: datetime) -> None:
    """Write down that a channel has accepted the reminders that a run gave of these images.

    One that comes too late moves the date of the deletion.
    """
    standing, missed = standing_notices(db, target), unreminded(db, target, run)
    for image in standing.keys() & set(images):
        notice = reminded(standing[image], at, missed=image in missed)
        announced_due = iso(standing[image].due) if notice.due != standing[image].due else None
        db.execute(_REMIND, (iso(at), run, iso(notice.due), announced_due, target, image))


def undelivered(db: Database, run: int, target: str) -> frozenset[str]:
    """The images that a live run was to announce, or to remind of, and did not: no channel has accepted that."""
    return frozenset(row[0] for row in db.execute(_UNDELIVERED, {"run": run, "target": target}))


def end_notices_of_gone(db: Database, target: str, unlisted: Iterable[str], at: datetime) -> None:
    """End the notices of those of these images that we deleted, or that no survey has listed for long."""
    ours, long_ago = deleted(db, target), iso(at - _SURELY_GONE)
    gone = [image for image in unlisted if image in ours or _missed_since(db, target, image) <= long_ago]
    db.conn.executemany(_END_STANDING, [(iso(at), "gone", target, image) for image in gone])


def _missed_since(db: Database, target: str, image: str) -> str:
    """When the first of the surveys finished that do not list an image any more."""
    finished_at: str = db.execute(_MISSED_SINCE, (target, image)).fetchone()[0]
    return finished_at


def end_spared(db: Database, run: int, at: datetime) -> None:
    """End the notices of the images that the report of a run calls spared."""
    db.execute(_END_SPARED, (iso(at), run))


def refusals(db: Database, target: str) -> dict[str, Refusals]:
    """The images whose latest deletions were refused, by id, with how often in a row.

    A try that failed is no answer: it neither counts nor ends the row, or an outage would begin the waits anew.
    """
    found: dict[str, Refusals] = {}
    ended: set[str] = set()
    for row in db.query(_ATTEMPTS, {"target": target, "after": counts_after(db.conn, target)}):
        image = row["image"]
        if image in ended or row["outcome"] == DeletionOutcome.FAILED:
            continue
        if row["outcome"] != DeletionOutcome.REFUSED:
            ended.add(image)
            continue
        latest = found.get(image)
        found[image] = (
            Refusals(1, instant(row["requested_at"]), row["detail"])
            if latest is None
            else Refusals(latest.count + 1, latest.last_at, latest.detail)
        )
    return found


def record_measure(db: Database, run: int, target: str, seen: Measure, *, good: bool) -> None:
    """Write down how much a survey saw, and whether it is believed."""
    db.execute(
        "UPDATE surveys SET owned = ?, protected = ?, instances = ?, volumes = ?, without_id = ?, good = ? "
        "WHERE run = ? AND target = ?",
        (seen.owned, seen.protected, seen.instances, seen.volumes, seen.without_id, good, run, target),
    )


def last_good(db: Database, target: str, before: int) -> tuple[int, Measure] | None:
    """The latest run before this one whose survey of a target was good, and what it measured."""
    row = db.execute(
        "SELECT run, owned, protected, instances, volumes, without_id FROM surveys "
        "WHERE target = ? AND run > ? AND run < ? AND good ORDER BY run DESC",
        (target, counts_after(db.conn, target), before),
    ).fetchone()
    return None if row is None else (row[0], Measure(*row[1:]))


def own_images(db: Database, target: str, run: int) -> set[str]:
    """The ids of the target's own images in the survey of a run, as the gate counts them."""
    return {row[0] for row in db.execute(_OWN_IMAGES, {"run": run, "target": target})}


def asked_since(db: Database, target: str, run: int) -> set[str]:
    """The ids of the images of a target whose deletion was asked for in this run or later."""
    sql = "SELECT DISTINCT image FROM deletions WHERE target = ? AND run >= ? AND requested_at IS NOT NULL"
    return {row[0] for row in db.execute(sql, (target, run))}


def deleted(db: Database, target: str) -> set[str]:
    """The ids of the images of a target that we are known to have deleted."""
    return {row[0] for row in db.execute(_DELETED, (target, counts_after(db.conn, target)))}


def record_mentions(db: Database, run: int, result: TargetResult) -> None:
    """Write down what a report says of single images."""
    rows = [
        (run, result.target, kind, position, image, detail)
        for kind, entries in _mentions(result).items()
        for position, (image, detail) in enumerate(entries)
    ]
    db.conn.executemany("INSERT OR REPLACE INTO mentions VALUES (?, ?, ?, ?, ?, ?)", rows)
    if result.review.approved is not None:
        db.execute("UPDATE surveys SET applied = 1 WHERE run = ? AND target = ?", (run, result.target))


def _mentions(result: TargetResult) -> dict[str, Sequence[tuple[str, str | None]]]:
    kinds = {"announced": result.notices.announced, "reminded": result.notices.reminded}
    mentions: dict[str, Sequence[tuple[str, str | None]]] = {
        kind: [(decision.image.id, None) for decision in decisions] for kind, decisions in kinds.items()
    }
    mentions["spared"] = [(saved.decision.image.id, saved.policy) for saved in result.notices.spared]
    mentions["overdue"] = [(image, None) for image in sorted(result.notices.overdue)]
    mentions["refused_again"] = [(image, None) for image in sorted(result.earlier.refused_again)]
    mentions["approved"] = [(image, None) for image in sorted(result.review.approved or ())]
    return mentions | {"changed": [(change.decision.image.id, change.detail) for change in result.review.changed]}


def mentioned(db: Database, run: int, target: str, kind: str, decisions: Mapping[str, Decision]) -> tuple[Change, ...]:
    """What the report of a run said of single images, of one kind; the detail is empty where there is none."""
    sql = "SELECT image, detail FROM mentions WHERE run = ? AND target = ? AND kind = ? ORDER BY position"
    rows = db.execute(sql, (run, target, kind)).fetchall()
    return tuple(Change(decisions[image], detail or "") for image, detail in rows if image in decisions)


def applied(db: Database, run: int, target: str) -> bool:
    """Whether a run applied a reviewed plan to a target."""
    row = db.execute("SELECT applied FROM surveys WHERE run = ? AND target = ?", (run, target)).fetchone()
    return bool(row and row[0])


_END_STANDING = "UPDATE notices SET ended_at = ?, ended = ? WHERE target = ? AND image = ? AND ended_at IS NULL"

# What `owns` says of an image.
_OWN_IMAGES = """
SELECT i.image FROM images i JOIN image_facts f ON f.image_key = i.image_key
    AND f.from_run <= :run AND (f.until_run IS NULL OR f.until_run > :run)
WHERE i.target = :target AND f.owned AND NOT f.public AND f.status NOT IN ('deleted', 'pending_delete')
"""

_REMIND = """
UPDATE notices SET reminded_at = ?, reminded_in_run = ?, due = ?, announced_due = coalesce(announced_due, ?)
WHERE target = ? AND image = ? AND ended_at IS NULL
"""

_MISSED_SINCE = """
SELECT s.finished_at FROM images i JOIN image_facts f USING (image_key)
JOIN surveys s ON s.target = i.target AND s.run = f.until_run
WHERE i.target = ? AND i.image = ? ORDER BY f.until_run DESC LIMIT 1
"""

_DELETED = """
SELECT DISTINCT image FROM deletions
WHERE target = ? AND run > ? AND coalesce(confirmed_outcome, settled_outcome, outcome) = 'deleted'
"""
_UNDELIVERED = """
SELECT m.image FROM mentions m JOIN runs r ON r.run = m.run
WHERE m.run = :run AND m.target = :target AND m.kind IN ('announced', 'reminded') AND r.mode = 'delete'
    AND m.image NOT IN (
        SELECT image FROM notices WHERE target = :target AND (run = :run OR reminded_in_run = :run)
    )
"""
_END_SPARED = """
UPDATE notices SET ended_at = ?, ended = 'spared'
WHERE ended_at IS NULL AND (target, image) IN (SELECT target, image FROM mentions WHERE run = ? AND kind = 'spared')
"""
_ATTEMPTS = """
SELECT x.image, x.outcome, x.requested_at, x.detail FROM deletions x
WHERE x.target = :target AND x.run > :after AND x.requested_at IS NOT NULL AND x.outcome IS NOT NULL AND x.image IN (
    SELECT image FROM deletions WHERE target = :target AND outcome = 'refused'
)
ORDER BY x.image, x.deletion DESC
"""
