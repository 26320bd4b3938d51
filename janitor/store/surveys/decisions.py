"""Decisions, recorded as changes like the facts on which they are based, and read back as they were made."""

from collections.abc import Iterable, Sequence

from janitor.core.decision import Decision, Verdict
from janitor.store.columns import DECISION, IMAGE, covering, names, places
from janitor.store.connection import Connection
from janitor.store.rows import Row, decision_of, decision_row, image_of, same_decision
from janitor.store.surveys.recorded import age
from janitor.store.surveys.snapshots import check_not_overtaken


def record_decisions(db: Connection, run: int, target: str, decisions: Sequence[Decision]) -> None:
    """Record one decision for each image of the run's snapshot; a row only where it differs from the one before."""
    check_not_overtaken(db, run, target)
    undecided = {decision.image.id: decision for decision in decisions}
    closed: list[int] = []
    opened: list[tuple[int, Decision]] = []
    for key, image_id, *before in db.execute(_OPEN, (target,)):
        decision = undecided.pop(image_id, None)
        if decision is not None and same_decision(decision, before):
            continue
        if before[0] is not None:
            closed.append(key)
        if decision is not None:
            opened.append((key, decision))
    assert not undecided, f"decided on images that are not in the survey: {', '.join(undecided)}"
    db.executemany(_CLOSE, ((run, key) for key in closed))
    db.executemany(_ADD, ((key, run, *decision_row(decision)) for key, decision in opened))
    db.execute(_COUNT, (len(decisions), count_to_delete(decisions), run, target))


def count_to_delete(decisions: Iterable[Decision]) -> int:
    """The number of decisions that say delete."""
    return sum(decision.verdict is Verdict.DELETE for decision in decisions)


def decisions_at(db: Connection, run: int, target: str) -> tuple[Decision, ...]:
    """What a run decided in a target, as reported: oldest image first, undated ones before all others, ties by id."""
    rows = db.execute(_AT_RUN, (run, target))
    return tuple(sorted(map(_decision, rows), key=lambda decision: age(decision.image)))


def reported_decision(db: Connection, run: int, target: str, image_id: str) -> Decision | None:
    """What a run reported that it decided about one image of a target, if it did."""
    row = db.execute(f"{_AT_RUN} AND image = ?", (run, target, image_id)).fetchone()
    return None if row is None else _decision(row)


def decision_at(db: Connection, run: int, target: str, image_id: str) -> Decision | None:
    """What a run decided about one image of a target, if it did, whether or not it could report it."""
    row = db.execute(_OF_IMAGE, {"run": run, "target": target, "image": image_id}).fetchone()
    return None if row is None else _decision(row)


def _decision(row: Row) -> Decision:
    """The decision in a row of the image's id, the decision, and the facts of the image."""
    image_id, *values = row
    return decision_of(image_of(image_id, values[len(DECISION) :]), values[: len(DECISION)])


_OPEN = f"""
SELECT i.image_key, i.image, {names(DECISION, "d")}
FROM images i
JOIN image_facts f ON f.image_key = i.image_key AND f.until_run IS NULL
LEFT JOIN decisions d ON d.image_key = i.image_key AND d.until_run IS NULL
WHERE i.target = ? AND i.present
"""  # noqa: S608 - the names of columns
_CLOSE = "UPDATE decisions SET until_run = ? WHERE image_key = ? AND until_run IS NULL"
_ADD = f"INSERT INTO decisions (image_key, from_run, {names(DECISION)}) VALUES (?, ?, {places(DECISION)})"  # noqa: S608 - the names of columns
_COUNT = "UPDATE surveys SET decisions = ?, doomed = ? WHERE run = ? AND target = ?"
_AT_RUN = f"""
SELECT image, {names(DECISION)}, {names(IMAGE)} FROM snapshots
WHERE run = ? AND target = ? AND verdict IS NOT NULL
"""  # noqa: S608 - the names of columns
# Not from the view, in which a failed target has no decisions: what was requested had been decided nevertheless.
_OF_IMAGE = f"""
SELECT i.image, {names(DECISION, "d")}, {names(IMAGE, "f")}
FROM images i
JOIN image_facts f ON f.image_key = i.image_key
    AND {covering("f", "run")}
JOIN decisions d ON d.image_key = i.image_key
    AND {covering("d", "run")}
WHERE i.target = :target AND i.image = :image
"""  # noqa: S608 - the names of columns
