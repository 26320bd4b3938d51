"""How many images wait for the end of their notice: what the last live run of a target found, and was accepted of it.

A dry run changes nothing about what was announced, and so nothing here, unless no run of the target was a live one.
"""

from janitor.core.memory import WaitingImages
from janitor.store.columns import covering
from janitor.store.connection import Connection
from janitor.store.rows import instant_or_none
from janitor.store.trust.bindings import counts_after


def waiting_images(db: Connection, target: str) -> WaitingImages | None:
    """The images of a target that wait; None where that is not recorded, or no longer counts.

    An image that the run was to announce anew counts as announced only if that message was accepted.
    """
    run = _run_that_counts(db, target)
    if run is None:
        return None
    waiting, announced, next_due = db.execute(_WAITING, {"run": run, "target": target}).fetchone()
    return WaitingImages(target, announced, waiting - announced, instant_or_none(next_due))


def _run_that_counts(db: Connection, target: str) -> int | None:
    """The last live run that decided on the images of a target; the last dry one where none was live."""
    given = {"target": target, "after": counts_after(db, target)}
    row = db.execute(_LAST.format("AND r.mode = 'delete'"), given).fetchone()
    row = row or db.execute(_LAST.format(""), given).fetchone()
    return None if row is None else int(row[0])


_LAST = """
SELECT s.run FROM surveys s JOIN runs r ON r.run = s.run
WHERE s.target = :target AND s.run > :after AND s.finished_at IS NOT NULL AND NOT s.details_dropped
    AND (s.decisions > 0 OR (s.images = 0 AND s.outcome IN ('ok', 'partial', 'refused'))) AND s.outcome IS NOT NULL {}
ORDER BY s.run DESC LIMIT 1
"""
_WAITING = f"""
SELECT count(*), count(n.due), min(max(n.due, d.due)) FROM images i
JOIN decisions d ON d.image_key = i.image_key AND d.verdict = 'wait' AND d.reason = 'notice'
    AND {covering("d", "run")}
LEFT JOIN notices n ON n.target = i.target AND n.image = i.image AND n.ended_at IS NULL AND (
    n.run = :run
    OR n.image NOT IN (SELECT image FROM mentions WHERE run = :run AND target = :target AND kind = 'announced')
)
WHERE i.target = :target
"""  # noqa: S608 - a condition of ours
