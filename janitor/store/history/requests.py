"""The deletions that runs really requested of a target, as a replay compares itself with them."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import replace

from janitor.core.replay.nights import Change, Requested
from janitor.core.result import DeletionOutcome
from janitor.store.connection import Connection

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
    stays = _Stays(db, target, first)
    for run, image, outcome, detail in db.execute(_REQUESTS, (target, first)):
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


class _Stays:
    """Until when images that were to be deleted were listed all the same."""

    def __init__(self, db: Connection, target: str, first: int) -> None:
        self._surveys = [run for (run,) in db.execute(_SURVEYS, (target, first))]
        self._gone: dict[str, list[int]] = defaultdict(list)
        self._deleted: dict[str, list[int]] = defaultdict(list)
        for image, run in db.execute(_GONE, (target, first, target, first)):
            self._gone[image].append(run)
        for run, image, outcome, _ in db.execute(_REQUESTS, (target, first)):
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
_SURVEYS = "SELECT run FROM surveys WHERE target = ? AND run >= ? AND finished_at IS NOT NULL ORDER BY run"
_GONE = """
SELECT i.image, f.until_run FROM images i JOIN image_facts f ON f.image_key = i.image_key
WHERE i.target = ? AND f.until_run > ? AND i.image IN (SELECT image FROM deletions WHERE target = ? AND run >= ?)
    AND NOT EXISTS (SELECT 1 FROM image_facts g WHERE g.image_key = f.image_key AND g.from_run = f.until_run)
ORDER BY f.until_run
"""
