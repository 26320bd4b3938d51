"""Sites that list the same images: one account under two names, of which each knows only a part of what guards them."""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby

from janitor.cloud.service import ONE_SERVICE
from janitor.run.orders import Site

_LOOK_EVERY = 0.2
_TO_COMPARE = 2
_NEW = " new"


class Comparison:
    """Compares what some sites list, each in its own thread.

    No site may delete before all others that are surveyed at the same time have listed their images or failed. While
    one waits for that, it gives back the `permit` with which it is surveyed, so that others can be. It waits for those
    of `first`, too.
    """

    def __init__(
        self,
        names: Iterable[str],
        stop: threading.Event,
        permit: threading.Semaphore | None = None,
        first: "Comparison | None" = None,
    ) -> None:
        self._awaited = set(names)
        self._first = first
        self._permit = permit or threading.Semaphore()
        self._alone = len(self._awaited) < _TO_COMPARE
        self._listed: dict[str, frozenset[str]] = {}
        self._stop = stop
        self._changed = threading.Condition()

    def others(self, name: str, own: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """What the other sites list, by their names, once all have done so; `own` are this site's own image ids.

        They are kept until the last site has ended, unless there is no other.
        """
        if self._first is not None:
            self._first.wait(self._permit)
        if self._alone:
            self.leave(name)
            return {}
        with self._changed:
            self._listed[name] = frozenset(own)
            self._awaited.discard(name)
            self._changed.notify_all()
        self.wait(self._permit)
        with self._changed:
            return {other: ids for other, ids in self._listed.items() if other != name}

    def wait(self, permit: threading.Semaphore) -> None:
        """Wait until all sites have listed their images or failed, without the permit meanwhile."""
        permit.release()
        try:
            with self._changed:
                while self._awaited and not self._stop.is_set():
                    self._changed.wait(_LOOK_EVERY)
        finally:
            permit.acquire()

    def leave(self, name: str) -> None:
        """This site will not list anything any more."""
        with self._changed:
            self._awaited.discard(name)
            self._changed.notify_all()


def compared(
    sites: Sequence[Site], new: Collection[str], stop: threading.Event, permit: threading.Semaphore
) -> list[tuple[Sequence[Site], Comparison]]:
    """The sites in groups that wait for each other, which must run at the same time, in the order to begin with them.

    Those of one project are a group, as each reads a part of what uses its images. So are `new` ones, with the projects
    they are in: nothing recent is recorded of them that others could be compared with. All others wait for these.
    """
    projects = {site.project for site in sites if site.name in new and site.project is not None}
    keys = {
        site.name: _NEW if site.name in new or site.project in projects else site.project or f"{site.name} alone"
        for site in sites
    }
    order = {key: place for place, key in reversed(list(enumerate(keys.values())))} | {_NEW: -1}
    ordered = sorted(sites, key=lambda site: order[keys[site.name]])
    groups = {key: list(group) for key, group in groupby(ordered, key=lambda site: keys[site.name])}
    first = Comparison((site.name for site in groups[_NEW]), stop, permit) if _NEW in groups else None
    return [
        (group, first if first and key == _NEW else Comparison((site.name for site in group), stop, permit, first))
        for key, group in groups.items()
    ]


def doubts_about(name: str, own: Collection[str], others: Mapping[str, Collection[str]]) -> list[str]:
    """Why a site must not delete: every other site of its project that lists one of its own images."""
    return [
        f"{name} and {other} list the same images ({min(shared)} is one of {len(shared)}): {ONE_SERVICE}"
        for other, ids in sorted(others.items())
        if (shared := set(own).intersection(ids))
    ]
