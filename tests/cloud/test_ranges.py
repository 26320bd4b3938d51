"""Pages that are read side by side leave out no image, and are relied on only where they continue the walk."""

import logging
import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from janitor.cloud.common.markers import Markers, PageToRead, markers
from janitor.cloud.common.pace import Pace
from janitor.cloud.common.paging import Fit, Page, fit, pages
from janitor.cloud.common.ranges import Ranges
from janitor.cloud.common.side_by_side import side_by_side
from janitor.errors import CloudError, Implausible, Refused, Unavailable
from tests.cloud.changing import GONE, READINGS, ChangingList, Turns, unread
from tests.cloud.test_pace import Clock, several
from tests.cloud.walks import KINDS, LIMIT, identify, shares, walk, walked

TRAIL = list("abcdefgh")
PLACE = {image: at for at, image in enumerate(TRAIL)}


def fleet(count: int) -> list[str]:
    return [f"i{number}" for number in range(count)]


def in_turns(listed: ChangingList, noted: list[str], most: int = 4) -> Ranges[str]:
    turns = Turns(listed.chance)
    return Ranges(Markers(noted, lambda marker: unread(listed.beside(marker))), identify, Pace(most), turns)


def found(read: Iterator[Page[str]]) -> list[str]:
    return [identify(entry) for page in read for entry in page.new]


@pytest.mark.parametrize(
    ("page", "how"),
    [
        ("ghij", Fit.CONTINUES),
        ("defghi", Fit.CONTINUES),
        ("hij", Fit.UNCLEAR),
        ("hgij", Fit.UNCLEAR),
        ("ghhi", Fit.CONTINUES),
        ("xghi", Fit.UNCLEAR),
        ("gxhi", Fit.UNCLEAR),
        ("fhij", Fit.UNCLEAR),
        ("efgij", Fit.UNCLEAR),
        ("abij", Fit.UNCLEAR),
        ("ijk", Fit.BEYOND),
        ("abcd", Fit.KNOWN),
        ("fgh", Fit.KNOWN),
        ("xyab", Fit.KNOWN),
    ],
    ids=[
        "two-in-common",
        "five-in-common",
        "the-marker-alone",
        "in-another-order",
        "with-one-of-them-twice",
        "with-a-new-one-before",
        "with-a-new-one-between",
        "without-one-of-them",
        "without-the-last-of-them",
        "with-those-of-the-start",
        "nothing-in-common",
        "begins-anew",
        "no-progress",
        "begins-anew-with-new-ones",
    ],
)
def test_a_page_continues_what_was_walked_by_what_both_have_in_common(page: str, how: Fit) -> None:
    assert fit(list(page), TRAIL, PLACE)[0] is how


def test_entries_from_far_back_are_counted_as_strays() -> None:
    trail = fleet(100)
    place = {image: at for at, image in enumerate(trail)}
    assert fit(["i98", "i99", "i3", "x"], trail, place) == (Fit.CONTINUES, 1)
    assert fit(["i3", "i4", "i99", "x"], trail, place) == (Fit.UNCLEAR, 2)


def test_a_long_page_has_one_entry_in_a_hundred_in_common() -> None:
    trail = fleet(1000)
    place = {image: at for at, image in enumerate(trail)}
    new = [f"new{number}" for number in range(990)]
    assert fit([*trail[-10:], *new], trail, place) == (Fit.CONTINUES, 0)
    assert fit([*trail[-9:], *new, "x"], trail, place) == (Fit.UNCLEAR, 0)


@pytest.mark.parametrize(
    ("count", "page_length", "noted"),
    [
        pytest.param(3999, 1000, [], id="shorter-than-four-pages"),
        pytest.param(4000, 1000, ["i979", "i1959", "i2939", "i3919"], id="twenty-in-common"),
        pytest.param(12, 3, fleet(12), id="two-in-common-at-least"),
        pytest.param(0, 1000, [], id="nothing"),
        pytest.param(10_001, 3, [], id="too-many"),
    ],
)
def test_the_markers_are_a_little_less_than_a_page_apart(count: int, page_length: int, noted: list[str]) -> None:
    assert markers(fleet(count), page_length) == noted


