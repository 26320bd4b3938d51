"""Sockets of the embedded Slack open, fail and end as Slack's do; slack-sdk's own client is at the other end."""

import socket as sockets
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest
from slack_sdk import WebClient

from janitor.sandbox.slack.clicks import Click
from tests.sandbox.slack.app import listening
from tests.sandbox.slack.messages import SEVEN, announce
from tests.slack_stand_in import Reply, SlackStandIn


def clicked(slack: SlackStandIn) -> Click:
    if not slack.posted:
        announce(slack)
    return slack.click(slack.posted[0], SEVEN)


def reaches_the_app_again(slack: SlackStandIn) -> bool:
    """Whether some click does. slack-sdk may open two sockets at once, and drop one with what was sent there."""
    return any(clicked(slack).wait(1) for _ in range(60))


def address_of(slack: SlackStandIn) -> str:
    return str(WebClient(base_url=slack.base_url).apps_connections_open(app_token=slack.app_token)["url"])


@contextmanager
def asking(address: str) -> Iterator[sockets.socket]:
    """A connection by which a web socket has been asked for."""
    parts = urlsplit(address)
    lines = {
        "Host": parts.netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    asked = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with sockets.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\n{asked}\r\n".encode())
        yield connection


def handshake(address: str) -> bytes:
    """The first line of the answer."""
    with asking(address) as connection, connection.makefile("rb") as reader:
        return reader.readline()


def test_an_address_opens_one_socket(slack: SlackStandIn) -> None:
    address = address_of(slack)
    assert b" 101 " in handshake(address)
    assert b" 401 " in handshake(address)
    assert slack.sockets.wait_for_ever(1)
    assert slack.sockets.ever == 1


def test_no_socket_without_an_address_of_slack(slack: SlackStandIn) -> None:
    assert b" 401 " in handshake(address_of(slack).replace("ticket-", "guessed-"))
    assert b" 401 " in handshake(address_of(slack).replace("/link/", "/elsewhere/"))
    slack.sockets.refuses = True
    assert b" 401 " in handshake(address_of(slack))
    assert slack.sockets.ever == 0


def test_pings_and_pongs_go_both_ways(slack: SlackStandIn) -> None:
    with listening(slack):
        assert slack.sockets.wait_for(1)
        [socket] = slack.sockets.open
        assert socket.ping(b"are you there")
        assert clicked(slack).wait()
        assert socket.pongs == [b"from slack", b"are you there"]
        assert socket.pings


def test_an_envelope_goes_to_one_socket_only(slack: SlackStandIn) -> None:
    with listening(slack) as first, listening(slack) as second:
        assert slack.sockets.wait_for(2)
        assert all(clicked(slack).wait() for _ in range(4))
    assert (len(first), len(second)) == (2, 2)


def test_more_sockets_than_slack_allows(slack: SlackStandIn) -> None:
    with ExitStack() as opened:
        connections = [opened.enter_context(asking(address_of(slack))) for _ in range(11)]
        assert slack.sockets.wait_for_ever(11)
        assert slack.sockets.wait_for(10)
        said = [opened.enter_context(connection.makefile("rb")) for connection in connections]
        for connection in connections:
            connection.shutdown(sockets.SHUT_WR)
        assert sum(b"too_many_websockets" in reader.read() for reader in said) == 1


@pytest.mark.parametrize("reason", ["refresh_requested", "link_disabled", "warning"])
def test_a_socket_that_slack_ends_is_followed_by_another(slack: SlackStandIn, reason: str) -> None:
    with listening(slack) as took:
        assert slack.sockets.wait_for(1)
        [socket] = slack.sockets.open
        socket.disconnect(reason)
        assert slack.sockets.wait_for_ever(2)
        assert reaches_the_app_again(slack)
        assert slack.sockets.wait_for(1)  # the app closes the first once the second stands
        assert socket not in slack.sockets.open
    assert took


@pytest.mark.parametrize("ending", ["die", "close"])
def test_a_socket_that_ends_is_followed_by_another(slack: SlackStandIn, ending: str) -> None:
    with listening(slack) as took:
        assert slack.sockets.wait_for(1)
        getattr(slack.sockets.open[0], ending)()
        assert slack.sockets.wait_for_ever(2)
        assert reaches_the_app_again(slack)
    assert took


def test_a_silent_socket_stands_and_says_nothing(slack: SlackStandIn) -> None:
    with listening(slack) as took:
        assert slack.sockets.wait_for(1)
        [socket] = slack.sockets.open
        socket.silence()
        click = clicked(slack)
        assert (click.lost, click.wait(0)) == (False, False)
        assert socket.ping(b"are you there")
        assert (slack.sockets.open, b"are you there" in socket.pongs, took) == ([socket], False, [])


def test_a_socket_of_which_half_a_message_comes(slack: SlackStandIn) -> None:
    with listening(slack) as took:
        assert slack.sockets.wait_for(1)
        slack.sockets.open[0].half_frame()
        assert not clicked(slack).wait(0)
        assert took == []


def test_a_message_that_is_larger_than_expected_arrives(slack: SlackStandIn) -> None:
    with listening(slack) as took:
        assert slack.sockets.wait_for(1)
        assert slack.sockets.open[0].oversized(100_000)
        assert clicked(slack).wait()
        assert len(took) == 1


def test_what_is_no_envelope_is_sent_as_it_is(slack: SlackStandIn) -> None:
    with listening(slack) as took:
        assert slack.sockets.wait_for(1)
        [socket] = slack.sockets.open
        for text in ("", "null", "[]", '{"type": "interactive"}', "\x00"):
            socket.say(text)
        assert clicked(slack).wait()
        assert len(took) == 1


def test_garbage_reaches_the_app(slack: SlackStandIn) -> None:
    with asking(address_of(slack)) as connection, connection.makefile("rb") as reader:
        assert slack.sockets.wait_for(1)
        slack.sockets.open[0].garbage(b"\xf3\xff no frame")
        slack.sockets.open[0].close()
        assert b"\xf3\xff no frame" in reader.read()


def test_a_socket_that_dies_is_reset(slack: SlackStandIn) -> None:
    with asking(address_of(slack)) as connection, connection.makefile("rb") as reader:
        assert slack.sockets.wait_for(1)
        slack.sockets.open[0].die()
        with pytest.raises(ConnectionResetError):
            reader.read()


def test_an_app_that_breaks_the_protocol_is_let_go(slack: SlackStandIn) -> None:
    with asking(address_of(slack)) as connection:
        assert slack.sockets.wait_for(1)
        connection.sendall(b"\xff" * 64)
        assert slack.sockets.wait_for(0)


def test_whoever_leaves_before_the_answer_is_not_told_of(
    slack: SlackStandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    left = threading.Event()
    slack.before = lambda: left.wait(30)
    parts = urlsplit(slack.address)
    with sockets.create_connection((parts.hostname or "", parts.port or 0)) as connection:
        connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(b"POST /api/auth.test HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n")
    left.set()
    slack.before = lambda: None
    announce(slack)
    assert capfd.readouterr().err == ""


def test_slack_that_is_down(slack: SlackStandIn) -> None:
    slack.refusals["/api/apps.connections.open"] = Reply(503, "<html>")
    assert slack.answer("/api/apps.connections.open", None, b"").status == 503


def test_what_else_the_app_says_is_kept(slack: SlackStandIn) -> None:
    with listening(slack):
        assert slack.sockets.wait_for(1)
        slack.sockets.hear(slack.sockets.open[0], '{"envelope_id": "of nobody"}')
        slack.sockets.hear(slack.sockets.open[0], "no JSON")
    assert slack.sockets.unknown == ['{"envelope_id": "of nobody"}', "no JSON"]
