"""Fixtures for tests of listening."""

from pathlib import Path

import pytest

from tests.new_database import new_database
from tests.notify.slack.listening.announced import Desk
from tests.slack_stand_in import SlackStandIn


@pytest.fixture
def desk(tmp_path: Path, slack: SlackStandIn) -> Desk:
    new_database(tmp_path / "janitor.db")
    return Desk(slack, tmp_path)
