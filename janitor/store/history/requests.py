"""The deletions that runs really requested of a target, as a replay compares itself with them."""

from collections import defaultdict
from dataclasses import replace

from janitor.core.replay.nights import Change, Requested
from janitor.core.result import DeletionOutcome
from janitor.store.connection import Connection

_NOT_DONE = (DeletionOutcome.REFUSED, DeletionOutcome.FAILED)


class Requests:
    """The requests of each run, by image id, and what is known to have become of them."""

    def __init__(self, done: dict[int, set[str]], rejected: dict[int, dict[str, str]], since: dict[str, int]) -> None:
        self._done, self._rejected, self._since = done, rejected, since

    def requested(self, run: int) -> Requested:
        """The requests of a run."""
        return Requested(frozenset(self._done.get(run, ())), self._rejected.get(run, {}))

    def taken(self, change: Change, run: int) -> Change:
        """The same change, which names the images that our own deletions had removed before a run."""
        ours = frozenset(image for image in change.left if self._since.get(image, run) < run)
        return replace(change, ours=ours) if ours else change


def requests(db: Connection, target: str, first: int) -> Requests:
    """The requests of all runs from one on; those of which nothing is known count as done if their image is gone."""
    done: dict[int, set[str]] = defaultdict(set)
    rejected: dict[int, dict[str, str]] = defaultdict(dict)
    since: dict[str, int] = {}
    for run, image, outcome, detail in db.execute(_REQUESTS, (target, first)):
        if outcome in _NOT_DONE:
            rejected[run][image] = detail or ""
        elif outcome != DeletionOutcome.ALREADY_GONE:
            done[run].add(image)
            since.setdefault(image, run)
    return Requests(done, rejected, since)


_REQUESTS = """
SELECT run, image, coalesce(confirmed_outcome, settled_outcome, outcome), coalesce(settled_detail, detail)
FROM deletions WHERE target = ? AND run >= ? AND (requested_at IS NOT NULL OR outcome IN ('refused', 'failed'))
ORDER BY deletion
"""
