"""The file that lists every image of a report: its columns, no formula, and no more announced than by the report."""

import csv
import io
from datetime import UTC, timedelta
from typing import Any

import pytest

from janitor.core.decision import Reason, Spared
from janitor.core.result import Deletion, DeletionOutcome, Mode, RunResult
from janitor.notify.slack.blocks import slack_messages
from janitor.report.listing import listing
from janitor.report.routing import Share
from tests.factories import NOW, live_run, make_deletion, make_image, make_run, make_target, to_delete, to_keep

NOTICE = to_keep("told", Reason.NOTICE, policy="ci", due=NOW + timedelta(days=2))
UNTOLD = NOTICE.replace(image=make_image("untold"))
DUE = "2026-11-25T03:00:00Z"


def rows_of(result: RunResult) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(listing(result).csv, newline="")))


def test_the_file_has_the_documented_columns_and_values() -> None:
    image = make_image("ci-web-41", id="the-id")
    result = live_run(make_target([to_delete(image)], [make_deletion(to_delete(image))]))
    header = "target,image,name,status,size,created,verdict,policy,reason,detail,due,outcome"
    assert listing(result).csv.splitlines()[0] == header
    assert rows_of(result) == [
        {
            "target": "prod",
            "image": "the-id",
            "name": "ci-web-41",
            "status": "active",
            "size": str(10 * 2**30),
            "created": "2026-10-24T03:00:00Z",
            "verdict": "delete",
            "policy": "ci-images",
            "reason": "expired",
            "detail": to_delete().detail,
            "due": "",
            "outcome": "deleted",
        }
    ]


def test_what_is_not_known_is_left_empty() -> None:
    image = make_image(None, created_at=None, size=None)
    [row] = rows_of(make_run(make_target([to_delete(image, policy=None)])))
    assert [key for key, value in row.items() if value == ""] == ["name", "size", "created", "policy", "due", "outcome"]


def test_the_file_lists_what_the_messages_name() -> None:
    decisions = [to_delete(f"ci-{number}") for number in range(70)]
    fates = [*DeletionOutcome] * 12
    deletions = [Deletion(d, fate, "so") for d, fate in zip(decisions, fates, strict=False)]
    result = live_run(make_target(decisions, deletions), make_target([to_delete("x")], name="dev"))
    messages = slack_messages(Share(None, result, result), None, UTC)
    named = frozenset[tuple[str, str]]().union(*(message.names for message in messages))
    assert {(row["target"], row["image"]) for row in rows_of(result)} == named
    assert {row["image"]: row["outcome"] for row in rows_of(result) if row["target"] == "prod"} == {
        deletion.decision.image.id: deletion.outcome for deletion in deletions
    } | {decision.image.id: "" for decision in decisions[len(deletions) :]}


@pytest.mark.parametrize(
    "formula", ["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1", "\r=1", "＝1+1", "－1", "a;=1;b", "a; +1"]
)
@pytest.mark.parametrize("place", ["name", "id", "policy", "detail", "target", "status"])
def test_no_cell_is_a_formula(formula: str, place: str) -> None:
    facts: dict[str, Any] = {place: formula} if place in ("name", "status", "id") else {}
    reasons: dict[str, Any] = {place: formula} if place in ("policy", "detail") else {}
    decision = to_delete(make_image("a", **facts) if place != "name" else make_image(formula), **reasons)
    [row] = rows_of(make_run(make_target([decision], name=formula if place == "target" else "prod")))
    for part in ";".join(row.values()).split(";"):
        assert not part.lstrip().startswith(tuple("=+-@＝＋－＠"))
        assert part.isprintable()
    assert any(formula.strip() in cell.replace(";'", ";") for cell in row.values())


def test_an_apostrophe_is_put_before_a_formula_and_nothing_else() -> None:
    shown = {"=1+1": "'=1+1", "a=1": "a=1", "'b": "'b", 'c,d"e\nf': 'c,d"e\\nf', "g; h": "g; h"}
    decisions = [to_delete(make_image(name, id=name)) for name in shown]
    assert [row["name"] for row in rows_of(make_run(make_target(decisions)))] == [*shown.values()]


@pytest.mark.parametrize(
    ("mode", "late", "expected"),
    [
        pytest.param(Mode.DELETE, False, {"told": ("announced", DUE), "untold": ("", "")}, id="in-time"),
        pytest.param(Mode.DELETE, True, {"told": ("", ""), "untold": ("", "")}, id="late"),
        pytest.param(Mode.DRY_RUN, False, {"told": ("", DUE), "untold": ("", "")}, id="dry"),
    ],
)
def test_the_file_announces_only_what_its_report_does(
    mode: Mode, late: bool, expected: dict[str, tuple[str, str]]
) -> None:
    undelivered = frozenset({UNTOLD.image.id, "an image of another channel"})
    target = make_target(announced=(NOTICE, UNTOLD), undelivered=undelivered)
    rows = csv.DictReader(io.StringIO(listing(make_run(target, mode=mode), late=late).csv, newline=""))
    assert {row["name"]: (row["outcome"], row["due"]) for row in rows} == expected


@pytest.mark.parametrize(("mode", "outcome"), [(Mode.DELETE, "spared"), (Mode.DRY_RUN, "")], ids=["live", "dry"])
def test_a_dry_run_spares_nothing_in_the_file_either(mode: Mode, outcome: str) -> None:
    [row] = rows_of(make_run(make_target([to_keep()], spared=(Spared(to_keep(), "ci-images"),)), mode=mode))
    assert row["outcome"] == outcome


def test_the_file_is_named_after_its_run() -> None:
    assert listing(make_run()).filename == "image-janitor-run-12.csv"
