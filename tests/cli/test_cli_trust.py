"""Trust as a user sees it: real processes, a loopback cloud and a loopback Slack."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from janitor.sandbox.server import Sandbox
from tests.conftest import POLICY, Desk
from tests.slack_stand_in import SlackStandIn


@pytest.fixture
def noticing(sandbox_desk: Desk, slack: SlackStandIn) -> Desk:
    """A desk whose policy announces before it deletes."""
    sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}'}}\n")
    sandbox_desk.write("policies/old.yaml", POLICY + "    notice: 2d\n")
    return sandbox_desk


def deletes(sandbox: Sandbox) -> int:
    return sum(request.method == "DELETE" for request in sandbox.requests)


def turn_back(desk: Desk, by: timedelta) -> None:
    """Make every notice look announced earlier, as if time had passed."""
    with closing(sqlite3.connect(desk.folder / "sandbox.db")) as db, db:
        for row, due in db.execute("SELECT notice, due FROM notices").fetchall():
            earlier = datetime.fromisoformat(due) - by
            db.execute("UPDATE notices SET due = ? WHERE notice = ?", (earlier.isoformat().replace("+00:00", "Z"), row))


def test_announced_in_slack_then_deleted_when_due(noticing: Desk, sandbox: Sandbox, slack: SlackStandIn) -> None:
    first = noticing.target("run")
    announced = first["announced"]
    assert announced
    assert deletes(sandbox) == 0
    said = "\n".join(message.shown for message in slack.posted)
    assert all(str(image) in said for image in announced)
    assert "janitor keep" in said

    second = noticing.target("run")
    assert (second["announced"], deletes(sandbox)) == ([], 0)
    assert {d["verdict"] for d in second["decisions"] if d["reason"] == "notice"} == {"wait"}

    turn_back(noticing, timedelta(days=2, seconds=1))
    third = noticing.target("run")
    assert sorted(d["image"] for d in third["deletions"]) == sorted(map(str, announced))


def test_without_slack_nothing_is_announced_and_nothing_deleted(
    noticing: Desk, sandbox: Sandbox, slack: SlackStandIn
) -> None:
    config = (noticing.folder / "janitor.yaml").read_text()
    noticing.write("janitor.yaml", config.replace(slack.webhook_url, slack.webhook_url + "-gone"))
    done = noticing.janitor("run")
    assert done.returncode == 1
    with closing(sqlite3.connect(noticing.folder / "sandbox.db")) as db:
        assert db.execute("SELECT count(*) FROM notices").fetchone() == (0,)
    assert deletes(sandbox) == 0


def test_a_dry_run_starts_no_notice(noticing: Desk) -> None:
    assert noticing.target("run", "--dry-run")["announced"]
    with closing(sqlite3.connect(noticing.folder / "sandbox.db")) as db:
        assert db.execute("SELECT count(*) FROM notices").fetchone() == (0,)


def test_a_notice_needs_a_channel(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.write("policies/old.yaml", POLICY + "    notice: 2d\n")
    done = sandbox_desk.janitor("run")
    assert (done.returncode, sandbox.requests) == (2, ())
    assert "policies/old.yaml:5: old: notice: " in done.stderr


def test_a_cleanup_over_the_limit_goes_through_review_and_apply(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    config = (sandbox_desk.folder / "janitor.yaml").read_text()
    sandbox_desk.write("janitor.yaml", config.replace("max_deletions: 1000", "max_deletions: 1"))
    refused = sandbox_desk.janitor("run")
    assert (refused.returncode, deletes(sandbox)) == (4, 0)
    assert "janitor apply 1" in " ".join(refused.stdout.split())
    planned = sandbox_desk.janitor("apply", "1", "--dry-run")
    assert (planned.returncode, deletes(sandbox)) == (0, 0)
    done = sandbox_desk.target("apply", "1")
    assert {d["outcome"] for d in done["deletions"]} == {"deleted"}
    assert len(done["deletions"]) == deletes(sandbox) > 1


@pytest.mark.parametrize(
    ("number", "words"), [("99", "there is no run 99"), ("2", "planned no deletion"), ("1", "policy old has changed")]
)
def test_a_plan_that_cannot_be_applied(sandbox_desk: Desk, sandbox: Sandbox, number: str, words: str) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    sandbox_desk.write("policies/old.yaml", POLICY.replace("90d", "900d"))
    sandbox_desk.janitor("run", "--dry-run")
    done = sandbox_desk.janitor("apply", number)
    assert (done.returncode, deletes(sandbox)) == (2, 0)
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_plan_of_a_target_that_is_no_longer_configured(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    config = (sandbox_desk.folder / "janitor.yaml").read_text()
    sandbox_desk.write("janitor.yaml", config.replace('name: "sandbox"', "name: other"))
    surveyed = len(sandbox.requests)
    done = sandbox_desk.janitor("apply", "1")
    assert (done.returncode, done.stdout, len(sandbox.requests)) == (2, "", surveyed)
    assert done.stderr == "janitor: no target named sandbox; there is other\n"


def test_a_plan_is_applied_whatever_the_mode_says(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    config = (sandbox_desk.folder / "janitor.yaml").read_text()
    sandbox_desk.write("janitor.yaml", config.replace('mode: "delete"', "mode: dry-run"))
    sandbox_desk.janitor("run")
    assert (sandbox_desk.janitor("apply", "1", "--dry-run").returncode, deletes(sandbox)) == (0, 0)
    assert sandbox_desk.janitor("apply", "1", "--yes").returncode == 0
    assert deletes(sandbox) > 0


def test_a_shrunken_survey_wants_a_look(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    with sandbox.account.lock:
        for instance in list(sandbox.account.instances):
            sandbox.account.remove_instance(instance)
    done = sandbox_desk.janitor("run")
    assert (done.returncode, deletes(sandbox)) == (4, 0)
    assert "instances fell" in " ".join(done.stdout.split())
    assert sandbox_desk.janitor("run", "--accept-survey").returncode == 0