@pytest.mark.parametrize("reading", READINGS)
def test_the_walk_itself_asks_for_the_first_page_and_the_end_only(reading: str) -> None:
    listed = ChangingList(random.Random(1), fleet(5000), 100, reading)
    assert found(side_by_side(listed.fetch, identify, LIMIT, in_turns(listed, markers(fleet(5000), 100)))) == fleet(
        5000
    )
    assert listed.asked <= 4


@pytest.mark.parametrize(("reading", "gone"), list(product(READINGS, GONE)))
@pytest.mark.parametrize("share", [1, 2, 10, 50], ids="1-in-{}-gone".format)
def test_markers_that_are_gone_are_walked_through(reading: str, gone: str, share: int) -> None:
    noted = markers(fleet(3000), 100)
    listed = ChangingList(random.Random(1), fleet(3000), 100, reading, gone)
    listed.vanished |= set(noted[::share])
    assert found(side_by_side(listed.fetch, identify, LIMIT, in_turns(listed, noted))) == listed.alive()


@pytest.mark.parametrize("first", [0, 150, 1999], ids="behind-{}".format)
def test_a_stretch_of_new_images_is_walked_through(first: int) -> None:
    noted = markers(fleet(2000), 100)
    new = [f"new{number}" for number in range(300)]
    listed = ChangingList(random.Random(1), [*fleet(2000)[:first], *new, *fleet(2000)[first:]], 100)
    assert found(side_by_side(listed.fetch, identify, LIMIT, in_turns(listed, noted))) == listed.ids
    assert listed.asked <= 4 + 4


def test_no_more_pages_are_under_way_or_wait_than_the_pace_allows() -> None:
    listed = ChangingList(random.Random(1), fleet(5000), 100)
    turns = Turns(listed.chance, eager=0)
    places = Markers(markers(fleet(5000), 100), lambda marker: unread(listed.beside(marker)))
    ranges = Ranges(places, identify, Pace(3), turns)
    assert len(found(side_by_side(listed.fetch, identify, LIMIT, ranges))) == 5000
    assert turns.most == 3


def test_the_walk_and_what_is_read_beside_it_share_a_pace() -> None:
    clock = Clock()
    pace = Pace(4, monotonic=clock)
    ranges: Ranges[str] = Ranges(Markers([], lambda _: unread([])), identify, pace, Turns(random.Random(1)))
    ranges.timed(lambda _: [clock.taking(1)()])(None)
    several(pace, clock, 9, 4)
    assert pace.at_a_time == 2


def test_with_one_at_a_time_nothing_is_read_beside() -> None:
    listed = ChangingList(random.Random(1), fleet(500), 100)
    found(side_by_side(listed.fetch, identify, LIMIT, in_turns(listed, markers(fleet(500), 100), most=1)))
    assert listed.asked == 5 + 2


@pytest.mark.parametrize("noted", [["other"] * 50, ["i5"] * 50, ["i1999"] * 50], ids=["unknown", "known", "last"])
def test_pages_of_no_use_are_given_up(noted: list[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "janitor.cloud")
    listed = ChangingList(random.Random(1), fleet(2000), 100)
    ranges = in_turns(listed, noted)
    assert found(side_by_side(listed.fetch, identify, LIMIT, ranges)) == fleet(2000)
    assert ranges.gave_up
    assert "reason='most of the pages do not continue the list'" in caplog.text


def test_pages_that_are_too_far_ahead_are_given_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "janitor.cloud")
    listed = ChangingList(random.Random(1), fleet(2000), 100)
    assert found(side_by_side(listed.fetch, identify, LIMIT, in_turns(listed, ["i1500"]))) == fleet(2000)
    assert "reason='none of the pages continues the list'" in caplog.text


