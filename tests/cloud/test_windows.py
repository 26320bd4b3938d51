"""A list of which nothing is known is read side by side by when its images were created, and no less certainly."""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from janitor.cloud.common.markers import PageToRead
from janitor.cloud.common.pace import Pace
from janitor.cloud.common.ranges import Ranges
from janitor.cloud.common.side_by_side import side_by_side
from janitor.cloud.openstack.windows import Windows
from tests.cloud.changing import FIRST_DAY, GONE, READINGS, ChangingList, Turns, unread
from tests.cloud.test_ranges import fleet, found
from tests.cloud.walks import identify

CAP = 100
HOUR = 3600
BURST = (*[0] * 2000, *[HOUR] * 300, *[1] * 1000, *[HOUR] * 700)
"""What may happen: all at once, hardly any, one a second, and hardly any again; from the last one to the first."""


def listed_with(apart: Sequence[int], **facts: object) -> ChangingList:
    """A list whose images were created so many seconds before one another."""
    ids = fleet(len(apart))
    listed = ChangingList(random.Random(1), ids, CAP, **facts)  # type: ignore[arg-type]
    now = 2 * sum(apart) + 1000
    for image, seconds in zip(ids, apart, strict=True):
        now -= seconds
        listed.times[image] = now
    return listed


def evenly(count: int, **facts: object) -> ChangingList:
    return listed_with([60] * count, **facts)


@dataclass
class Reading:
    """A walk through a list by windows, and what was asked beside it."""

    listed: ChangingList
    most: int = 4
    limit: int = CAP
    turned_down_after: int | None = None
    times: list[datetime] = field(default_factory=list)
    markers: list[str] = field(default_factory=list)
    waiting: int = 0
    most_waiting: int = 0

    def __post_init__(self) -> None:
        self.windows = Windows(self._before, self._behind, identify, self.listed.created, self.limit)
        turns = Turns(self.listed.chance, eager=0)
        self.ranges = Ranges(self.windows, identify, Pace(self.most, self._turned_down, lambda: 0.0), turns)
        self.ids = found(side_by_side(self.listed.fetch, identify, 1000, self.ranges))

    def _before(self, time: datetime) -> str | None:
        self.times.append(time)
        return self.listed.last_before(time)

    def _behind(self, marker: str) -> PageToRead[str]:
        self.markers.append(marker)
        page = self.listed.beside(marker)
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        return unread(page, self._used)

    def _used(self) -> None:
        self.waiting -= 1

    def _turned_down(self) -> int:
        return int(self.turned_down_after is not None and len(self.markers) > self.turned_down_after)


@pytest.mark.parametrize("reading", READINGS)
def test_the_walk_itself_asks_for_the_first_page_and_the_end_only(reading: str) -> None:
    one = Reading(evenly(5000, reading=reading))
    assert one.ids == fleet(5000)
    assert one.listed.asked <= 4
    assert not one.ranges.doubted
    assert len(one.times) <= 10
    assert len(one.markers) <= 1.25 * 5000 / CAP
    assert "i4997" not in one.markers, "nothing is asked for behind the end"


def test_a_long_list_is_read_in_longer_windows() -> None:
    one = Reading(evenly(20_000))
    assert len(one.times) <= 25
    assert len(one.markers) <= 1.12 * 20_000 / (CAP - 2)


def test_windows_have_enough_in_common() -> None:
    chance = random.Random(1)
    readings = [Reading(listed_with(chance.choices(range(1, 120), k=2000))) for _ in range(60)]
    assert all(one.ids == fleet(2000) for one in readings)
    assert max(one.listed.asked for one in readings) <= 4


@pytest.mark.parametrize("apart", [BURST, BURST[::-1]], ids=["often-first", "often-last"])
@pytest.mark.parametrize("reading", READINGS)
def test_windows_are_as_long_as_images_were_created_often(apart: Sequence[int], reading: str) -> None:
    one = Reading(listed_with(apart, reading=reading))
    assert one.ids == fleet(len(apart))
    assert one.listed.asked <= 8
    assert len(one.times) <= 20
    assert len(one.markers) <= 1.5 * len(apart) / CAP
    assert not one.ranges.gave_up


def test_a_window_that_holds_more_than_expected_is_divided() -> None:
    """After a few pages that took days, as many images as in fifty of these are created in one day."""
    one = Reading(listed_with([HOUR] * 600 + [10] * 5000 + [HOUR] * 600))
    dense = one.listed.times["i5599"], one.listed.times["i600"]
    within = [time for time in one.times if dense[0] < (time - FIRST_DAY).total_seconds() < dense[1]]
    assert len(within) >= 3
    assert one.listed.asked <= 8


def test_images_created_at_once_are_read_page_by_page() -> None:
    one = Reading(listed_with([0] * 3000))
    assert one.ids == fleet(3000)
    assert len(one.times) == 1
    assert not one.ranges.gave_up


@pytest.mark.parametrize(
    ("count", "limit"),
    [(0, CAP), (1, CAP), (CAP - 1, CAP), (CAP, 1000)],
    ids=["none", "one", "a-page", "capped"],
)
def test_nothing_is_asked_beside_a_short_list(count: int, limit: int) -> None:
    one = Reading(evenly(count), limit=limit)
    assert one.ids == fleet(count)
    assert not one.ranges.begun


