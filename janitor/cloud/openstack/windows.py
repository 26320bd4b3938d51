"""Reading a list side by side of which nothing is known, by the times at which its images were created.

The list begins with the image that was created last, and can be asked for those created before a time (source: the
Image API reference, "time comparison filters"; what a real Glance answers). A page tells how long it took until as many
images were created, and so about where the pages after it are. A window begins some pages further on, with the page
behind the last image created before then; from there it is read page by page, until it reaches the next window. Where
its pages turn out to be closer together in time, further windows begin within it; where they are further apart, it
reaches the next window sooner. So nothing has to be known about how many images there are, or since when.

All of this only says where to ask: each page is one behind an image, in the list as a whole. Where that has another
order, the filter is ignored, or times cannot be read, no window begins or goes on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Generic, TypeVar

from janitor.cloud.common.markers import FEWEST_PAGES, PageToRead, Place, overlap

T = TypeVar("T")

_PAGES = FEWEST_PAGES
"""How many pages a window has, as far as that can be told. So a list without a second window is too short for any."""
_FEW, _MORE_PAGES = 4, 2 * _PAGES
"""How many windows there are before the next ones have more pages: each takes about one page more than it gives."""
_MOST_UNSEEN = 3
"""How many windows may begin on the guess that images were created as often as in the last page that came."""
_AHEAD = _MORE_PAGES
_SHORTEST = timedelta(seconds=1)
_FIRST_IMAGE = datetime(2000, 1, 1, tzinfo=UTC)
_NEARLY = 0.9
"""The share of the longest page that counts as a full one: entries without an id do not count."""


@dataclass(slots=True, eq=False)
class _Window:
    """A stretch of the list that is read page by page. It begins with what was created before `begins`.

    `reached` is when the last image of its last page was created, and `page_takes` the time between its first and last.
    `marker` is the image of that page behind which the next one is, `marked` when it was created. `seen` once there is
    a page, `own` if that was one of the walk's own, `ended` if none comes after the last one.
    """

    begins: datetime
    reached: datetime
    marked: datetime
    page_takes: timedelta
    marker: str | None = None
    own: bool = False
    seen: bool = False
    asked: bool = False
    ended: bool = False

    def next_begins(self, pages: int) -> datetime | None:
        """Where a window so many pages further on begins, in whole seconds; None before there were images."""
        away = self.page_takes * (pages - self.seen)
        return (self.reached - away).replace(microsecond=0) if away < self.reached - _FIRST_IMAGE else None


class Windows(Generic[T]):
    """The places by the times at which images were created; `created` gives that of an item, None where it is unknown.

    `before` finds the id of the last image created before a time, None where there is none. `behind` asks for the
    page behind an image; `limit` is the page size that it asks for. Nothing is asked for before the walk has met a full
    page, and only one window begins before one has turned out to hold a page.
    """

    ahead = _AHEAD
    learns = True

    def __init__(
        self,
        before: Callable[[datetime], str | None],
        behind: Callable[[str], PageToRead[T]],
        identify: Callable[[T], str],
        created: Callable[[T], datetime | None],
        limit: int,
    ) -> None:
        self._before = before
        self._behind = behind
        self._identify = identify
        self._created = created
        self._limit = limit
        self._windows: list[_Window] = []
        self._asked: dict[Place[T], _Window] = {}
        self._nothing_before: datetime | None = None
        self._longest = 0
        self._most_unseen = 1

    def next(self, before: float | None) -> Place[T] | None:
        """The next page of a window, the first in the order of the list; else the first page of a new one."""
        going_on = (window for at, window in enumerate(self._windows) if self._goes_on(at))
        window = next(going_on, None) or self._new()
        if window is None:
            return None
        place = self._place(window)
        if before is not None and place.order >= before:
            return None
        if not window.seen:
            self._windows.append(window)
            self._windows.sort(key=lambda each: each.begins, reverse=True)
        window.asked = True
        self._asked[place] = window
        return place

    def came(self, place: Place[T], page: Sequence[T]) -> None:
        """Learn where its window has come to; a window whose first page is of no use is none."""
        window = self._asked.pop(place)
        window.asked = False
        times = self._times(page)
        if window.seen:
            if times and times[-1] <= window.reached:
                self._note(window, page, times)
            else:
                window.marker = None
        elif times and times[0] < window.begins:
            self._most_unseen = _MOST_UNSEEN
            self._note(window, page, times)
        else:
            self._windows.remove(window)
            self._nothing_before = max(self._nothing_before or window.begins, window.begins)

    def walked(self, page: Sequence[T]) -> None:
        """Let a window go on, or begin, where the walk is, if none reads on there."""
        full = len(page) >= self._limit or 0 < self._longest <= len(page)
        times = self._times(page)
        self._longest = max(self._longest, len(page))
        if not full or not times:
            return
        here = [window for window in self._windows if window.begins >= times[-1]]
        if not here:
            here = [_Window(times[0], times[0], times[0], _SHORTEST, own=True)]
            self._windows = [*here, *self._windows]
        window = here[-1]
        if not window.asked and window.reached >= times[-1]:
            self._note(window, page, times)

    def _goes_on(self, at: int) -> bool:
        """Whether a window has a next page that the next window, or the walk itself, would not get as soon."""
        window = self._windows[at]
        if window.marker is None or window.asked:
            return False
        following = self._windows[at + 1 : at + 2]
        return window.marked >= following[0].begins if following else not window.own

    def _new(self) -> _Window | None:
        """A window that begins some pages behind another, the first that has room for it."""
        if sum(not window.seen for window in self._windows) >= self._most_unseen:
            return None
        pages = _PAGES if len(self._windows) < _FEW else _MORE_PAGES
        ends = [*(window.begins for window in self._windows[1:]), self._nothing_before]
        for window, end in zip(self._windows, ends, strict=False):
            begins = window.next_begins(pages)
            if begins is not None and not window.ended and self._has_room(window, end, 2 * pages):
                return _Window(begins, begins, begins, window.page_takes)
        return None

    def _has_room(self, window: _Window, end: datetime | None, pages: int) -> bool:
        return end is None or (window.seen and window.reached - end >= pages * window.page_takes)

    def _place(self, window: _Window) -> Place[T]:
        if window.marker is not None:
            return Place(-window.marked.timestamp(), window.marker, self._behind)
        order = _SHORTEST.total_seconds() - window.begins.timestamp()
        return Place(order, partial(self._before, window.begins), self._behind)

    def _note(self, window: _Window, page: Sequence[T], times: Sequence[datetime]) -> None:
        """Where a window stands after its next page, which ends it if it is a short one, or the same again."""
        self._longest = max(self._longest, len(page))
        common = overlap(len(page))
        window.seen = True
        window.reached = times[-1]
        window.page_takes = max(_SHORTEST, times[0] - times[-1])
        at = max(0, len(page) - common - 1)
        marker, window.marked = self._identify(page[at]), times[at]
        window.ended = at == 0 or marker == window.marker or len(page) < _NEARLY * self._longest
        window.marker = None if window.ended else marker

    def _times(self, page: Sequence[T]) -> list[datetime]:
        """When the images of a page were created; nothing where that is unknown for any, or not in order."""
        times = list(_known(map(self._created, page)))
        in_order = len(times) == len(page) and all(later >= earlier for later, earlier in pairwise(times))
        return times if in_order else []


def _known(times: Iterator[datetime | None]) -> Iterator[datetime]:
    return (time for time in times if time is not None)
