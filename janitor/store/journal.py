"""The journal of deletions: what was asked of an API, what it answered, and what was confirmed afterwards."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from janitor.model import Decision, Deletion, DeletionOutcome
from janitor.settling import Settlement, Unsettled
from janitor.store.decisions import decision_at
from janitor.units import iso


def add_request(db: Database, run: int, target: str, image_id: str, at: datetime) -> int:
    """Write down a request that is about to be sent; returns its entry."""
    cursor = db.execute(_REQUEST, (run, target, image_id, iso(at)))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def add_answer(db: Database, entry: int, answer: str, at: datetime) -> None:
    """Write down what the API answered."""
    db.execute("UPDATE deletions SET answered_at = ?, answer = ? WHERE deletion = ?", (iso(at), answer, entry))


def add_outcomes(db: Database, run: int, target: str, deletions: Iterable[Deletion]) -> None:
    """Write down what became of each deletion, in the order in which they are reported."""
    for position, deletion in enumerate(deletions):
        result = (deletion.outcome.value, deletion.detail, deletion.unsettled, position)
        key = (run, target, deletion.decision.image.id)
        if db.execute(_OUTCOME, (*result, *key)).rowcount == 0:
            db.execute(_UNSENT, (*key, *result))


def unsettled(db: Database, target: str) -> list[Unsettled]:
    """The requests of earlier runs to a target of which no survey has told yet what became, oldest first."""
    rows = list(db.query(_UNSETTLED, {"target": target}))
    return [
        Unsettled(row["deletion"], row["run"], bool(row["finished"]), decision, row["answer"])
        for row in rows
        if (decision := decision_at(db, row["run"], target, row["image"]))
    ]


def add_settlements(db: Database, run: int, settlements: Iterable[Settlement]) -> None:
    """Write down what this run found to have become of requests of earlier ones; what those reported stays as it is."""
    for settlement in settlements:
        found = settlement.deletion
        db.execute(_SETTLE, {"run": run, "outcome": found.outcome, "detail": found.detail, "entry": settlement.entry})


def settled_in(db: Database, run: int, target: str) -> tuple[Deletion, ...]:
    """The deletions of earlier runs that this run settled in a target, in the order in which they were asked for."""
    rows = list(db.query(_SETTLED, {"run": run, "target": target}))
    return tuple(
        Deletion(decision, DeletionOutcome(row["settled_outcome"]), row["settled_detail"])
        for row in rows
        if (decision := decision_at(db, row["run"], target, row["image"]))
    )


def deletions_at(
    db: Database, run: int, target: str, decisions: Mapping[str, Decision], *, finished: bool
) -> tuple[Deletion, ...]:
    """The deletions that a run reported for a target; of one that never finished, all that the journal knows of."""
    rows = db.query(_OF_TARGET, {"run": run, "target": target})
    return tuple(_deletion(decisions[row["image"]], row) for row in rows if row["position"] is not None or not finished)


def _deletion(decision: Decision, row: Mapping[str, Any]) -> Deletion:
    if row["outcome"] is None:
        return Deletion(decision, *unconfirmed(row["answer"]), unsettled=True)
    return Deletion(decision, DeletionOutcome(row["outcome"]), row["detail"], bool(row["unsettled"]))


def unconfirmed(answer: str | None) -> tuple[DeletionOutcome, str]:
    """What can be said of a request whose run ended before its outcome was confirmed, from the answer alone."""
    if answer is None:
        return DeletionOutcome.FAILED, "it was asked for, but the run ended before an answer was recorded"
    word, _, rest = answer.partition(": ")
    match word:
        case "accepted":
            return DeletionOutcome.ACCEPTED, "the API said yes, but the run ended before that was confirmed"
        case "absent":
            return DeletionOutcome.FAILED, "the API knows no such image, but the run ended before that was confirmed"
        case "refused":
            return DeletionOutcome.REFUSED, rest
        case _:
            return DeletionOutcome.FAILED, answer


_REQUEST = "INSERT INTO deletions (run, target, image, requested_at) VALUES (?, ?, ?, ?)"
_OUTCOME = """
UPDATE deletions SET outcome = ?, detail = ?, unsettled = ?, position = ?
WHERE deletion = (SELECT max(deletion) FROM deletions WHERE run = ? AND target = ? AND image = ?)
"""
_UNSENT = """
INSERT INTO deletions (run, target, image, outcome, detail, unsettled, position) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_OF_TARGET = """
SELECT image, answer, outcome, detail, unsettled, position FROM deletions WHERE run = :run AND target = :target
ORDER BY position IS NULL, position, deletion
"""
# The first condition is word for word that of the index unsettled_deletions. The others add what a run knew the end of,
# or settled, and could not report any more, because it was killed.
_UNSETTLED = """
SELECT x.deletion, x.run, x.image, x.answer, r.outcome IS NOT NULL AS finished
FROM deletions x JOIN runs r ON r.run = x.run
WHERE x.target = :target AND x.settled_in_run IS NULL AND (x.outcome IS NULL OR x.unsettled)
UNION
SELECT x.deletion, x.run, x.image, x.answer, 0 AS finished
FROM runs r JOIN deletions x ON x.run = r.run
WHERE r.outcome IS NULL AND x.target = :target AND x.settled_in_run IS NULL
UNION
SELECT x.deletion, x.run, x.image, x.answer, asked.outcome IS NOT NULL AS finished
FROM runs r JOIN deletions x ON x.settled_in_run = r.run JOIN runs asked ON asked.run = x.run
WHERE r.outcome IS NULL AND x.target = :target
ORDER BY deletion
"""
_SETTLE = """
UPDATE deletions SET settled_in_run = :run, settled_outcome = :outcome, settled_detail = :detail,
    outcome = coalesce(outcome, :outcome), detail = coalesce(detail, :detail)
WHERE deletion = :entry
"""
_SETTLED = """
SELECT run, image, settled_outcome, settled_detail FROM deletions
WHERE settled_in_run = :run AND target = :target ORDER BY deletion
"""
