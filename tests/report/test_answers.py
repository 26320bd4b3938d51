"""What commands answer: no foreign text controls a terminal or is a formula, and what is unknown is said to be."""

import csv
import io
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.explaining.waiting import Cause, Snapshot, State, Waiting, may_be_due
from janitor.core.image import Image
from janitor.core.result import Mode
from janitor.report.answers.policies import owned_by, policies_csv, policies_json, policies_page
from janitor.report.answers.waiting import WaitingList, waiting_csv, waiting_json, waiting_page
from tests.factories import DAY, NOW, make_image, to_delete, to_keep
from tests.report.terminal import DOLLARS, SEOUL, printed, unfolded

EVIL = make_image("=cmd\x1b[31m\n\u202e", id="=1+1\x1b", size=None)
HUGE = "가" * 5_000
SNAPSHOT = Snapshot("prod\x1b", 7, Mode.DELETE, NOW, [])


def waits(image: Image, state: State = State.ANNOUNCED, **parts: object) -> Waiting:
    return replace(Waiting(image, "ci", state, NOW + DAY), **parts)  # type: ignore[arg-type]


def shown(*images: Waiting, width: int = 80) -> str:
    return printed(waiting_page([WaitingList(SNAPSHOT, images)], DOLLARS, SEOUL), width)


@pytest.mark.parametrize("width", [40, 69, 80, 200])
def test_foreign_text_stays_text_and_within_the_width(width: int) -> None:
    every = [
        waits(EVIL, policy="\x1b]0;x\x07"),
        waits(make_image(HUGE, id="2"), State.NOT_ANNOUNCED, cause=Cause.UNDELIVERED, said=f"\x1b[2J{HUGE}"),
        waits(make_image("3"), State.NOT_ANNOUNCED, cause=Cause.RENAMED, said="\x1b\n"),
        waits(make_image("4"), State.HELD, said="\r\n\x1b"),
    ]
    for text in (shown(*every, width=width), page_of_policies(width)):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\r" not in text
        assert all(len(row) <= width for row in text.splitlines() if row.isascii())


def page_of_policies(width: int) -> str:
    decisions = (to_delete(EVIL, policy="a\x1b" * 30), to_keep(make_image("x")))
    snapshot = replace(SNAPSHOT, decisions=decisions)
    return printed(policies_page(owned_by(["a\x1b" * 30, "b"], [snapshot]), [snapshot], DOLLARS, SEOUL), width)


def test_no_cell_is_a_formula() -> None:
    [row] = csv.DictReader(io.StringIO("".join(waiting_csv([WaitingList(SNAPSHOT, [waits(EVIL, policy="=x")])]))))
    assert (row["image"], row["policy"]) == ("'=1+1\\x1b", "'=x")
    assert row["name"].startswith("'=cmd")
    named = owned_by(["=x"], [SNAPSHOT])
    assert "".join(policies_csv(named, None)).splitlines()[1].startswith("'=x,0,")


def test_an_unknown_size_or_date_is_said_to_be_unknown() -> None:
    text = unfolded(shown(waits(EVIL), waits(make_image("b"), State.NOT_ANNOUNCED, due=None, cause=Cause.NOT_YET)))
    assert "10.0 GiB and 1 of unknown size (0.50 USD a month)" in text
    assert "it is not announced yet; the next live run announces it due date unknown, ci: 1 image" in text
    told = json.loads("".join(waiting_json([WaitingList(SNAPSHOT, [waits(EVIL)])], None)))
    assert told["totals"] == [
        {"state": "announced", "images": 1, "size": 0, "unknown_sizes": 1, "cost_per_month": None}
    ]


@pytest.mark.parametrize(
    ("due", "before", "may"),
    [
        pytest.param(NOW, None, True, id="any"),
        pytest.param(NOW, NOW + DAY, True, id="before"),
        pytest.param(NOW, NOW, False, id="at-the-very-instant"),
        pytest.param(None, NOW, True, id="unknown"),
    ],
)
def test_what_may_be_due_before_an_instant(due: datetime | None, before: datetime | None, may: bool) -> None:
    assert may_be_due(waits(EVIL, due=due), before) is may


def test_nothing_waits() -> None:
    assert shown().startswith("Waiting: nothing\n")
    assert "as of 2026-11-23 12:00 KST, run 7, a live run" in shown()


def test_only_the_announced_have_a_date() -> None:
    every = [waits(make_image(state.value), state) for state in State]
    told = json.loads("".join(waiting_json([WaitingList(SNAPSHOT, every)], DOLLARS)))["targets"][0]["images"]
    assert {image["state"]: (image["due"], image["earliest"]) for image in told} == {
        state.value: ("2026-11-24T03:00:00Z", None) if state is State.ANNOUNCED else (None, "2026-11-24T03:00:00Z")
        for state in State
    }


def test_what_policies_own_is_counted_without_what_was_deleted() -> None:
    gone = to_delete(make_image("gone"), policy="ci")
    waiting = Decision(make_image("w"), Verdict.WAIT, "ci", Reason.NOTICE, "expired", NOW + timedelta(days=2))
    decisions = (gone, to_delete(make_image("d"), policy="ci"), waiting, to_keep("k"), to_keep("x", policy="old"))
    snapshot = replace(SNAPSHOT, decisions=decisions, asked=frozenset({gone.image.id}))
    told = json.loads("".join(policies_json(owned_by(["golden", "ci"], [snapshot]), [snapshot], None)))["policies"]
    assert [(row["policy"], row["images"], row["planned"], row["waiting"]) for row in told] == [
        ("golden", 0, 0, 0),
        ("ci", 2, 1, 1),
        ("old", 1, 0, 0),
        (None, 1, 0, 0),
    ]
