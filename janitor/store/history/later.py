"""What runs did after a snapshot: which of its images they deleted."""

from dataclasses import dataclass, field

from janitor.core.result import DeletionOutcome
from janitor.store.connection import Connection


@dataclass(slots=True)
class Removed:
    """The images that our own runs deleted, by id, each with the run; and those of which that is not known yet."""

    gone: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)


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


_GONE = (DeletionOutcome.DELETED, DeletionOutcome.ALREADY_GONE)
# +target: SQLite would look through all that was ever requested of the target.
_REQUESTS = """
SELECT run, image, coalesce(confirmed_outcome, settled_outcome, outcome), unsettled AND settled_in_run IS NULL
FROM deletions
WHERE +target = :target AND run >= :run AND (:before IS NULL OR run < :before)
    AND (requested_at IS NOT NULL OR outcome IS NOT NULL)
ORDER BY deletion
"""
