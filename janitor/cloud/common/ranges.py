"""Reading pages of a list side by side: it is asked at places further on before the walk gets there.

The walk stays that of `paging`. It goes from page to page, and only answers to its own requests end it. A page that was
read beside it takes the place of such an answer where it is certain to continue what was walked: a page is a gapless
stretch of the list, so it does if both have an entry in common. The place it was asked at proves nothing: entries may
have moved or vanished since. As an entry may also move between two requests, or be listed twice, one in common is not
enough either, see `fit`; where that is too strict, it costs a request.

Where no page continues the walk, it asks for the next one itself. So a range whose marker is gone is walked through, as
is what is new. If too few of the pages are of use, none is asked for any more. If entries turn up in places that
contradict each other, nothing that was joined is relied on, see `side_by_side`.
"""

import logging
from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from janitor.cloud.common.at_once import Beside, Started, Threads
from janitor.cloud.common.markers import Found, PageToRead, Place, Places
from janitor.cloud.common.pace import Pace
from janitor.cloud.common.paging import Fit, MarkerGone, Page, fit
from janitor.errors import CloudError, Refused

_log = logging.getLogger("janitor.cloud")

T = TypeVar("T")

_MOST_MISSED = 10
_MOST_USELESS = 5
_MOST_STRAYS = 5


class OrderInDoubt(Exception):
    """Entries turned up in places that contradict each other."""


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    """What came of asking at a place: a page, or why there is none."""

    ids: list[str]
    page: list[T]
    used: Callable[[], None]
    failure: CloudError | None = None


@dataclass(slots=True, eq=False)
class _Asked(Generic[T]):
    """A place that was asked at; `answer` once that has come, and was read."""

    place: Place[T]
    started: Started[PageToRead[T]]
    answer: _Answer[T] | None = None

    @property
    def unread(self) -> bool:
        """Whether its answer has come, and was not read."""
        return self.answer is None and self.started.done()


