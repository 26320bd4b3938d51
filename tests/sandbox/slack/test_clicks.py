"""Clicks reach an app that listens with slack-sdk's own client, as Slack tells it of them."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from slack_sdk import WebhookClient

from janitor.sandbox.slack.clicks import FORGERIES, Forgery, of_another_app, with_value
from janitor.sandbox.slack.people import APP, KIM, LEE, OTHER_APP, OTHER_TEAM, STRANGER, TEAM
from janitor.sandbox.slack.sockets import Socket
from tests.factories import NOW
from tests.sandbox.slack.app import listening
from tests.sandbox.slack.messages import KEEP_ALL, SEVEN, THIRTY, WEB_41, announce
from tests.slack_stand_in import SlackStandIn, Workspace


class Clock:
    """A time that passes on demand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def test_what_the_app_is_told(slack: SlackStandIn) -> None:
    first = announce(slack)
    with listening(slack) as took:
        assert slack.sockets.wait_for(1)
        click = slack.click(slack.posted[0], THIRTY, by=KIM)
        assert click.wait()
    [told] = took
    assert (click.in_time, click.lost, click.warned) == (True, False, False)
    assert (told["type"], told["api_app_id"], told["team"]["id"]) == ("block_actions", APP, TEAM)
    assert told["user"] == {"id": KIM.id, "username": "kim", "name": "kim", "team_id": TEAM}
    assert told["channel"] == {"id": first["channel"], "name": "cloud-images"}
    assert (told["container"]["message_ts"], told["message"]["ts"]) == (first["ts"], first["ts"])
    [action] = told["actions"]
    assert (action["type"], action["block_id"], action["action_id"], action["value"]) == (
        ("button", "keep-1", "keep-30", "a1:30")
    )


def test_an_option_of_a_menu(slack: SlackStandIn) -> None:
    announce(slack)
    with listening(slack) as took:
        assert slack.sockets.wait_for(1)
        assert slack.click(slack.posted[0], WEB_41).wait()
    [action] = took[0]["actions"]
    assert (action["type"], action["selected_option"]["value"]) == ("static_select", "a1")
    assert action["block_id"]
    assert action["action_id"]


def test_a_click_in_a_thread_and_in_direct_messages(slack: SlackStandIn) -> None:
    first = announce(slack)
    announce(slack, thread_ts=first["ts"])
    announce(slack, channel=LEE.id)
    with listening(slack) as took:
        assert slack.sockets.wait_for(1)
        assert all(slack.click(posted, KEEP_ALL).wait() for posted in slack.posted[1:])
    assert took[0]["container"]["thread_ts"] == first["ts"]
    assert took[1]["channel"] == {"id": slack.channels["@lee"].id, "name": "directmessage"}


def test_no_click_without_a_button(slack: SlackStandIn) -> None:
    announce(slack)
    with pytest.raises(LookupError, match="Keep 90 days"):
        slack.click(slack.posted[0], "Keep 90 days")


def test_a_click_while_nobody_listens_is_lost(slack: SlackStandIn) -> None:
    announce(slack)
    click = slack.click(slack.posted[0], SEVEN)
    assert (click.lost, click.warned, click.in_time) == (True, True, False)


def test_the_same_click_twice_and_a_late_one(slack: SlackStandIn) -> None:
    announce(slack)
    with listening(slack) as took:
        assert slack.sockets.wait_for(1)
        late = slack.prepare(slack.posted[0], SEVEN)
        click = slack.click(slack.posted[0], SEVEN)
        assert click.wait()
        slack.send(click)
        assert slack.send(late).wait()
    assert took[0] == took[1]
    assert len(took) == 3


FORGED: dict[str, tuple[Forgery, str, str]] = {
    "another team": (FORGERIES["another team"], "team", OTHER_TEAM),
    "another app": (of_another_app, "api_app_id", OTHER_APP),
    "a person of another team": (FORGERIES["a person of another team"], "user", OTHER_TEAM),
    "an unknown value": (with_value("of another message"), "actions", "of another message"),
}


