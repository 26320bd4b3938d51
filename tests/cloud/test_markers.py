"""A walk leaves the places to ask at for the next one, unless they cannot be relied on."""

import random
from collections.abc import Iterator
from itertools import islice

from janitor.cloud.common.markers import Markers, PageToRead, markers
from janitor.cloud.common.paging import Page
from janitor.cloud.common.side_by_side import MarkedList
from tests.cloud.changing import ChangingList, unread
from tests.cloud.test_ranges import fleet
from tests.cloud.walks import LIMIT, identify

BOUND = 10_000


def marked_list() -> MarkedList[str]:
    return MarkedList(identify, 4, lambda: 0)


def walk(marked: MarkedList[str], listed: ChangingList) -> Iterator[Page[str]]:
    def ask(marker: str) -> PageToRead[str]:
        return unread(listed.beside(marker))

    places = Markers(marked.read.markers, ask) if marked.read.markers else None
    return marked.walk(places, listed.fetch, LIMIT, BOUND, "limits.max_images")


def test_a_complete_walk_leaves_its_markers() -> None:
    marked, listed = marked_list(), ChangingList(random.Random(1), fleet(1000), 100)
    pages = walk(marked, listed)
    list(islice(pages, 8))
    assert not marked.read.markers
    list(pages)
    assert list(marked.read.markers) == markers(fleet(1000), 100)
    listed.ids = fleet(600)
    list(walk(marked, listed))
    assert list(marked.read.markers) == markers(fleet(600), 100)


def test_an_order_in_doubt_leaves_none() -> None:
    marked, listed = marked_list(), ChangingList(random.Random(1), fleet(1000), 100)
    list(walk(marked, listed))
    pages = walk(marked, listed)
    first = next(pages)
    listed.ids = [*fleet(1000)[90:500], *fleet(1000)[10:20], *fleet(1000)[500:], *fleet(10), *fleet(1000)[20:90]]
    found = {identify(entry) for page in (first, *pages) for entry in page.new}
    assert found == set(fleet(1000))
    assert not marked.read.markers


def test_a_walk_counts_as_side_by_side_even_if_no_page_was_of_use() -> None:
    """Its own requests, too, were made while others were under way."""
    marked, listed = marked_list(), ChangingList(random.Random(1), fleet(1000), 100)
    assert list(walk(marked, listed))
    assert not marked.read.side_by_side
    places: Markers[str] = Markers(["gone"] * 9, lambda _: unread([]))
    list(marked.walk(places, listed.fetch, LIMIT, BOUND, "limits.max_images"))
    assert marked.read.side_by_side
