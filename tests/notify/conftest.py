"""Settings that send to a stand-in for Slack, where a team has a channel of its own; nothing that they send waits."""

from pathlib import Path

import pytest

from janitor.config import Settings
from janitor.shutdown import Stop
from tests.notify.deliveries import TEAM, Configure, settings_of
from tests.slack_stand_in import CHANNEL, TOKEN, SlackStandIn


@pytest.fixture
def slack(slack: SlackStandIn) -> SlackStandIn:
    slack.join(TEAM)
    return slack


@pytest.fixture
def nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stop, "wait", lambda _self, _seconds: False)


@pytest.fixture
def configure(tmp_path: Path, slack: SlackStandIn, nothing_waits: None) -> Configure:
    """The settings for a kind of Slack."""
    kinds = {
        "webhook": f"webhook_url: '{slack.webhook_url}'",
        "bot": f"token: {TOKEN}, channel: '{CHANNEL}', base_url: '{slack.base_url}'",
        "elsewhere": f"token: {TOKEN}, channel: '{TEAM}', base_url: '{slack.base_url}'",
    }

    def configure(kind: str = "bot", post: str = "always") -> Settings:
        told = f"slack: {{{kinds[kind]}, post: {post}}}\n" if kind in kinds else ""
        return settings_of(tmp_path, f"timezone: Asia/Seoul\n{told}")

    return configure


@pytest.fixture(params=["webhook", "bot"])
def settings(request: pytest.FixtureRequest, configure: Configure) -> Settings:
    return configure(request.param)
