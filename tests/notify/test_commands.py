"""What `run`, `resend` and `check` do about reports, as a user sees it."""

import sqlite3
from contextlib import closing

import pytest

from tests.conftest import POLICY, Desk
from tests.notify.deliveries import TEAM, shown
from tests.slack_stand_in import CHANNEL, TOKEN, SlackStandIn


def test_resend_sends_what_waits_and_says_what_it_did(sandbox_desk: Desk) -> None:
    nothing = sandbox_desk.janitor("resend")
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", "no undelivered reports\n")
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}'}}\n")
        slack.refuse_after = 0
        assert sandbox_desk.janitor("run").returncode == 1
        failed = sandbox_desk.janitor("resend")
        assert failed.returncode == 1
        assert "report of run 1 of 20" in failed.stdout
        assert "still undelivered: Slack did not accept message 1 of " in failed.stdout
        assert slack.webhook_url not in failed.stdout + failed.stderr
        slack.refuse_after = None
        done = sandbox_desk.janitor("resend")
        assert (done.returncode, slack.posted[0].text[:25]) == (0, "late: report of run 1 of ")
        assert done.stdout.startswith("1. report of run 1 of ")
        assert done.stdout.endswith(": delivered\n")
        posted = len(slack.posted)
        assert (sandbox_desk.janitor("resend").returncode, len(slack.posted)) == (0, posted)


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_undelivered_report_is_the_last_thing_said(sandbox_desk: Desk, form: str) -> None:
    words = ("run", "--dry-run", "--format", form)
    last = "janitor: the report was not delivered to Slack (see above); it is kept, and the next run sends it: exit 1"
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: always}}\n")
        slack.refuse_after = 0
        failed = sandbox_desk.janitor(*words)
        assert (failed.returncode, failed.stderr.splitlines()[-1]) == (1, last)
        assert failed.stderr.count("delivered to Slack") == 1
        slack.refuse_after = None
        assert "janitor: " not in sandbox_desk.janitor(*words).stderr


def test_resend_starts_no_notice(sandbox_desk: Desk) -> None:
    def notices() -> int:
        with closing(sqlite3.connect(sandbox_desk.folder / "sandbox.db")) as db:
            return int(db.execute("SELECT count(*) FROM notices").fetchone()[0])

    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}'}}\n")
        sandbox_desk.write("policies/old.yaml", POLICY + "    notice: 2d\n")
        slack.refuse_after = 0
        assert sandbox_desk.janitor("run").returncode == 1
        slack.refuse_after = None
        assert sandbox_desk.janitor("resend").returncode == 0
        assert slack.posted
        assert notices() == 0
        assert "Not announced, as this report is late" in shown(slack.posted)
        assert sandbox_desk.janitor("run").returncode == 0
        assert notices() > 1


def test_the_next_run_sends_what_waits(sandbox_desk: Desk) -> None:
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: always}}\n")
        slack.refuse_after = 0
        assert sandbox_desk.janitor("run").returncode == 1
        slack.refuse_after = None
        assert sandbox_desk.janitor("run").returncode == 0
        late = [posted.text.startswith("late: report of run 1 ") for posted in slack.posted]
        assert late == sorted(late, reverse=True)
        assert (late[0], late[-1]) == (True, False)


def test_a_channel_beside_a_webhook_is_a_wrong_policy(sandbox_desk: Desk) -> None:
    sandbox_desk.amend("slack: {webhook_url: 'http://127.0.0.1:1/x'}\n")
    sandbox_desk.write("policies/web.yaml", "policies:\n  - name: web\n    match: {name: web}\n    channel: '#web'\n")
    for words in (("check",), ("run", "--dry-run"), ("resend",)):
        done = sandbox_desk.janitor(*words)
        assert done.returncode == 2
        assert "policies/web.yaml:4: web: channel: a webhook posts to one channel only" in done.stderr


def test_a_channel_without_slack_is_a_wrong_policy(sandbox_desk: Desk) -> None:
    sandbox_desk.write("policies/web.yaml", "policies:\n  - name: web\n    match: {name: web}\n    channel: '#web'\n")
    for words in (("check",), ("run", "--dry-run"), ("resend",)):
        done = sandbox_desk.janitor(*words)
        assert done.returncode == 2
        assert "policies/web.yaml:4: web: channel: requires `slack` with a token, which posts there" in done.stderr


def test_check_live_tries_every_channel(sandbox_desk: Desk) -> None:
    sandbox_desk.write(
        "policies/web.yaml", f"policies:\n  - name: web\n    match: {{name: web}}\n    channel: '{TEAM}'\n"
    )
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{token: {TOKEN}, channel: '{CHANNEL}', base_url: '{slack.base_url}'}}\n")
        done = sandbox_desk.janitor("check", "--live")
        assert done.returncode == 1
        assert "slack #team-web" in done.stdout
        slack.join(TEAM)
        assert sandbox_desk.janitor("check", "--live").returncode == 0
        assert {posted.channel for posted in slack.posted} == {CHANNEL, TEAM}
