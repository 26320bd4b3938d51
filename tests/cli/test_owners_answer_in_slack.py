"""Owners keep their images by a click on the message that they alone got, through real processes."""

import signal
from collections.abc import Iterator

import pytest

from janitor.sandbox.options import Options
from janitor.sandbox.server import running
from janitor.sandbox.slack.people import KIM
from janitor.store import Store
from tests.cli.test_owners_in_slack import BEFORE, POLICY, Nights
from tests.conftest import Desk
from tests.notify.owned import WEB, posted_to
from tests.notify.slack.listening.announced import until
from tests.slack_stand_in import APP_TOKEN, CHANNEL, TOKEN, SlackStandIn


@pytest.fixture
def nights(desk: Desk, slack: SlackStandIn) -> Iterator[Nights]:
    world = Nights(desk, slack)
    world.to(0)
    slack.clock = world.now
    slack.join(WEB)
    with running(Options(images=60), clock=world.now) as sandbox:
        told = f"token: {TOKEN}, channel: '{CHANNEL}', app_token: {APP_TOKEN}, base_url: '{slack.base_url}'"
        desk.write("janitor.yaml", f"{sandbox.configuration(mode='delete')}slack: {{{told}}}\n")
        desk.write("policies/old.yaml", POLICY.format(names='"*"', either="nobody"))
        world.own_three()
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