def test_nothing_is_asked_beside_with_one_at_a_time() -> None:
    assert not Reading(evenly(2000), most=1).ranges.begun


def test_a_list_of_two_pages_is_asked_for_one_window() -> None:
    one = Reading(evenly(2 * CAP))
    assert one.ids == fleet(2 * CAP)
    assert len(one.times) == 1


def test_pages_that_are_shorter_than_asked_for_are_told_by_the_second_one() -> None:
    one = Reading(evenly(5000), limit=1000)
    assert one.ids == fleet(5000)
    assert one.listed.asked <= 5


@pytest.mark.parametrize("filtering", ["ignored", "refused", "empty"])
def test_a_filter_that_is_of_no_use_is_used_once(filtering: str) -> None:
    one = Reading(evenly(3000, filtering=filtering))
    assert one.ids == fleet(3000)
    assert len(one.times) == 1
    assert not one.ranges.doubted


def test_a_filter_that_gives_anything_leaves_out_nothing() -> None:
    assert sorted(Reading(evenly(3000, filtering="anything")).ids) == sorted(fleet(3000))


def _backwards(listed: ChangingList) -> None:
    listed.times = dict(zip(listed.times, reversed(listed.times.values()), strict=True))


def _unordered(listed: ChangingList) -> None:
    times = list(listed.times.values())
    listed.chance.shuffle(times)
    listed.times = dict(zip(listed.times, times, strict=True))


def _unknown(listed: ChangingList) -> None:
    listed.times.clear()


@pytest.mark.parametrize("changed", [_backwards, _unordered, _unknown])
def test_without_times_in_order_nothing_is_asked_beside(changed: Callable[[ChangingList], None]) -> None:
    listed = evenly(2000)
    changed(listed)
    one = Reading(listed)
    assert one.ids == fleet(2000)
    assert not one.ranges.begun


@pytest.mark.parametrize("image", ["i7", "i1234", "i2999"])
def test_where_one_time_is_unknown_the_walk_goes_on_by_itself(image: str) -> None:
    listed = evenly(3000)
    del listed.times[image]
    one = Reading(listed)
    assert one.ids == fleet(3000)
    assert one.listed.asked <= 6


@pytest.mark.parametrize("gone", GONE)
def test_a_window_whose_marker_is_gone_is_walked_through(gone: str) -> None:
    """It costs requests, most of all where the walk is near it."""
    asked = []
    for number in range(12):
        listed = evenly(4000, gone=gone)
        listed.chance.seed(number)
        behind: list[str] = []

        def beside(marker: str, listed: ChangingList = listed, behind: list[str] = behind) -> list[str]:
            behind.append(marker)
            if len(behind) in (2, 9):
                listed.vanished.add(marker)
            return ChangingList.beside(listed, marker)

        listed.beside = beside  # type: ignore[method-assign]
        assert set(Reading(listed).ids) >= set(listed.alive())
        asked.append(listed.asked)
    assert sorted(asked)[3] <= 15


@pytest.mark.parametrize("turned_down_after", [None, 60], ids=["steadily", "at-fewer-at-a-time"])
def test_only_so_many_pages_wait_and_the_next_is_asked_for_all_the_same(
    turned_down_after: int | None,
) -> None:
    """The first window is long, and its images cannot be told apart by time; others read far ahead of it."""
    one = Reading(listed_with([60] * 110 + [0] * 9000 + [60] * 9000), turned_down_after=turned_down_after)
    assert len(one.ids) == 18_110
    assert not one.ranges.gave_up
    assert one.most_waiting <= 8 * 4 + 1
    assert one.listed.asked <= 5


def test_no_window_begins_before_there_were_images() -> None:
    def asked_behind(years: int) -> bool:
        page = [*[datetime(2026, 1, 1, tzinfo=UTC)] * 3, datetime(2026 - years, 1, 1, tzinfo=UTC)]
        windows: Windows[datetime] = Windows(lambda _: None, lambda _: unread([]), str, lambda time: time, len(page))
        windows.walked(page)
        return windows.next(None) is not None

    assert asked_behind(6)
    assert not asked_behind(7)


def test_a_window_whose_next_page_is_the_same_again_ends() -> None:
    listed = evenly(2 * CAP)
    windows: Windows[str] = Windows(listed.last_before, lambda _: unread([]), identify, listed.created, CAP)
    page = listed.fetch(None)
    windows.walked(page)
    further, next_page = windows.next(None), windows.next(None)
    assert further is not None
    assert next_page is not None
    assert next_page.marker == "i97"
    windows.came(next_page, page)
    assert windows.next(None) is None


def test_other_windows_go_on_while_the_page_that_comes_next_is_slow() -> None:
    listed = evenly(3000)
    asked: list[str] = []
    many = threading.Event()

    def behind(marker: str) -> PageToRead[str]:
        asked.append(marker)
        if len(asked) > 8:
            many.set()
        if marker == "i97":
            many.wait(10)
        return unread(listed.beside(marker))

    windows = Windows(listed.last_before, behind, identify, listed.created, CAP)
    ranges = Ranges(windows, identify, Pace(4, monotonic=lambda: 0.0))
    assert found(side_by_side(listed.fetch, identify, 1000, ranges)) == fleet(3000)
    assert asked.index("i195") > 8
