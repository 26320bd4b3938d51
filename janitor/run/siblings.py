"""Sites that list the same images: one account under two names, of which each knows only a part of what guards them."""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence

from janitor.cloud.service import ONE_SERVICE
from janitor.run.orders import Site

_LOOK_EVERY = 0.2


class Comparison:
    """Compares what sites list, each in its own thread.

    No site may delete before those that it `awaits` have listed their images or failed. While one waits for that, it
    gives back the `permit` with which it is surveyed, so that others can be. Of those that are `kept`, the others are
    given the ids.
    """

    def __init__(
        self,
        names: Iterable[str],
        stop: threading.Event,
        permit: threading.Semaphore | None = None,
        awaits: Mapping[str, Collection[str]] | None = None,
        kept: Collection[str] = (),
    ) -> None:
        self._unlisted = set(names)
        self._awaits = awaits or {}
        self._kept = kept
        self._permit = permit or threading.Semaphore()
        self._listed: dict[str, frozenset[str]] = {}
        self._stop = stop
        self._changed = threading.Condition()

    def others(self, name: str, own: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """What others list that are kept, by their names, once all have listed that this site awaits.

        `own` are its own image ids. They are kept until the last site has ended.
        """
        if name in self._kept:
            with self._changed:
                self._listed[name] = frozenset(own)
        self.leave(name)
        self._wait(self._awaits.get(name, ()))
        with self._changed:
            return {other: ids for other, ids in self._listed.items() if other != name}

    def leave(self, name: str) -> None:
        """This site has listed its images, or will not."""
        with self._changed:
            self._unlisted.discard(name)
            self._changed.notify_all()

    def _wait(self, names: Collection[str]) -> None:
        """Wait until these sites have listed their images or failed, without the permit meanwhile."""
        self._permit.release()
        try:
            with self._changed:
                while not self._unlisted.isdisjoint(names) and not self._stop.is_set():
                    self._changed.wait(_LOOK_EVERY)
        finally:
            self._permit.acquire()


def compared(
    sites: Sequence[Site], new: Collection[str], stop: threading.Event, permit: threading.Semaphore
) -> tuple[list[Site], Comparison, int]:
    """The sites in the order to begin with them, what compares them, and how many must run at the same time.

    Those of one project wait for each other, as each reads a part of what uses its images. All wait for `new` ones, of
    which nothing recent is recorded that they could be compared with, and these for all.
    """
    groups: dict[str, list[str]] = {}
    for site in sites:
        groups.setdefault(site.project or f" {site.name}", []).append(site.name)
    group_of = {name: group for group in groups.values() for name in group}
    awaits = {name: (group_of if name in new else {*new, *group}) for name, group in group_of.items()}
    places = {name: place for place, name in enumerate(group_of)}
    ordered = sorted(sites, key=lambda site: (site.name not in new, places[site.name]))
    kept = {name for name, group in group_of.items() if len(group) > 1}
    return (
        ordered,
        Comparison(group_of, stop, permit, awaits, kept),
        len(ordered) if new else max(map(len, groups.values()), default=0),
    )


def doubts_about(name: str, own: Collection[str], others: Mapping[str, Collection[str]]) -> list[str]:
    """Why a site must not delete: every other site of its project that lists one of its own images."""
    return [
        f"{name} and {other} list the same images ({min(shared)} is one of {len(shared)}): {ONE_SERVICE}"
        for other, ids in sorted(others.items())
        if (shared := set(own).intersection(ids))
    ]
