"""A channel to a stand-in for Slack, by either way to post."""

import pytest

from janitor.notify.slack.channel import SlackChannel
from tests.notify.slack.channels import bot, webhook
from tests.slack_stand_in import SlackStandIn


@pytest.fixture
def waits() -> list[float]:
    """How long was slept, call by call, by a clock that does not."""
    return []


@pytest.fixture(params=["webhook", "bot"])
def channel(request: pytest.FixtureRequest, slack: SlackStandIn, waits: list[float]) -> SlackChannel:
    if request.param == "webhook":
        return webhook(slack, waits)
    return bot(slack, waits)
