"""Nights of three owners through real processes: one is told in a channel, one directly, and one cannot be reached."""

import json
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from janitor.sandbox.options import Options
from janitor.sandbox.server import running
from janitor.sandbox.slack.people import KIM
from tests.cli.test_answers_in_slack import SHIFTED
from tests.conftest import WITHOUT_WAITING, Desk
from tests.notify.owned import WEB, everywhere
from tests.slack_stand_in import CHANNEL, TOKEN, SlackStandIn

BEFORE = f"{SHIFTED}\n{WITHOUT_WAITING}"
POLICY = """
policies:
  - name: owned
    match: {{name: {names}}}
    expire: {{after: 90d}}
    notice: 48h
    owner: {{name: "/^({either})$/"}}
"""
OWNERS = "owners: {{{0}: {{channel: '{web}'}}, {1}: {{user: {kim}}}, {2}: {{user: nobody@example.com}}}}\n"


@dataclass
class Nights:
    """A cloud whose images have owners, Slack, and the commands of one folder at a time that passes on demand."""

    desk: Desk
    slack: SlackStandIn
    days: float = 0
    images: dict[str, str] = field(default_factory=dict)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=self.days)

    def to(self, days: float) -> None:
        self.days = days
        self.desk.write("days", str(days))

    def janitor(self, *words: str) -> str:
        done = self.desk.janitor(*words, before=BEFORE)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self) -> dict[str, Any]:
        target: dict[str, Any] = json.loads(self.janitor("run", "--format", "json"))["targets"][0]
        return target

    def own_three(self) -> None:
        """Three images that have expired get an owner each, who is called as the image is."""
        found = json.loads(self.janitor("run", "--dry-run", "--no-post", "--format", "json"))["targets"][0]["decisions"]
        names = [each["name"] for each in found]
        plain = [each for each in found if re.fullmatch("[a-z0-9-]+", each["name"] or "")]
        chosen = [each for each in plain if each["verdict"] == "wait" and names.count(each["name"]) == 1][:3]
        self.images = {each["name"]: each["image"] for each in chosen}
        words = [*self.images]
        self.desk.write("policies/old.yaml", POLICY.format(names=json.dumps(words), either="|".join(words)))
        self.desk.amend(OWNERS.format(*words, web=WEB, kim=KIM.id))

    def listed(self) -> dict[str, set[str]]:
        """The places where each of the three is named, by its owner."""
        said = everywhere(self.slack)
        return {name: {place for place, text in said.items() if image in text} for name, image in self.images.items()}

    def announced(self) -> set[str]:
        with closing(sqlite3.connect(self.desk.folder / "sandbox.db")) as db:
            return {row[0] for row in db.execute("SELECT image FROM notices WHERE ended_at IS NULL")}


@contextmanager
def nights_with(desk: Desk, slack: SlackStandIn, *more: str) -> Iterator[Nights]:
    """Nights of a sandbox whose three owned images are reported to this Slack, with more keys of its configuration."""
    world = Nights(desk, slack)
    world.to(0)
    slack.clock = world.now
    slack.join(WEB)
    with running(Options(images=60), clock=world.now) as sandbox:
        told = ", ".join([f"token: {TOKEN}, channel: '{CHANNEL}', base_url: '{slack.base_url}'", *more])
        desk.write("janitor.yaml", f"{sandbox.configuration(mode='delete')}slack: {{{told}}}\n")
        desk.write("policies/old.yaml", POLICY.format(names='"*"', either="nobody"))
        world.own_three()
        yield world


@pytest.fixture
def nights(desk: Desk, slack: SlackStandIn) -> Iterator[Nights]:
    with nights_with(desk, slack) as world:
        yield world


def test_two_owners_are_told_and_one_is_told_of_until_all_is_deleted(nights: Nights) -> None:
    web, kim, nobody = nights.images
    target = nights.run()
    assert sorted(target["announced"]) == sorted(nights.images.values())
    owners = {each["image"]: each["owner"] for each in target["decisions"]}
    assert {name: owners[image] for name, image in nights.images.items()} == {name: name for name in nights.images}
    assert nights.listed() == {web: {WEB}, kim: {"@kim"}, nobody: {CHANNEL}}
    main = everywhere(nights.slack)[CHANNEL]
    assert f"`{nobody}`: 1 image: Slack did not accept the address: it said " in main
    assert f"`{WEB}`: 1 image" in main
    assert "1 direct message: 1 image" in main
    assert "announced" in nights.janitor("explain", nights.images[nobody])
    nights.to(1)
    assert nights.run()["announced"] == []
    nights.to(2.1)
    outcomes = {each["image"]: each["outcome"] for each in nights.run()["deletions"]}
    assert outcomes == dict.fromkeys(nights.images.values(), "deleted")
    assert nights.listed() == {web: {WEB}, kim: {"@kim"}, nobody: {CHANNEL}}


@pytest.mark.parametrize("request_number", range(1, 13))
def test_wherever_a_run_is_killed_each_image_is_announced_to_its_owner_first(
    nights: Nights, request_number: int
) -> None:
    web, kim, nobody = nights.images
    slack = nights.slack
    with nights.desk.started("run", before=BEFORE) as process:
        left = request_number

        def kill() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                process.kill()

        slack.before = kill
        process.communicate(timeout=60)
    slack.before = lambda: None
    was_killed = process.returncode == -signal.SIGKILL
    assert was_killed or left > 0
    assert nights.announced() == (set() if was_killed else set(nights.images.values()))
    before = len(slack.posted)
    target = nights.run()
    assert sorted(target["announced"]) == (sorted(nights.images.values()) if was_killed else [])
    assert nights.announced() == set(nights.images.values())
    assert nights.listed() == {web: {WEB}, kim: {"@kim"}, nobody: {CHANNEL}}
    assert len(slack.posted) > before or not was_killed
