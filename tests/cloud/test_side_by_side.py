"""Clients read a list side by side from the second reading on, and read the same in it."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

import pytest

from janitor.cloud.service import ImageService
from janitor.core.survey.pages import PagesRead
from janitor.errors import RetryLater, Unavailable
from janitor.transport import HttpOptions
from tests import openstack_account, toast_account
from tests.loopback import Answered, Asked, Loopback

COUNT, PAGE = 120, 10
Answerer = Callable[[Asked], Answered]


@contextmanager
def toast(entries: list[Any], options: HttpOptions) -> Iterator[tuple[ImageService, Loopback]]:
    account = toast_account.Account(entries=[toast_account.entry("i0") | entry for entry in entries])
    with toast_account.serving(account, options) as (client, server):
        yield client, server


@contextmanager
def openstack(entries: list[Any], options: HttpOptions) -> Iterator[tuple[ImageService, Loopback]]:
    cloud = openstack_account.Cloud(entries=[openstack_account.entry() | entry for entry in entries])
    with openstack_account.serving(cloud, options) as (client, server):
        yield client, server


BOTH = pytest.mark.parametrize("serving", [toast, openstack], ids=lambda serving: str(serving.__name__))


def entries(count: int = COUNT) -> list[dict[str, object]]:
    return [{"id": f"i{number}"} for number in range(count)]


def options(parallel_pages: int = 4) -> HttpOptions:
    return HttpOptions(attempts=2, page_size=PAGE, parallel_pages=parallel_pages)


def ids(client: ImageService) -> list[str]:
    """The ids of a reading at the markers of the reading before it, if there was one."""
    return [image.id for image in client.images(client.pages_read().markers)]


def markers(server: Loopback, since: int = 0) -> list[str]:
    """The markers in requests for the list of images, without the other lists of OpenStack."""
    wanted = [asked for asked in server.asked[since:] if asked.path.endswith("images") and _is_main(asked.query)]
    return [asked.query["marker"] for asked in wanted if "marker" in asked.query]


def _is_main(query: Mapping[str, str]) -> bool:
    return not {"os_hidden", "visibility"} & query.keys()


def page_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("page")]


def interposed(server: Loopback, answer: Callable[[Asked], Answered | None]) -> None:
    """Let this answer first, where it gives anything."""
    usual: Answerer = server.answer
    server.answer = lambda asked: answer(asked) or usual(asked)


@BOTH
def test_the_second_reading_asks_side_by_side_and_reads_the_same(serving: Any) -> None:
    with serving(entries(), options()) as (client, server):
        first = ids(client)
        marked = client.pages_read().markers
        assert first == [f"i{number}" for number in range(COUNT)]
        assert list(marked) == first[PAGE - 3 :: PAGE - 2]
        together, since = threading.Barrier(4), len(server.asked)

        def wait(asked: Asked) -> None:
            if _is_main(asked.query) and asked.query.get("marker") in marked[:4]:
                together.wait(10)

        interposed(server, wait)
        assert ids(client) == first
        assert set(marked) <= set(markers(server, since))
        assert list(client.pages_read().markers) == list(marked)
        assert not page_threads()


@BOTH
def test_markers_of_another_day_are_asked_at_even_where_images_are_gone_and_new(serving: Any) -> None:
    with serving(entries(), options()) as (client, _):
        ids(client)
        marked = client.pages_read().markers
    now: list[dict[str, object]] = [{"id": "new1"}, {"id": "new2"}, *entries()[:32], {"id": "new3"}, *entries()[37:]]
    with serving(now, options()) as (client, server):
        assert [image.id for image in client.images(marked)] == [str(entry["id"]) for entry in now]
        assert set(marked) <= set(markers(server))


@BOTH
def test_a_short_list_and_one_at_a_time_are_read_page_by_page(serving: Any) -> None:
    with serving(entries(4 * PAGE - 1), options()) as (client, _):
        ids(client)
        assert not client.pages_read().markers
    with serving(entries(), options(parallel_pages=1)) as (client, server):
        ids(client)
        alone, since = markers(server), len(server.asked)
        assert client.pages_read().markers
        ids(client)
        assert markers(server, since) == alone


@BOTH
def test_entries_without_an_id_are_counted_once_each(serving: Any) -> None:
    nameless = entries()
    for at in (0, 7, 8, 55, 119):
        nameless.insert(at, {"id": None, "name": f"x{at}"})
    with serving(nameless, options()) as (client, _):
        ids(client)
        assert len(client.unidentified()) == 5
        ids(client)
        assert len(client.unidentified()) == 5


@BOTH
def test_too_many_requests_halve_the_number_at_a_time(serving: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "janitor.cloud")
    with serving(entries(), options()) as (client, server):
        first = ids(client)
        refused = [client.pages_read().markers[0]]

        def refuse(asked: Asked) -> Answered | None:
            if asked.query.get("marker") in refused:
                refused.clear()
                return Answered(status=429, headers={"Retry-After": "0"})
            return None

        interposed(server, refuse)
        assert ids(client) == first
    assert "fewer-requests-at-a-time now=2 reason=too-many-requests" in caplog.text


@BOTH
def test_pages_that_only_fail_beside_the_walk_do_not_fail_it(serving: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "janitor.cloud")
    with serving(entries(), options()) as (client, server):
        first = ids(client)
        failing = client.pages_read().markers[2]
        interposed(server, lambda asked: Answered(status=503) if asked.query.get("marker") == failing else None)
        assert ids(client) == first
    assert "pages-one-at-a-time joined=2" in caplog.text
    assert not page_threads()


@BOTH
def test_a_service_that_fails_ends_the_reading_and_every_thread(serving: Any) -> None:
    with serving(entries(), options()) as (client, server):
        ids(client)
        interposed(server, lambda asked: Answered(status=503) if "marker" in asked.query else None)
        with pytest.raises(Unavailable):
            ids(client)
        assert not page_threads()
        assert client.pages_read() == PagesRead()


@BOTH
def test_a_reading_that_is_given_up_leaves_neither_threads_nor_markers(serving: Any) -> None:
    with serving(entries(), options()) as (client, _):
        ids(client)
        marked = client.pages_read().markers
        images = client.images(marked)
        assert len(list(islice(images, 25))) == 25
        assert page_threads()
        images.close()
        assert not page_threads()
        assert client.pages_read() == PagesRead(side_by_side=True)


class OneAtATime:
    """Answers with this status as long as the list is read several pages at a time: until it is read from its start."""

    def __init__(self, status: int, retry_after: str | None = None) -> None:
        self._headers = {} if retry_after is None else {"Retry-After": retry_after}
        self._status = status
        self._starts = 0

    def __call__(self, asked: Asked) -> Answered | None:
        if not (asked.path.endswith("images") and _is_main(asked.query)):
            return None
        self._starts += not {"marker", "created_at"} & asked.query.keys()
        return (
            Answered(status=self._status, headers=self._headers)
            if self._starts == 1 and asked.query.get("marker")
            else None
        )


@BOTH
@pytest.mark.parametrize("status", [403, 413, 429, 503])
def test_a_service_that_only_answers_one_request_at_a_time_is_read_so(serving: Any, status: int) -> None:
    with serving(entries(), options()) as (client, server):
        first = ids(client)
        interposed(server, OneAtATime(status, "0"))
        assert ids(client) == first
        assert client.pages_read() == PagesRead(turned_down=True)
        assert not page_threads()


@BOTH
def test_a_long_wait_that_is_asked_for_is_respected_and_noted(serving: Any) -> None:
    with serving(entries(), options()) as (client, server):
        ids(client)
        interposed(server, OneAtATime(429, "3600"))
        with pytest.raises(RetryLater):
            ids(client)
        assert client.pages_read() == PagesRead(turned_down=True)
