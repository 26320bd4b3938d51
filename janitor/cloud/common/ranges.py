"""Reading pages of a list side by side: ids of an earlier walk are places to ask at before the walk gets there.

The walk stays that of `paging`. It goes from page to page, and only answers to its own requests end it. A page that was
read beside it takes the place of such an answer where it is certain to continue what was walked: a page is a gapless
stretch of the list, so it does if both have an entry in common. The marker it was asked at proves nothing: that entry
may have moved or vanished since. As an entry may also move between two requests, or be listed twice, one in common is
not enough either, see `fit`; where that is too strict, it costs a request.

Where no page continues the walk, it asks for the next one itself. So a range whose marker is gone is walked through, as
is what is new. If too few of the pages are of use, none is asked for any more. If entries turn up in places that
contradict each other, nothing that was joined is relied on: the list is walked again from its start, page by page.
"""

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Generic, Protocol, TypeVar

from janitor.cloud.common.pace import Pace
from janitor.cloud.common.paging import MOST_ITEMS, MarkerGone, Page, pages
from janitor.errors import CloudError, Refused

_log = logging.getLogger("janitor.cloud")

T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)

FEWEST_IN_COMMON = 2
_ONE_IN = 100
_MOST_MISSED = 10
_MOST_USELESS = 5
_MOST_STRAYS = 5


class Started(Protocol[R_co]):
    """Something that runs beside the walk, as a Future of a thread does."""

    def done(self) -> bool:
        """Whether `result` would not wait."""

    def result(self) -> R_co:
        """What came of it, or raises that; waits for it."""

    def cancel(self) -> bool:
        """Do not begin with it, if there is still time."""


