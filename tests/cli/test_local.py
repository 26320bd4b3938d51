"""Who is told of a run: everybody as configured, no channel with --no-post, nobody with --local."""

import pytest

from tests.conftest import Desk
from tests.loopback import Answered, Loopback
from tests.slack_stand_in import SlackStandIn


@pytest.mark.parametrize(
    ("options", "posts", "pings"), [((), True, True), (("--no-post",), False, True), (("--local",), False, False)]
)
def test_a_run_tells_whom_its_options_say(
    sandbox_desk: Desk, options: tuple[str, ...], posts: bool, pings: bool
) -> None:
    with SlackStandIn() as slack, Loopback(lambda _asked: Answered()) as healthchecks:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: always}}\n")
        sandbox_desk.amend(f"heartbeat_url: {healthchecks.url}/ping\nmetrics_file: janitor.prom\n")
        done = sandbox_desk.janitor("run", "--dry-run", *options)
        assert done.returncode == 0, done.stderr
        pinged = healthchecks.paths()
    assert bool(slack.posted) is posts
    assert bool(pinged) is pings
    assert (sandbox_desk.folder / "janitor.prom").exists() is pings
    assert done.stdout.startswith("DRY RUN: a live run would delete ")


def test_a_report_says_who_began_the_run(sandbox_desk: Desk) -> None:
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: always}}\n")
        done = sandbox_desk.janitor("run", "--dry-run")
    assert ", begun by " in " ".join(done.stdout.split())
    assert slack.posted[0].text == done.stdout.split("\nImage Janitor run 1")[0].replace("\n", " ")
    [second] = [line for line in slack.posted[0].shown.splitlines() if line.startswith("Image Janitor run 1, ")]
    assert ", begun by " in second
    assert sandbox_desk.janitor("show", "1").stdout == done.stdout
