"""Where a long list can be asked at: what one walk through it leaves for the next, which reads it side by side."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from janitor.cloud.common.paging import FEWEST_IN_COMMON
from janitor.cloud.common.ranges import Found, Place

T = TypeVar("T")

FEWEST_PAGES = 4
"""A shorter list is not worth it."""
MOST_MARKERS = 10_000
_ONE_IN = 50


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
    """The places at the markers that an earlier walk left, in its order; `ask` gets the page at one.

    As many pages as are asked for at a time may be under way or wait to be used.
    """

    ahead = 1

    def __init__(self, ids: Sequence[str], ask: Callable[[str], Found[T]]) -> None:
        self._places = iter([Place(order, marker, ask) for order, marker in enumerate(ids)])

    def next(self, before: float | None) -> Place[T] | None:
        """The next one, in their order."""
        return next(self._places, None) if before is None else None

    def came(self, place: Place[T], page: Sequence[T]) -> None:
        """Nothing: the places do not depend on it."""

    def walked(self, page: Sequence[T]) -> None:
        """Nothing: the places do not depend on it."""
