"""Sending to Slack: what arrived is told truly, what broke is tried again within bounds, and no secret is ever said."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from janitor.errors import DeliveryError
from janitor.report import Listing, Message
from janitor.slack import Place, SlackChannel
from tests.slack_stand_in import CHANNEL, DROPPED, TOKEN, UPLOAD, WEBHOOK_PATH, Reply, SlackStandIn, fault, rate_limited

Open = Callable[..., SlackChannel]


def message(text: str = "Run 12: nothing to delete.") -> Message:
    return Message(text, [{"type": "section", "text": {"type": "mrkdwn", "text": text}}])


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def waits() -> list[float]:
    """How long was slept, call by call, by a clock that does not."""
    return []


@pytest.fixture(params=["webhook", "bot"])
def channel(request: pytest.FixtureRequest, slack: SlackStandIn, waits: list[float]) -> SlackChannel:
    if request.param == "webhook":
        return webhook(slack, waits)
    return bot(slack, waits)


def webhook(slack: SlackStandIn, waits: list[float], **parts: Any) -> SlackChannel:
    return SlackChannel(**{"webhook_url": slack.webhook_url, "sleep": waits.append, **parts})


def bot(slack: SlackStandIn, waits: list[float], **parts: Any) -> SlackChannel:
    options = {"token": TOKEN, "channel": CHANNEL, "base_url": slack.base_url, "sleep": waits.append}
    return SlackChannel(**{**options, **parts})


def failure(channel: SlackChannel, *messages: Message) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        channel.send(messages or [message()])
    return caught.value


def test_messages_arrive_in_order_with_text_and_blocks(channel: SlackChannel, slack: SlackStandIn) -> None:
    messages = [message(f"part {number}") for number in range(6)]
    channel.send(messages)
    assert [(posted.text, posted.blocks) for posted in slack.posted] == [(m.text, m.blocks) for m in messages]


def test_a_bot_posts_to_its_channel_with_its_token(slack: SlackStandIn, waits: list[float]) -> None:
    bot(slack, waits).send([message()])
    assert (slack.posted[0].channel, slack.authorizations) == (CHANNEL, [f"Bearer {TOKEN}"])


def test_a_base_url_needs_no_trailing_slash(slack: SlackStandIn, waits: list[float]) -> None:
    bot(slack, waits, base_url=slack.base_url.rstrip("/")).send([message()])
    assert len(slack.posted) == 1


def test_links_are_never_unfurled(channel: SlackChannel, slack: SlackStandIn) -> None:
    channel.send([message()])
    assert (slack.requests[0]["unfurl_links"], slack.requests[0]["unfurl_media"]) == (False, False)


def test_the_first_few_go_at_once_and_the_rest_at_a_pace(channel: SlackChannel, waits: list[float]) -> None:
    channel.send([message()] * 5)
    assert waits == [1.0, 1.0]


def test_the_messages_that_were_accepted_are_counted(channel: SlackChannel) -> None:
    assert [channel.send([message()] * count) for count in (0, 1, 4)] == [0, 1, 4]


def test_once_asked_to_end_two_messages_are_sent_and_nothing_is_waited_for(
    slack: SlackStandIn, waits: list[float]
) -> None:
    error = failure(webhook(slack, waits, ending=lambda: len(slack.posted) > 3), *[message()] * 10)
    assert (error.delivered, waits) == (6, [1.0])
    assert "no time left" in str(error)


def test_nothing_to_send_sends_nothing(channel: SlackChannel, slack: SlackStandIn) -> None:
    channel.send([])
    assert slack.requests == []


@pytest.mark.parametrize(
    ("parts", "works"),
    [
        pytest.param({}, False, id="nothing"),
        pytest.param({"webhook_url": ""}, False, id="empty-webhook"),
        pytest.param({"token": TOKEN}, False, id="token-without-channel"),
        pytest.param({"channel": CHANNEL}, False, id="channel-without-token"),
        pytest.param({"token": TOKEN, "channel": CHANNEL}, True, id="bot"),
        pytest.param({"webhook_url": "https://x", "channel": CHANNEL}, True, id="webhook"),
    ],
)
def test_a_channel_needs_a_webhook_or_a_bot(parts: dict[str, str], works: bool) -> None:
    if works:
        SlackChannel(**parts)  # type: ignore[arg-type]
    else:
        with pytest.raises(ValueError, match="a webhook, or a token and a channel"):
            SlackChannel(**parts)  # type: ignore[arg-type]


# Rate limits


def test_a_rate_limit_is_waited_out_and_loses_nothing(
    channel: SlackChannel, slack: SlackStandIn, waits: list[float]
) -> None:
    slack.script += [rate_limited(7), rate_limited(30)]
    channel.send([message("one"), message("two")])
    assert ([posted.text for posted in slack.posted], waits) == (["one", "two"], [7.0, 30.0])


@pytest.mark.parametrize("said", [None, "soon", ""], ids=["missing", "a-word", "empty"])
def test_a_rate_limit_without_a_time_waits_a_second(
    said: str | None, channel: SlackChannel, slack: SlackStandIn, waits: list[float]
) -> None:
    slack.script.append(rate_limited(said))
    channel.send([message()])
    assert (len(slack.posted), waits) == (1, [1.0])


def test_a_rate_limit_beyond_a_minute_is_given_up_at_once(
    channel: SlackChannel, slack: SlackStandIn, waits: list[float]
) -> None:
    slack.script.append(rate_limited(3600))
    error = failure(channel)
    assert (len(slack.requests), waits) == (1, [])
    assert "asks to wait 3600 seconds, which is longer than we do" in str(error)


def test_waiting_is_bounded_over_the_whole_report(
    channel: SlackChannel, slack: SlackStandIn, waits: list[float]
) -> None:
    slack.script += [rate_limited(50) if turn % 2 == 0 else Reply(200, _yes(channel)) for turn in range(20)]
    error = failure(channel, *[message()] * 10)
    assert (sum(wait for wait in waits if wait == 50), error.delivered) == (150, 3)
    assert "keeps asking to wait; 150 seconds were not enough" in str(error)


def test_a_rate_limit_without_end_is_not_followed_forever(channel: SlackChannel, slack: SlackStandIn) -> None:
    slack.script += [rate_limited(0)] * 100
    failure(channel)
    assert len(slack.requests) == 11


def _yes(channel: SlackChannel) -> str:
    return "ok" if channel.webhook_url else '{"ok": true}'


# What breaks


@pytest.mark.parametrize("broken", [DROPPED, Reply(500), Reply(502, "<html>"), Reply(503)], ids=lambda r: str(r.status))
def test_what_breaks_is_tried_again(
    broken: Reply, channel: SlackChannel, slack: SlackStandIn, waits: list[float]
) -> None:
    slack.script += [broken] * 3
    channel.send([message()])
    assert (len(slack.posted), waits) == (1, [1.0, 2.0, 4.0])


@pytest.mark.parametrize("broken", [DROPPED, Reply(503, "<html>")], ids=["dropped", "503"])
def test_what_stays_broken_is_given_up(broken: Reply, channel: SlackChannel, slack: SlackStandIn) -> None:
    slack.script += [broken] * 100
    failure(channel)
    assert len(slack.requests) == 4


def test_the_count_of_delivered_messages_is_true(channel: SlackChannel, slack: SlackStandIn) -> None:
    slack.script += [Reply(200, _yes(channel))] * 2 + [Reply(404, "no_service")]
    error = failure(channel, *[message()] * 5)
    assert (error.delivered, len(slack.requests)) == (2, 3)
    assert "message 3 of 5" in str(error)


def test_nobody_there(waits: list[float]) -> None:
    with SlackStandIn() as gone:
        pass
    assert "no connection (Connection refused)" in str(failure(webhook(gone, waits)))
    assert "no connection (Connection refused)" in str(failure(bot(gone, waits)))


def test_no_proxy_is_heeded(channel: SlackChannel, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    channel.send([message()])
    assert len(slack.posted) == 1


# What Slack says


@pytest.mark.parametrize("word", ["invalid_blocks", "no_service", "channel_is_archived", "action_prohibited"])
def test_the_word_of_a_webhook_is_repeated(word: str, slack: SlackStandIn, waits: list[float]) -> None:
    slack.script.append(Reply(400, word))
    assert f'it said "{word}"' in str(failure(webhook(slack, waits)))
    assert waits == []


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        pytest.param({"token": "xoxb-wrong"}, 'it said "invalid_auth" (the token is not accepted)', id="token"),
        pytest.param({"channel": "#nowhere"}, 'it said "channel_not_found" (is the channel right', id="channel"),
    ],
)
def test_the_word_of_the_api_is_repeated(
    parts: dict[str, str], said: str, slack: SlackStandIn, waits: list[float]
) -> None:
    assert said in str(failure(bot(slack, waits, **parts)))
    assert (len(slack.requests), waits) == (1, [])


def test_the_details_of_a_refusal_are_repeated(slack: SlackStandIn, waits: list[float]) -> None:
    detail = "[ERROR] no more than 50 items allowed [json-pointer:/blocks]"
    body = f'{{"ok": false, "error": "invalid_blocks", "response_metadata": {{"messages": ["{detail}"]}}}}'
    slack.script.append(Reply(200, body))
    assert detail in str(failure(bot(slack, waits)))


@pytest.mark.parametrize(
    "foreign",
    [
        Reply(200, "<html>Please log in to the hotel's network</html>"),
        Reply(200, "no_service"),
        Reply(200, "{"),
        Reply(200, '{"ok": false}'),
        Reply(200, '{"ok": false, "error": {}, "response_metadata": []}'),
        Reply(200, "x", {"Content-Type": "text/html; charset=martian"}),
        Reply(403, "<html>"),
        Reply(302, "", {"Location": "/elsewhere"}),
    ],
    ids=["portal", "word", "cut-off", "not-ok", "odd", "charset", "403", "redirect"],
)
def test_an_answer_that_is_not_slacks_yes_is_no_delivery(
    foreign: Reply, channel: SlackChannel, slack: SlackStandIn
) -> None:
    slack.script += [foreign] * 5
    assert failure(channel).delivered == 0


@pytest.mark.parametrize("body", ["[]", "true", "{}", "ok"])
def test_a_bot_is_answered_in_json_with_a_yes(body: str, slack: SlackStandIn, waits: list[float]) -> None:
    slack.script.append(Reply(200, body))
    assert failure(bot(slack, waits)).delivered == 0


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        pytest.param("ok", True, id="slack"),
        pytest.param("", True, id="nothing"),
        pytest.param("1", True, id="a-number"),
        pytest.param("Message accepted.", True, id="a-sentence"),
        pytest.param('{"ok": true}', True, id="json-yes"),
        pytest.param('{"success": true}', True, id="another-json-yes"),
        pytest.param('{"id": 4}', True, id="json-of-another-kind"),
        pytest.param("[]", True, id="a-list"),
        pytest.param('{"ok": false}', False, id="json-no"),
        pytest.param('{"ok": false, "error": "no_text"}', False, id="json-no-and-why"),
        pytest.param('{"success": false}', False, id="another-json-no"),
        pytest.param('{"error": "no_text"}', False, id="an-error"),
        pytest.param("false", False, id="false"),
        pytest.param('{"ok": tr', False, id="cut-off"),
        pytest.param("no_service", False, id="a-word-of-refusal"),
        pytest.param(" invalid_payload\n", False, id="a-word-of-refusal-and-blanks"),
        pytest.param("<!DOCTYPE html><html>ok</html>", False, id="a-page"),
        pytest.param("\n <html>ok</html>", False, id="a-page-after-a-blank-line"),
    ],
)
def test_what_a_server_like_slack_may_answer_a_webhook(
    body: str, taken: bool, slack: SlackStandIn, waits: list[float]
) -> None:
    slack.script.append(Reply(200, body))
    if taken:
        assert webhook(slack, waits).send([message()]) == 1
    else:
        assert failure(webhook(slack, waits)).delivered == 0


@pytest.mark.parametrize(
    ("reply", "refused"),
    [
        pytest.param(Reply(400, "invalid_blocks"), True, id="its-word"),
        pytest.param(Reply(413, "<html>"), True, id="too-large"),
        pytest.param(Reply(503), False, id="broken"),
        pytest.param(DROPPED, False, id="dropped"),
        pytest.param(rate_limited(3600), False, id="rate-limited"),
        pytest.param(Reply(200, "<html>"), False, id="portal"),
    ],
)
def test_a_failure_says_whether_it_was_this_message_that_is_not_wanted(
    reply: Reply, refused: bool, slack: SlackStandIn, waits: list[float]
) -> None:
    slack.script += [reply] * 10
    assert failure(webhook(slack, waits)).refused is refused


# Threads and files


def test_a_bot_opens_a_thread_with_the_first_message(slack: SlackStandIn, waits: list[float]) -> None:
    told: list[tuple[int, Place]] = []
    assert bot(slack, waits).send([message()] * 3, accepted=lambda *step: told.append(step)) == 3
    opened = Place(CHANNEL, slack.id_of(CHANNEL), slack.posted[0].ts)
    assert told == [(1, opened), (2, opened), (3, opened)]
    assert [posted.thread for posted in slack.posted] == [None, opened.thread, opened.thread]


def test_a_bot_goes_on_in_a_thread(slack: SlackStandIn, waits: list[float]) -> None:
    places: list[Place] = []
    bot(slack, waits).send([message()], accepted=lambda _, place: places.append(place))
    bot(slack, waits).send([message()] * 2, place=places[0])
    assert [posted.thread for posted in slack.posted] == [None, places[0].thread, places[0].thread]


def test_a_file_goes_into_the_thread(slack: SlackStandIn, waits: list[float]) -> None:
    places: list[Place] = []
    channel = bot(slack, waits)
    channel.send([message()], accepted=lambda _, place: places.append(place))
    channel.attach(Listing("run-12.csv", "image,name\r\nx,야간\r\n"), "All images", places[0])
    [file] = slack.files
    assert (file.name, file.title, file.content) == ("run-12.csv", "All images", "image,name\r\nx,야간\r\n")
    assert (file.channel, file.thread) == (slack.id_of(CHANNEL), slack.posted[0].ts)


def test_no_token_goes_to_the_address_of_an_upload(slack: SlackStandIn, waits: list[float]) -> None:
    places: list[Place] = []
    channel = bot(slack, waits)
    channel.send([message()], accepted=lambda _, place: places.append(place))
    channel.attach(Listing("run-12.csv", "x"), "All images", places[0])
    assert [said for path, said in zip(slack.paths, slack.authorizations, strict=True) if UPLOAD in path] == [None]


@pytest.mark.parametrize("kind", [webhook, bot])
def test_without_a_thread_there_is_no_place_for_a_file(
    kind: Callable[..., SlackChannel], slack: SlackStandIn, waits: list[float]
) -> None:
    with pytest.raises(DeliveryError, match="told of no thread"):
        kind(slack, waits).attach(Listing("run-12.csv", "x"), "All images", Place(CHANNEL, CHANNEL, None))


# Secrets


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, f"<p>The requested URL {WEBHOOK_PATH} was not found, Bearer {TOKEN}</p>"),
        Reply(200, f'{{"ok": false, "error": "invalid_blocks", "response_metadata": {{"messages": ["{TOKEN}"]}}}}'),
        rate_limited(3600),
        DROPPED,
    ],
    ids=["page-quotes-it", "details-quote-it", "rate-limit", "dropped"],
)
def test_no_secret_is_said_or_logged(
    reply: Reply, channel: SlackChannel, slack: SlackStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    slack.script += [reply] * 5
    with caplog.at_level(logging.DEBUG):
        error = failure(channel)
    assert not _secrets_in(f"{error!r} {error.__cause__!r} {error.__context__!r} {caplog.text} {channel!r}")


@pytest.mark.parametrize("scheme", ["", "ftp://", "http:// ", "https://\x00"], ids=["none", "ftp", "blank", "control"])
def test_an_address_that_cannot_be_used_is_not_said(scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    channel = SlackChannel(webhook_url=f"{scheme}127.0.0.1:9{WEBHOOK_PATH}", sleep=lambda _: None)
    with caplog.at_level(logging.DEBUG):
        error = failure(channel)
    assert not _secrets_in(f"{error!r} {error.__cause__!r} {error.__context__!r} {caplog.text}")


def _secrets_in(text: str) -> list[str]:
    return [secret for secret in (TOKEN, WEBHOOK_PATH, "webhook-secret") if secret in text]


# The probe


def test_the_probe_posts_one_message_that_says_so(channel: SlackChannel, slack: SlackStandIn) -> None:
    sentence = channel.probe()
    assert "reports will arrive in this channel" in slack.posted[0].text
    assert len(slack.posted) == 1
    assert sentence == f"posted a test message {'through the webhook' if channel.webhook_url else f'to {CHANNEL}'}"


def test_a_probe_that_does_not_arrive_says_why(channel: SlackChannel, slack: SlackStandIn) -> None:
    slack.script.append(Reply(400, "no_service"))
    with pytest.raises(DeliveryError):
        channel.probe()


def test_an_answer_that_does_not_come_is_not_waited_for_forever(slack: SlackStandIn, waits: list[float]) -> None:
    channel = webhook(slack, waits, timeout=timedelta(milliseconds=1))
    assert channel._seconds == 1  # slack-sdk takes whole seconds, and none would mean forever


# The stand-in is as strict as Slack


def section(text: str, **parts: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **parts}


def header(text: str, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": "header", "text": {"type": kind, "text": text}}


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        pytest.param([section("x")] * 50, None, id="50-blocks"),
        pytest.param([section("x")] * 51, "invalid_blocks", id="51-blocks"),
        pytest.param([section("x" * 3000)], None, id="section-3000"),
        pytest.param([section("x" * 3001)], "invalid_blocks", id="section-3001"),
        pytest.param([section("")], "invalid_blocks", id="section-empty"),
        pytest.param([header("x" * 150)], None, id="header-150"),
        pytest.param([header("x" * 151)], "invalid_blocks", id="header-151"),
        pytest.param([header("x", "mrkdwn")], "invalid_blocks", id="header-mrkdwn"),
        pytest.param([{"type": "context", "elements": []}], "invalid_blocks", id="context-empty"),
        pytest.param([section("x", block_id="a"), section("y", block_id="a")], "invalid_blocks", id="same-id"),
        pytest.param([section("x" * 2640)] * 5, "msg_blocks_too_long", id="13200-characters"),
        pytest.param([{"type": "input"}], "invalid_blocks", id="input"),
    ],
)
def test_the_stand_in_refuses_what_slack_refuses(blocks: list[dict[str, Any]], said: str | None) -> None:
    assert fault({"text": "A sentence.", "blocks": blocks}) == said


@pytest.mark.parametrize(("text", "said"), [("", "no_text"), (" ", "no_text"), ("x" * 40_001, "msg_too_long")])
def test_the_stand_in_wants_a_text(text: str, said: str) -> None:
    assert fault({"text": text, "blocks": []}) == said
