"""The journal of deletions: what was requested from an API, its answer, and what was confirmed afterwards."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from janitor.core.decision import Decision
from janitor.core.planning.deletion import Answer, Answered, Shown, in_words, outcome_of
from janitor.core.planning.reconciling import Settlement, Unsettled
from janitor.core.result import Deletion, DeletionOutcome
from janitor.core.units import iso
from janitor.store.connection import Connection, query
from janitor.store.surveys.decisions import decision_at
from janitor.store.trust.bindings import counts_after


def add_request(db: Connection, run: int, target: str, image_id: str, at: datetime) -> int:
    """Record a request that is about to be sent; returns its entry."""
    cursor = db.execute(_REQUEST, (run, target, image_id, iso(at)))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def remove_request(db: Connection, entry: int) -> None:
    """Withdraw a request that was not sent after all."""
    db.execute("DELETE FROM deletions WHERE deletion = ? AND answer IS NULL", (entry,))


def add_answer(db: Connection, entry: int, said: Answered, at: datetime) -> None:
    """Record what the API answered."""
    db.execute(_ANSWER, (iso(at), said.answer.value, said.words or None, entry))


def add_outcomes(db: Connection, run: int, target: str, deletions: Iterable[Deletion]) -> None:
    """Record the outcome of each deletion, in the order in which they are reported."""
    for position, deletion in enumerate(deletions):
        followed = deletion.outcome is DeletionOutcome.ACCEPTED and not deletion.unsettled
        result = (deletion.outcome.value, deletion.detail, deletion.unsettled, position, followed)
        key = (run, target, deletion.decision.image.id)
        if db.execute(_OUTCOME, (*result, *key)).rowcount == 0:
            db.execute(_UNSENT, (*key, *result))


def unsettled(db: Connection, target: str) -> list[Unsettled]:
    """The requests of earlier runs to a target whose outcome no survey has shown yet, oldest first.

    Those that were accepted are among them until their image is gone.
    """
    rows = query(db, _UNSETTLED, {"target": target, "after": counts_after(db, target)})
    return [
        Unsettled(row["deletion"], row["run"], bool(row["finished"]), decision, _said(row), bool(row["followed"]))
        for row in rows
        if (decision := decision_at(db, row["run"], target, row["image"]))
    ]


def add_settlements(db: Connection, run: int, settlements: Iterable[Settlement]) -> None:
    """Record the outcomes that this run found of requests of earlier ones; what those reported stays as it is."""
    for settlement in settlements:
        found = settlement.deletion
        followed = found.outcome is DeletionOutcome.ACCEPTED
        values = {"run": run, "outcome": found.outcome, "detail": found.detail, "followed": followed}
        db.execute(_CONFIRM if settlement.confirmed else _SETTLE, {**values, "entry": settlement.entry})


def settled_in(db: Connection, run: int, target: str) -> tuple[Deletion, ...]:
    """The deletions of earlier runs that this run settled in a target, in the order in which they were requested."""
    rows = query(db, _SETTLED, {"run": run, "target": target})
    return tuple(
        Deletion(decision, DeletionOutcome(row["outcome"]), row["detail"])
        for row in rows
        if (decision := decision_at(db, row["run"], target, row["image"]))
    )


def deletions_at(
    db: Connection, run: int, target: str, decisions: Mapping[str, Decision], *, finished: bool
) -> tuple[Deletion, ...]:
    """The deletions that a run reported for a target; of a run that never finished, everything in the journal."""
    rows = query(db, _OF_TARGET, {"run": run, "target": target})
    return tuple(_deletion(decisions[row["image"]], row) for row in rows if row["position"] is not None or not finished)


def _deletion(decision: Decision, row: Mapping[str, Any]) -> Deletion:
    if row["outcome"] is None:
        return Deletion(decision, *_unconfirmed(_said(row)), unsettled=True)
    return Deletion(decision, DeletionOutcome(row["outcome"]), row["detail"], bool(row["unsettled"]))


def _unconfirmed(said: Answered) -> tuple[DeletionOutcome, str]:
    """What the answer alone says about a request whose run ended before its outcome was confirmed."""
    detail = f"{in_words(said)}; the run has not confirmed the outcome"
    return outcome_of(said.answer, Shown.UNKNOWN), said.words if said.answer is Answer.REFUSED else detail


def _said(row: Mapping[str, Any]) -> Answered:
    return Answered(Answer(row["answer"] or Answer.NONE), row["answer_words"] or "")


_REQUEST = "INSERT INTO deletions (run, target, image, requested_at) VALUES (?, ?, ?, ?)"
_ANSWER = "UPDATE deletions SET answered_at = ?, answer = ?, answer_words = ? WHERE deletion = ?"
_OUTCOME = """
UPDATE deletions SET outcome = ?, detail = ?, unsettled = ?, position = ?, followed = ?
WHERE deletion = (SELECT max(deletion) FROM deletions WHERE run = ? AND target = ? AND image = ?)
"""
_UNSENT = """
INSERT INTO deletions (run, target, image, outcome, detail, unsettled, position, followed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_OF_TARGET = """
SELECT image, answer, answer_words, outcome, detail, unsettled, position FROM deletions
WHERE run = :run AND target = :target
ORDER BY position IS NULL, position, deletion
"""
# The first condition is word for word that of the index unsettled_deletions. The next two add requests whose outcome a
# run knew, or settled, but could not report because it was killed. The last two are those reported as accepted: those
# that are followed, for each image the last, and those whose outcome a run found but could not report.
_COLUMNS = "x.deletion, x.run, x.image, x.answer, x.answer_words"
_UNSETTLED = f"""
SELECT {_COLUMNS}, r.outcome IS NOT NULL AS finished, 0 AS followed
FROM deletions x INDEXED BY unsettled_deletions CROSS JOIN runs r ON r.run = x.run
WHERE x.target = :target AND x.run > :after AND x.settled_in_run IS NULL AND (x.outcome IS NULL OR x.unsettled)
UNION
SELECT {_COLUMNS}, 0 AS finished, 0 AS followed
FROM runs r INDEXED BY unfinished_runs CROSS JOIN deletions x INDEXED BY deletions_of_run ON x.run = r.run
WHERE r.outcome IS NULL AND x.target = :target AND x.run > :after AND x.settled_in_run IS NULL
UNION
SELECT {_COLUMNS}, asked.outcome IS NOT NULL AS finished, 0 AS followed
FROM runs r INDEXED BY unfinished_runs CROSS JOIN deletions x INDEXED BY settled_deletions ON x.settled_in_run = r.run
    JOIN runs asked ON asked.run = x.run
WHERE r.outcome IS NULL AND x.target = :target AND x.run > :after
UNION
SELECT {_COLUMNS}, 1 AS finished, 1 AS followed
FROM deletions x INDEXED BY followed_deletions CROSS JOIN runs r ON r.run = coalesce(x.settled_in_run, x.run)
WHERE x.target = :target AND x.run > :after AND x.followed AND r.outcome IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM deletions y WHERE y.target = x.target AND y.image = x.image AND y.deletion > x.deletion
        AND coalesce(y.confirmed_outcome, y.settled_outcome, y.outcome) IN ('accepted', 'deleted', 'already-gone')
)
UNION
SELECT {_COLUMNS}, 1 AS finished, 1 AS followed
FROM runs r INDEXED BY unfinished_runs CROSS JOIN deletions x INDEXED BY confirmed_deletions
    ON x.confirmed_in_run = r.run
WHERE r.outcome IS NULL AND x.target = :target AND x.run > :after
ORDER BY deletion
"""  # noqa: S608 - the names of columns
_SETTLE = """
UPDATE deletions SET settled_in_run = :run, settled_outcome = :outcome, settled_detail = :detail,
    outcome = coalesce(outcome, :outcome), detail = coalesce(detail, :detail), followed = :followed
WHERE deletion = :entry
"""
_CONFIRM = """
UPDATE deletions SET confirmed_in_run = :run, confirmed_outcome = :outcome, confirmed_detail = :detail,
    followed = :followed
WHERE deletion = :entry
"""
_SETTLED = """
SELECT deletion, run, image, settled_outcome AS outcome, settled_detail AS detail FROM deletions
WHERE settled_in_run = :run AND target = :target
UNION
SELECT deletion, run, image, confirmed_outcome, confirmed_detail FROM deletions
WHERE confirmed_in_run = :run AND target = :target
ORDER BY deletion
"""
