"""Walking a list with pages read beside the walk, with the promises of a walk page by page.

If entries turn up in places that contradict each other, nothing that was joined is relied on: the list is walked again
from its start, page by page. So it is if a page that was not used has an entry that the walk did not meet; and the
records in such pages count, too.
"""

import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Generic, TypeVar

from janitor.cloud.common.markers import Places, markers
from janitor.cloud.common.pace import Pace
from janitor.cloud.common.paging import MOST_ITEMS, Page, TooLong, pages
from janitor.cloud.common.ranges import OrderInDoubt, Ranges
from janitor.core.survey.pages import PagesRead
from janitor.errors import CloudError, Denied, Refused, RetryLater

_log = logging.getLogger("janitor.cloud")

T = TypeVar("T")


def side_by_side(
    fetch: Callable[[str | None], list[T]],
    identify: Callable[[T], str],
    limit: int,
    ranges: Ranges[T],
    *,
    most_items: int = MOST_ITEMS,
    limited_by: str | None = None,
) -> Generator[Page[T], None, None]:
    """The pages of the list as `pages` gives them, with the same promises, partly read beside the walk by `ranges`.

    A walk that fails may have failed because several pages were asked for at a time: it is walked again without.
    """
    whole = partial(pages, ranges.timed(fetch), identify, limit, most_items=most_items, limited_by=limited_by)
    doubt = None
    try:
        with closing(ranges):
            yield from whole(beside=ranges.after)
    except OrderInDoubt:
        doubt = "the order of the list changes meanwhile"
    except (Denied, TooLong):
        raise
    except CloudError as error:
        if not ranges.begun:
            raise
        doubt = f"with several at a time it failed: {error}"
        ranges.failed, ranges.turned_down = True, isinstance(error, Refused | RetryLater)
    yield from _completed(whole, identify, ranges, doubt)
    ranges.turned_down = ranges.turned_down or ranges.failed


def _completed(
    whole: Callable[[], Iterator[Page[T]]], identify: Callable[[T], str], ranges: Ranges[T], doubt: str | None
) -> Iterator[Page[T]]:
    """What is left of the list after a walk with pages beside it: all of it where that is in doubt."""
    left_over = ranges.left_over()
    if doubt is None and not left_over.new:
        yield from [left_over] if left_over.again else []
        return
    ranges.doubted = True
    reason = doubt or "entries of pages that were not used are missing"
    _log.warning("pages-one-at-a-time walked=%d reason=%r", len(ranges.walked), reason)
    yield from _walked_again(whole(), identify, ranges.walked, left_over)


def _walked_again(
    walk: Iterator[Page[T]], identify: Callable[[T], str], walked: Mapping[str, int], left_over: Page[T]
) -> Iterator[Page[T]]:
    """The pages of a second walk, in which what the first one had comes again, and at last what neither met."""
    met = set(walked)
    for page in walk:
        new = [item for item in page.new if identify(item) not in met]
        again = [item for item in page.new if identify(item) in met]
        met.update(map(identify, new))
        yield Page(new, again + page.again)
    unmet = [item for item in left_over.new if identify(item) not in met]
    met_later = [item for item in left_over.new if identify(item) in met]
    yield Page(unmet, met_later + left_over.again)


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
        places: Places[T] | None,
        fetch: Callable[[str | None], list[T]],
        limit: int,
        most_items: int,
        limited_by: str,
    ) -> Generator[Page[T], None, None]:
        """The pages of the list as `pages` gives them, by `fetch`, and at `places` beside the walk, if given."""
        self.read = PagesRead()
        if places is None:
            yield from self._marking(
                pages(fetch, self._identify, limit, most_items=most_items, limited_by=limited_by), lambda: True
            )
            return
        ranges = Ranges(places, self._identify, Pace(self._at_a_time, self._throttled))
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
