"""What a report says in a line: what changed in a target since its last accepted survey, as the run knew it."""

from collections import Counter

from janitor.core.replay.amounts import Amount
from janitor.core.replay.differences.between import Gone
from janitor.core.replay.differences.since import Since
from janitor.store.connection import Connection
from janitor.store.history.differences.between import CLOSED, GONE, NEW, SEEN_BEFORE, covering, who_took
from janitor.store.surveys.measures import last_accepted


def since_before(db: Connection, run: int, target: str) -> Since | None:
    """What changed since the last accepted survey before a run, by its own survey.

    None where that was not accepted: it may have omitted images. None, too, where there is none before it, and where
    its details were dropped.
    """
    good = db.execute(_GOOD, (run, target)).fetchone()
    earlier = last_accepted(db, target, run) if good is not None else None
    before = None if earlier is None else db.execute(_GOOD, (earlier[0], target)).fetchone()
    if good is None or earlier is None or before is None:
        return None
    span = {"target": target, "before": earlier[0], "after": run}
    taken = Counter(who_took(db, span, image, accepted=True) for (image,) in db.execute(_GONE, span).fetchall())
    new, again, size, unknown_sizes = db.execute(_NEW, span).fetchone()
    decided = good[0] and before[0]
    return Since(
        earlier[0],
        Amount(new, size, unknown_sizes),
        again,
        taken[Gone.BY_US],
        taken[Gone.BY_OTHERS],
        taken[Gone.UNKNOWN],
        db.execute(_NEWLY_WAITING, span).fetchone()[0] if decided else None,
    )


# `images` is 0 also for a run that failed before it decided: whether there were any is looked up.
_GOOD = """
SELECT s.decisions > 0 OR NOT EXISTS (
    SELECT 1 FROM images i JOIN image_facts f ON f.image_key = i.image_key
        AND f.from_run <= s.run AND (f.until_run IS NULL OR f.until_run > s.run)
    WHERE i.target = s.target
) FROM surveys s
WHERE s.run = ? AND s.target = ? AND s.good AND s.finished_at IS NOT NULL AND NOT s.details_dropped
"""
_GONE = f"SELECT i.image {GONE} WHERE {CLOSED}"
_NEW = f"""
SELECT coalesce(sum(NOT again), 0), coalesce(sum(again), 0), coalesce(sum(CASE WHEN NOT again THEN size END), 0),
    coalesce(sum(NOT again AND size IS NULL), 0)
FROM (SELECT {SEEN_BEFORE} AS again, f.size {NEW} WHERE i.target = :target)
"""  # noqa: S608 - conditions of ours
_NEWLY_WAITING = f"""
SELECT count(*) FROM images i
JOIN decisions e ON e.image_key = i.image_key AND e.from_run > :before AND {covering("e", "after")}
LEFT JOIN decisions d ON d.image_key = i.image_key AND {covering("d", "before")}
WHERE i.target = :target AND e.verdict = 'wait' AND d.verdict IS NOT 'wait'
"""  # noqa: S608 - conditions of ours