class OrderInDoubt(Exception):
    """Entries turned up in places that contradict each other. `seen` has the ids walked before."""

    def __init__(self, seen: Mapping[str, int]) -> None:
        super().__init__()
        self.seen = seen


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
    if common < max(FEWEST_IN_COMMON, len(ids) // _ONE_IN) or ids[:common] != trail[-common:]:
        return Fit.UNCLEAR, _strays(ids, trail, place)
    return Fit.CONTINUES, known - common


def _strays(ids: Sequence[str], trail: Sequence[str], place: Mapping[str, int]) -> int:
    """How many of the entries were walked so long ago that the page should not have them."""
    return sum(place.get(item_id, len(trail)) < len(trail) - 2 * len(ids) for item_id in ids)


Ask = Callable[[str], tuple[list[T], Callable[[], None]]]
"""Gets the page at a marker, from any thread, and what to do if it is used. Raises MarkerGone and CloudError."""


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    """What came of asking at a marker: a page, or why there is none."""

    ids: list[str]
    page: list[T]
    used: Callable[[], None]
    failure: CloudError | None = None


Starter = Callable[[Callable[[], _Answer[T]]], Started[_Answer[T]]]
"""Has something run beside the walk."""


class Ranges(Generic[T]):
    """The pages that are read beside a walk, by `markers` in the order of the list; `close` when done.

    Each is asked for in a thread, or where `start` has it run. As many as the pace allows are under way or wait to be
    used. `after` is what `pages` needs as `beside`.
    """

    def __init__(
        self,
        ask: Ask[T],
        identify: Callable[[T], str],
        markers: Sequence[str],
        pace: Pace,
        start: Starter[T] | None = None,
    ) -> None:
        self._ask = ask
        self._identify = identify
        self._markers: Iterator[str] = iter(markers)
        self._pace = pace
        self._pool = None if start else ThreadPoolExecutor(pace.at_a_time, thread_name_prefix="page-beside")
        self._start: Starter[T] = start or self._in_thread
        self._asked: deque[Started[_Answer[T]]] = deque()
        self._used = self._useless = self._missed = self._missed_in_a_row = self._strays = 0
        self.gave_up = False
        """Whether the pages turned out to be of too little use."""
        self.doubted = False
        """Whether the order of the list came into doubt."""

    def after(self, trail: Sequence[str], place: Mapping[str, int]) -> list[T] | None:
        """A page that continues the trail, or None. Raises OrderInDoubt."""
        self._ask_on()
        page = self._joined(trail, place)
        if self._strays > _MOST_STRAYS:
            self.doubted = True
            raise OrderInDoubt(place)
        self._ask_on()
        return page

    def timed(self, fetch: Callable[[str | None], list[T]]) -> Callable[[str | None], list[T]]:
        """The same, with the pace taking note of how long each answer took."""
        return lambda marker: self._pace.timed(partial(fetch, marker))

    def close(self) -> None:
        """Ask for no more, and wait until nothing runs any longer."""
        self._stop()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        _log.debug("parallel-walk joined=%d asked=%d useless=%d", self._used, self._missed, self._useless)

    def _joined(self, trail: Sequence[str], place: Mapping[str, int]) -> list[T] | None:
        """The first page that continues the trail; those before it are of no use any more. Waits only for the next."""
        for turn, started in enumerate(list(self._asked)):
            if self.gave_up or (turn and not started.done()):
                break
            answer = started.result()
            if answer.failure is not None:
                self._give_up(str(answer.failure))
                break
            how, strays = fit(answer.ids, trail, place) if answer.page else (Fit.KNOWN, 0)
            if how is Fit.CONTINUES:
                self._strays += strays
                return self._use(started, answer)
            if how is Fit.KNOWN or strays:
                self._strays += strays
                self._drop(started)
        self._miss()
        return None

    def _use(self, started: Started[_Answer[T]], answer: _Answer[T]) -> list[T]:
        while self._asked.popleft() is not started:
            self._useless += 1
        self._used += 1
        self._missed_in_a_row = 0
        answer.used()
        return answer.page

    def _drop(self, started: Started[_Answer[T]]) -> None:
        self._asked.remove(started)
        self._useless += 1
        if self._useless > self._used + _MOST_USELESS:
            self._give_up("most of the pages do not continue the list")

    def _miss(self) -> None:
        if self._asked:
            self._missed += 1
            self._missed_in_a_row += 1
            if self._missed_in_a_row > _MOST_MISSED:
                self._give_up("none of the pages continues the list")

    def _give_up(self, reason: str) -> None:
        _log.info("pages-one-at-a-time joined=%d reason=%r", self._used, reason)
        self.gave_up = True
        self._stop()

    def _stop(self) -> None:
        self._markers = iter(())
        while self._asked:
            self._asked.popleft().cancel()

    def _ask_on(self) -> None:
        """Ask for the next pages. With one at a time, the walk is as fast by itself."""
        while 1 < self._pace.at_a_time > len(self._asked) and (marker := next(self._markers, None)) is not None:
            self._asked.append(self._start(partial(self._answer, marker)))

    def _in_thread(self, run: Callable[[], _Answer[T]]) -> Started[_Answer[T]]:
        assert self._pool is not None
        return self._pool.submit(run)

    def _answer(self, marker: str) -> _Answer[T]:
        try:
            page, used = self._pace.timed(partial(self._ask, marker))
        except (MarkerGone, Refused):
            return _Answer([], [], _nothing)
        except CloudError as error:
            return _Answer([], [], _nothing, error)
        return _Answer([self._identify(item) for item in page], page, used)


def _nothing() -> None:
    pass


def side_by_side(
    fetch: Callable[[str | None], list[T]],
    identify: Callable[[T], str],
    limit: int,
    ranges: Ranges[T],
    *,
    most_items: int = MOST_ITEMS,
    limited_by: str | None = None,
) -> Generator[Page[T], None, None]:
    """The pages of the list as `pages` gives them, with the same promises, partly read beside the walk by `ranges`."""
    whole = partial(pages, ranges.timed(fetch), identify, limit, most_items=most_items, limited_by=limited_by)
    try:
        with closing(ranges):
            yield from whole(beside=ranges.after)
        return
    except OrderInDoubt as doubt:
        seen = doubt.seen
    _log.warning("pages-one-at-a-time walked=%d reason=%r", len(seen), "the order of the list changes meanwhile")
    for page in whole():
        new = [item for item in page.new if identify(item) not in seen]
        again = [item for item in page.new if identify(item) in seen]
        yield Page(new, again + page.again)
