"""Walking a paged list to its true end, however the server reads the marker and whatever is deleted meanwhile.

What a server may do, and no documentation rules out: cap pages silently; begin a page with the marker or after it; sort
either way; answer a marker that no longer exists with an error, with an empty page, or with the list from its start.

One thing holds under every reading: a page is a gapless stretch of the list. So what was seen is always everything up
to the furthest place reached, any id of it is a safe place to go on from, and walking through known pages again loses
nothing. The end is where an id that the list still holds has nothing after it. Where the list no longer holds any of
them, it is empty or cut off, and it is unknown which.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

from janitor.errors import Implausible

T = TypeVar("T")

MOST_PAGES = 20_000
MOST_ITEMS = 1_000_000
_SMALLEST_PAGES = 50
MOST_SETBACKS = 5
FEWEST_IN_COMMON = 2
_ONE_IN_COMMON_OF = 100
_ENOUGH_TO_TELL, _FEWEST_A_PAGE = 1000, 5
"""No service that gives so few entries per page has so many pages: refusing such a list would take hours otherwise."""


class TooLong(Implausible):
    """A list of more images than are allowed, however it is read."""


class MarkerGone(Exception):
    """The server said that it does not know the marker."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What a page holds: items not seen before in the walk, and items that come again, perhaps changed."""

    new: list[T]
    again: list[T]


Beside = Callable[[Sequence[str], Mapping[str, int]], list[T] | None]
"""Gives a page that was read beside the walk and continues it, None without one.

It is given the ids walked so far, in the order of the list, and the place of each.
"""


