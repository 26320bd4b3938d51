"""A client of the Image API reads a long list side by side from the first reading on, and reads the same in it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from janitor.cloud.openstack.client import OpenStackClient
from janitor.core.survey.pages import PagesRead
from tests import openstack_account, toast_account
from tests.cloud.test_side_by_side import OneAtATime, interposed, options, page_threads
from tests.loopback import Answered, Asked, Loopback
from tests.openstack_account import NOW, entry, no

COUNT, PAGE = 120, 10


def entries(count: int = COUNT) -> list[dict[str, Any]]:
    """Images that were created a day apart, the last one first."""
    return [entry(f"i{number}", created_at=day(number)) for number in range(count)]


def day(number: int) -> str:
    return (NOW - timedelta(days=number)).isoformat()[:19] + "Z"


@contextmanager
def serving(listed: list[dict[str, Any]], parallel_pages: int = 4) -> Iterator[tuple[OpenStackClient, Loopback]]:
    cloud = openstack_account.Cloud(entries=listed)
    with openstack_account.serving(cloud, options(parallel_pages)) as (client, server):
        yield client, server


def first_reading(client: OpenStackClient) -> list[str]:
    return [image.id for image in client.images(None)]


def main_list(server: Loopback) -> list[Mapping[str, str]]:
    """The queries for the list of images, without the other lists."""
    queries = [asked.query for asked in server.asked if asked.path.endswith("images")]
    return [query for query in queries if not {"os_hidden", "visibility"} & query.keys()]


def times(server: Loopback) -> list[str]:
    return [query["created_at"] for query in main_list(server) if "created_at" in query]


def test_it_is_read_side_by_side_and_leaves_markers() -> None:
    with serving(entries()) as (client, server):
        ids = first_reading(client)
        assert ids == [f"i{number}" for number in range(COUNT)]
        read = client.pages_read()
        assert read.side_by_side
        assert list(read.markers) == ids[PAGE - 3 :: PAGE - 2]
        assert times(server)[0] == f"lt:{day(9 + 3 * 9)}"
        assert all(query["limit"] == "1" for query in main_list(server) if "created_at" in query)
        assert len(main_list(server)) < 1.8 * COUNT / (PAGE - 2)
        assert not page_threads()


def test_without_markers_and_with_some_no_times_are_asked_for() -> None:
    with serving(entries()) as (client, server):
        in_order = list(client.images())
        assert not client.pages_read().side_by_side
        list(client.images(client.pages_read().markers))
        assert len(in_order) == COUNT
        assert not times(server)


@pytest.mark.parametrize(
    ("count", "parallel_pages"), [(PAGE - 1, 4), (COUNT, 1)], ids=["a-short-list", "one-at-a-time"]
)
def test_nothing_more_is_asked_for_than_page_by_page(count: int, parallel_pages: int) -> None:
    with serving(entries(count), parallel_pages) as (client, server):
        assert len(list(client.images())) == count
        alone = main_list(server)
        server.asked.clear()
        assert len(first_reading(client)) == count
        assert main_list(server) == alone
        assert client.pages_read() == PagesRead(client.pages_read().markers)


@pytest.mark.parametrize("at", range(70, 90, 2))
def test_an_image_in_another_place_than_its_time_says_is_not_left_out(at: int) -> None:
    """The list of those created before a time leaves it out, between others that it has."""
    listed = entries()
    listed[at]["created_at"] = day(2)
    with serving(listed) as (client, server):
        assert first_reading(client) == [f"i{number}" for number in range(COUNT)]
        assert times(server)


@pytest.mark.parametrize("status", [400, 404])
def test_a_filter_that_is_refused_is_tried_once(status: int) -> None:
    with serving(entries()) as (client, server):
        interposed(server, lambda asked: no(status) if "created_at" in asked.query else None)
        assert len(first_reading(client)) == COUNT
        assert len(times(server)) == 1


def test_a_filter_that_is_ignored_is_tried_once() -> None:
    listed = entries()
    with serving(listed) as (client, server):

        def first_of_all(asked: Asked) -> Answered | None:
            return Answered({"images": listed[:1]}) if "created_at" in asked.query else None

        interposed(server, first_of_all)
        assert len(first_reading(client)) == COUNT
        assert len(times(server)) == 1


@pytest.mark.parametrize("at", [3, 36, 37, 88])
@pytest.mark.parametrize("created_at", [None, "next Tuesday", "0001-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_read_does_no_harm(at: int, created_at: str | None) -> None:
    listed = entries()
    unreadable = {**listed[at], "created_at": created_at}
    with serving(listed) as (client, server):

        def answer(asked: Asked) -> Answered | None:
            if "created_at" in asked.query or not asked.path.endswith("images"):
                return None
            page, _ = openstack_account.page_of("", [*listed[:at], unreadable, *listed[at + 1 :]], asked.query)
            return None if {"os_hidden", "visibility"} & asked.query.keys() else Answered({"images": page})

        interposed(server, answer)
        assert set(first_reading(client)) == {f"i{number}" for number in range(COUNT)}


def test_entries_without_an_id_are_counted_once_each() -> None:
    nameless = entries()
    for at in (0, 7, 8, 37, 38, 55, 119):
        nameless.insert(at, {**entry(), "id": None, "name": f"x{at}", "created_at": nameless[at]["created_at"]})
    with serving(nameless) as (client, server):
        assert len(first_reading(client)) == COUNT
        assert len(client.unidentified()) == 7
        assert times(server)


def test_too_many_requests_halve_the_number_at_a_time(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "janitor.cloud")
    refused: list[str] = []

    def refuse(asked: Asked) -> Answered | None:
        if "created_at" in asked.query and not refused:
            refused.append(asked.path)
            return Answered(status=429, headers={"Retry-After": "0"})
        return None

    with serving(entries()) as (client, server):
        interposed(server, refuse)
        assert len(first_reading(client)) == COUNT
    assert "fewer-requests-at-a-time now=2 reason=too-many-requests" in caplog.text


@pytest.mark.parametrize("status", [403, 413, 503])
def test_a_service_that_only_answers_one_request_at_a_time_is_read_so(status: int) -> None:
    with serving(entries()) as (client, server):
        interposed(server, OneAtATime(status, "0"))
        assert first_reading(client) == [f"i{number}" for number in range(COUNT)]
        assert client.pages_read() == PagesRead(turned_down=True)
        assert not page_threads()


def test_the_other_api_has_no_such_filter_and_is_read_page_by_page() -> None:
    listed = [toast_account.entry(f"i{number}") for number in range(COUNT)]
    with toast_account.serving(toast_account.Account(entries=listed), options()) as (client, _):
        assert len(list(client.images(None))) == COUNT
        assert not client.pages_read().side_by_side