class Ranges(Generic[T]):
    """The pages that are read beside a walk, at `places`; `close` when done.

    Each is asked for in a thread, or `beside`. As many as the pace allows are under way, and as many as the places
    allow wait to be used. `after` is what `pages` needs as `beside`.
    """

    def __init__(
        self, places: Places[T], identify: Callable[[T], str], pace: Pace, beside: Beside | None = None
    ) -> None:
        self._places = places
        self._identify = identify
        self._pace = pace
        self._beside = beside or Threads(pace.at_a_time, "page-beside")
        self._asked: list[_Asked[T]] = []
        self._set_aside: list[_Asked[T]] = []
        self._walked: Mapping[str, int] = {}
        self._begun = self._used = self._useless = self._missed = self._missed_in_a_row = self._strays = 0
        self._stopped = False
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
        """The same, with the pace taking note of how long each answer took, and the places of what it was."""

        def timed(marker: str | None) -> list[T]:
            page = self._pace.timed(partial(fetch, marker))
            self._places.walked(page)
            return page

        return timed

    def left_over(self) -> Page[T]:
        """What the pages that came and were not used hold, once closed: new is what the walk never met.

        They are as true as any page that was used, so the walk has missed what only they have.
        """
        entries: dict[str, T] = {}
        again: list[T] = []
        for asked in self._set_aside:
            answer = asked.answer or self._read(asked.started.result())
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

    @property
    def joined(self) -> int:
        """How many pages took the place of answers to the walk."""
        return self._used

    def close(self) -> None:
        """Ask for no more, and wait until nothing runs any longer."""
        self._stop()
        self._beside.close()
        self._set_aside = [asked for asked in self._set_aside if _has_come(asked.started)]
        _log.debug("parallel-walk joined=%d asked=%d useless=%d", self._used, self._missed, self._useless)

    def _joined(self, trail: Sequence[str], place: Mapping[str, int]) -> list[T] | None:
        """The first page that continues the trail; those before it are of no use any more. Waits only for the next."""
        self._wait_for_next()
        for turn, asked in enumerate(list(self._asked)):
            if self.gave_up or (turn and not asked.started.done()):
                break
            answer = asked.answer or self._heard(asked)
            if answer.failure is not None:
                self.failed = True
                self._give_up(str(answer.failure))
                break
            how, strays = fit(answer.ids, trail, place) if answer.page else (Fit.KNOWN, 0)
            self._strays += strays
            if self._strays > _MOST_STRAYS:
                raise OrderInDoubt
            if how is Fit.CONTINUES:
                return self._use(asked, answer)
            if how is Fit.KNOWN or strays:
                self._drop(asked)
        self._miss()
        return None

    def _wait_for_next(self) -> None:
        """Wait for the page that comes next in the list; meanwhile read others that have come, and ask on."""
        while self._asked and not self._asked[0].started.done():
            if not self._hear_one():
                self._beside.wait()
            self._ask_on()

    def _hear_one(self) -> bool:
        """Read the first page that has come and was not read; False where there is none."""
        unread = next((asked for asked in self._asked if asked.unread), None)
        if unread is None:
            return False
        self._heard(unread)
        return True

    def _heard(self, asked: _Asked[T]) -> _Answer[T]:
        """Its answer, read for the first time, so that the places learn of it."""
        asked.answer = answer = self._read(asked.started.result())
        self._places.came(asked.place, answer.page)
        return answer

    def _use(self, asked: _Asked[T], answer: _Answer[T]) -> list[T]:
        at = self._asked.index(asked)
        self._set_aside += self._asked[:at]
        self._useless += at
        del self._asked[: at + 1]
        self._used += 1
        self._missed_in_a_row = 0
        answer.used()
        return answer.page

    def _drop(self, asked: _Asked[T]) -> None:
        self._asked.remove(asked)
        self._set_aside.append(asked)
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
        self._stopped = True
        for asked in self._asked:
            asked.started.cancel()
            self._set_aside.append(asked)
        self._asked.clear()

    def _ask_on(self) -> None:
        """Ask for the next pages. With one at a time, the walk is as fast by itself."""
        while self._places.learns and self._hear_one():
            pass
        under_way = sum(not asked.started.done() for asked in self._asked)
        while not self._stopped and 1 < self._pace.at_a_time > under_way:
            place = self._places.next(self._bound())
            if place is None:
                break
            self._begun += 1
            under_way += 1
            insort(self._asked, _Asked(place, self._beside.start(partial(self._sent, place))), key=_order)

    def _bound(self) -> float | None:
        """The place before which alone may be asked, where as many pages wait as may: that of the first of them."""
        full = len(self._asked) >= self._pace.at_a_time * self._places.ahead
        return self._asked[0].place.order if full else None

    def _sent(self, place: Place[T]) -> PageToRead[T]:
        """The page at a place, to be read; or what raises why there is none."""
        try:
            marker = place.marker if isinstance(place.marker, str) else place.marker()
            if marker is None:
                return _no_page
            # To find an id takes another time than to get a page, so it tells nothing about the pace.
            return self._pace.timed(partial(place.ask, marker))
        except (MarkerGone, CloudError) as error:
            return partial(_fail, error)

    def _read(self, unread: PageToRead[T]) -> _Answer[T]:
        try:
            page, used = unread()
        except (MarkerGone, Refused):
            return _Answer([], [], _nothing)
        except CloudError as error:
            return _Answer([], [], _nothing, error)
        return _Answer([self._identify(item) for item in page], page, used)


def _order(asked: _Asked[T]) -> float:
    return asked.place.order


def _has_come(started: Started[PageToRead[T]]) -> bool:
    try:
        return started.done() and started.result() is not None
    except CancelledError:
        return False


def _no_page() -> Found[Any]:
    return [], _nothing


def _fail(error: Exception) -> Found[Any]:
    raise error


def _nothing() -> None:
    pass
