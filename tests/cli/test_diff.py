"""`janitor diff` as a user sees it, on what runs over a sandbox recorded: what it compares, prints, and refuses."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from janitor.store import Store
from tests.conftest import Desk


@pytest.fixture
def recorded(sandbox_desk: Desk) -> Desk:
    """A desk with three live runs, the first of which deletes."""
    sandbox_desk.amend("cost: {per_gib_month: 0.05, currency: USD}\n")
    for _ in range(3):
        sandbox_desk.janitor("run")
    return sandbox_desk


def compared(desk: Desk, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(desk.janitor("diff", *words, "--format", "json").stdout)
    return found


def test_what_a_run_deleted_is_gone_by_us_and_the_numbers_add_up(recorded: Desk) -> None:
    deleted = len(json.loads(recorded.janitor("show", "1", "--format", "json").stdout)["targets"][0]["deletions"])
    found = compared(recorded, "1", "2")
    totals = found["totals"]
    assert totals["gone"]["by-us"]["images"] > 0
    assert totals["gone"]["by-us"]["images"] <= deleted
    came = totals["new"]["images"] + totals["listed_again"]["images"]
    went = sum(each["images"] for each in totals["gone"].values())
    assert totals["before"]["images"] + came - went == totals["after"]["images"]
    [target] = found["targets"]
    assert {each["by"] for each in target["gone"]} == {"by-us"}
    report = json.loads(recorded.janitor("show", "2", "--format", "json").stdout)["targets"][0]
    assert report["since"]["gone"]["by-us"] == totals["gone"]["by-us"]["images"]
    assert (
        f"Since run 1: {report['since']['gone']['by-us']} deleted by the janitor"
        in recorded.janitor("show", "2").stdout
    )


def test_without_a_run_the_last_two_surveys_are_compared_and_named(recorded: Desk) -> None:
    done = recorded.janitor("diff")
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "run 2 to run 3 ──" in done.stdout
    assert done.stdout == recorded.janitor("diff", "2", "latest").stdout == recorded.janitor("diff", "3", "2").stdout
    assert done.stdout == recorded.janitor("diff", "2").stdout


def test_each_change_is_a_row_of_csv(recorded: Desk) -> None:
    rows = list(csv.DictReader(io.StringIO(recorded.janitor("diff", "1", "--format", "csv").stdout)))
    [target] = compared(recorded, "1", "3")["targets"]
    gone = [(row["image"], row["what"]) for row in rows if row["change"] == "gone"]
    assert gone == [(each["image"], each["by"]) for each in target["gone"]]
    assert {(row["from_run"], row["to_run"]) for row in rows} == {("1", "3")}


WRONG = {
    "unknown-run": (("1", "99"), "there is no run 99: the latest is 3"),
    "unknown-runs": (("98", "99"), "there are no runs 98 and 99: the latest is 3"),
    "twice": (("2", "2"), "run 2 was given twice"),
    "the-latest-alone": (("latest",), "run 3 is the latest: `janitor diff` without a run"),
    "three": (("1", "2", "3"), "two runs can be compared, and 3 were given"),
    "typo": (("latst",), 'did you mean "latest"?'),
    "unknown-target": (("--target", "prdo"), '--target: there is no "prdo"'),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_compared_is_wrong_usage(recorded: Desk, words: tuple[str, ...], said: str) -> None:
    done = recorded.janitor("diff", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_before_the_first_two_runs_there_is_nothing_to_compare(sandbox_desk: Desk) -> None:
    with Store.open(sandbox_desk.folder / "sandbox.db"):
        pass
    done = sandbox_desk.janitor("diff", "--format", "json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["totals"]["newly_waiting"]) == (0, None)
    assert [one["why"] for one in found["not_compared"]] == ["no run has surveyed it"]
    sandbox_desk.janitor("run", "--dry-run")
    done = sandbox_desk.janitor("diff")
    assert (done.returncode, done.stderr) == (0, "")
    assert "only run 1 has surveyed it" in done.stdout


def test_what_was_dropped_is_not_compared_and_a_run_that_is_gone_is_an_error(recorded: Desk) -> None:
    with closing(sqlite3.connect(recorded.folder / "sandbox.db")) as db, db:
        db.execute("UPDATE surveys SET details_dropped = 1 WHERE run < 3")
    found = compared(recorded)
    assert (found["targets"], len(found["not_compared"])) == ([], 1)
    assert "before run 3 were dropped, as `keep_history` says" in found["not_compared"][0]["why"]
    done = recorded.janitor("diff", "1", "3")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the details of run 1 were dropped" in done.stderr


def test_where_the_latest_run_has_no_survey_of_a_target_diff_says_so(recorded: Desk) -> None:
    with closing(sqlite3.connect(recorded.folder / "sandbox.db")) as db, db:
        db.execute("INSERT INTO runs (mode, started_at) SELECT mode, started_at FROM runs WHERE run = 3")
    said = "run 4, the latest, has no survey of it, so that one is not compared"
    for words in ((), ("1",)):
        done = recorded.janitor("diff", *words)
        assert done.returncode == 0, done.stderr
        assert said in " ".join(done.stdout.split())
        assert compared(recorded, *words)["targets"][0]["remarks"] == [said]
    assert said not in " ".join(recorded.janitor("diff", "2", "3").stdout.split())
