"""What a report says in a line: what changed in a target since its last accepted survey, as the run knew it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from janitor.core.names.image_ids import folded
from janitor.core.replay.amounts import amount_of
from janitor.core.replay.differences.between import Gone
from janitor.core.replay.differences.since import Since
from janitor.store.columns import covering
from janitor.store.connection import Connection
from janitor.store.history.differences.between import CLOSED, GONE, LISTED_AFTER, NEW, SEEN_BEFORE
from janitor.store.history.differences.taken import taken
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
    gone = {folded(image): image for (image,) in db.execute(_GONE, span).fetchall()}
    new = db.execute(_NEW, span).fetchall()
    spelled = {image: gone[folded(image)] for image, *_ in new if folded(image) in gone}  # as it was before
    lost = set(gone.values()) - set(spelled.values())
    by = Counter(taken(db, span, lost, accepted=True).values())
    listed_again = [again for image, again, _ in new if image not in spelled]
    decided = good[0] and before[0]
    return Since(
        earlier[0],
        amount_of(size for image, again, size in new if not again and image not in spelled),
        sum(listed_again),
        by[Gone.BY_US],
        by[Gone.BY_OTHERS],
        by[Gone.UNKNOWN],
        _newly_waiting(db, span, spelled) if decided else None,
    )


def _newly_waiting(db: Connection, span: dict[str, Any], spelled: Mapping[str, str]) -> int:
    waiting = [image for (image,) in db.execute(_NEWLY_WAITING, span)]
    return sum(
        image not in spelled or not db.execute(_WAITED, {**span, "image": spelled[image]}).fetchall()
        for image in waiting
    )


# `images` is 0 also for a run that failed before it decided: whether there were any is looked up.
_GOOD = """
SELECT CASE WHEN s.decisions > 0 THEN 1 ELSE NOT EXISTS (
    SELECT 1 FROM images i JOIN image_facts f ON f.image_key = i.image_key
        AND f.from_run <= s.run AND (f.until_run IS NULL OR f.until_run > s.run)
    WHERE i.target = s.target
) END FROM surveys s
WHERE s.run = ? AND s.target = ? AND s.good AND s.finished_at IS NOT NULL AND NOT s.details_dropped
"""
_GONE = f"SELECT i.image {GONE} WHERE {CLOSED}"
_NEW = f"SELECT i.image, {SEEN_BEFORE}, f.size {NEW}"
_NEWLY_WAITING = f"""
SELECT i.image {LISTED_AFTER}
JOIN decisions e ON e.image_key = i.image_key AND e.from_run > :before AND {covering("e", "after")}
LEFT JOIN decisions d ON d.image_key = i.image_key AND {covering("d", "before")}
WHERE e.verdict = 'wait' AND d.verdict IS NOT 'wait'
"""
_WAITED = f"""
SELECT 1 FROM images i JOIN decisions d ON d.image_key = i.image_key AND {covering("d", "before")}
WHERE i.target = :target AND i.image = :image AND d.verdict = 'wait'
"""  # noqa: S608 - conditions of ours
