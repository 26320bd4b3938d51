"""Failed requests to Slack are retried within bounds, nothing is sent elsewhere, and no secret is shown."""

import logging
from datetime import timedelta

import pytest

from janitor.errors import DeliveryError
from janitor.notify.slack.answers import Accepts
from janitor.notify.slack.channel import Place, SlackChannel
from janitor.report import Listing
from tests.notify.slack.channels import BOTH, YES, Kind, accepted_by, bot, failure, message, webhook
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
    rate_limited,
)

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


# Redirects


@BOTH
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(kind: Kind, status: int) -> None:
    with SlackStandIn() as slack, SlackStandIn() as elsewhere:
        target = f"{elsewhere.address}{WEBHOOK_PATH if kind is webhook else '/api/chat.postMessage'}"
        slack.script += [Reply(status, "ok", {"Location": target})] * 5
        error = failure(kind(slack, [], accepts=Accepts.ANY_2XX))
        assert f"HTTP {status}, a redirect, which is not followed: configure the URL it leads to" in str(error)
        assert not error.refused
        assert (len(slack.requests), elsewhere.requests) == (1, [])


@pytest.mark.parametrize("path", [GET_URL, f"{UPLOAD}F00000", COMPLETE])
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
    kind: Kind, head: bytes, bits: bytes, pause: float, slack: SlackStandIn
) -> None:
    with endless(bits, pause, head) as server:
        parts = {"webhook_url": f"{server.url}{WEBHOOK_PATH}"} if kind is webhook else {"base_url": f"{server.url}/"}
        error = failure(kind(slack, [], timeout=timedelta(seconds=0.1), accepts=Accepts.ANY_2XX, **parts))
    assert error.delivered == 0


@BOTH
def test_an_answer_is_bounded_in_size(kind: Kind) -> None:
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