@pytest.mark.parametrize(("forge", "key", "holds"), FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("wanted", [SEVEN, WEB_41])
def test_a_forged_click_differs_in_one_thing(forge: Forgery, key: str, holds: str, wanted: str) -> None:
    slack = Workspace("http://slack.invalid")
    post(slack)
    genuine, forged = slack.prepare(slack.posted[0], wanted), slack.prepare(slack.posted[0], wanted, forged=forge)
    different = {name for name in genuine.payload if genuine.payload[name] != forged.payload[name]}
    assert different - {"trigger_id", "response_url", "actions"} == {key} - {"actions"}
    assert holds in json.dumps(forged.payload[key])
    assert holds not in json.dumps(genuine.payload)


def test_somebody_of_another_workspace() -> None:
    slack = Workspace("http://slack.invalid")
    post(slack)
    assert slack.prepare(slack.posted[0], SEVEN, by=STRANGER).payload["user"]["team_id"] == OTHER_TEAM


def post(slack: Workspace) -> None:
    """Post without a server."""
    blocks: list[Any] = [
        {
            "type": "actions",
            "elements": [
                {"type": "button", "text": {"type": "plain_text", "text": SEVEN}, "value": "a1:7"},
                {
                    "type": "static_select",
                    "options": [{"text": {"type": "plain_text", "text": WEB_41}, "value": "a1"}],
                },
            ],
        }
    ]
    body = json.dumps({"channel": "#cloud-images", "text": "7 images.", "blocks": blocks}).encode()
    assert '"ok": true' in slack.answer("/api/chat.postMessage", f"Bearer {slack.token}", body).body


class Heard:
    """A line without a connection, as a process on simulated time listens."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def text(self, text: str) -> None:
        self.texts.append(text)

    def raw(self, pieces: Iterable[bytes]) -> None:
        """Nothing of it is understood."""

    def ping(self, payload: bytes) -> None:
        """It is not answered."""

    def close(self) -> None:
        """It has nothing to close."""

    cut = close


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(clock: Clock) -> Workspace:
    """A workspace without a server, with one message."""
    slack = Workspace("http://slack.invalid")
    slack.clock = clock
    post(slack)
    return slack


def acknowledge(slack: Workspace, socket: Socket, line: Heard) -> None:
    slack.sockets.hear(socket, json.dumps({"envelope_id": json.loads(line.texts[-1])["envelope_id"]}))


@pytest.mark.parametrize(("seconds", "in_time"), [(0, True), (3, True), (3.1, False)])
def test_three_seconds_are_measured_by_the_clock(
    workspace: Workspace, clock: Clock, seconds: float, in_time: bool
) -> None:
    line = Heard()
    socket = workspace.sockets.attach(line)
    click = workspace.click(workspace.posted[0], SEVEN)
    clock.pass_by(seconds)
    assert click.warned is not in_time
    acknowledge(workspace, socket, line)
    assert (click.in_time, click.warned) == (in_time, not in_time)


def test_an_answer_to_the_person_alone(slack: SlackStandIn) -> None:
    announce(slack)
    answers = WebhookClient(slack.prepare(slack.posted[0], SEVEN, by=KIM).payload["response_url"])
    assert answers.send(text="Kept.").status_code == 200
    assert [(posted.text, posted.only_to) for posted in slack.ephemeral] == [("Kept.", KIM.id)]
    assert answers.send(text="Kept.", replace_original=True).status_code == 200
    assert (slack.posted[0].text, slack.posted[0].blocks) == ("Kept.", [])
    assert answers.send(text="Kept.", response_type="in_channel").status_code == 200
    assert answers.send(text="x", blocks=[{"type": "input"}]).body == '{"ok": false, "error": "invalid_blocks"}'
    assert answers.send(delete_original=True).status_code == 200
    assert [posted.text for posted in slack.posted] == ["Kept."]
    assert "message_not_found" in answers.send(text="x", replace_original=True).body
    assert answers.send(text="x").status_code == 200
    assert (answers.send(text="x").status_code, "used_url" in answers.send(text="x").body) == (404, True)


def test_answers_are_taken_for_half_an_hour(workspace: Workspace, clock: Clock) -> None:
    address = workspace.prepare(workspace.posted[0], SEVEN).payload["response_url"]
    path = address.removeprefix(workspace.address)
    clock.pass_by(30 * 60)
    assert workspace.answer(path, None, b'{"text": "Kept."}').status == 200
    clock.pass_by(1)
    assert "expired_url" in workspace.answer(path, None, b'{"text": "Kept."}').body
