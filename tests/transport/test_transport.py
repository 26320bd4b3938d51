"""One request is bounded in time and size; trying again is bounded in count and time, and says why it ended."""

import gzip
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import stamina

from janitor.errors import CloudError, Refused, Unavailable
from janitor.redaction import Redaction
from janitor.transport import Call, HttpOptions, Reply, Transient
from janitor.transport.http import Transport
from tests.factories import NOW
from tests.loopback import Answered, Loopback, in_turn


class Impatience(threading.Event):
    """A stop whose waits are over at once; remembers how long each should have been."""

    def __init__(self, *, set_after: int | None = None) -> None:
        super().__init__()
        self.waited: list[float] = []
        self._set_after = set_after

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout or 0)
        if len(self.waited) == self._set_after:
            self.set()
        return self.is_set()


@pytest.fixture(autouse=True)
def _no_backoff() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@contextmanager
def transporting(
    options: HttpOptions | None = None, stop: threading.Event | None = None, *secrets: str, **parts: Any
) -> Iterator[Transport]:
    sender = Transport(options or HttpOptions(), Redaction(*secrets), stop, **parts)
    try:
        yield sender
    finally:
        sender.close()


def call(url: str) -> Call:
    return Call("GET /images", "GET", f"{url}/k3y/images")


def get(server: Loopback, seconds: float = 10, **parts: Any) -> Reply:
    with transporting(**parts) as sender:
        return sender.request(call(server.url), seconds)


def test_a_reply_is_status_headers_and_body() -> None:
    with Loopback(in_turn(Answered({"a": 1}, status=503, headers={"Retry-After": "7"}))) as server:
        reply = get(server)
    assert (reply.status, reply.body, reply.retry_after(NOW)) == (503, b'{"a": 1}', 7.0)


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with Loopback(in_turn(Answered(status=302, headers={"Location": "/elsewhere"}))) as server:
        assert get(server).status == 302
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [Answered({"images": list(range(999))}, dripped=0.02), Answered(headers={"X-Long": "x" * 999}, dripped=0.02)],
    ids=["body", "head"],
)
def test_a_dripping_answer_ends_at_the_deadline(answer: Answered) -> None:
    with Loopback(in_turn(answer)) as server, pytest.raises(Transient, match="no complete answer within") as error:
        get(server, seconds=0.3)
    assert error.value.lost


def test_every_request_on_a_kept_connection_has_its_own_deadline() -> None:
    slow = Answered({"a": 1}, dripped=0.02)
    with Loopback(in_turn(Answered(b"{}"), slow)) as server, transporting() as sender:
        sender.request(call(server.url), 10)
        with pytest.raises(Transient):
            sender.request(call(server.url), 0.3)
        assert len(server.asked) == 2


def test_a_silent_server_is_a_timeout() -> None:
    over = threading.Event()
    with Loopback(in_turn(Answered(held=over))) as server:
        with pytest.raises(Transient, match=r"no complete answer within 0\.2 s"):
            get(server, seconds=0.2)
        over.set()


@pytest.mark.parametrize("answer", [Answered(dropped=True), Answered(b"0123456789", cut=4)], ids=["dropped", "cut-off"])
def test_a_broken_connection_may_pass_and_may_have_done_it(answer: Answered) -> None:
    with Loopback(in_turn(answer)) as server, pytest.raises(Transient) as error:
        get(server)
    assert error.value.lost


def test_what_never_left_was_not_carried_out() -> None:
    with Loopback(in_turn(Answered())) as server:
        url = server.url
    with transporting() as sender, pytest.raises(Transient) as error:
        sender.request(call(url), 5)
    assert not error.value.lost


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_an_answer_is_bounded_in_size(packed: bool) -> None:
    body = b" " * (2**20 + 1)
    answer = Answered(gzip.compress(body), headers={"Content-Encoding": "gzip"}) if packed else Answered(body)
    with Loopback(in_turn(answer)) as server, pytest.raises(CloudError, match="larger than 1 MiB"):
        get(server, largest=2**20)


def test_an_answer_that_cannot_be_unpacked_may_pass() -> None:
    broken = Answered(b"no gzip", headers={"Content-Encoding": "gzip"})
    with Loopback(in_turn(broken)) as server, pytest.raises(Transient):
        get(server)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://127.0.0.1:notaport", "http://[::1"])
def test_an_impossible_address_is_said_at_once(url: str) -> None:
    with transporting() as sender, pytest.raises(CloudError, match="GET /images: cannot be sent"):
        sender.request(call(url), 1)


def test_no_library_logs_the_url(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), Loopback(in_turn(Answered())) as server:
        get(server)
    assert "k3y" not in caplog.text


def attempts(*outcomes: str | Exception) -> Iterator[str | Exception]:
    return iter(outcomes)


