"""Channels to a stand-in for Slack, messages to send there, and what people read of them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from janitor.errors import DeliveryError
from janitor.notify.slack.answers import Accepts
from janitor.notify.slack.channel import SlackChannel
from janitor.notify.slack.message import Message
from tests.slack_stand_in import CHANNEL, TOKEN, Reply, SlackStandIn, texts_of

Kind = Callable[..., SlackChannel]
YES = '{"ok": true, "channel": "C01", "ts": "1503435956.000247"}'


def message(text: str = "Run 12: nothing to delete.") -> Message:
    return Message(text, [{"type": "section", "text": {"type": "mrkdwn", "text": text}}])


def shown(*messages: Message) -> str:
    """All text of the blocks."""
    return "\n".join(text["text"] for message in messages for text in texts_of(message.blocks))


def webhook(slack: SlackStandIn, waits: list[float], **parts: Any) -> SlackChannel:
    return SlackChannel(**{"webhook_url": slack.webhook_url, "sleep": waits.append, **parts})


def bot(slack: SlackStandIn, waits: list[float], **parts: Any) -> SlackChannel:
    options = {"token": TOKEN, "channel": CHANNEL, "base_url": slack.base_url, "sleep": waits.append}
    return SlackChannel(**{**options, **parts})


BOTH = pytest.mark.parametrize("kind", [webhook, bot])


def failure(channel: SlackChannel, *messages: Message) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        channel.send(messages or [message()])
    return caught.value


def accepted_by(kind: Kind, reply: Reply, accepts: Accepts) -> DeliveryError | None:
    """Why a message was not accepted by that answer, of plain text unless it says otherwise; None where it was."""
    reply = replace(reply, headers={"Content-Type": "text/plain", **reply.headers})
    with SlackStandIn() as slack:
        slack.script += [reply] * 5
        try:
            kind(slack, [], accepts=accepts).send([message()])
        except DeliveryError as error:
            return error
        return None
