"""The measure of each survey, and whether it was accepted: the next one is compared with it."""

from janitor.core.survey.plausibility import Measure
from janitor.store.connection import Connection
from janitor.store.trust.bindings import counts_after

STEP = """
ALTER TABLE surveys ADD COLUMN protected INTEGER;
ALTER TABLE surveys ADD COLUMN instances INTEGER;
ALTER TABLE surveys ADD COLUMN good INTEGER NOT NULL DEFAULT 0;
"""

COUNTING = """
-- Entries of the image list that had no id; NULL where they were not counted.
ALTER TABLE surveys ADD COLUMN without_id INTEGER;
"""


def record_measure(db: Connection, run: int, target: str, seen: Measure, *, good: bool) -> None:
    """Record the measure of a survey, and whether it is accepted."""
    db.execute(
        "UPDATE surveys SET owned = ?, protected = ?, instances = ?, volumes = ?, without_id = ?, good = ? "
        "WHERE run = ? AND target = ?",
        (seen.owned, seen.protected, seen.instances, seen.volumes, seen.without_id, good, run, target),
    )


def last_accepted(db: Connection, target: str, before: int) -> tuple[int, Measure] | None:
    """The latest run before this one whose survey of a target was accepted, and its measure."""
    row = db.execute(
        "SELECT run, owned, protected, instances, volumes, without_id FROM surveys "
        "WHERE target = ? AND run > ? AND run < ? AND good ORDER BY run DESC",
        (target, counts_after(db, target), before),
    ).fetchone()
    return None if row is None else (row[0], Measure(*row[1:]))
