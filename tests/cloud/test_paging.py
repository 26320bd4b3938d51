"""The page walk reaches the true end of a list for every reading of limit and marker, and notices a broken list."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import product
from math import ceil, log2
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from janitor.cloud.common import paging
from janitor.cloud.common.paging import MarkerGone, ahead, pages
from janitor.errors import CloudError, Implausible

READINGS = ["exclusive", "inclusive"]
LIMIT = 1000


@dataclass
class Shelf:
    """A server's list, with everything that the documentation leaves open as a setting.

    `gone` is what a vanished marker gets: an error, an empty page, the list from the start, or the rest of the list.
    `before[n]` changes the list just before request n, counted from 0.
    """

    ids: list[str]
    cap: int = 3
    reading: str = "exclusive"
    gone: str = "error"
    before: dict[int, Callable[["Shelf"], None]] = field(default_factory=dict)
    asked: list[str | None] = field(default_factory=list)
    _all: list[str] = field(default_factory=list)

    def fetch(self, marker: str | None) -> list[str]:
        if change := self.before.get(len(self.asked)):
            change(self)
        self.asked.append(marker)
        return self._page(marker)

    def _page(self, marker: str | None) -> list[str]:
        start = 0
        if marker is not None and marker in self.ids:
            start = self.ids.index(marker) + (self.reading == "exclusive")
        elif marker is not None and self.gone == "error":
            raise MarkerGone
        elif marker is not None and self.gone == "empty":
            return []
        return self.ids[start : start + self.cap]

    def walk(self, limit: int = LIMIT) -> list[str]:
        return [image for page in pages(self.fetch, str, limit) for image in page.new]

    def drop(self, *ids: str) -> None:
        self.ids = [image for image in self.ids if image not in ids]


def fleet(count: int) -> list[str]:
    return [f"i{number}" for number in range(count)]


def dropping(*ids: str) -> Callable[[Shelf], None]:
    return lambda shelf: shelf.drop(*ids)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7, 30])
def test_every_image_once(reading: str, count: int) -> None:
    shelf = Shelf(fleet(count), reading=reading)
    assert shelf.walk() == fleet(count)


@pytest.mark.parametrize(
    ("reading", "asked"),
    [
        ("exclusive", [None, "i2", "i5", "i4"]),
        ("inclusive", [None, "i2", "i4", "i5"]),
    ],
)
def test_the_end_costs_one_request_and_an_empty_one_a_second(reading: str, asked: list[str | None]) -> None:
    shelf = Shelf(fleet(6), reading=reading)
    shelf.walk()
    assert shelf.asked == asked


def test_a_short_page_is_not_the_end() -> None:
    ids = iter([["a", "b", "c"], ["d"], ["e", "f"], [], ["f"]])
    assert [image for page in pages(lambda _: next(ids), str, 3) for image in page.new] == list("abcdef")


@pytest.mark.parametrize("gone", ["error", "empty", "start", "rest"])
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(
    "vanished",
    [["i2"], ["i1", "i2"], ["i0", "i1", "i2"], ["i2", "i3"], ["i2", "i3", "i4", "i5"]],
    ids=["marker", "marker-and-one-before", "all-seen-so-far", "marker-and-next", "marker-and-next-page"],
)
def test_a_vanished_marker_hides_no_image(gone: str, reading: str, vanished: list[str]) -> None:
    shelf = Shelf(fleet(9), reading=reading, gone=gone, before={1: dropping(*vanished)})
    if gone == "rest":
        ordered = fleet(9)

        def rest(marker: str | None) -> list[str]:
            Shelf.fetch(shelf, marker)
            first = 0 if marker is None else ordered.index(marker)
            skip = marker is not None and (reading == "exclusive" or marker not in shelf.ids)
            return [image for image in ordered[first + skip :] if image in shelf.ids][:3]

        found = [image for page in pages(rest, str, LIMIT) for image in page.new]
    else:
        found = shelf.walk()
    assert len(found) == len(set(found))
    assert {"i0", "i1", "i2", *shelf.ids} == set(found)


@pytest.mark.parametrize("gone", ["error", "empty", "start"])
@pytest.mark.parametrize("reading", READINGS)
def test_a_marker_that_vanishes_at_the_end_is_survived(gone: str, reading: str) -> None:
    asked_at = {"exclusive": 2, "inclusive": 3}[reading]
    shelf = Shelf(fleet(6), reading=reading, gone=gone, before={asked_at: dropping("i5")})
    assert shelf.walk() == fleet(6)


def test_an_empty_page_for_a_vanished_marker_is_not_the_end() -> None:
    shelf = Shelf(fleet(9), gone="empty", before={2: dropping("i5", "i4")})
    assert shelf.walk() == fleet(9)
    assert shelf.asked[2:5] == ["i5", "i4", "i3"]


def test_stepping_back_takes_longer_and_longer_strides() -> None:
    shelf = Shelf(fleet(40), cap=20, before={1: dropping(*fleet(20)[4:])})
    shelf.walk()
    assert shelf.asked[1:7] == ["i19", "i18", "i17", "i15", "i11", "i3"]


def test_a_repeated_page_is_asked_again() -> None:
    once = iter([["i0", "i1", "i2"]])
    shelf = Shelf(fleet(7))

    def fetch(marker: str | None) -> list[str]:
        page = shelf.fetch(marker)
        return next(once, page) if marker == "i2" else page

    assert [image for page in pages(fetch, str, LIMIT) for image in page.new] == fleet(7)


def test_an_older_page_that_is_repeated_is_walked_through() -> None:
    once = iter([["i0", "i1", "i2"]])
    shelf = Shelf(fleet(10))

    def fetch(marker: str | None) -> list[str]:
        page = shelf.fetch(marker)
        return next(once, page) if marker == "i5" else page

    assert [image for page in pages(fetch, str, LIMIT) for image in page.new] == fleet(10)


def test_a_server_that_always_gives_its_whole_list_is_taken_at_its_word() -> None:
    asked: list[str | None] = []

    def fetch(marker: str | None) -> list[str]:
        asked.append(marker)
        return fleet(7)

    assert [image for page in pages(fetch, str, LIMIT) for image in page.new] == fleet(7)
    assert len(asked) < 10


def test_a_whole_list_that_changes_meanwhile_is_taken_too() -> None:
    answers = iter([fleet(5), fleet(5)[:4]])
    last = fleet(5)[:4]
    assert [image for page in pages(lambda _: next(answers, last), str, LIMIT) for image in page.new] == fleet(5)


@pytest.mark.parametrize(
    "answers",
    [
        {None: ["a", "b"], "b": ["a", "b"]},
        {None: ["a", "b"], "b": ["c", "d"], "d": ["c", "d"]},
        {None: ["a", "b"], "b": ["c", "d"], "d": ["a", "b"]},
        {None: ["a", "b"], "b": ["c"], "c": ["d"], "d": ["a", "b"]},
    ],
    ids=["first-page-for-ever", "last-page-for-ever", "round-and-round", "round-in-short-pages"],
)
def test_a_list_that_repeats_itself_is_an_error(answers: dict[str | None, list[str]]) -> None:
    with pytest.raises(CloudError, match="the list repeats itself"):
        list(pages(answers.__getitem__, str, 2))


def test_a_server_that_refuses_every_marker_is_an_error() -> None:
    def fetch(marker: str | None) -> list[str]:
        if marker is not None:
            raise MarkerGone
        return fleet(7)

    with pytest.raises(CloudError, match="the list repeats itself"):
        list(pages(fetch, str, LIMIT))


@pytest.mark.parametrize(("bound", "value"), [("most_pages", 50), ("most_items", 100)])
def test_a_list_without_end_is_an_error(bound: str, value: int) -> None:
    numbers = iter(range(10**9))
    bounds: dict[str, Any] = {bound: value}
    with pytest.raises(CloudError, match="the list does not end"):
        list(pages(lambda _: [str(next(numbers)), str(next(numbers))], str, LIMIT, **bounds))
    assert next(numbers) <= 2 * value


@pytest.mark.parametrize(("most", "refused"), [(19, True), (20, False)])
def test_a_list_of_more_images_than_its_limit_is_an_error_that_names_the_key(most: int, refused: bool) -> None:
    walk = pages(Shelf(fleet(20)).fetch, str, LIMIT, most_items=most, limited_by="limits.max_images")
    if not refused:
        assert sum(len(page.new) for page in walk) == most
        return
    with pytest.raises(Implausible, match=r"more than 19 images: raise limits\.max_images if the account is so large"):
        list(walk)


def test_a_list_that_may_be_longer_may_have_more_pages() -> None:
    shelf = Shelf(fleet(200), cap=10)
    with patch.object(paging, "MOST_PAGES", 5):
        walk = pages(shelf.fetch, str, LIMIT, most_items=2000)
        assert sum(len(page.new) for page in walk) == 200


def test_a_list_of_ever_so_small_pages_is_refused_before_hours_have_gone() -> None:
    numbers = iter(range(10**9))
    with pytest.raises(CloudError, match="the list does not end: 1000 pages with 1000 entries were read"):
        list(pages(lambda _: [str(next(numbers))], str, LIMIT))


@pytest.mark.parametrize("complete", [1, 3])
def test_a_list_that_is_cut_off_from_some_page_on_is_an_error(complete: int) -> None:
    shelf = Shelf(fleet(12))

    def fetch(marker: str | None) -> list[str]:
        page = shelf.fetch(marker)
        return page if len(shelf.asked) <= complete else []

    with pytest.raises(Implausible, match=f"{3 * complete} entries were read, and none of them is listed now"):
        list(pages(fetch, str, LIMIT))


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("cap", [3, 7, 8])
def test_a_list_that_breaks_off_for_a_while_is_complete_or_an_error(cap: int, reading: str) -> None:
    def empty_from(shelf: Shelf, first: int, count: int) -> Callable[[str | None], list[str]]:
        def fetch(marker: str | None) -> list[str]:
            page = shelf.fetch(marker)
            return [] if first <= len(shelf.asked) < first + count else page

        return fetch

    completed = 0
    for first, count in product(range(2, 13), range(1, 13)):
        fetch = empty_from(Shelf(fleet(40), cap=cap, reading=reading), first, count)
        with suppress(Implausible):
            assert [image for page in pages(fetch, str, LIMIT) for image in page.new] == fleet(40)
            completed += 1
    assert completed > 40


def test_a_full_page_that_ends_where_nothing_came_is_asked_on_for_ever_by_nobody() -> None:
    answers: dict[str | None, list[list[str]]] = {None: [["a", "b"]], "b": [[], ["a", "b"]], "a": [["a", "b"]]}

    def fetch(marker: str | None) -> list[str]:
        first, *rest = answers[marker]
        answers[marker] = rest or [first]
        return first

    with pytest.raises(Implausible, match="the list repeats itself"):
        list(pages(fetch, str, LIMIT))


def test_a_failure_to_fetch_is_passed_on() -> None:
    def fetch(marker: str | None) -> list[str]:
        if marker == "i2":
            raise CloudError("no")
        return fleet(3)

    with pytest.raises(CloudError, match="no"):
        list(pages(fetch, str, LIMIT))


@st.composite
def shelves(draw: st.DrawFn) -> tuple[Shelf, set[str]]:
    """A server with a random fleet, and the images that will vanish while it is walked, up to four times."""
    ids = fleet(draw(st.integers(0, 30)))
    doomed = draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
    moments = draw(st.lists(st.integers(1, 20), unique=True, max_size=4))
    before = {}
    for moment in moments:
        cut = draw(st.integers(0, len(doomed)))
        before[moment], doomed = dropping(*doomed[:cut]), doomed[cut:]
    survivors = set(ids) - {image for change in before.values() for image in _dropped(change, ids)}
    reading = draw(st.sampled_from(READINGS))
    shelf = Shelf(
        ids[:: draw(st.sampled_from([1, -1]))],
        cap=draw(st.integers(1 + (reading == "inclusive"), 12)),
        reading=reading,
        gone=draw(st.sampled_from(["error", "empty", "start"])),
        before=before,
    )
    return shelf, survivors


def _dropped(change: Callable[[Shelf], None], ids: list[str]) -> set[str]:
    shelf = Shelf(list(ids))
    change(shelf)
    return set(ids) - set(shelf.ids)


def walked(shelf: Shelf, survivors: set[str]) -> list[str]:
    """The images found. That nothing of what was read is there any more may be an error; the list may be cut off."""
    try:
        return shelf.walk()
    except Implausible:
        assert not survivors
        return []


@given(shelves())
@settings(max_examples=400, deadline=None)
def test_every_image_that_exists_throughout_is_found_once(case: tuple[Shelf, set[str]]) -> None:
    shelf, survivors = case
    everything, changes = set(shelf.ids), len(shelf.before)
    stretch = shelf.cap - (shelf.reading == "inclusive")
    found = walked(shelf, survivors)
    assert len(found) == len(set(found))
    assert survivors <= set(found) <= everything
    once = ceil(len(everything) / stretch) + 2
    assert len(shelf.asked) <= (changes + 1) * (once + ceil(log2(len(everything) + 2)) + 2)


@given(shelves(), st.integers(1, 6), st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_images_that_appear_meanwhile_hide_none(case: tuple[Shelf, set[str]], moment: int, count: int) -> None:
    shelf, survivors = case
    vanish = shelf.before.get(moment)

    def change(shelf: Shelf) -> None:
        if vanish:
            vanish(shelf)
        shelf.ids = [f"new{number}" for number in range(count)] + shelf.ids

    shelf.before[moment] = change
    found = walked(shelf, survivors)
    assert len(found) == len(set(found))
    assert survivors <= set(found)


def page_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("page")]


def test_the_next_page_is_fetched_while_this_one_is_used() -> None:
    fetched: list[int] = []
    second_asked = threading.Event()

    def source() -> Iterator[int]:
        for number in (1, 2, 3):
            fetched.append(number)
            if number == 2:
                second_asked.set()
            yield number

    with closing(ahead(source())) as walk:
        assert next(walk) == 1
        assert second_asked.wait(10)
        assert list(walk) == [2, 3]
    assert fetched == [1, 2, 3]
    assert not page_threads()


def test_no_more_than_two_pages_are_fetched_ahead() -> None:
    fetched: list[int] = []

    def source() -> Iterator[int]:
        for number in range(100):
            fetched.append(number)
            yield number

    with closing(ahead(source())) as walk:
        next(walk)
    assert len(fetched) <= 3
    assert not page_threads()


def test_a_failure_in_the_thread_reaches_the_consumer() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise CloudError("no")

    walk = ahead(source())
    assert next(walk) == 1
    with pytest.raises(CloudError, match="no"):
        next(walk)
    assert not page_threads()
