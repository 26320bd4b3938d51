"""The outcomes of earlier deletions on which later runs depend: requested, deleted, or rejected repeatedly."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from janitor.core.memory import Refusals
from janitor.core.planning.deletion import Answer, Requested, Shown, is_open, outcome_of
from janitor.core.result import DeletionOutcome
from janitor.core.units import iso
from janitor.store.connection import Connection, query
from janitor.store.rows import instant
from janitor.store.trust.bindings import counts_after


def refusals(db: Connection, target: str) -> dict[str, Refusals]:
    """The images whose latest deletions were rejected, by id, with how often in a row.

    A failed try is not an answer: it neither counts nor ends the series, or an outage would restart the waits.
    """
    found: dict[str, Refusals] = {}
    ended: set[str] = set()
    for row in query(db, _ATTEMPTS, {"target": target, "after": counts_after(db, target)}):
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


def asked_since(db: Connection, target: str, run: int) -> set[str]:
    """The ids of the images of a target whose deletion was requested in this run or later."""
    # +target: SQLite would look through all that was ever requested of the target.
    sql = "SELECT DISTINCT image FROM deletions WHERE +target = ? AND run >= ? AND requested_at IS NOT NULL"
    return {row[0] for row in db.execute(sql, (target, run))}


def is_deleted(db: Connection, target: str, image: str) -> bool:
    """Whether the janitor is known to have deleted an image of a target."""
    found = db.execute(f"{_DELETED} AND image = ?", (target, counts_after(db, target), image)).fetchone()
    return found is not None


def deleted(db: Connection, target: str) -> set[str]:
    """The ids of the images of a target that the janitor is known to have deleted."""
    return {row[0] for row in db.execute(_DELETED, (target, counts_after(db, target)))}


def requested_since(db: Connection, at: datetime) -> list[Requested]:
    """What became of each image, of all targets, whose deletion was requested since: one that was deleted stays so.

    A request of a run that died is known by its answer, if there was one.
    """
    found: dict[tuple[str, str], Requested] = {}
    for row in query(db, _REQUESTED_SINCE, {"at": iso(at)}):
        one = (row["target"], row["image"])
        if one not in found or found[one].outcome is not DeletionOutcome.DELETED:
            found[one] = Requested(_outcome_of(row), row["size"])
    return list(found.values())


def _outcome_of(row: Mapping[str, Any]) -> DeletionOutcome | None:
    """The last word on a request; None where neither an answer nor a survey says anything."""
    if row["outcome"] is None:
        answer = Answer(row["answer"] or Answer.NONE)
        outcome, is_unknown = outcome_of(answer, Shown.UNKNOWN), is_open(answer, Shown.UNKNOWN)
    else:
        outcome, is_unknown = DeletionOutcome(row["outcome"]), bool(row["unknown"])
    return None if is_unknown and outcome is DeletionOutcome.FAILED else outcome


STEP = """
-- What each run looks up is found without a look at all that was ever done.
CREATE INDEX refused_deletions ON deletions (target, image) WHERE outcome = 'refused';
CREATE INDEX unfinished_runs ON runs (run) WHERE outcome IS NULL;
"""

_ATTEMPTS = """
SELECT x.image, x.outcome, x.requested_at, x.detail FROM deletions x
WHERE x.target = :target AND x.run > :after AND x.requested_at IS NOT NULL AND x.outcome IS NOT NULL AND x.image IN (
    SELECT image FROM deletions INDEXED BY refused_deletions WHERE target = :target AND outcome = 'refused'
)
ORDER BY x.image, x.deletion DESC
"""
_REQUESTED_SINCE = """
SELECT d.target, d.image, d.answer, coalesce(d.confirmed_outcome, d.settled_outcome, d.outcome) AS outcome,
    d.unsettled AND d.settled_in_run IS NULL AS unknown, (
        SELECT f.size FROM images i JOIN image_facts f ON f.image_key = i.image_key
        WHERE i.target = d.target AND i.image = d.image ORDER BY f.from_run DESC LIMIT 1
    ) AS size
FROM deletions d WHERE d.requested_at >= :at ORDER BY d.deletion
"""
_DELETED = """
SELECT DISTINCT image FROM deletions
WHERE target = ? AND run > ? AND coalesce(confirmed_outcome, settled_outcome, outcome) = 'deleted'
"""