def test_an_order_in_doubt_leads_to_a_walk_from_the_start(caplog: pytest.LogCaptureFixture) -> None:
    ids = fleet(1000)
    noted = markers(ids, 100)
    listed = ChangingList(random.Random(1), ids, 100)
    ranges = in_turns(listed, noted)
    fetched: list[str | None] = []

    def fetch(marker: str | None) -> list[str]:
        if not fetched:
            page = listed.fetch(marker)
            listed.ids = [*ids[90:500], *ids[10:20], *ids[500:], *ids[:10], *ids[20:90]]
            fetched.append(marker)
            return page
        fetched.append(marker)
        return listed.fetch(marker)

    assert sorted(found(side_by_side(fetch, identify, LIMIT, ranges))) == sorted(ids)
    assert ranges.doubted
    assert fetched.count(None) == 2
    assert "the order of the list changes meanwhile" in caplog.text


def test_what_a_page_left_to_be_done_is_done_once_it_counts() -> None:
    listed = ChangingList(random.Random(1), fleet(1000), 100)
    noted, used = markers(fleet(1000), 100), list[str]()
    turns = Turns(listed.chance)
    asked = [*noted[:4], "i3", *noted[4:-1]]
    places = Markers(asked, lambda marker: unread(listed.beside(marker), lambda: used.append(marker)))
    ranges = Ranges(places, identify, Pace(4), turns)
    found(side_by_side(listed.fetch, identify, LIMIT, ranges))
    assert used == [*noted[:-1], "i3"]


def test_what_only_an_unused_page_shows_is_not_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """An entry that is listed twice makes the walk jump over others, which a page beside it had shown."""
    ids = [*range(13), 10, *range(14, 50)]
    entries = list(zip([f"i{number}" for number in ids], ["a"] * 13 + ["b"] + ["a"] * 36, strict=True))

    def fetch(marker: str | None) -> list[tuple[str, str]]:
        places = [place for place, (item_id, _) in enumerate(entries) if item_id == marker]
        start = places[-1] + 1 if places else 0
        return entries[start : start + 5]

    def id_of(entry: tuple[str, str]) -> str:
        return entry[0]

    noted = markers([f"i{number}" for number in range(50)], 5)
    ranges = Ranges(Markers(noted, lambda marker: unread(fetch(marker))), id_of, Pace(4), Turns(random.Random(1)))
    read = list(side_by_side(fetch, id_of, 5, ranges))
    assert {id_of(entry) for page in read for entry in page.new} == {item_id for item_id, _ in entries}
    assert ("i10", "b") in [entry for page in read for entry in (*page.new, *page.again)]
    assert "entries of pages that were not used are missing" in caplog.text


def test_a_page_that_brings_the_order_into_doubt_counts_all_the_same() -> None:
    """One that continues the walk, and has entries from far back once more, with other values."""
    entries = [(f"i{number}", "a") for number in range(60)]
    odd = [*entries[15:20], *((f"i{number}", "b") for number in range(6)), ("i20", "a"), ("only-here", "a")]

    def fetch(marker: str | None) -> list[tuple[str, str]]:
        start = [item_id for item_id, _ in entries].index(marker) + 1 if marker else 0
        return entries[start : start + 10]

    ranges = Ranges(Markers(["i14"], lambda _: unread(odd)), lambda entry: entry[0], Pace(4), Turns(random.Random(1)))
    read = list(side_by_side(fetch, lambda entry: entry[0], 10, ranges))
    met = [entry for page in read for entry in (*page.new, *page.again)]
    assert ranges.doubted
    assert set(met) == {*entries, *odd}


@pytest.mark.parametrize("error", [Refused("no", code=500), Unavailable("no")], ids=lambda error: type(error).__name__)
def test_an_error_beside_the_walk_is_left_to_the_walk(error: CloudError) -> None:
    listed = ChangingList(random.Random(1), fleet(1000), 100)

    def ask(_marker: str) -> PageToRead[str]:
        raise error

    ranges = Ranges(Markers(markers(fleet(1000), 100), ask), identify, Pace(4), Turns(listed.chance))
    assert found(side_by_side(listed.fetch, identify, LIMIT, ranges)) == fleet(1000)


