"""Which surveys could tell of a use: only where an earlier one could and did not, has the use begun since then."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from janitor.core.replay.differences.between import Cause
from janitor.core.usage import SOURCE_OF, Source, Unread, UserKind, called

Places = Mapping[tuple[Source, str], int]
"""The services that were asked, each with its region, or the name of a reference, and how many of them there were."""

_ALWAYS_ASKED = frozenset({UserKind.UNIDENTIFIED})
"""The kinds of users that the list of images itself tells of."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What the survey of a run asked what uses images: `problem`, that it could not read that; `unread`, not all.

    `places` is None for a version that did not record them, and has no references for one that did not record these.
    """

    run: int
    problem: bool = False
    unread: tuple[Unread, ...] = ()
    places: Places | None = None

    def silent(self, kind: UserKind, told_by: str, seen: "Asking") -> Cause | None:
        """Why it could not tell of a use that another survey has `seen`, as that was told by its source; None if so.

        What is not recorded is unknown, as is a use of before its source was.
        """
        if self.problem or any(one.covers(kind, told_by) for one in self.unread):
            return Cause.USAGE_UNREAD
        source = SOURCE_OF[kind]
        if kind in _ALWAYS_ASKED:
            return None
        if self.places is None or seen.places is None:
            return None if kind is UserKind.INSTANCE else Cause.UNKNOWN  # the one kind that each version asked for
        if source is Source.REFERENCES and not (_has_references(self.places) and _has_references(seen.places)):
            return Cause.UNKNOWN
        there = [place for place in seen.places if _is_told_by(place, source, told_by)]
        asked = all(self.places.get(place, 0) >= seen.places[place] for place in there)
        return None if asked else Cause.SOURCES


def _has_references(places: Places) -> bool:
    return any(source is Source.REFERENCES for source, _ in places)


def _is_told_by(place: tuple[Source, str], source: Source, told_by: str) -> bool:
    """Whether the users of a place are called by it; those of before that was recorded have the name of no place."""
    name = place[1]
    if place[0] is not source or (source is Source.REFERENCES and not name):
        return False
    label = called(source, name)
    return told_by in ("", label) or told_by.startswith(f"{label} (")


def unless_told(surveys: Iterable[Asking], kind: UserKind, told_by: str, seen: Asking) -> Cause | None:
    """Why none of these surveys, the nearest first, could tell of a use that another has seen; None where one did."""
    why: Cause | None = None
    for survey in surveys:
        silent = survey.silent(kind, told_by, seen)
        if silent is None:
            return None
        why = why or silent
    return why
