"""The socket: whatever becomes of it, another one follows, and what people click afterwards is honoured."""

import re
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from janitor.clock import utc_now
from janitor.errors import DeliveryError, UsageError
from janitor.notify.slack.listening.listener import listening
from janitor.notify.slack.listening.probing import probe
from janitor.notify.slack.listening.session import Patience
from janitor.sandbox.slack.people import OTHER_APP
from janitor.sandbox.slack.sockets import Socket
from janitor.shutdown import Stop
from janitor.store import Store
from tests.notify.slack.listening.announced import OFTEN, QUICK, Desk, until
from tests.slack_stand_in import DROPPED, Reply

DEAF = Patience(ping=0.02, deaf=0.15, connect=5.0)


def is_heard(desk: Desk) -> bool:
    with Store.open(desk.database) as store:
        return store.is_heard(utc_now())


ENDS: dict[str, Callable[[Socket], object]] = {
    "asked-to-leave": lambda socket: socket.disconnect("warning"),
    "asked-to-leave-and-closed": lambda socket: socket.disconnect("refresh_requested"),
    "closed": lambda socket: socket.close(),
    "reset": lambda socket: socket.die(),
    "silent": lambda socket: socket.silence(),
    "half-a-message": lambda socket: socket.half_frame(),
    "too-large-a-message": lambda socket: socket.oversized(4 * 2**20),
    "no-frames": lambda socket: socket.garbage(),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_socket_that_ends_is_followed_by_another(desk: Desk, end: Callable[[Socket], object]) -> None:
    first, _ = desk.announce()
    with desk.listening(patience=DEAF):
        [socket] = desk.slack.sockets.open
        end(socket)
        assert desk.slack.sockets.wait_for_ever(2)
        assert until(lambda: desk.slack.sockets.open != [] and socket not in desk.slack.sockets.open)
        click = desk.slack.click(first, "Keep 30 days")
        assert click.wait()
        assert click.in_time
    assert len(desk.exemptions()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "null",
        '{"type": "unknown"}',
        '{"type": "interactive", "envelope_id": "x", "payload": []}',
        "{" * 9_999,
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_envelope_is_passed_over(desk: Desk, text: str) -> None:
    first, _ = desk.announce()
    with desk.listening():
        [socket] = desk.slack.sockets.open
        socket.say(text)
        assert desk.slack.click(first, "Keep 30 days").wait()
        assert desk.slack.sockets.open == [socket]


def test_other_envelopes_are_acknowledged_and_nothing_else(desk: Desk) -> None:
    desk.announce()
    with desk.listening() as listener:
        [socket] = desk.slack.sockets.open
        socket.say('{"type": "slash_commands", "envelope_id": "e1", "payload": {"command": "/janitor"}}')
        assert until(lambda: any("e1" in said for said in socket.said))
        assert listener.counts == {}


@pytest.mark.parametrize("reply", [Reply(503), DROPPED, Reply(200, '{"ok": false, "error": "invalid_auth"}')], ids=str)
@pytest.mark.parametrize("call", ["auth.test", "apps.connections.open"])
def test_slack_need_not_be_there_at_the_start(desk: Desk, reply: Reply, call: str) -> None:
    first, _ = desk.announce()
    desk.slack.refusals[f"/api/{call}"] = reply
    with listening(desk.settings(), Stop(), patience=QUICK, waits=OFTEN) as listener:
        assert until(lambda: desk.slack.paths.count(f"/api/{call}") > 1)
        assert listener.socket_age is None
        desk.slack.refusals.clear()
        assert desk.slack.sockets.wait_for(1)
        assert desk.slack.click(first, "Keep 30 days").wait()


def test_sockets_that_are_not_let_in_are_tried_again(desk: Desk) -> None:
    desk.slack.sockets.refuses = True
    with listening(desk.settings(), Stop(), patience=QUICK, waits=OFTEN):
        assert until(lambda: desk.slack.paths.count("/api/apps.connections.open") > 2)
        desk.slack.sockets.refuses = False
        assert desk.slack.sockets.wait_for(1)


def test_a_socket_of_another_app_is_not_listened_on(desk: Desk) -> None:
    desk.slack.app = OTHER_APP
    with listening(desk.settings(), Stop(), patience=QUICK, waits=OFTEN) as listener:
        assert until(lambda: desk.slack.paths.count("/api/bots.info") > 1)
        assert listener.socket_age is None
        assert not is_heard(desk), "so no run puts buttons"


def test_which_app_the_bot_is_of_need_not_be_known(desk: Desk) -> None:
    desk.slack.scopes[desk.slack.token] -= {"users:read"}
    with desk.listening():
        assert until(lambda: is_heard(desk))


def test_runs_know_whether_somebody_listens(desk: Desk) -> None:
    assert not is_heard(desk)
    with desk.listening() as listener:
        assert until(lambda: is_heard(desk))
        assert listener.socket_age is not None
        assert listener.silent_for is not None
    assert not is_heard(desk), "a listener that ends says so"


def test_two_listeners_answer_each_click_once(desk: Desk) -> None:
    first, _ = desk.announce()
    with desk.listening() as one, listening(desk.settings(), Stop(), patience=QUICK, waits=OFTEN) as other:
        assert desk.slack.sockets.wait_for(2)
        for _ in range(4):
            assert desk.slack.click(first, "Keep 30 days").wait()
        assert until(lambda: sum(one.counts.values()) + sum(other.counts.values()) == 4)
        assert one.counts + other.counts == {"kept": 1, "stands": 3}
        assert min(sum(one.counts.values()), sum(other.counts.values())) > 0
    assert len(desk.exemptions()) == 1


def test_it_ends_in_time_whatever_slack_does(desk: Desk) -> None:
    stop, ended = Stop(), threading.Event()

    def listen() -> None:
        with listening(desk.settings(), stop, patience=QUICK, waits=OFTEN):
            stop.wait()
        ended.set()

    thread = threading.Thread(target=listen)
    thread.start()
    assert desk.slack.sockets.wait_for(1)
    desk.slack.sockets.open[0].half_frame()
    stop.set()
    assert ended.wait(5)
    thread.join()


def test_a_message_that_could_not_be_rewritten_is_rewritten_later(desk: Desk) -> None:
    first, _ = desk.announce()
    desk.slack.refusals["/api/chat.update"] = Reply(200, '{"ok": false, "error": "fatal_error"}')
    with desk.listening():
        assert desk.slack.click(first, "Keep 30 days").wait()
        assert until(lambda: "/api/chat.update" in desk.slack.paths)
    assert len(desk.exemptions()) == 1
    assert "kept by" not in desk.slack.latest(first).shown
    desk.slack.refusals.clear()
    with desk.listening():
        assert until(lambda: "kept by @lee" in desk.slack.latest(first).shown)


@pytest.mark.parametrize("lacking", ["app_token", "token"])
def test_without_tokens_nobody_can_listen(desk: Desk, lacking: str) -> None:
    slack = desk.settings().slack
    assert slack is not None
    slack = replace(slack, app_token=None) if lacking == "app_token" else replace(slack, token=None)
    without = replace(desk.settings(), slack=slack)
    with pytest.raises(UsageError, match="`token` and `app_token`"), listening(without, Stop()):
        pass


def test_the_tokens_and_the_ticket_are_in_no_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    first, _ = desk.announce()
    with desk.listening():
        assert desk.slack.click(first, "Keep 30 days").wait()
        desk.slack.sockets.open[0].die()
        assert desk.slack.sockets.wait_for_ever(2)
    text = caplog.text
    assert "stand-in-secret" not in text
    assert "ticket" not in text


def test_it_can_be_tried_without_listening(desk: Desk) -> None:
    settings = desk.settings()
    assert settings.slack is not None
    opened = "opened a connection over which clicks would come, in the workspace T0STANDIN01"
    said = probe(settings, settings.slack.approvers)
    assert said == f"{opened}; nobody listens now, so messages have no buttons: " + (
        "`janitor serve` does, or `janitor serve --listen-only`"
    )
    assert desk.slack.paths[-1] == "/api/usergroups.users.list"
    assert desk.slack.sockets.wait_for(0)
    with Store.open(settings.database) as store:
        store.record_listener("one", utc_now(), utc_now())
    assert probe(settings, settings.slack.approvers) == opened


TROUBLE: dict[str, tuple[Callable[[Desk], object], str, str]] = {
    "token": (
        lambda desk: desk.slack.scopes.pop(desk.slack.app_token),
        'apps.connections.open: it said "invalid_auth"',
        "make an app-level token (xapp-…) with the scope connections:write",
    ),
    "socket": (
        lambda desk: setattr(desk.slack.sockets, "refuses", True),
        "Slack did not open a socket: HTTP 401",
        "check the address, the network and the proxy",
    ),
    "app": (
        lambda desk: setattr(desk.slack, "app", OTHER_APP),
        "`token` is of another app than `app_token`",
        "copy both tokens from the pages of one app",
    ),
    "scope": (
        lambda desk: desk.slack.scopes.update({desk.slack.token: frozenset({"chat:write", "usergroups:read"})}),
        'conversations.members: it said "missing_scope"',
        "add the scopes of docs/slack.md",
    ),
    "group": (
        lambda desk: desk.slack.groups.clear(),
        'usergroups.users.list: it said "no_such_subteam"',
        "name user groups of this workspace under `approvers`",
    ),
}


@pytest.mark.parametrize(("break_", "why", "advice"), TROUBLE.values(), ids=TROUBLE)
def test_what_would_be_in_the_way_is_said_with_what_to_do(
    desk: Desk, break_: Callable[[Desk], object], why: str, advice: str
) -> None:
    settings = desk.settings()
    assert settings.slack is not None
    break_(desk)
    with pytest.raises(DeliveryError, match=re.escape(why)) as caught:
        probe(settings, settings.slack.approvers)
    assert caught.value.advice.startswith(advice)
