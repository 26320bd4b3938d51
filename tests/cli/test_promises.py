"""The command keeps its promises about time: a reminder before deletion, and a new announcement after a silence."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from janitor.core.units import iso
from janitor.sandbox.server import Sandbox
from tests.cli.test_cli_trust import deletes, turn_back
from tests.conftest import POLICY, Desk
from tests.factories import DAY
from tests.run.nights import MINUTE
from tests.slack_stand_in import CHANNEL, TOKEN, SlackStandIn


@pytest.fixture
def noticing(sandbox_desk: Desk, slack: SlackStandIn) -> Desk:
    """A desk whose policy announces long before it deletes."""
    sandbox_desk.amend(f"slack: {{token: {TOKEN}, channel: '{CHANNEL}', base_url: '{slack.base_url}'}}\n")
    sandbox_desk.write("policies/old.yaml", POLICY + "    notice: 5d\n")
    return sandbox_desk


def explained(desk: Desk, image_id: str) -> str:
    return " ".join(desk.janitor("explain", image_id).stdout.split())


def test_the_command_reminds_before_it_deletes(noticing: Desk, sandbox: Sandbox, slack: SlackStandIn) -> None:
    waiting = noticing.target("run")["announced"]
    turn_back(noticing, 5 * DAY + MINUTE)
    slack.refuse_after = 0
    refused = noticing.janitor("run")
    assert (refused.returncode, deletes(sandbox)) == (1, 0)
    assert "Reminder not delivered, due a day after its delivery: " in refused.stdout
    assert noticing.janitor("show", "2").stdout == refused.stdout
    assert "due no date until a reminder of it is accepted; announced 20" in explained(noticing, str(waiting[0]))
    slack.refuse_after = None
    accepted = noticing.janitor("run")
    assert (accepted.returncode, deletes(sandbox)) == (0, 0)
    assert f"Late reminder, due a day after it: {len(waiting)} image" in accepted.stdout
    said = "\n".join(message.shown for message in slack.posted)
    assert all(str(one) in said.partition("Late reminder, due a day after it")[2] for one in waiting)
    assert "due for deletion no earlier than" in explained(noticing, str(waiting[0]))
    assert noticing.target("run")["reminded"] == []
    turn_back(noticing, DAY - MINUTE)
    assert (noticing.target("run")["deletions"], deletes(sandbox)) == ([], 0)
    turn_back(noticing, 2 * MINUTE)
    assert sorted(d["image"] for d in noticing.target("run")["deletions"]) == sorted(map(str, waiting))


def long_ago(desk: Desk, by: timedelta) -> None:
    """Make everything that was done look as if it had been done so much earlier."""
    columns = {
        "runs": ("started_at", "finished_at"),
        "reports": ("created_at", "delivered_at"),
        "notices": ("announced_at", "due", "reminded_at"),
    }
    with closing(sqlite3.connect(desk.folder / "sandbox.db")) as db, db:
        for table, names in columns.items():
            for name in names:
                for row, at in db.execute(f"SELECT rowid, {name} FROM {table} WHERE {name} IS NOT NULL").fetchall():
                    moved = iso(datetime.fromisoformat(at) - by)
                    db.execute(f"UPDATE {table} SET {name} = ? WHERE rowid = ?", (moved, row))


@pytest.mark.parametrize("words", [(), ("--no-post",), ("--dry-run",)], ids=["posted", "not-posted", "dry"])
def test_the_command_announces_again_after_a_silence(noticing: Desk, sandbox: Sandbox, words: tuple[str, ...]) -> None:
    noticing.write("policies/old.yaml", POLICY + "    notice: 2d\n")
    waiting = noticing.target("run")["announced"]
    long_ago(noticing, 1.5 * DAY)
    noticing.janitor("run", *words)
    long_ago(noticing, DAY)
    last = noticing.target("run")
    if not words:
        assert (last["announced"], deletes(sandbox)) == ([], len(waiting))
        return
    assert (sorted(map(str, last["announced"])), deletes(sandbox)) == (sorted(map(str, waiting)), 0)
    assert {"silence since" in d["detail"] for d in last["decisions"] if d["reason"] == "notice"} == {True}
