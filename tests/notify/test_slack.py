"""Sending to Slack: what arrived is told truly, what broke is tried again within bounds, and no secret is ever said."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from janitor.errors import DeliveryError
from janitor.notify.slack.answers import Accepts, Problem, problem_of_webhook
from janitor.notify.slack.channel import Place, SlackChannel
from janitor.notify.slack.message import Message
from janitor.report import Listing
from tests.raw_server import endless
from tests.slack_stand_in import (
    CHANNEL,
    COMPLETE,
    DROPPED,
    GET_URL,
    TOKEN,
    UPLOAD,
    WEBHOOK_PATH,
    Reply,
    SlackStandIn,
    fault,
    rate_limited,
)

Open = Callable[..., SlackChannel]


def message(text: str = "Run 12: nothing to delete.") -> Message:
    return Message(text, [{"type": "section", "text": {"type": "mrkdwn", "text": text}}])


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
    assert "the program is stopping" in str(error)


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
    assert "asks to wait 3600 seconds, longer than the 60 seconds allowed" in str(error)


def test_waiting_is_bounded_over_the_whole_report(
    channel: SlackChannel, slack: SlackStandIn, waits: list[float]
) -> None:
    slack.script += [rate_limited(50) if turn % 2 == 0 else Reply(200, _yes(channel)) for turn in range(20)]
    error = failure(channel, *[message()] * 10)
    assert (sum(wait for wait in waits if wait == 50), error.delivered) == (150, 3)
    assert "still asks to wait after 150 seconds of waiting" in str(error)


def test_a_rate_limit_without_end_is_not_followed_forever(channel: SlackChannel, slack: SlackStandIn) -> None:
    slack.script += [rate_limited(0)] * 100
    failure(channel)
    assert len(slack.requests) == 11


def _yes(channel: SlackChannel) -> str:
    return "ok" if channel.webhook_url else YES


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
    assert "no usable answer (ConnectError: [Errno 111] Connection refused)" in str(failure(webhook(gone, waits)))
    assert "no usable answer (ConnectError: [Errno 111] Connection refused)" in str(failure(bot(gone, waits)))


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


def accepted_by(kind: Callable[..., SlackChannel], reply: Reply, accepts: Accepts) -> DeliveryError | None:
    """Why a message was not accepted by that answer, of plain text unless it says otherwise; None where it was."""
    reply = replace(reply, headers={"Content-Type": "text/plain", **reply.headers})
    with SlackStandIn() as slack:
        slack.script += [reply] * 5
        try:
            kind(slack, [], accepts=accepts).send([message()])
        except DeliveryError as error:
            return error
        return None


YES = '{"ok": true, "channel": "C01", "ts": "1503435956.000247"}'
PAGES = [
    pytest.param("<!DOCTYPE html><html>ok</html>", id="page"),
    pytest.param("\n <html>ok</html>", id="page-after-a-blank-line"),
    pytest.param("\ufeff<html>ok</html>", id="page-after-a-bom"),
    pytest.param("\u200b \ufeff\u00a0<p>ok", id="page-after-what-cannot-be-seen"),
    pytest.param("<!-- ok --><html>", id="page-after-a-comment"),
    pytest.param("/* ok */\n<HTML lang=ko>", id="page-after-another-comment"),
    pytest.param("Please wait\n<body>", id="page-after-words"),
    pytest.param('"<html>ok</html>"', id="page-as-json"),
    pytest.param('Moved <a href="/login">here</a>', id="link-within"),
    pytest.param("ok <br/> ok", id="tag-within"),
    pytest.param("Sign in: <a href", id="tag-cut-off"),
    pytest.param('"see <a href=x>"', id="link-within-json-text"),
    pytest.param('{"message": "<html><title>Sign in"}', id="page-within-json"),
]
REFUSALS = [
    pytest.param("no_service", id="word"),
    pytest.param(" invalid_payload\n", id="word-and-blanks"),
    pytest.param("\ufeffInvalid_Payload", id="word-after-a-bom"),
    pytest.param('"invalid_payload"', id="word-as-json"),
    pytest.param('["invalid_payload"]', id="word-in-a-list"),
    pytest.param("error: invalid_payload", id="word-after-words"),
    pytest.param("(invalid_payload).", id="word-in-punctuation"),
    pytest.param("_no_text_!", id="word-emphasised"),
    pytest.param("Sorry, channel_not_found: nothing was posted", id="word-in-a-sentence"),
    pytest.param("missing_text_or_fallback_or_attachments", id="long-word"),
    pytest.param('{"message": "error: invalid_payload"}', id="word-in-a-sentence-in-json"),
    pytest.param('{"ok": false, "error": "error: invalid_payload"}', id="word-in-a-sentence-as-error"),
    pytest.param('{"status": "error", "message": "no"}', id="status-error"),
    pytest.param('{"Status": "FAILED"}', id="status-in-capitals"),
    pytest.param('{"code": 401}', id="status-of-http-within"),
    pytest.param("Error: nothing was posted", id="text-that-begins-with-no"),
    pytest.param('{"detail": {"code": "invalid_payload"}}', id="word-deep-in-json"),
    pytest.param('{"ok": false}', id="json-no"),
    pytest.param('{"ok": "false"}', id="json-no-in-text"),
    pytest.param('{"ok": "true"}', id="json-yes-in-text"),
    pytest.param('{"ok": 1}', id="json-yes-as-a-number"),
    pytest.param('{"ok": null}', id="json-null"),
    pytest.param('{"ok": true, "ok": false}', id="json-twice"),
    pytest.param('{"ok": false, "ok": true}', id="json-twice-otherwise"),
    pytest.param('{"ok": false, "error": "no_text"}', id="json-no-and-why"),
    pytest.param('{"ok": true, "error": "no_text"}', id="json-yes-and-why-not"),
    pytest.param('{"success": false}', id="another-json-no"),
    pytest.param('{"result": {"ok": false}}', id="json-no-within"),
    pytest.param('[{"ok": false}]', id="json-no-in-a-list"),
    pytest.param('{"error": "no_text"}', id="error"),
    pytest.param('{"error": {"code": 7}}', id="error-of-another-kind"),
    pytest.param("false", id="false"),
    pytest.param('{"ok": tr', id="cut-off"),
    pytest.param('"o', id="cut-off-text"),
    pytest.param("[" * 100_000, id="deep"),
]
OTHERS = [
    pytest.param("", id="nothing"),
    pytest.param("1", id="number"),
    pytest.param("null", id="null"),
    pytest.param("OK", id="in-capitals"),
    pytest.param("ok.", id="with-a-stop"),
    pytest.param("\ufeffok", id="after-a-bom"),
    pytest.param('"ok"', id="as-json"),
    pytest.param("accepted", id="another-word"),
    pytest.param("Message accepted.", id="sentence"),
    pytest.param('{"success": true}', id="another-json-yes"),
    pytest.param('{"id": 4}', id="json-of-another-kind"),
    pytest.param('{"status": "success", "code": 200, "errors": []}', id="json-that-tells-how-it-went"),
    pytest.param("Accepted: <https://example.test|look> for <@U01>, <!here>, 1 < 2", id="slacks-own-brackets"),
    pytest.param(f'{{"message": {{"text": "{"x" * 200} no_text"}}}}', id="json-that-quotes-our-report"),
    pytest.param('{"ok": true, "error": null}', id="json-yes-and-no-error"),
    pytest.param("{}", id="empty-object"),
    pytest.param("[]", id="list"),
    pytest.param("true", id="true"),
    pytest.param('{"ok": true}', id="json-yes-without-a-time-stamp"),
]
BOTH = pytest.mark.parametrize("kind", [webhook, bot])
NEVER = pytest.mark.parametrize("body", [*PAGES, *REFUSALS])
UNUSUAL = pytest.mark.parametrize("body", OTHERS)


@pytest.mark.parametrize("body", ["ok", " ok\r\n", "\tok "])
def test_a_webhook_accepts_by_ok(body: str) -> None:
    assert accepted_by(webhook, Reply(200, body), Accepts.SLACK) is None


@pytest.mark.parametrize("body", [YES, f" {YES}\n", '{"ts": "1.0", "ok": true, "warning": "missing_charset"}'])
def test_a_bot_is_accepted_by_a_yes_with_a_time_stamp(body: str) -> None:
    assert accepted_by(bot, Reply(200, body), Accepts.SLACK) is None


@BOTH
@NEVER
@pytest.mark.parametrize("accepts", Accepts)
def test_pages_and_refusals_are_no_acceptance(kind: Callable[..., SlackChannel], body: str, accepts: Accepts) -> None:
    error = accepted_by(kind, Reply(200, body), accepts)
    assert error is not None
    assert "any-2xx" not in str(error), "which would not help"


@BOTH
@UNUSUAL
def test_what_is_not_slacks_answer_is_no_acceptance(kind: Callable[..., SlackChannel], body: str) -> None:
    error = accepted_by(kind, Reply(200, body), Accepts.SLACK)
    assert error is not None
    assert error.delivered == 0
    assert (
        "not as Slack answers: if this server answers so when it accepts messages, set slack.accepts: any-2xx"
        in str(error)
    )


@BOTH
@UNUSUAL
def test_a_server_like_slack_may_be_believed(kind: Callable[..., SlackChannel], body: str) -> None:
    assert accepted_by(kind, Reply(200, body), Accepts.ANY_2XX) is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"ok": true, "ts": ""}', id="empty"),
        pytest.param('{"ok": true, "ts": " "}', id="blank"),
        pytest.param('{"ok": true, "ts": 1503435956.000247}', id="number"),
        pytest.param('{"ok": true, "ts": null}', id="null"),
        pytest.param('{"ok": true, "ts": "1.0", "ts": "2.0"}', id="twice"),
        pytest.param('{"ok": true, "ts": "1.0", "message": {"a": 1, "a": 2}}', id="twice-within"),
        pytest.param("ok", id="as-a-webhook"),
    ],
)
def test_a_bot_needs_a_time_stamp(body: str) -> None:
    assert accepted_by(bot, Reply(200, body), Accepts.SLACK) is not None


@pytest.mark.parametrize("error", ['"channel_not_found"', '"unheard_of"', '" "', '{"code": 7}', "1"])
@pytest.mark.parametrize("accepts", Accepts)
def test_a_yes_beside_an_error_is_no_acceptance(error: str, accepts: Accepts) -> None:
    body = f'{{"ok": true, "error": {error}, "channel": "C01", "ts": "1503435956.000247"}}'
    assert accepted_by(bot, Reply(200, body), accepts) is not None
    assert accepted_by(bot, Reply(200, body.replace('"error"', '"warning"')), accepts) is None


@pytest.mark.parametrize("error", ['""', "null", "false"])
def test_no_error_is_none(error: str) -> None:
    body = f'{{"ok": true, "error": {error}, "channel": "C01", "ts": "1503435956.000247"}}'
    assert accepted_by(bot, Reply(200, body), Accepts.SLACK) is None


def test_a_file_is_not_attached_by_a_yes_beside_an_error(slack: SlackStandIn, waits: list[float]) -> None:
    slack.refusals[COMPLETE] = Reply(200, '{"ok": true, "error": "unheard_of", "files": [{"id": "F0"}]}')
    with pytest.raises(DeliveryError, match="did not accept the file"):
        bot(slack, waits).attach(Listing("run-12.csv", "x"), "All images", Place(CHANNEL, CHANNEL, "1.0"))


@pytest.mark.parametrize(("status", "any_2xx"), [(201, True), (202, True), (300, False), (401, False)])
def test_acceptance_needs_a_status_of_acceptance(status: int, any_2xx: bool) -> None:
    for kind, body in ((webhook, "ok"), (bot, YES)):
        assert accepted_by(kind, Reply(status, body), Accepts.SLACK) is not None
        assert (accepted_by(kind, Reply(status, body), Accepts.ANY_2XX) is None) is any_2xx


@BOTH
@pytest.mark.parametrize("body", ["", "OK", "accepted", '{"success": true}'])
def test_what_words_call_themselves_says_nothing_of_them(kind: Callable[..., SlackChannel], body: str) -> None:
    """Slack calls its own words text/html, and servers that do as it does call theirs so, too."""
    assert accepted_by(kind, Reply(200, body, {"Content-Type": "text/html"}), Accepts.ANY_2XX) is None


@pytest.mark.parametrize("accepts", Accepts)
def test_slack_calls_its_own_ok_a_page(accepts: Accepts) -> None:
    assert accepted_by(webhook, Reply(200, "ok", {"Content-Type": "text/html"}), accepts) is None


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (403, "Not here, sorry", "the answer was HTTP 403"),
        (403, "<html>no", "the answer was HTTP 403 with a page of HTML; look at the URL and the proxy"),
        (200, '{"status": "error"}', 'the answer was HTTP 200 with "status": "error" in its JSON'),
        (200, '{"ok": fal', "the answer was HTTP 200 with JSON that is cut off or contradicts itself"),
        (200, '{"ok": true, "error": {}, "success": 0}', '"success" in its JSON that is not true'),
    ],
)
@BOTH
def test_where_other_answers_count_it_is_said_what_the_answer_was(
    kind: Callable[..., SlackChannel], status: int, body: str, told: str
) -> None:
    error = accepted_by(kind, Reply(status, body), Accepts.ANY_2XX)
    assert str(error).endswith(told)


@BOTH
@pytest.mark.parametrize("accepts", Accepts)
@pytest.mark.parametrize(("status", "refused"), [(500, False), (403, True)])
def test_a_word_that_is_no_refusal_is_told_with_its_status(
    kind: Callable[..., SlackChannel], accepts: Accepts, status: int, refused: bool
) -> None:
    error = accepted_by(kind, Reply(status, "ok"), accepts)
    assert error is not None
    assert f'the answer was HTTP {status}, and it said "ok"' in str(error)
    assert error.refused is refused


def test_a_page_in_another_alphabet_is_a_page() -> None:
    page = "<html>ok</html>"
    for body in (page.encode("utf-16"), page.encode("utf-16-le"), b"\xef\xbb\xbf" + page.encode()):
        assert problem_of_webhook(200, body, Accepts.ANY_2XX) == Problem(
            "the answer was HTTP 200 with a page of HTML; look at the URL and the proxy"
        )


# Redirects


@BOTH
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(kind: Callable[..., SlackChannel], status: int) -> None:
    with SlackStandIn() as slack, SlackStandIn() as elsewhere:
        target = f"{elsewhere.address}{WEBHOOK_PATH if kind is webhook else '/api/chat.postMessage'}"
        slack.script += [Reply(status, "ok", {"Location": target})] * 5
        error = failure(kind(slack, [], accepts=Accepts.ANY_2XX))
        assert f"HTTP {status}, a redirect, which is not followed: configure the URL it leads to" in str(error)
        assert not error.refused
        assert (len(slack.requests), elsewhere.requests) == (1, [])


@pytest.mark.parametrize("path", [GET_URL, f"{UPLOAD}F0", COMPLETE])
def test_no_redirect_of_a_file_is_followed(path: str, slack: SlackStandIn, waits: list[float]) -> None:
    with SlackStandIn() as elsewhere:
        slack.refusals[path] = Reply(307, "", {"Location": f"{elsewhere.address}{path}"})
        with pytest.raises(DeliveryError, match="HTTP 307, a redirect, which is not followed"):
            bot(slack, waits).attach(Listing("run-12.csv", "x"), "All images", Place(CHANNEL, CHANNEL, "1.0"))
        assert elsewhere.requests == []


# What never ends


@BOTH
@pytest.mark.parametrize("pause", [0, 0.01], ids=["at-once", "dripping"])
@pytest.mark.parametrize(
    ("head", "bits"),
    [
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="interim-answers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x", id="header"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", b"o", id="body"),
    ],
)
def test_an_answer_without_end_is_ended(
    kind: Callable[..., SlackChannel], head: bytes, bits: bytes, pause: float, slack: SlackStandIn
) -> None:
    with endless(bits, pause, head) as server:
        parts = {"webhook_url": f"{server.url}{WEBHOOK_PATH}"} if kind is webhook else {"base_url": f"{server.url}/"}
        error = failure(kind(slack, [], timeout=timedelta(seconds=0.1), accepts=Accepts.ANY_2XX, **parts))
    assert error.delivered == 0


@BOTH
def test_an_answer_is_bounded_in_size(kind: Callable[..., SlackChannel]) -> None:
    error = accepted_by(kind, Reply(200, "x" * (2**20 + 1)), Accepts.ANY_2XX)
    assert "the answer is larger than 1 MiB" in str(error)


def test_nothing_is_sent_by_the_library_itself(
    channel: SlackChannel, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("slack-sdk sends")

    monkeypatch.setattr("urllib.request.OpenerDirector.open", refuse)
    channel.send([message()])
    if not channel.webhook_url:
        place = Place(CHANNEL, slack.id_of(CHANNEL), slack.posted[0].ts)
        channel.attach(Listing("run-12.csv", "x"), "All images", place)
        assert len(slack.files) == 1


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
    assert bot(slack, waits).send([message()] * 3, accepted=lambda count, place, _: told.append((count, place))) == 3
    opened = Place(CHANNEL, slack.id_of(CHANNEL), slack.posted[0].ts)
    assert told == [(1, opened), (2, opened), (3, opened)]
    assert [posted.thread for posted in slack.posted] == [None, opened.thread, opened.thread]


def test_a_bot_goes_on_in_a_thread(slack: SlackStandIn, waits: list[float]) -> None:
    places: list[Place] = []
    bot(slack, waits).send([message()], accepted=lambda _, place, date: places.append(place))
    bot(slack, waits).send([message()] * 2, place=places[0])
    assert [posted.thread for posted in slack.posted] == [None, places[0].thread, places[0].thread]


def test_a_file_goes_into_the_thread(slack: SlackStandIn, waits: list[float]) -> None:
    places: list[Place] = []
    channel = bot(slack, waits)
    channel.send([message()], accepted=lambda _, place, date: places.append(place))
    channel.attach(Listing("run-12.csv", "image,name\r\nx,야간\r\n"), "All images", places[0])
    [file] = slack.files
    assert (file.name, file.title, file.content) == ("run-12.csv", "All images", "image,name\r\nx,야간\r\n")
    assert (file.channel, file.thread) == (slack.id_of(CHANNEL), slack.posted[0].ts)


def test_no_token_goes_to_the_address_of_an_upload(slack: SlackStandIn, waits: list[float]) -> None:
    places: list[Place] = []
    channel = bot(slack, waits)
    channel.send([message()], accepted=lambda _, place, date: places.append(place))
    channel.attach(Listing("run-12.csv", "x"), "All images", places[0])
    assert [said for path, said in zip(slack.paths, slack.authorizations, strict=True) if UPLOAD in path] == [None]


@pytest.mark.parametrize("kind", [webhook, bot])
def test_without_a_thread_there_is_no_place_for_a_file(
    kind: Callable[..., SlackChannel], slack: SlackStandIn, waits: list[float]
) -> None:
    with pytest.raises(DeliveryError, match="named no thread"):
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


@BOTH
def test_slacks_own_clock_is_told(kind: Callable[..., SlackChannel], slack: SlackStandIn, waits: list[float]) -> None:
    body = "ok" if kind is webhook else YES
    slack.script += [Reply(200, body, {"Date": "Mon, 23 Nov 2026 03:00:00 GMT"}), Reply(200, body, {"Date": "soon"})]
    told: list[datetime | None] = []
    kind(slack, waits).send([message()] * 2, accepted=lambda _count, _place, date: told.append(date))
    assert told == [datetime(2026, 11, 23, 3, tzinfo=UTC), None]


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
