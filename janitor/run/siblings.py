"""Sites of one project: two that list the same images are one image service under two names."""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby

from janitor.cloud.service import ONE_SERVICE
from janitor.run.orders import Site

_LOOK_EVERY = 0.2
_TO_COMPARE = 2


class Comparison:
    """Compares what the sites of one project list, each in its own thread.

    No site may delete before all others that are surveyed at the same time have listed their images or failed.
    """

    def __init__(self, names: Iterable[str], stop: threading.Event) -> None:
        self._awaited = set(names)
        self._alone = len(self._awaited) < _TO_COMPARE
        self._listed: dict[str, frozenset[str]] = {}
        self._stop = stop
        self._changed = threading.Condition()

    def others(self, name: str, own: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """What the other sites list, by their names, once all have done so; `own` are this site's own image ids.

        They are kept until the last site has ended, unless there is no other.
        """
        if self._alone:
            return {}
        with self._changed:
            self._listed[name] = frozenset(own)
            self._awaited.discard(name)
            self._changed.notify_all()
            while self._awaited and not self._stop.is_set():
                self._changed.wait(_LOOK_EVERY)
            return {other: ids for other, ids in self._listed.items() if other != name}

    def leave(self, name: str) -> None:
        """This site will not list anything any more."""
        with self._changed:
            self._awaited.discard(name)
            self._changed.notify_all()


def by_project(sites: Sequence[Site], stop: threading.Event) -> list[tuple[Sequence[Site], Comparison]]:
    """The sites in groups by project, which must run at the same time; one without a project is alone."""
    keys = {site.name: site.project or f"{site.name} alone" for site in sites}
    order = {key: place for place, key in reversed(list(enumerate(keys.values())))}
    ordered = sorted(sites, key=lambda site: order[keys[site.name]])
    groups = [list(group) for _, group in groupby(ordered, key=lambda site: keys[site.name])]
    return [(group, Comparison((site.name for site in group), stop)) for group in groups]


def doubts_about(name: str, own: Collection[str], others: Mapping[str, Collection[str]]) -> list[str]:
    """Why a site must not delete: every other site that lists one of its own images."""
    return [
        f"{name} and {other} list the same images ({min(shared)} is one of {len(shared)}): {ONE_SERVICE}"
        for other, ids in sorted(others.items())
        if (shared := set(own).intersection(ids))
    ]
