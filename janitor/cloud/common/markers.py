"""Where a long list can be asked at beside its walk: for one, at what an earlier walk through it has left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from janitor.cloud.common.paging import FEWEST_IN_COMMON

T = TypeVar("T")

FEWEST_PAGES = 4
"""A shorter list is not worth it."""
MOST_MARKERS = 10_000
_ONE_IN = 50

Found = tuple[list[T], Callable[[], None]]
"""A page, and what to do if it is used."""

PageToRead = Callable[[], Found[T]]
"""Reads a page that has come. The thread of the walk calls it: to read several at a time takes as long, and holds up
those that ask."""


@dataclass(frozen=True, slots=True, eq=False)
class Place(Generic[T]):
    """Where a list can be asked at; each is another than any other.

    `order` tells whether that is before another place, in the order of the list. `marker` is the id to ask at, or finds
    that; None for no id. `ask` asks for the page there. Both are called in any thread. They and reading the page raise
    MarkerGone and CloudError.
    """

    order: float
    marker: str | Callable[[], str | None]
    ask: Callable[[str], PageToRead[T]]


class Places(Protocol[T]):
    """The places at which a list is asked beside its walk, whose thread alone uses this.

    `ahead` is how many pages may wait to be used, for each request at a time. `learns`: other places are found by the
    pages that came.
    """

    ahead: int
    learns: bool

    def next(self, before: float | None) -> Place[T] | None:
        """The place to ask at now, if there is any: one before this place of the list, if that is given."""

    def came(self, place: Place[T], page: Sequence[T]) -> None:
        """Learn which page was there; an empty one where the request gave none."""

    def walked(self, page: Sequence[T]) -> None:
        """Learn of a page that the walk asked for by itself."""


def overlap(page_length: int) -> int:
    """How many entries two pages that are asked for side by side are to have in common: more than `fit` asks for."""
    return max(FEWEST_IN_COMMON, page_length // _ONE_IN)


def markers(walked: Sequence[str], page_length: int) -> list[str]:
    """The ids to ask at in the next walk, from the ids of this one in its order; none where it is not worth it.

    They are a little less than a page apart, so that each page has entries in common with the one before.
    """
    apart = max(1, page_length - overlap(page_length))
    if len(walked) < FEWEST_PAGES * page_length or len(walked) > MOST_MARKERS * apart:
        return []
    return list(walked[apart - 1 :: apart])


class Markers(Generic[T]):
    """The places at the markers that an earlier walk left, in its order; `ask` asks for the page at one.

    Twice as many pages as are asked for at a time may be under way or wait to be used: so another request follows when
    an answer has come, and not when it was read.
    """

    ahead = 2
    learns = False

    def __init__(self, ids: Sequence[str], ask: Callable[[str], PageToRead[T]]) -> None:
        self._places = iter([Place(order, marker, ask) for order, marker in enumerate(ids)])

    def next(self, before: float | None) -> Place[T] | None:
        """The next one, in their order."""
        return next(self._places, None) if before is None else None

    def came(self, place: Place[T], page: Sequence[T]) -> None:
        """Nothing: the places do not depend on it."""

    def walked(self, page: Sequence[T]) -> None:
        """Nothing: the places do not depend on it."""