def pages(
    fetch: Callable[[str | None], list[T]],
    identify: Callable[[T], str],
    limit: int,
    *,
    most_pages: int | None = None,
    most_items: int = MOST_ITEMS,
    limited_by: str | None = None,
    beside: Beside[T] | None = None,
) -> Generator[Page[T], None, None]:
    """The pages that hold anything, until the end of the list: every item that exists throughout is new exactly once.

    `fetch` gets the page at a marker, the first one for None, and raises MarkerGone; `limit` is the page size it asks
    for. A server that always gives its whole list, shorter than that, is believed. `limited_by` is the key that sets
    `most_items`, for a list of images. Raises Implausible when the list repeats itself, is longer, or turns out empty.

    A page that comes from `beside` saves a request. It cannot end the walk: only answers to `fetch` do.
    """
    walk = _Walk(limit)
    for count in range(most_pages or max(MOST_PAGES, most_items // _SMALLEST_PAGES)):
        if count >= _ENOUGH_TO_TELL and walk.seen < _FEWEST_A_PAGE * count:
            raise Implausible(
                f"the list does not end: {count} pages with {walk.seen} entries were read, and more follow"
            )
        page = (beside and walk.continued(beside)) or _page(fetch, walk.marker)
        ids = [identify(item) for item in page or ()]
        fresh, again = walk.told_apart(ids, page or [])
        if page:
            yield Page(fresh, again)
        if walk.seen > most_items:
            raise _too_long(walk.seen, most_items, limited_by)
        if not walk.goes_on(None if page is None else ids, bool(fresh)):
            return
    raise _too_long(walk.seen, most_items, None)


def _too_long(seen: int, most_items: int, limited_by: str | None) -> Implausible:
    if limited_by is None:
        return Implausible(f"the list does not end: {seen} entries were read, and more pages follow")
    return TooLong(f"the list has more than {most_items:,} images: raise {limited_by} if the account is so large")


class Fit(Enum):
    """How a page lies to what was walked."""

    CONTINUES = auto()
    KNOWN = auto()
    BEYOND = auto()
    UNCLEAR = auto()


def fit(ids: Sequence[str], trail: Sequence[str], place: Mapping[str, int]) -> tuple[Fit, int]:
    """How the page with these ids lies to the trail, and how many of its entries were walked in other places.

    It continues the trail only if it begins with the end of the trail, by two entries or more and one in a hundred, and
    if its last entry is new.
    """
    known = sum(item_id in place for item_id in ids)
    if not known:
        return Fit.BEYOND, 0
    if ids[-1] in place:
        return Fit.KNOWN, 0
    first = place.get(ids[0])
    common = len(trail) - first if first is not None else 0
    if common < max(FEWEST_IN_COMMON, len(ids) // _ONE_IN_COMMON_OF) or ids[:common] != trail[-common:]:
        return Fit.UNCLEAR, _strays(ids, trail, place)
    return Fit.CONTINUES, known - common


def _strays(ids: Sequence[str], trail: Sequence[str], place: Mapping[str, int]) -> int:
    """How many of the entries were walked so long ago that the page should not have them."""
    return sum(place.get(item_id, len(trail)) < len(trail) - 2 * len(ids) for item_id in ids)


def _page(fetch: Callable[[str | None], list[T]], marker: str | None) -> list[T] | None:
    try:
        return fetch(marker)
    except MarkerGone:
        return None


class _Walk:
    """Where a walk stands: `marker` is where to ask next.

    A setback is an answer without progress: a marker that is gone, a page seen before. Each one caused by a vanished
    marker uses up a marker that never comes back, so a list that causes one after the other is broken.
    """

    def __init__(self, limit: int) -> None:
        self.marker: str | None = None
        self._limit = limit
        self._trail: list[str] = []
        self._place: dict[str, int] = {}
        self._first: frozenset[str] = frozenset()
        self._asked: set[str] = set()
        self._nothing_after: set[str] = set()
        self._doubted_end: str | None = None
        self._longest = 0
        self._setbacks = 0
        self._base = 0
        self._stride = 0

    @property
    def seen(self) -> int:
        return len(self._trail)

    def continued(self, beside: Beside[T]) -> list[T] | None:
        """A page from beside, where the walk has not gone back: there it asks for a reason."""
        if not self._trail or self.marker != self._trail[-1]:
            return None
        return beside(self._trail, self._place)

    def told_apart(self, ids: list[str], page: list[T]) -> tuple[list[T], list[T]]:
        """The items not seen before, which count as seen from now on, and the others; `ids` are theirs, in order."""
        if self._place.keys().isdisjoint(ids) and len(set(ids)) == len(ids):
            self._place.update(zip(ids, range(len(self._trail), len(self._trail) + len(ids)), strict=True))
            self._trail += ids
            return page, []
        fresh, again = [], []
        for item_id, item in zip(ids, page, strict=True):
            if item_id in self._place:
                again.append(item)
                continue
            self._place[item_id] = len(self._trail)
            self._trail.append(item_id)
            fresh.append(item)
        return fresh, again

    def goes_on(self, ids: list[str] | None, fresh: bool) -> bool:
        """Set the next marker after this page, None for a marker that is gone; False at the end of the list."""
        if self.marker is not None:
            self._asked.add(self.marker)
        if not ids:
            return self._back(gone=ids is None)
        self._stride = 0
        return self._forward(ids, fresh)

    def _forward(self, ids: list[str], fresh: bool) -> bool:
        last = ids[-1]
        self._longest = max(self._longest, len(ids))
        if all(item_id == self.marker for item_id in ids):
            return False
        if last in self._nothing_after:
            return len(ids) == self._longest and self._doubt(last)
        if fresh:
            self._first = self._first or frozenset(ids)
            self._asked.clear()
            self._setbacks = 0
        elif last in self._asked and self._repeats(ids):
            return False
        self.marker = last
        return True

    def _doubt(self, last: str) -> bool:
        """Ask once more at an id that had nothing after it: a full page that ends with it does not confirm the end."""
        self._set_back(final=False)
        self._doubted_end = self.marker = last
        return True

    def _repeats(self, ids: list[str]) -> bool:
        """Whether this page, which ends at an item seen before, is the whole list; otherwise it is a setback."""
        enough = self._set_back(final=self._is_whole(ids))
        self._asked = set() if self.marker is None else {self.marker}
        return enough

    def _is_whole(self, ids: list[str]) -> bool:
        known = set(ids)
        return (
            ids[-1] == self.marker
            and len(ids) < self._limit
            and (known <= self._first or len(known) == len(self._trail))
        )

    def _back(self, *, gone: bool) -> bool:
        """Step back to ids seen 1, 2, 4, 8 … before, finally to the start, after a marker that may be gone.

        An empty page means either the end or that the marker has vanished. A later page that still holds the marker
        tells which.
        """
        if self.marker is None:
            if self._trail:
                raise Implausible(
                    f"the list is incomplete: {self.seen} entries were read, and none of them is listed now"
                )
            return False
        if not gone:
            self._nothing_after.add(self.marker)
            if self.marker == self._doubted_end:
                return False
        if self._stride == 0:
            self._set_back(final=False)
            self._asked.clear()
            self._base = self._place[self.marker]
        self._stride = self._stride * 2 or 1
        place = self._base - self._stride
        self.marker = self._trail[place] if place >= 0 else None
        return True

    def _set_back(self, *, final: bool) -> bool:
        self._setbacks += 1
        if self._setbacks <= MOST_SETBACKS:
            return False
        if final:
            return True
        raise Implausible(f"the list repeats itself: {self.seen} entries read, and then its pages start over")


def ahead(source: Iterator[T]) -> Generator[T, None, None]:
    """The same, up to two of them fetched by a thread while another is used. The thread ends with the iterator."""
    with ThreadPoolExecutor(1, thread_name_prefix="page") as thread:
        # Two, so that the thread asks for the next page the moment it has one: if the reader started each request, it
        # would wait for the interpreter while that page is read.
        coming = deque(thread.submit(next, source, None) for _ in range(2))
        try:
            while (page := coming.popleft().result()) is not None:
                coming.append(thread.submit(next, source, None))
                yield page
        finally:
            for unwanted in coming:
                unwanted.cancel()
