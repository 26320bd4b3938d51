"""What the report of a run said about single images, besides decisions and deletions, and what was not accepted."""

from collections.abc import Mapping, Sequence

from janitor.core.decision import Change, Decision
from janitor.core.result import TargetResult
from janitor.store.connection import Connection

STEP = """
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

-- Whether the run applied a reviewed plan; the images of it that were still as they were are mentions, `approved`.
ALTER TABLE surveys ADD COLUMN applied INTEGER NOT NULL DEFAULT 0;
"""


def record_mentions(db: Connection, run: int, result: TargetResult) -> None:
    """Record what a report says about single images."""
    rows = [
        (run, result.target, kind, position, image, detail)
        for kind, entries in _mentions(result).items()
        for position, (image, detail) in enumerate(entries)
    ]
    db.executemany("INSERT OR REPLACE INTO mentions VALUES (?, ?, ?, ?, ?, ?)", rows)
    if result.review.approved is not None:
        db.execute("UPDATE surveys SET applied = 1 WHERE run = ? AND target = ?", (run, result.target))


def _mentions(result: TargetResult) -> dict[str, Sequence[tuple[str, str | None]]]:
    kinds = {"announced": result.notices.announced, "reminded": result.notices.reminded}
    mentions: dict[str, Sequence[tuple[str, str | None]]] = {
        kind: [(decision.image.id, None) for decision in decisions] for kind, decisions in kinds.items()
    }
    mentions["spared"] = [(saved.decision.image.id, saved.policy) for saved in result.notices.spared]
    mentions["gone"] = [(decision.image.id, decision.detail) for decision in result.notices.gone]
    mentions["overdue"] = [(image, None) for image in sorted(result.notices.overdue)]
    mentions["refused_again"] = [(image, None) for image in sorted(result.earlier.refused_again)]
    mentions["approved"] = [(image, None) for image in sorted(result.review.approved or ())]
    return mentions | {"changed": [(change.decision.image.id, change.detail) for change in result.review.changed]}


def mentioned(
    db: Connection, run: int, target: str, kind: str, decisions: Mapping[str, Decision]
) -> tuple[Change, ...]:
    """What the report of a run said about single images, of one kind; the detail may be empty."""
    sql = "SELECT image, detail FROM mentions WHERE run = ? AND target = ? AND kind = ? ORDER BY position"
    rows = db.execute(sql, (run, target, kind)).fetchall()
    return tuple(Change(decisions[image], detail or "") for image, detail in rows if image in decisions)


def applied(db: Connection, run: int, target: str) -> bool:
    """Whether a run applied a reviewed plan to a target."""
    row = db.execute("SELECT applied FROM surveys WHERE run = ? AND target = ?", (run, target)).fetchone()
    return bool(row and row[0])


def undelivered(db: Connection, run: int, target: str) -> frozenset[str]:
    """The images that a live run was to announce, or to send a reminder for, but no channel has accepted that."""
    return frozenset(row[0] for row in db.execute(_UNDELIVERED, {"run": run, "target": target}))


_UNDELIVERED = """
SELECT m.image FROM mentions m JOIN runs r ON r.run = m.run
WHERE m.run = :run AND m.target = :target AND m.kind IN ('announced', 'reminded') AND r.mode = 'delete'
    AND m.image NOT IN (
        SELECT image FROM notices WHERE target = :target AND (run = :run OR reminded_in_run = :run)
    )
"""
