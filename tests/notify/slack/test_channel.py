"""Sending to Slack: messages, threads and files arrive as intended, and what was accepted is reported truly."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from janitor.errors import DeliveryError
from janitor.notify.slack.channel import Place, SlackChannel
from janitor.report import Listing
from tests.notify.slack.channels import BOTH, YES, Kind, bot, failure, message, webhook
from tests.slack_stand_in import CHANNEL, TOKEN, UPLOAD, Reply, SlackStandIn

# Messages


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


def test_each_message_waits_for_its_turn_in_its_channel(slack: SlackStandIn, waits: list[float]) -> None:
    turns: list[tuple[str, int]] = []
    bot(slack, waits, turn=lambda channel: turns.append((channel, len(slack.posted)))).send([message()] * 3)
    assert turns == [(CHANNEL, 0), (CHANNEL, 1), (CHANNEL, 2)]


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


# Threads and files


def test_a_bot_opens_a_thread_with_the_first_message(slack: SlackStandIn, waits: list[float]) -> None:
    told: list[tuple[int, Place]] = []
    assert bot(slack, waits).send([message()] * 3, accepted=lambda count, place, _: told.append((count, place))) == 3
    opened = Place(CHANNEL, slack.id_of(CHANNEL), slack.posted[0].ts)
    stamps = [posted.ts for posted in slack.posted]
    assert told == [(count, replace(opened, latest=stamp)) for count, stamp in enumerate(stamps, start=1)]
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


@BOTH
def test_without_a_thread_there_is_no_place_for_a_file(kind: Kind, slack: SlackStandIn, waits: list[float]) -> None:
    with pytest.raises(DeliveryError, match="named no thread"):
        kind(slack, waits).attach(Listing("run-12.csv", "x"), "All images", Place(CHANNEL, CHANNEL, None))


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
def test_slacks_own_clock_is_told(kind: Kind, slack: SlackStandIn, waits: list[float]) -> None:
    body = "ok" if kind is webhook else YES
    slack.script += [Reply(200, body, {"Date": "Mon, 23 Nov 2026 03:00:00 GMT"}), Reply(200, body, {"Date": "soon"})]
    told: list[datetime | None] = []
    kind(slack, waits).send([message()] * 2, accepted=lambda _count, _place, date: told.append(date))
    assert told == [datetime(2026, 11, 23, 3, tzinfo=UTC), None]
