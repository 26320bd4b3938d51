"""The summary of a night in Slack: one message that Slack takes, whatever the accounts are called."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from janitor.notify.nights import night_message, worth_posting
from janitor.report.fleet.night import AccountOutcome, NightReport
from janitor.sandbox.slack.blocks import fault

AT = datetime(2026, 6, 1, 3, tzinfo=UTC)


def night(*accounts: AccountOutcome) -> NightReport:
    ends = AT + timedelta(hours=6)
    return NightReport(AT.date(), AT, ends, ends, ends, accounts)


def test_the_longest_summary_is_one_message_that_slack_takes() -> None:
    evil = "<!channel> *\U0001f600`&" * 100
    failed = [AccountOutcome(f"{number}{evil}", 1, "failed", 3, exit_code=1, said=evil) for number in range(10_000)]
    missing = [AccountOutcome(f"{number}{evil}x", 1, "queued", said=evil) for number in range(10_000)]
    message = night_message(night(*failed, *missing), UTC)
    assert fault({"text": message.text, "blocks": message.blocks}) is None
    shown = json.dumps(message.blocks)
    assert len(shown) < 13_000
    assert "<!channel>" not in shown + message.text
    assert "and 9,994 more: `janitor fleet report 2026-06-01`" in shown


def test_the_summary_of_a_dry_run_says_what_a_live_run_would_delete() -> None:
    tried = AccountOutcome("a", 1, "done", exit_code=0, mode="dry-run", counts={"would_delete": 4, "deleted": 0})
    message = night_message(night(tried), UTC)
    assert "DRY RUN, 1 account, all well" in message.text
    assert "Would delete: 4 images" in json.dumps(message.blocks)


@pytest.mark.parametrize(
    ("account", "posts"),
    [
        (AccountOutcome("a", 1, "done", exit_code=0), {"always"}),
        (AccountOutcome("a", 1, "done", exit_code=0, counts={"deleted": 1}), {"always", "changes"}),
        (AccountOutcome("a", 1, "done", exit_code=0, counts={"would_delete": 1}), {"always", "changes"}),
        (AccountOutcome("a", 1, "done", exit_code=4), {"always", "changes", "problems"}),
        (AccountOutcome("a", 1, "queued"), {"always", "changes", "problems"}),
    ],
    ids=["nothing", "deleted", "a-dry-run", "a-limit", "missing"],
)
def test_a_night_is_told_of_as_post_says(account: AccountOutcome, posts: set[str]) -> None:
    assert {post for post in ("always", "changes", "problems") if worth_posting(night(account), post)} == posts
