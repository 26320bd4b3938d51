"""How many reports are undelivered, and since when: said wherever a person looks, and never 0 where it is not known."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from janitor.config import Settings
from janitor.core.memory import Backlog
from janitor.notify.delivery import deliver
from janitor.report.text import text_report
from janitor.report.wording import undelivered_reports
from janitor.store import NewReport, Store
from tests.conftest import Desk
from tests.factories import NOW, make_run
from tests.notify.deliveries import GONE, deleting, run_of
from tests.report.terminal import printed, unfolded
from tests.slack_stand_in import SlackStandIn

SEOUL = ZoneInfo("Asia/Seoul")
UNKNOWN = "Whether reports are undelivered is not known, as the database could not be read."


def backlog_in(settings: Settings) -> Backlog:
    with Store.open(settings.database) as store:
        return store.backlog()


# Counted


def test_reports_count_from_when_the_run_of_the_oldest_began(settings: Settings, slack: SlackStandIn) -> None:
    for day in (0, 1):
        slack.script += [GONE] * (day + 1)
        deliver(settings, run_of(settings, deleting(1), at=NOW + timedelta(days=day)))
    assert backlog_in(settings) == Backlog(2, NOW)
    deliver(settings, run_of(settings, at=NOW + timedelta(days=2)))
    assert backlog_in(settings) == Backlog()


def test_the_report_of_a_run_that_died_before_it_was_kept_counts(settings: Settings) -> None:
    run_of(settings, owes_report=True)
    assert backlog_in(settings) == Backlog(1, NOW)
    with Store.open(settings.database) as store:
        assert [run.undelivered for run in store.runs()] == [1]


def test_a_run_in_progress_owes_nothing_yet(store: Store) -> None:
    store.begin_run(make_run().mode, NOW, owes_report=True)
    assert (store.backlog(), store.runs()[0].undelivered) == (Backlog(), 0)


def test_a_run_that_could_not_begin_counts_from_when_its_report_was_made(store: Store) -> None:
    store.add_reports(None, [NewReport("slack", "[]")] * 2, NOW)
    assert store.backlog() == Backlog(2, NOW)


# Said


@pytest.mark.parametrize(
    ("backlog", "said"),
    [
        (Backlog(), ""),
        (
            Backlog(1, NOW),
            "1 report undelivered since 2026-11-23 12:00 KST: the next run tries again, or `janitor resend` does.",
        ),
        (
            Backlog(2, NOW),
            "2 reports undelivered since 2026-11-23 12:00 KST: the next run tries again, or `janitor resend` does.",
        ),
        (None, UNKNOWN),
    ],
    ids=["none", "one", "two", "not-known"],
)
def test_the_last_line_of_a_report_says_it(backlog: Backlog | None, said: str) -> None:
    assert undelivered_reports(backlog, SEOUL) == said
    shown = unfolded(printed(text_report(make_run(), None, zone=SEOUL, backlog=backlog)))
    assert shown.partition("Outcome: ")[2].partition("failed")[2] == (f". {said}" if said else "")


def test_every_command_that_a_person_looks_at_says_it(sandbox_desk: Desk) -> None:
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: always}}\n")
        config = (sandbox_desk.folder / "janitor.yaml").read_text()
        sandbox_desk.write("janitor.yaml", config.replace("UTC", "Asia/Seoul"))
        slack.refuse_after = 0
        first = sandbox_desk.janitor("run", "--dry-run")
        assert first.returncode == 1, first.stderr
        for words, count in ((("run", "--dry-run"), 2), (("show", "1"), 2), (("runs",), 2), (("check",), 2)):
            said = unfolded(sandbox_desk.janitor(*words).stdout)
            assert f"{count} reports undelivered since 20" in said, words
            assert "KST: the next run tries again, or `janitor resend` does." in said
        rows = sandbox_desk.janitor("runs").stdout.splitlines()
        assert [row.split()[0] for row in rows[2:4]] == ["2*", "1*"]
        assert max(map(len, rows)) <= 80
        slack.refuse_after = None
        assert sandbox_desk.janitor("resend").returncode == 0
        for words in (("run", "--dry-run"), ("show", "1"), ("runs",), ("check",)):
            said = sandbox_desk.janitor(*words).stdout
            assert "undelivered" not in said, words
        assert "*" not in sandbox_desk.janitor("runs").stdout


def test_a_count_that_cannot_be_read_is_not_0(sandbox_desk: Desk) -> None:
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}', post: always}}\n")
        (sandbox_desk.folder / "sandbox.db").write_bytes(b"no database" * 1000)
        done = sandbox_desk.janitor("run", "--dry-run")
    assert done.returncode == 1
    assert unfolded(done.stdout).endswith(f"Outcome: failed – the run or a target failed. {UNKNOWN}")
