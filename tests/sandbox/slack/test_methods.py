"""The embedded Slack answers calls of slack-sdk as Slack does, and refuses what Slack refuses."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk import WebClient, WebhookClient
from slack_sdk.errors import SlackApiError

from janitor.sandbox.slack.people import APP, APPROVERS, BOT_USER, KIM, LEE, PARK, STRANGER, TEAM
from janitor.sandbox.slack.replies import rate_limited
from janitor.sandbox.slack.state import CHANNEL
from tests.sandbox.slack.messages import BLOCKS, SEVEN, announce, client
from tests.slack_stand_in import SlackStandIn

Ask = Callable[[WebClient], Any]


def refusal(slack: SlackStandIn, ask: Ask, token: str | None = None) -> str:
    with pytest.raises(SlackApiError) as caught:
        ask(client(slack, token))
    return str(caught.value.response["error"])


def channel_id(slack: SlackStandIn) -> str:
    return slack.id_of(CHANNEL)


def post(**given: Any) -> Ask:
    return lambda web: web.chat_postMessage(**{"channel": CHANNEL, "text": "x", **given})


EVERYTHING: dict[str, tuple[Ask, str]] = {
    "chat:write": (post(), "chat:write"),
    "im:write": (lambda web: web.conversations_open(users=LEE.id), "im:write"),
    "users:read": (lambda web: web.users_info(user=LEE.id), "users:read"),
    "users:read.email": (lambda web: web.users_lookupByEmail(email=LEE.email), "users:read.email"),
    "usergroups:read": (lambda web: web.usergroups_users_list(usergroup=APPROVERS), "usergroups:read"),
    "files:write": (lambda web: web.files_getUploadURLExternal(filename="x", length=1), "files:write"),
}


def test_who_the_token_is() -> None:
    with SlackStandIn() as slack:
        bot, app = client(slack).auth_test(), client(slack, slack.app_token).auth_test()
    assert (bot["team_id"], bot["user_id"], app["app_id"]) == (TEAM, BOT_USER, APP)


@pytest.mark.parametrize(("ask", "scope"), EVERYTHING.values(), ids=EVERYTHING)
def test_a_call_needs_its_scope(slack: SlackStandIn, ask: Ask, scope: str) -> None:
    assert ask(client(slack))["ok"]
    slack.scopes[slack.token] -= {scope}
    with pytest.raises(SlackApiError) as caught:
        ask(client(slack))
    answer = caught.value.response
    assert (answer["error"], answer["needed"]) == ("missing_scope", scope)
    assert scope not in answer["provided"].split(",")


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        pytest.param(post(channel="#nowhere"), "channel_not_found", id="unknown-channel"),
        pytest.param(post(channel="U0NOBODY"), "channel_not_found", id="unknown-person"),
        pytest.param(post(thread_ts="1.0"), "thread_not_found", id="unknown-thread"),
        pytest.param(post(blocks=[{"type": "input"}]), "invalid_blocks", id="blocks"),
        pytest.param(lambda web: web.users_info(user="U0NOBODY"), "user_not_found", id="no-person"),
        pytest.param(lambda web: web.users_lookupByEmail(email="a@b.c"), "users_not_found", id="no-address"),
        pytest.param(lambda web: web.users_lookupByEmail(email=STRANGER.email), "users_not_found", id="stranger"),
        pytest.param(lambda web: web.usergroups_users_list(usergroup="S0"), "no_such_subteam", id="no-group"),
        pytest.param(lambda web: web.conversations_open(users="U0NOBODY"), "user_not_found", id="open-nobody"),
        pytest.param(lambda web: web.conversations_members(channel=CHANNEL), "channel_not_found", id="by-name"),
        pytest.param(lambda web: web.conversations_info(channel="C0NOWHERE"), "channel_not_found", id="info"),
        pytest.param(lambda web: web.api_call("chat.delete"), "unknown_method", id="unknown-method"),
        pytest.param(lambda web: web.api_call("users.info", json={"user": LEE.id}), "user_not_found", id="json"),
    ],
)
def test_refusals(slack: SlackStandIn, ask: Ask, said: str) -> None:
    assert refusal(slack, ask) == said
    assert slack.posted == []


@pytest.mark.parametrize("key", ["channel", "thread_ts"])
@pytest.mark.parametrize("value", [7, ["x"], {"x": 1}])
def test_what_is_no_word_is_refused(slack: SlackStandIn, key: str, value: object) -> None:
    assert refusal(slack, post(**{key: value})) == "invalid_arguments"


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[]", b"7", b"\xff\xfe", b'"x"'])
def test_a_body_that_says_nothing_is_refused(slack: SlackStandIn, body: bytes) -> None:
    said = json.loads(slack.answer("/api/chat.postMessage", f"Bearer {slack.token}", body).body)
    assert said["error"] in ("invalid_arguments", "channel_not_found")


def test_tokens(slack: SlackStandIn) -> None:
    assert refusal(slack, post(), "xoxb-another") == "invalid_auth"
    assert refusal(slack, post(), slack.app_token) == "not_allowed_token_type"
    assert refusal(slack, lambda web: web.apps_connections_open(app_token=slack.token)) == "not_allowed_token_type"
    slack.scopes[slack.app_token] = frozenset()
    assert refusal(slack, lambda web: web.apps_connections_open(app_token=slack.app_token)) == "missing_scope"
    assert json.loads(slack.answer("/api/auth.test", None, b"").body)["error"] == "not_authed"


def test_a_channel_that_the_app_left(slack: SlackStandIn) -> None:
    slack.leave(CHANNEL)
    assert refusal(slack, post()) == "not_in_channel"
    slack.channels[CHANNEL].private = True
    assert refusal(slack, post()) == "channel_not_found"


def test_an_archived_channel(slack: SlackStandIn) -> None:
    slack.channels[CHANNEL].archived = True
    assert refusal(slack, post()) == "is_archived"


def test_rate_limits_on_demand(slack: SlackStandIn) -> None:
    slack.refusals["/api/chat.postMessage"] = rate_limited(7)
    with pytest.raises(SlackApiError) as caught:
        client(slack).chat_postMessage(channel=CHANNEL, text="x")
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "7")


def test_threads(slack: SlackStandIn) -> None:
    first = announce(slack)
    second = announce(slack, thread_ts=first["ts"])
    assert [posted.thread for posted in slack.posted] == [None, first["ts"]]
    assert refusal(slack, post(thread_ts=second["ts"])) == "thread_not_found"


def test_a_message_changes(slack: SlackStandIn) -> None:
    first = announce(slack)
    client(slack).chat_update(channel=first["channel"], ts=first["ts"], text="kept", blocks=[])
    [posted] = slack.posted
    assert (posted.text, posted.blocks, posted.edited, posted.ts) == ("kept", [], True, first["ts"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"ts": "1.0"}, "message_not_found", id="unknown"),
        pytest.param({"channel": CHANNEL}, "channel_not_found", id="by-name"),
        pytest.param({"blocks": [{"type": "input"}]}, "invalid_blocks", id="blocks"),
    ],
)
def test_a_change_that_is_refused(slack: SlackStandIn, given: dict[str, Any], said: str) -> None:
    first = announce(slack)
    asked = {"channel": first["channel"], "ts": first["ts"], "text": "kept", **given}
    assert refusal(slack, lambda web: web.chat_update(**asked)) == said
    assert slack.posted[0].blocks == BLOCKS


def test_a_message_for_one_person(slack: SlackStandIn) -> None:
    client(slack).chat_postEphemeral(channel=CHANNEL, user=LEE.id, text="for you")
    assert [(posted.text, posted.only_to) for posted in slack.ephemeral] == [("for you", LEE.id)]
    ask: Ask = lambda web: web.chat_postEphemeral(channel=CHANNEL, user=PARK.id, text="x")  # noqa: E731
    assert refusal(slack, ask) == "user_not_in_channel"
    assert slack.posted == []


@pytest.mark.parametrize("opened", [False, True], ids=["by-person", "by-channel"])
def test_direct_messages(slack: SlackStandIn, opened: bool) -> None:
    web = client(slack)
    channel = web.conversations_open(users=LEE.id)["channel"]["id"] if opened else LEE.id
    answer = web.chat_postMessage(channel=channel, text="for you")
    assert answer["channel"].startswith("D0")
    assert web.conversations_info(channel=answer["channel"])["channel"]["user"] == LEE.id
    assert web.conversations_open(users=LEE.id)["already_open"]


def test_nobody_writes_to_those_who_left(slack: SlackStandIn) -> None:
    slack.people[LEE.id] = replace(LEE, deleted=True)
    assert refusal(slack, lambda web: web.users_lookupByEmail(email=LEE.email)) == "users_not_found"
    assert refusal(slack, lambda web: web.conversations_open(users=LEE.id)) == "user_disabled"


def test_members_come_in_pages(slack: SlackStandIn) -> None:
    web, channel = client(slack), channel_id(slack)
    first = web.conversations_members(channel=channel, limit=3)
    second = web.conversations_members(channel=channel, limit=3, cursor=first["response_metadata"]["next_cursor"])
    assert [*first["members"], *second["members"]] == [LEE.id, KIM.id, STRANGER.id, BOT_USER]
    assert second["response_metadata"]["next_cursor"] == ""
    assert refusal(slack, lambda web: web.conversations_members(channel=channel, limit=0)) == "invalid_limit"
    assert refusal(slack, lambda web: web.conversations_members(channel=channel, cursor="x")) == "invalid_cursor"


def test_people(slack: SlackStandIn) -> None:
    web = client(slack)
    assert web.users_lookupByEmail(email="LEE@example.com")["user"]["id"] == LEE.id
    assert web.users_info(user=STRANGER.id)["user"]["team_id"] == STRANGER.team
    assert web.usergroups_users_list(usergroup=APPROVERS)["users"] == [KIM.id]


def test_a_file_in_a_thread(slack: SlackStandIn) -> None:
    first = announce(slack)
    client(slack).files_upload_v2(
        channel=first["channel"], thread_ts=first["ts"], content="a,b", filename="run.csv", title="All"
    )
    [file] = slack.files
    assert (file.name, file.title, file.content, file.thread) == ("run.csv", "All", "a,b", first["ts"])


def test_a_webhook_takes_buttons(slack: SlackStandIn) -> None:
    assert WebhookClient(slack.webhook_url).send(text="x", blocks=BLOCKS).body == "ok"
    answer = WebhookClient(slack.webhook_url).send(text="x", blocks=[{"type": "input"}])
    assert (answer.status_code, answer.body) == (400, "invalid_blocks")
    assert slack.click(slack.posted[0], SEVEN).lost