def test_one_refused_page_leaves_the_others_as_they_are() -> None:
    listed = ChangingList(random.Random(1), fleet(1000), 100)
    noted = markers(fleet(1000), 100)

    def ask(marker: str) -> PageToRead[str]:
        if marker == noted[2]:
            raise Refused("no", code=500)
        return unread(listed.beside(marker))

    ranges = Ranges(Markers(noted, ask), identify, Pace(4), Turns(listed.chance))
    assert found(side_by_side(listed.fetch, identify, LIMIT, ranges)) == fleet(1000)
    assert not ranges.gave_up
    assert listed.asked <= 4 + 1


def test_where_the_walk_goes_back_it_asks_by_itself() -> None:
    listed = ChangingList(random.Random(1), fleet(6), 3)
    walked_to: list[str] = []

    def beside(trail: Sequence[str], _place: Mapping[str, int]) -> None:
        walked_to.append(trail[-1])
        listed.vanished.add("i2")

    assert found(pages(listed.fetch, identify, LIMIT, beside=beside)) == fleet(6)
    assert walked_to == ["i2", "i5"]


def test_a_list_that_is_too_long_is_an_error_side_by_side_too(caplog: pytest.LogCaptureFixture) -> None:
    listed = ChangingList(random.Random(1), fleet(2000), 100)
    ranges = in_turns(listed, markers(fleet(2000), 100))
    with pytest.raises(Implausible, match="the list has more than 500 images: raise limits"):
        found(side_by_side(listed.fetch, identify, LIMIT, ranges, most_items=500, limited_by="limits.max_images"))
    assert listed.asked == 1, "it is not walked again: it is as long page by page"
    assert "pages-one-at-a-time" not in caplog.text


def page_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("page")]


def test_four_threads_ask_at_a_time_and_none_is_left() -> None:
    listed = ChangingList(random.Random(1), fleet(1000), 100)
    together = threading.Barrier(4)

    def ask(marker: str) -> PageToRead[str]:
        if marker in noted[:4]:
            together.wait(10)
        return unread(listed.beside(marker))

    noted = markers(fleet(1000), 100)
    assert found(side_by_side(listed.fetch, identify, LIMIT, Ranges(Markers(noted, ask), identify, Pace(4)))) == fleet(
        1000
    )
    assert not page_threads()


def test_no_thread_is_left_when_the_reader_stops() -> None:
    listed = ChangingList(random.Random(1), fleet(1000), 100)
    ranges = Ranges(Markers(markers(fleet(1000), 100), lambda m: unread(listed.beside(m))), identify, Pace(4))
    with closing(side_by_side(listed.fetch, identify, LIMIT, ranges)) as read:
        assert len(list(islice(read, 3))) == 3
        assert page_threads()
    assert not page_threads()


def test_no_thread_is_left_after_an_error() -> None:
    listed = ChangingList(random.Random(1), fleet(1000), 100)

    def fetch(marker: str | None) -> list[str]:
        if marker is not None:
            raise Unavailable("no")
        return listed.fetch(marker)

    ranges = Ranges(Markers(["i979"], lambda m: unread(listed.beside(m))), identify, Pace(4))
    with pytest.raises(Unavailable):
        found(side_by_side(fetch, identify, LIMIT, ranges))
    assert not page_threads()


@given(st.integers(0, 2**64), st.sampled_from(("usual", "strange")))
@settings(max_examples=500, deadline=None)
def test_every_image_that_exists_throughout_is_found_once(number: int, kind: str) -> None:
    assert walk(number, kind).broken() is None


def test_many_walks_keep_every_rule_about_them() -> None:
    counts, broken = walked(range(4000))
    assert not broken
    assert not shares(counts)
    assert {f"{kind}, side by side: walks" for kind in KINDS} <= counts.keys()
