"""Where a long list can be asked at: what one walk through it leaves for the next, which reads it side by side."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from janitor.cloud.common.pace import Pace
from janitor.cloud.common.paging import FEWEST_IN_COMMON, Page, pages
from janitor.cloud.common.ranges import Ask, Ranges, side_by_side
from janitor.core.survey.pages import PagesRead

T = TypeVar("T")

FEWEST_PAGES = 4
"""A shorter list is not worth it."""
MOST_MARKERS = 10_000
_ONE_IN = 50


def markers(walked: Sequence[str], page_length: int) -> list[str]:
    """The ids to ask at in the next walk, from the ids of this one in its order; none where it is not worth it.

    They are a little less than a page apart, so that each page has entries in common with the one before.
    """
    apart = max(1, page_length - max(FEWEST_IN_COMMON, page_length // _ONE_IN))
    if len(walked) < FEWEST_PAGES * page_length or len(walked) > MOST_MARKERS * apart:
        return []
    return list(walked[apart - 1 :: apart])


class MarkedList(Generic[T]):
    """A list that is walked time and again. `read` tells of the last walk, once it has ended or failed.

    Up to `at_a_time` pages are asked for at a time; `throttled` counts how often the service has said that it gets too
    many requests.
    """

    def __init__(self, identify: Callable[[T], str], at_a_time: int, throttled: Callable[[], int]) -> None:
        self._identify = identify
        self._at_a_time = at_a_time
        self._throttled = throttled
        self.read = PagesRead()

    def walk(
        self,
        markers: Sequence[str],
        fetch: Callable[[str | None], list[T]],
        ask: Ask[T],
        limit: int,
        most_items: int,
        limited_by: str,
    ) -> Generator[Page[T], None, None]:
        """The pages of the list as `pages` gives them, by `fetch`; those read beside the walk, at markers, by `ask`."""
        self.read = PagesRead()
        if not markers:
            yield from self._marking(
                pages(fetch, self._identify, limit, most_items=most_items, limited_by=limited_by), lambda: True
            )
            return
        ranges = Ranges(ask, self._identify, markers, Pace(self._at_a_time, self._throttled))
        walk = side_by_side(fetch, self._identify, limit, ranges, most_items=most_items, limited_by=limited_by)
        try:
            yield from self._marking(walk, lambda: not ranges.doubted)
        finally:
            beside = ranges.begun > 0 and not ranges.doubted
            self.read = replace(self.read, side_by_side=beside, turned_down=ranges.turned_down)

    def _marking(
        self, walk: Generator[Page[T], None, None], reliable: Callable[[], bool]
    ) -> Generator[Page[T], None, None]:
        """The same pages. Where their order cannot be relied on, they leave no markers."""
        walked: list[str] = []
        length = 0
        for page in walk:
            walked += map(self._identify, page.new)
            length = max(length, len(page.new))
            yield page
        self.read = PagesRead(tuple(markers(walked, length)) if reliable() else ())
