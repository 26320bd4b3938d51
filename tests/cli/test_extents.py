"""Reports of which only the summary, or the last line, is printed; what channels get is whole."""

import json
import re

import pytest

from tests.conftest import Desk
from tests.slack_stand_in import CHANNEL, TOKEN, SlackStandIn

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")


@pytest.mark.parametrize("command", [("run", "--dry-run"), ("show", "1"), ("apply", "1", "--dry-run")], ids=" ".join)
def test_a_summary_has_no_images_and_the_last_line_is_one(sandbox_desk: Desk, command: tuple[str, ...]) -> None:
    sandbox_desk.janitor("run", "--dry-run", "--no-post")
    whole = sandbox_desk.janitor(*command).stdout
    assert UUID.search(whole)
    summary = sandbox_desk.janitor(*command, "--summary").stdout
    assert not UUID.search(summary)
    assert "Kept, by reason" in summary
    assert summary.splitlines()[0] == whole.splitlines()[0]
    assert summary.splitlines()[-1] == whole.splitlines()[-1]
    last = sandbox_desk.janitor(*command, "-q")
    assert (last.returncode, last.stdout.count("\n")) == (0, 1)
    assert last.stdout.startswith("Outcome: ok – ")


@pytest.mark.parametrize("words", [("-q", "--summary"), ("-q", "--format", "json"), ("--summary", "--format", "json")])
def test_what_cannot_be_printed_together_is_wrong_usage(sandbox_desk: Desk, words: tuple[str, ...]) -> None:
    done = sandbox_desk.janitor("run", "--dry-run", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert not (sandbox_desk.folder / "sandbox.db").exists(), "nothing was done"


def test_channels_get_the_whole_report(sandbox_desk: Desk, slack: SlackStandIn) -> None:
    sandbox_desk.amend(f"slack: {{token: {TOKEN}, channel: '{CHANNEL}', base_url: '{slack.base_url}', post: always}}\n")
    assert sandbox_desk.janitor("run", "--dry-run", "-q").returncode == 0
    assert UUID.search(json.dumps([posted.blocks for posted in slack.posted]))


def test_one_line_is_not_folded_however_narrow_the_terminal_is(sandbox_desk: Desk) -> None:
    sandbox_desk.environment["COLUMNS"] = "40"
    sandbox_desk.janitor("run", "--dry-run")
    assert sandbox_desk.janitor("show", "latest", "-q").stdout.count("\n") == 1