def persist(sender: Transport, outcomes: Iterator[str | Exception]) -> str:
    def attempt(_: float) -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return sender.persist("GET /images", attempt)


def test_what_may_pass_is_tried_again() -> None:
    with transporting() as sender:
        assert persist(sender, attempts(Transient("HTTP 503"), Transient("HTTP 502"), "yes")) == "yes"


@pytest.mark.parametrize(
    ("tries", "words"), [(1, "tried once"), (3, "tried 3 times")], ids=["a-single-attempt", "three-attempts"]
)
def test_attempts_are_counted_and_named(tries: int, words: str) -> None:
    failures = [Transient(f"HTTP 50{number}") for number in range(tries)]
    with transporting(HttpOptions(attempts=tries)) as sender, pytest.raises(Unavailable) as error:
        persist(sender, attempts(*failures, "too late"))
    assert str(error.value) == f"GET /images: no usable answer ({words}): HTTP 50{tries - 1}"


def test_what_is_final_is_not_tried_again() -> None:
    with transporting() as sender, pytest.raises(Refused):
        persist(sender, attempts(Refused("no", code=-4), "too late"))


def test_the_server_is_waited_for_as_it_asks() -> None:
    stop = Impatience()
    with transporting(stop=stop) as sender:
        persist(sender, attempts(Transient("HTTP 429", retry_after=7), "yes"))
    assert stop.waited == [7]


def test_nobody_waits_after_the_last_try() -> None:
    stop = Impatience()
    with transporting(HttpOptions(attempts=2), stop) as sender, pytest.raises(Unavailable):
        persist(sender, attempts(Transient("busy", retry_after=7), Transient("busy", retry_after=7)))
    assert stop.waited == [7]


def test_a_wait_longer_than_we_may_take_is_given_up_at_once() -> None:
    stop = Impatience()
    with transporting(stop=stop) as sender, pytest.raises(Unavailable) as error:
        persist(sender, attempts(Transient("HTTP 429", retry_after=300), "too late"))
    assert not stop.waited
    assert str(error.value) == (
        "GET /images: no usable answer (tried once, and Retry-After of 300 s exceeds give_up_after of 2min): HTTP 429"
    )


def test_the_time_for_all_tries_bounds_each() -> None:
    allowed: list[float] = []

    def attempt(seconds: float) -> str:
        allowed.append(seconds)
        return "yes"

    options = HttpOptions(timeout=timedelta(seconds=30), give_up_after=timedelta(seconds=2))
    with transporting(options) as sender:
        sender.persist("GET /images", attempt)
    assert allowed[0] <= 2


def test_no_try_begins_when_time_is_up() -> None:
    options = HttpOptions(give_up_after=timedelta(seconds=0.05))

    def attempt(seconds: float) -> str:
        threading.Event().wait(seconds)
        raise Transient("slow")

    with transporting(options) as sender, pytest.raises(Unavailable, match="tried once"):
        sender.persist("GET /images", attempt)


@pytest.mark.parametrize("failure", [Transient("HTTP 503"), Transient("busy", retry_after=7)], ids=["backoff", "told"])
def test_a_stop_ends_trying(failure: Transient) -> None:
    stop = Impatience(set_after=1)
    if failure.retry_after is None:
        stop.set()
    with transporting(stop=stop) as sender, pytest.raises(Unavailable, match="told to stop"):
        persist(sender, attempts(failure, "too late"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 0 "}, 0),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=9), usegmt=True)}, 9),
        ({"retry-after": format_datetime(NOW - timedelta(days=9), usegmt=True)}, 0),
        (
            {
                "retry-after": format_datetime(NOW + timedelta(hours=1, seconds=5), usegmt=True),
                "date": format_datetime(NOW + timedelta(hours=1), usegmt=True),
            },
            5,
        ),
        ({}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "٣"}, None),
    ],
    ids=["seconds", "at-once", "date", "past-date", "by-the-servers-clock", "missing", "word", "negative", "arabic"],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert Reply(429, headers, b"").retry_after(NOW) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "no s3cr€t/? here",
        "https://x/s3cr%E2%82%AC%00t?",
        "https://x/s3cr%E2%82%ACt%2F%3F/images",
        "https://x/s3cr%e2%82%act%2f%3f/images",
        'a "json \\"quoted\\"" one',
        "json s3cr\\u20act/?",
        "html &quot;quoted&quot;",
    ],
)
def test_a_secret_is_blotted_out_in_every_spelling(text: str) -> None:
    blotted = Redaction("s3cr€t/?", '"quoted"', "s3cr€\0t")(text)
    assert "***" in blotted
    assert "s3cr" not in blotted
    assert "quoted" not in blotted


def test_an_empty_secret_blots_out_nothing() -> None:
    assert Redaction("", "")("text") == "text"


def test_the_longest_spelling_wins() -> None:
    assert Redaction("key", "key-long")("my key-long") == "my ***"
