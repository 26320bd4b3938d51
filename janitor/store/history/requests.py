"""The deletions that runs really requested of a target, as a replay compares itself with them."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from janitor.core.replay.nights import Change, Requested
from janitor.core.result import DeletionOutcome
from janitor.store.columns import holding
from janitor.store.connection import Connection
from janitor.store.rows import Row

_OPEN = (None, DeletionOutcome.ACCEPTED)


class Requests:
    """What became of the requests of each run, and the runs that really deleted each image, by its id."""

    def __init__(self, requested: dict[int, Requested], done_in: dict[str, list[int]]) -> None:
        self._requested, self._done_in = requested, done_in

    def requested(self, run: int) -> Requested:
        """The requests of a run."""
        return self._requested.get(run, Requested())

    def taken(self, change: Change, run: int) -> Change:
        """The same change, which names the images that our own deletions had removed before a run."""
        ours = frozenset(image for image in change.left if any(each < run for each in self._done_in.get(image, ())))
        return replace(change, ours=ours) if ours else change


def requests(db: Connection, target: str, first: int) -> Requests:
    """The requests of all runs from one on, by what is known of them in the end.

    Of several for one image, the last before it was gone is the one that deleted it. One of which nothing more is known
    than that it was sent, or accepted, is none of those that failed, unless the next survey still lists the image.
    """
    done: dict[int, set[str]] = defaultdict(set)
    gone: dict[int, set[str]] = defaultdict(set)
    rejected: dict[int, dict[str, str]] = defaultdict(dict)
    done_in: dict[str, list[int]] = defaultdict(list)
    for run, image, detail in db.execute(_LEFT_OUT, (target, first)):
        rejected[run][image] = detail or ""
    requested_images = db.execute(_REQUESTS, (target, first)).fetchall()
    stays = _Stays(db, target, first, requested_images)
    for run, image, outcome, detail in requested_images:
        stayed = stays.until_the_next(image, run, outcome)
        if outcome == DeletionOutcome.ALREADY_GONE:
            gone[run].add(image)
        elif outcome == DeletionOutcome.DELETED and not stayed:
            done[run].add(image)
            done_in[image].append(run)
        elif outcome not in _OPEN or stayed:
            rejected[run][image] = detail or ""
        else:
            done_in[image].append(run)
    requested = {
        run: Requested(frozenset(done.get(run, ())), rejected.get(run, {}), frozenset(gone.get(run, ())))
        for run in done.keys() | gone.keys() | rejected.keys()
    }
    return Requests(requested, done_in)


def unsent(db: Connection, target: str, first: int) -> dict[int, int]:
    """How many deletions live runs from one on had planned and neither sent nor left out, where there are some.

    By what they decided, or by the reviewed list that they applied, beside what they requested: a run that was
    interrupted, died, or could not go on. One that refused to act had planned none.
    """
    values = {"target": target, "first": first}
    return {run: count for run, count in db.execute(_UNSENT, values) if count}


class _Stays:
    """Until when images that were to be deleted were listed all the same."""

    def __init__(self, db: Connection, target: str, first: int, requested: Iterable[Row]) -> None:
        self._surveys = [run for (run,) in db.execute(_SURVEYS, (target, first))]
        self._gone: dict[str, list[int]] = defaultdict(list)
        self._deleted: dict[str, list[int]] = defaultdict(list)
        for image, run in db.execute(_GONE, (target, first, target, first)):
            self._gone[image].append(run)
        for run, image, outcome, _ in requested:
            if outcome == DeletionOutcome.DELETED:
                self._deleted[image].append(run)

    def until_the_next(self, image: str, run: int, outcome: str | None) -> bool:
        """Whether an image that was requested in a run was there until the next such request, or the next survey."""
        later = _after(self._deleted[image] if outcome == DeletionOutcome.DELETED else self._surveys, run)
        gone = _after(self._gone[image], run)
        return later is not None and (gone is None or gone > later)


def _after(runs: list[int], run: int) -> int | None:
    place = bisect_right(runs, run)
    return runs[place] if place < len(runs) else None


_REQUESTS = """
SELECT run, image, coalesce(confirmed_outcome, settled_outcome, outcome),
    coalesce(confirmed_detail, settled_detail, detail)
FROM deletions WHERE target = ? AND run >= ? ORDER BY deletion
"""
_LEFT_OUT = """
SELECT m.run, m.image, m.detail FROM mentions m JOIN surveys s ON s.run = m.run AND s.target = m.target
WHERE m.target = ? AND m.run >= ? AND m.kind = 'changed' AND NOT s.applied
"""
# A run that ended as it should has sent all. The decisions of one that failed before it decided are those of an earlier
# run, which go on: they count only if it recorded what it asked for with them.
_UNSENT = f"""
WITH short AS (
    SELECT s.run, s.applied FROM surveys s JOIN runs r ON r.run = s.run
    WHERE s.target = :target AND s.run >= :first AND r.mode = 'delete' AND s.finished_at IS NOT NULL AND s.good
        AND (s.outcome = 'failed' OR s.outcome IS NULL OR r.outcome IS NULL) AND coalesce(s.outcome, '') != 'refused'
        AND (s.sharing_asked IS NOT NULL OR s.decisions > 0)
), planned AS (
    SELECT w.run, i.image FROM short w JOIN images i ON i.target = :target
        JOIN decisions d ON d.image_key = i.image_key AND d.verdict = 'delete' AND {holding("d", "w.run")}
        WHERE NOT w.applied
    UNION ALL
    SELECT w.run, m.image FROM short w JOIN mentions m ON m.run = w.run AND m.target = :target AND m.kind = 'approved'
        WHERE w.applied
)
SELECT p.run, count(*) FROM planned p
WHERE NOT EXISTS (SELECT 1 FROM deletions x WHERE x.run = p.run AND x.target = :target AND x.image = p.image)
    AND NOT EXISTS (
        SELECT 1 FROM mentions m
        WHERE m.run = p.run AND m.target = :target AND m.kind = 'changed' AND m.image = p.image
    )
GROUP BY p.run
"""  # noqa: S608 - a condition of ours
_SURVEYS = "SELECT run FROM surveys WHERE target = ? AND run >= ? AND finished_at IS NOT NULL ORDER BY run"
_GONE = """
SELECT i.image, f.until_run FROM images i JOIN image_facts f ON f.image_key = i.image_key
WHERE i.target = ? AND f.until_run > ? AND i.image IN (SELECT image FROM deletions WHERE target = ? AND run >= ?)
    AND NOT EXISTS (SELECT 1 FROM image_facts g WHERE g.image_key = f.image_key AND g.from_run = f.until_run)
ORDER BY f.until_run
"""
