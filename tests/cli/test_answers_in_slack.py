"""An image whose announcement is answered in Slack, through real processes: kept, said, announced anew, and deleted."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from janitor.sandbox.options import Options
from janitor.sandbox.server import running
from janitor.store import Store
from tests.conftest import Desk
from tests.notify.slack.listening.announced import until
from tests.slack_stand_in import APP_TOKEN, CHANNEL, TOKEN, Reply, SlackStandIn

DAY = timedelta(days=1)
SHIFTED = """
import pathlib, janitor.clock
from datetime import datetime, timedelta

class Shifted(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(days=float(pathlib.Path("days").read_text()))

janitor.clock.datetime = Shifted
"""
POLICY = """
policies:
  - name: old
    description: Rebuilt every night.
    match: {{name: "{name}"}}
    expire: {{after: 90d}}
    notice: 48h
"""


class Nights:
    """A cloud, Slack and the commands of one folder, at a time that passes on demand."""

    def __init__(self, desk: Desk, slack: SlackStandIn) -> None:
        self.desk, self.slack = desk, slack
        slack.clock = self.now
        self.to(0)

    @property
    def configuration(self) -> str:
        return (self.desk.folder / "janitor.yaml").read_text()

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=self.days)

    def to(self, days: float) -> None:
        self.days = days
        self.desk.write("days", str(days))

    def janitor(self, *words: str) -> str:
        done = self.desk.janitor(*words, before=SHIFTED)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def decision(self, image: str) -> dict[str, Any]:
        [target] = json.loads(self.janitor("run", "--format", "json"))["targets"]
        [decision] = [each for each in target["decisions"] if each["image"] == image]
        return {**decision, "deletions": target["deletions"]}

    def wait_for_a_listener(self) -> None:
        with Store.open(self.desk.folder / "sandbox.db") as store:
            assert until(lambda: store.is_heard(self.now()))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """`serve --listen-only`, until it is told to end, which it does at once."""
        with self.desk.started("serve", "--listen-only", before=SHIFTED) as process:
            self.wait_for_a_listener()
            yield
            process.send_signal(signal.SIGTERM)
            output, errors = process.communicate(10)
            assert process.returncode == 0, output + errors
            assert "Traceback" not in errors


@pytest.fixture
def nights(desk: Desk, slack: SlackStandIn) -> Iterator[Nights]:
    world = Nights(desk, slack)
    with running(Options(images=60), clock=world.now) as sandbox:
        told = f"token: {TOKEN}, channel: '{CHANNEL}', app_token: {APP_TOKEN}, base_url: '{slack.base_url}'"
        desk.write("janitor.yaml", f"{sandbox.configuration(mode='delete')}slack: {{{told}}}\n")
        desk.write("policies/old.yaml", POLICY.format(name="*"))
        yield world


def expired(nights: Nights) -> tuple[str, str]:
    """The id and name of an image that has expired; from now on the policy is for it alone."""
    found = nights.janitor("run", "--dry-run", "--no-post", "--format", "json")
    decisions = json.loads(found)["targets"][0]["decisions"]
    waits = [each for each in decisions if each["verdict"] == "wait"]
    names = [each["name"] for each in decisions]
    chosen = next(each for each in waits if names.count(each["name"]) == 1 and each["name"].isascii())
    nights.desk.write("policies/old.yaml", POLICY.format(name=chosen["name"]))
    return chosen["image"], chosen["name"]


def test_an_image_is_kept_by_a_click_until_that_lapses(nights: Nights) -> None:
    slack = nights.slack
    image, name = expired(nights)
    with nights.listening():
        assert nights.decision(image)["verdict"] == "wait"
        first = next(posted for posted in slack.posted if posted.thread is None)
        click = slack.click(first, "Keep 30 days")
        assert click.wait()
        assert click.in_time
        assert until(lambda: "kept by @lee until " in slack.latest(first).shown)
        nights.to(1)
        kept = nights.decision(image)
        assert (kept["verdict"], kept["reason"]) == ("keep", "exempt")
        assert "by @lee: kept for 30 days in Slack, on the message of run 2 in #cloud-images" in kept["detail"]
        assert "Spared, announced before and now kept" in slack.posted[-1].shown + slack.posted[-2].shown
        nights.to(3)
        assert nights.decision(image)["verdict"] == "keep"
        assert "@lee" in nights.janitor("keep", "--list")
        assert "in Slack, on the message of run 2 in #cloud-images" in " ".join(
            nights.janitor("explain", image).split()
        )
    nights.to(32)
    with nights.listening():
        before = len(slack.posted)
        assert nights.decision(image)["verdict"] == "wait", "announced anew"
        again = slack.posted[before]
        assert "Keep 30 days" in str(again.blocks)
        assert name in again.shown
        assert slack.click(first, "Keep 30 days").wait()
        assert until(lambda: "it was kept after this announcement until that expired" in str(slack.ephemeral))
        nights.to(33)
        assert nights.decision(image)["verdict"] == "wait"
        nights.to(34.1)
        [deletion] = nights.decision(image)["deletions"]
        assert (deletion["image"], deletion["outcome"]) == (image, "deleted")
        assert slack.click(again, "Keep 30 days").wait()
        assert until(lambda: "nothing to keep: deleted on " in str(slack.ephemeral))


SCHEDULED = ("serve", "--metrics-port", "0")


@pytest.mark.parametrize("words", [SCHEDULED, ("serve", "--listen-only")], ids=" ".join)
def test_serve_listens_until_it_is_told_to_end(nights: Nights, words: tuple[str, ...]) -> None:
    nights.desk.amend('schedule: "0 3 1 1 *"\n')
    with nights.desk.started(*words) as process:
        nights.wait_for_a_listener()
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(10)
    assert (process.returncode, output) == (0, ""), errors
    assert nights.slack.sockets.wait_for(0)
    assert "listening team=T0STANDIN01 app=A0STANDIN01" in errors
    assert "listening-ended" in errors


def test_serve_begins_without_slack_and_listens_once_it_is_there(nights: Nights) -> None:
    nights.slack.refusals["/api/auth.test"] = Reply(503)
    with nights.desk.started("serve", "--listen-only") as process:
        assert until(lambda: nights.slack.paths.count("/api/auth.test") > 1)
        nights.slack.refusals.clear()
        assert nights.slack.sockets.wait_for(1)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(10)
    assert process.returncode == 0, errors
    assert errors.count("not-listening: auth.test: the answer was HTTP 503") == 1, "it is not said at each try"


USAGE = {
    "a-dry-run-that-runs-nothing": (("--listen-only", "--dry-run"), "--dry-run does not go with it"),
    "no-app-token": (("--listen-only",), "listening needs `token` and `app_token` under `slack`"),
}


@pytest.mark.parametrize(("words", "why"), USAGE.values(), ids=USAGE)
def test_what_cannot_be_listened_to_is_wrong_usage(nights: Nights, words: tuple[str, ...], why: str) -> None:
    if "--dry-run" not in words:
        nights.desk.write("janitor.yaml", nights.configuration.replace(f"app_token: {APP_TOKEN}, ", ""))
    done = nights.desk.janitor("serve", *words)
    assert (done.returncode, why in done.stderr) == (2, True), done.stderr


DIES = """
import os
from janitor.notify.slack.listening.session import Session

Session._acknowledge = lambda *_: os._exit(9)
"""


def test_a_listener_that_dies_once_it_has_recorded_a_click_has_kept_the_image(nights: Nights) -> None:
    slack = nights.slack
    image, _ = expired(nights)
    with nights.desk.started("serve", "--listen-only", before=SHIFTED + DIES) as process:
        nights.wait_for_a_listener()
        nights.decision(image)
        first = next(posted for posted in slack.posted if posted.thread is None)
        click = slack.click(first, "Keep 30 days")
        assert process.wait(10) == 9
    assert (click.acknowledged, slack.latest(first).blocks) == ([], first.blocks)
    with nights.listening():
        assert until(lambda: "kept by @lee until " in slack.latest(first).shown), "by the one that came after it"
    nights.to(1)
    assert nights.decision(image)["reason"] == "exempt"
