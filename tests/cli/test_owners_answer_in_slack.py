"""Owners keep their images by a click on the message that they alone got, through real processes."""

import signal
from collections.abc import Iterator

import pytest

from janitor.sandbox.slack.people import KIM
from janitor.store import Store
from tests.cli.test_owners_in_slack import BEFORE, Nights, nights_with
from tests.conftest import Desk
from tests.notify.owned import posted_to
from tests.notify.slack.listening.announced import until
from tests.slack_stand_in import APP_TOKEN, SlackStandIn


@pytest.fixture
def nights(desk: Desk, slack: SlackStandIn) -> Iterator[Nights]:
    with nights_with(desk, slack, f"app_token: {APP_TOKEN}") as world:
        yield world


def test_a_click_on_a_direct_message_keeps_the_image(nights: Nights) -> None:
    slack = nights.slack
    _, kim, _ = nights.images
    with nights.desk.started("serve", "--listen-only", before=BEFORE) as process:
        assert slack.sockets.wait_for(1)
        with Store.open(nights.desk.folder / "sandbox.db") as store:
            assert until(lambda: store.is_heard(nights.now()))
        nights.run()
        message = posted_to(slack, KIM)[0]
        click = slack.click(message, "Keep 30 days", by=KIM)
        assert click.wait()
        assert until(lambda: "kept by @kim until " in slack.latest(message).shown), slack.ephemeral
        process.send_signal(signal.SIGTERM)
        process.communicate(30)
    nights.to(2.1)
    decisions = {each["image"]: each["reason"] for each in nights.run()["decisions"]}
    assert decisions[nights.images[kim]] == "exempt"
