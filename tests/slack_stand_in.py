"""A stand-in for Slack, which is the sandbox's own, as tests begin it.

with SlackStandIn() as slack:
    SlackChannel(webhook_url=slack.webhook_url).send(messages)
    assert len(slack.posted) == len(messages)
"""

from janitor.sandbox.slack.blocks import fault, texts_of
from janitor.sandbox.slack.files import UPLOAD
from janitor.sandbox.slack.replies import DROPPED, Reply, rate_limited
from janitor.sandbox.slack.server import SlackServer
from janitor.sandbox.slack.state import APP_TOKEN, CHANNEL, TOKEN, File, Posted
from janitor.sandbox.slack.workspace import COMPLETE, GET_URL, WEBHOOK_PATH, Workspace

__all__ = [
    "APP_TOKEN",
    "CHANNEL",
    "COMPLETE",
    "DROPPED",
    "GET_URL",
    "TOKEN",
    "UPLOAD",
    "WEBHOOK_PATH",
    "File",
    "Posted",
    "Reply",
    "SlackStandIn",
    "Workspace",
    "fault",
    "rate_limited",
    "texts_of",
]


class SlackStandIn(SlackServer):
    """It ends at once: tests begin and end many."""

    def __init__(self) -> None:
        super().__init__(poll_seconds=0.002)
