"""The report of a night of the fleet: who needs a person, who is missing and why, and what to do."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from janitor.report.fleet.night import AccountOutcome, NightReport, Standing, headline, to_do, totals, why
from janitor.report.fleet.night_rows import night_csv, night_json
from janitor.report.fleet.night_text import night_markdown, night_page
from janitor.report.rehearsals.markdown import MOST_CHARACTERS

AT = datetime(2026, 6, 1, 3, tzinfo=UTC)
ENDS = AT + timedelta(hours=6)
NOTHING = {"images": 5, "deleted": 0, "announced": 0, "waiting": 0}
WELL = AccountOutcome(
    "lab",
    *(1, "done", 1, "w", AT, AT, 0, "delete"),
    counts={"images": 10, "deleted": 2, "announced": 0, "waiting": 1},
    bytes=2**31,
    money=Decimal("1.5"),
    currency="USD",
)
LIMIT = AccountOutcome("shop", 2, "done", 1, "w", AT, AT, 4, "delete", NOTHING, bytes=0, said="12 of 5 are too many")
TRIED = AccountOutcome(
    "dry",
    *(8, "done", 1, "w", AT, AT, 0, "dry-run"),
    counts={**NOTHING, "would_delete": 4, "would_announce": 3},
    bytes=0,
    would_bytes=2**30,
    would_money=Decimal("0.5"),
    currency="USD",
)
FAILED = AccountOutcome("web", 3, "failed", 3, "w", AT, AT, 1, said="the API said no")
REFUSED = AccountOutcome("x y", 4, "failed", said="its database is missing here")
QUEUED = AccountOutcome("late", 5, "queued")
HELD = AccountOutcome("held", 6, "queued", 1, said="this worker has another configuration")
RUNNING = AccountOutcome("slow", 7, "running", 2, "host-1", AT)
ALL = (WELL, LIMIT, FAILED, REFUSED, QUEUED, HELD, RUNNING)


def night(*accounts: AccountOutcome, at: datetime = ENDS, summed_up_at: datetime | None = None) -> NightReport:
    return NightReport(AT.date(), AT, ENDS, summed_up_at, at, accounts)


def text_of(report: NightReport) -> str:
    return "".join(night_page(report, UTC).plain(80))


def in_one(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("at", "summed_up_at", "open_is"),
    [
        pytest.param(ENDS - timedelta(seconds=1), None, Standing.PENDING, id="before-the-deadline"),
        pytest.param(ENDS, None, Standing.MISSING, id="at-the-deadline"),
        pytest.param(AT, AT, Standing.MISSING, id="summed-up-before"),
    ],
)
def test_who_has_not_ended_is_missing_once_the_night_is_over(
    at: datetime, summed_up_at: datetime | None, open_is: Standing
) -> None:
    found = night(*ALL, at=at, summed_up_at=summed_up_at).by_standing
    assert [each.account for each in found[Standing.WELL]] == ["lab"]
    assert [each.account for each in found[Standing.NEEDS]] == ["shop", "web", "x y"]
    assert [each.account for each in found[open_is]] == ["late", "held", "slow"]


def test_a_night_needs_a_person_where_an_account_is_not_well_or_missing() -> None:
    assert not night(WELL).needs_a_person
    assert not night(WELL, QUEUED, at=AT).needs_a_person
    assert night(WELL, QUEUED).needs_a_person
    for account in (LIMIT, FAILED, REFUSED):
        assert night(account).needs_a_person
    assert night(AccountOutcome("a", 1, "done", 1, exit_code=0, said="its report was not posted")).needs_a_person


def test_the_headline_counts_each_account_once() -> None:
    assert headline(night()) == "no account was queued"
    assert headline(night(WELL)) == "1 account, all well"
    assert headline(night(*ALL)) == "7 accounts: 1 well, 3 need a person, 3 missing"
    assert headline(night(*ALL, at=AT)) == "7 accounts: 1 well, 3 need a person, 3 still to end"


def test_totals_say_where_they_do_not_know_all() -> None:
    assert dict(totals(night(WELL, LIMIT))) == {
        "Images": "15 seen",
        "Deleted": "2 images, 2.0 GiB, 1.50 USD a month",
        "Announced": "0 images",
        "Waiting": "1 image",
    }
    unknown = AccountOutcome("u", 1, "done", 1, exit_code=0, counts={"deleted": 1, "unconfirmed": 2, "not_deleted": 1})
    figures = dict(totals(night(WELL, unknown)))
    assert figures["Deleted"] == "3 images, at least 2.0 GiB, 1.50 USD a month"
    assert figures["Unconfirmed"] == "2 images, whose deletion was requested and is not confirmed yet"
    assert figures["Not deleted"] == "1 image, whose deletion was rejected or failed"
    assert figures["Images"] == "10 seen; not known of 1 account"


def test_what_is_known_of_no_account_is_not_zero() -> None:
    nothing = night(FAILED, REFUSED)
    assert set(dict(totals(nothing)).values()) == {"not known"}
    assert "0 images" not in text_of(nothing) + night_markdown(nothing, UTC)
    told = json.loads("".join(night_json(nothing)))
    assert (told["totals"]["images"], told["totals"]["deleted"], told["bytes"]) == (None, None, None)
    assert told["unknown"]["deleted"] == 2
    assert {row["deleted"] for row in csv.DictReader(night_csv(nothing))} == {""}


def test_a_dry_run_says_that_it_is_one_and_what_a_live_run_would_delete() -> None:
    report = night(TRIED)
    assert headline(report) == "DRY RUN, 1 account, all well"
    assert dict(totals(report)) == {
        "Images": "5 seen",
        "Would delete": "4 images, 1.0 GiB, 0.50 USD a month",
        "Would announce": "3 images",
        "Deleted": "0 images",
        "Announced": "0 images",
        "Waiting": "0 images",
    }
    text = text_of(report)
    assert text.startswith("Night 2026-06-01: DRY RUN, 1 account, all well\n")
    assert "A live run would delete images in: 1\n  dry: 4 images, 1.0 GiB, 0.50 USD a month\n" in text
    assert "| <code>dry</code> | 4 images, 1.0 GiB, 0.50 USD a month |" in night_markdown(report, UTC)
    told = json.loads("".join(night_json(report)))
    assert told["modes"] == {"delete": 0, "dry-run": 1, "unknown": 0}
    assert (told["totals"]["would_delete"], told["would_bytes"], told["would_cost_per_month"]) == (
        4,
        2**30,
        {"USD": 0.5},
    )
    [row] = csv.DictReader(night_csv(report))
    assert (row["mode"], row["would_delete"], row["would_bytes"], row["deleted"]) == ("dry-run", "4", str(2**30), "0")


def test_a_night_of_both_modes_tells_them_apart() -> None:
    report = night(TRIED, WELL)
    assert headline(report) == "2 accounts, all well; 1 of them a dry run"
    assert dict(totals(report))["Would delete"] == "4 images, 1.0 GiB, 0.50 USD a month"
    assert dict(totals(report))["Deleted"] == "2 images, 2.0 GiB, 1.50 USD a month"
    assert headline(night(replace(TRIED, counts={"deleted": 4}))).endswith("all well; 1 of them a dry run")
    live = json.loads("".join(night_json(night(WELL))))
    assert (live["totals"]["would_delete"], live["would_bytes"], live["unknown"]["would_delete"]) == (None, None, 0)


def test_a_plan_that_was_applied_in_an_account_that_was_not_queued_is_named() -> None:
    applied = replace(WELL, state="applied", attempt=0)
    told = dict(totals(night(applied)))["Applied"]
    assert told == "1 account of these not queued, only cleaned by `janitor fleet exec`"
    died = AccountOutcome("a", 1, "applied", mode="delete", said="nothing is known of its end")
    assert night(died).needs_a_person
    assert why(died, UTC) == "it was not queued: nothing is known of its end"


@pytest.mark.parametrize(
    ("account", "sentence", "deed"),
    [
        (LIMIT, "exit code 4: 12 of 5 are too many", "`janitor fleet exec shop -- show latest`"),
        (FAILED, "exit code 1 after 3 attempts: the API said no", "`janitor fleet enqueue --target web`"),
        (REFUSED, "no attempt ended: its database is missing here", "`janitor fleet enqueue --target 'x y'`"),
        (QUEUED, "no worker has begun it, shard 5", "`janitor fleet status`"),
        (HELD, "it waits for attempt 2, shard 6: this worker has another configuration", "`janitor fleet status`"),
        (RUNNING, "host-1 has been cleaning it since 2026-06-01 03:00 UTC, attempt 2", "`janitor fleet status`"),
    ],
)
def test_each_account_has_its_reason_and_what_to_do(account: AccountOutcome, sentence: str, deed: str) -> None:
    assert why(account, UTC) == sentence
    assert deed in to_do(account)


def test_a_pattern_of_an_account_means_only_it() -> None:
    assert "--target '[*]'" in to_do(AccountOutcome("*", 1, "failed"))


def test_the_text_names_who_needs_a_person_with_the_reason() -> None:
    text = text_of(night(*ALL))
    assert text.startswith("Night 2026-06-01: 7 accounts: 1 well, 3 need a person, 3 missing\n")
    assert "Need a person: 3\n  shop\n    exit code 4: 12 of 5 are too many\n" in text
    assert "Missing: 3\n  late\n    no worker has begun it, shard 5\n" in text
    assert max(map(len, text.splitlines())) <= 80
    early = text_of(night(*ALL, at=AT))
    assert "Still to end: 1\n  held\n" in early
    assert "\n  late\n" not in early


def test_foreign_words_stay_words() -> None:
    evil = AccountOutcome("\x1b[2J=cmd|`@here`\n", 1, "failed", said="<!channel> \x1b[31m\nnew line | [a](http://b)")
    assert "\x1b" not in text_of(night(evil))
    assert "\\x1b[2J=cmd|`@here`\\n" in in_one(text_of(night(evil)))
    markdown = night_markdown(night(evil), UTC)
    assert not {"\x1b", "@here", "<!channel>", "](http"} & {word for word in markdown.split() if word}
    assert "@here" not in markdown
    assert "](" not in markdown
    [_, cells] = csv.reader(night_csv(night(AccountOutcome("=1+1", 1, "failed"))))
    assert cells[1] == "'=1+1"


def test_long_lists_are_cut_in_text_and_markdown_and_whole_for_programs() -> None:
    many = night(*(AccountOutcome(f"account-{number:05}", 1, "failed", said="s" * 300) for number in range(10_000)))
    assert "and 9,980 more: --format csv lists all" in text_of(many)
    assert len(text_of(many).splitlines()) < 300
    markdown = night_markdown(many, UTC)
    assert len(markdown) <= MOST_CHARACTERS
    assert "more accounts have no room here." in markdown
    assert len(list(csv.DictReader(night_csv(many)))) == 10_000


def test_programs_get_every_account_with_its_standing() -> None:
    told = json.loads("".join(night_json(night(*ALL))))
    assert told["standing"] == {"well": 1, "needs-a-person": 3, "missing": 3, "pending": 0}
    assert (told["needs_a_person"], told["totals"]["deleted"], told["bytes"]) == (True, 2, 2**31)
    assert (told["cost_per_month"], told["bytes_are_all"]) == ({"USD": 1.5}, False)
    assert [each["account"] for each in told["accounts"]] == ["shop", "web", "x y", "late", "held", "slow", "lab"]
    assert told["accounts"][0]["why"] == "exit code 4: 12 of 5 are too many"
    assert (told["accounts"][-1]["why"], told["accounts"][-1]["images"]) == (None, 10)
