"""Reading pages of a list side by side: ids of an earlier walk are places to ask at before the walk gets there.

The walk stays that of `paging`. It goes from page to page, and only answers to its own requests end it. A page that was
read beside it takes the place of such an answer where it is certain to continue what was walked: a page is a gapless
stretch of the list, so it does if both have an entry in common. The marker it was asked at proves nothing: that entry
may have moved or vanished since. As an entry may also move between two requests, or be listed twice, one in common is
not enough either, see `fit`; where that is too strict, it costs a request.

Where no page continues the walk, it asks for the next one itself. So a range whose marker is gone is walked through, as
is what is new. If too few of the pages are of use, none is asked for any more. If entries turn up in places that
contradict each other, nothing that was joined is relied on: the list is walked again from its start, page by page. So
it is if a page that was not used has an entry that the walk did not meet; and the records in such pages count, too.
"""

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

from janitor.cloud.common.pace import Pace
from janitor.cloud.common.paging import MOST_ITEMS, Fit, MarkerGone, Page, fit, pages
from janitor.errors import CloudError, Denied, Refused, RetryLater

_log = logging.getLogger("janitor.cloud")

T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)

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
    """Entries turned up in places that contradict each other."""


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
        self._set_aside: list[Started[_Answer[T]]] = []
        self._walked: Mapping[str, int] = {}
        self._begun = self._used = self._useless = self._missed = self._missed_in_a_row = self._strays = 0
        self.gave_up = False
        """Whether the pages turned out to be of too little use."""
        self.doubted = False
        """Whether what was joined came into doubt, and the list was walked again."""
        self.failed = False
        """Whether a request failed while several were made at a time."""
        self.turned_down = False
        """Whether the service did not answer so many requests at a time, although it may answer one."""

    def after(self, trail: Sequence[str], place: Mapping[str, int]) -> list[T] | None:
        """A page that continues the trail, or None. Raises OrderInDoubt."""
        self._walked = place
        self._ask_on()
        page = self._joined(trail, place)
        self._ask_on()
        return page

    def timed(self, fetch: Callable[[str | None], list[T]]) -> Callable[[str | None], list[T]]:
        """The same, with the pace taking note of how long each answer took."""
        return lambda marker: self._pace.timed(partial(fetch, marker))

    def left_over(self) -> Page[T]:
        """What the pages that came and were not used hold, once closed: new is what the walk never met.

        They are as true as any page that was used, so the walk has missed what only they have.
        """
        entries: dict[str, T] = {}
        again: list[T] = []
        for started in self._set_aside:
            answer = started.result()
            answer.used()
            for item_id, item in zip(answer.ids, answer.page, strict=True):
                known = item_id in self._walked or entries.setdefault(item_id, item) is not item
                again += [item] if known else []
        return Page(list(entries.values()), again)

    @property
    def walked(self) -> Mapping[str, int]:
        """The ids that the walk has met."""
        return self._walked

    @property
    def begun(self) -> int:
        """How many pages were asked for beside the walk, whatever came of that."""
        return self._begun

    def close(self) -> None:
        """Ask for no more, and wait until nothing runs any longer."""
        self._stop()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._set_aside = [started for started in self._set_aside if _has_come(started)]
        _log.debug("parallel-walk joined=%d asked=%d useless=%d", self._used, self._missed, self._useless)

    def _joined(self, trail: Sequence[str], place: Mapping[str, int]) -> list[T] | None:
        """The first page that continues the trail; those before it are of no use any more. Waits only for the next."""
        for turn, started in enumerate(list(self._asked)):
            if self.gave_up or (turn and not started.done()):
                break
            answer = started.result()
            if answer.failure is not None:
                self.failed = True
                self._give_up(str(answer.failure))
                break
            how, strays = fit(answer.ids, trail, place) if answer.page else (Fit.KNOWN, 0)
            self._strays += strays
            if self._strays > _MOST_STRAYS:
                raise OrderInDoubt
            if how is Fit.CONTINUES:
                return self._use(started, answer)
            if how is Fit.KNOWN or strays:
                self._drop(started)
        self._miss()
        return None

    def _use(self, started: Started[_Answer[T]], answer: _Answer[T]) -> list[T]:
        while (passed := self._asked.popleft()) is not started:
            self._set_aside.append(passed)
            self._useless += 1
        self._used += 1
        self._missed_in_a_row = 0
        answer.used()
        return answer.page

    def _drop(self, started: Started[_Answer[T]]) -> None:
        self._asked.remove(started)
        self._set_aside.append(started)
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
            started = self._asked.popleft()
            started.cancel()
            self._set_aside.append(started)

    def _ask_on(self) -> None:
        """Ask for the next pages. With one at a time, the walk is as fast by itself."""
        while 1 < self._pace.at_a_time > len(self._asked) and (marker := next(self._markers, None)) is not None:
            self._begun += 1
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


def _has_come(started: Started[_Answer[T]]) -> bool:
    try:
        return started.done() and bool(started.result().page)
    except CancelledError:
        return False


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
    except Denied:
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
