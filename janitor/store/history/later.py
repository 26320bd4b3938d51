"""What runs did after a snapshot: which of its images they deleted or announced, and where they saw nothing."""

from dataclasses import dataclass, field
from datetime import datetime

from janitor.core.result import DeletionOutcome
from janitor.store.connection import Connection
from janitor.store.rows import instant_or_none


@dataclass(slots=True)
class Removed:
    """The images that our own runs deleted, by id, each with the run; and those of which that is not known yet."""

    gone: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that could not survey a target, and why."""

    run: int
    error: str | None


def removed_since(db: Connection, target: str, run: int, before: int | None = None) -> Removed:
    """What became of the deletions that this run and later ones requested in a target, until the run `before`.

    By the last word on each: what was accepted, and is not confirmed as gone, is not known.
    """
    found = Removed()
    for number, image, outcome, is_open in db.execute(_REQUESTS, {"target": target, "run": run, "before": before}):
        if outcome in _GONE:
            found.gone[image] = number
            found.unknown.pop(image, None)
        elif image not in found.gone and (outcome in (None, DeletionOutcome.ACCEPTED) or is_open):
            found.unknown[image] = number
    return found


def latest_failures(db: Connection) -> dict[str, Failure]:
    """The latest run that could not survey a target, for each that one could not, by its name."""
    return {target: Failure(run, error) for target, run, error in db.execute(_FAILURES)}


def surveyed_at(db: Connection, run: int, target: str) -> datetime | None:
    """When the survey of a run ended; None where it has none."""
    row = db.execute("SELECT finished_at FROM surveys WHERE run = ? AND target = ?", (run, target)).fetchone()
    return None if row is None else instant_or_none(row[0])


def announced_by(db: Connection, run: int, target: str) -> set[str]:
    """The ids of the images whose notice began with the report of a run."""
    return {row[0] for row in db.execute("SELECT image FROM notices WHERE run = ? AND target = ?", (run, target))}


_GONE = (DeletionOutcome.DELETED, DeletionOutcome.ALREADY_GONE)
# +target: SQLite would look through all that was ever requested of the target.
_REQUESTS = """
SELECT run, image, coalesce(confirmed_outcome, settled_outcome, outcome), unsettled AND settled_in_run IS NULL
FROM deletions
WHERE +target = :target AND run >= :run AND (:before IS NULL OR run < :before)
    AND (requested_at IS NOT NULL OR outcome IS NOT NULL)
ORDER BY deletion
"""
_FAILURES = """
SELECT s.target, s.run, s.error
FROM (SELECT target, max(run) AS run FROM surveys WHERE finished_at IS NULL GROUP BY target) latest
JOIN surveys s ON s.target = latest.target AND s.run = latest.run
ORDER BY s.target
"""
