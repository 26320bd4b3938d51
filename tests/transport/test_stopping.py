"""A stop bounds every request: answers that are awaited, pauses between tries, and what would be sent after it."""

import threading

import pytest

from janitor.errors import Unavailable
from janitor.redaction import Redaction
from janitor.transport import Call as Request
from janitor.transport import HttpOptions, Transient, deadline
from janitor.transport.http import Transport
from tests.loopback import Answered, Loopback


@pytest.fixture
def _little_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "_GRACE", 0.05)


@pytest.mark.usefixtures("_little_grace")
def test_a_stop_bounds_an_answer_that_is_awaited() -> None:
    stop, over = threading.Event(), threading.Event()

    def hold(_: object) -> Answered:
        stop.set()
        return Answered(held=over)

    with Loopback(hold) as server:
        sender = Transport(HttpOptions(), Redaction(), stop)
        try:
            with pytest.raises(Transient, match="no complete answer before the program had to stop") as caught:
                sender.request(Request("GET /images", "GET", server.url), 30)
            assert caught.value.lost
            with pytest.raises(Transient, match="not sent") as caught:
                sender.request(Request("GET /images", "GET", server.url), 30)
            assert not caught.value.lost
        finally:
            over.set()
            sender.close()
    assert len(server.asked) == 1, "afterwards nothing is sent"


def test_without_a_stop_a_slow_answer_is_waited_for_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "_LOOK_EVERY", 0.01)
    held = threading.Event()
    threading.Timer(0.1, held.set).start()
    with Loopback(lambda _: Answered({"a": 1}, held=held)) as server:
        sender = Transport(HttpOptions(), Redaction())
        try:
            assert sender.request(Request("GET /images", "GET", server.url), 30).body == b'{"a": 1}'
        finally:
            sender.close()


def test_a_pause_between_tries_ends_with_the_stop() -> None:
    stop = threading.Event()
    sender = Transport(HttpOptions(), Redaction(), stop)

    def fail(_: float) -> None:
        threading.Timer(0.05, stop.set).start()
        raise Transient("HTTP 503", retry_after=60)

    with pytest.raises(Unavailable, match="tried once, and the program was told to stop"):
        sender.persist("GET /images", fail)
    sender.close()
