"""`janitor backtest` as a user sees it, on what runs over a sandbox recorded."""

import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest
import yaml

from tests.cli.test_preview import LATER, SOONER
from tests.conftest import Desk


@pytest.fixture
def recorded(sandbox_desk: Desk) -> Desk:
    """A desk with two dry runs."""
    sandbox_desk.amend("cost: {per_gib_month: 0.05, currency: USD}\n")
    for _ in range(2):
        assert sandbox_desk.janitor("run", "--dry-run").returncode in (0, 3)
    sandbox_desk.write("new/all.yaml", SOONER)
    return sandbox_desk


def backtested(desk: Desk, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(desk.janitor("backtest", *words, "--format", "json").stdout)
    return found


def test_what_would_have_been_deleted_is_said_for_each_night_and_in_all(recorded: Desk) -> None:
    found = backtested(recorded, "--policies", "new")
    [target] = found["targets"]
    deleted = [len(night["deletions"]) for night in target["nights"]]
    assert deleted[0] > 5
    assert deleted[1:] == [0]
    assert found["totals"]["images"] == target["totals"]["images"] == deleted[0]
    assert found["totals"]["saved_per_month"] > 0
    done = recorded.janitor("backtest", "--policies", "new")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"new would have deleted {deleted[0]} images, " in done.stdout
    assert "USD a month" in done.stdout.replace("\n", " ")
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_csv_has_a_row_for_each_deletion(recorded: Desk) -> None:
    text = recorded.janitor("backtest", "--policies", "new", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    [target] = backtested(recorded, "--policies", "new")["targets"]
    assert [row["image"] for row in rows] == [one["image"] for night in target["nights"] for one in night["deletions"]]
    assert {row["target"] for row in rows} == {"sandbox"}


def test_markdown_holds_no_markup_of_others(recorded: Desk) -> None:
    done = recorded.janitor("backtest", "--policies", "new", "--format", "markdown")
    assert done.returncode == 0
    assert "### Backtest of policies" in done.stdout
    assert not any(markup in done.stdout for markup in ("<b>", "@all", "](http"))
    assert len(done.stdout) < 65_000


def test_the_configured_policies_are_tried_without_a_path(recorded: Desk) -> None:
    recorded.write("policies.yaml", LATER)
    found = backtested(recorded)
    assert found["totals"]["images"] == sum(one["images"] for one in found["targets"][0]["policies"])
    assert found["policies_from"].endswith("/policies")
    for form in ("text", "markdown"):
        said = " ".join(recorded.janitor("backtest", "--format", form).stdout.split())
        assert "The configured policies would have deleted " in said
    away = recorded.janitor("backtest", "--policies", str(recorded.folder / "new"), "--format", "markdown").stdout
    assert re.search(r"^<code>[^<]*&#47;new</code> would have deleted ", away, re.MULTILINE)


def test_what_it_cannot_tell_is_said(recorded: Desk) -> None:
    with closing(sqlite3.connect(recorded.folder / "sandbox.db")) as conn, conn:
        conn.execute("UPDATE surveys SET usage_problem = 'instances: 503' WHERE run = 2")
        conn.execute("UPDATE runs SET zone = NULL WHERE run = 1")
    found = backtested(recorded, "--policies", "new")
    said = " ".join(found["targets"][0]["remarks"])
    assert "not decided in 1 night (run 2): instances: 503" in said
    assert "did not record all that they knew" in said
    text = recorded.janitor("backtest", "--policies", "new").stdout
    assert "not decided in 1 night (run 2): instances: 503" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--policies", "nowhere"), "there is no file or folder nowhere"),
        (("--target", "sandbx"), 'did you mean "sandbox"'),
        (("--since", "3 fortnights"), '--since: "3 fortnights" is not a duration like 36h or 14d'),
        (("--since", "2000y"), "--since: "),
    ],
)
def test_wrong_usage(recorded: Desk, words: tuple[str, ...], said: str) -> None:
    done = recorded.janitor("backtest", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())


def test_before_the_first_run_there_is_nothing_to_replay(sandbox_desk: Desk) -> None:
    done = sandbox_desk.janitor("backtest")
    assert done.returncode == 2
    assert "janitor run --dry-run" in done.stderr


def test_targets_of_which_nothing_is_known_are_named(recorded: Desk) -> None:
    config = recorded.folder / "janitor.yaml"
    document = yaml.safe_load(config.read_text())
    [first] = document["targets"]
    document["targets"] = [first, {**first, "name": "second", "appkey": "another"}]
    config.write_text(yaml.safe_dump(document))
    assert "second: no run has surveyed it yet" in backtested(recorded)["left_out"][0]
    for form in ("text", "markdown"):
        said = " ".join(recorded.janitor("backtest", "--format", form).stdout.split())
        assert "second: no run has surveyed it yet" in said
    assert backtested(recorded, "--target", "sandbox")["left_out"] == []
    [policy] = [one["name"] for one in yaml.safe_load(SOONER)["policies"] if "expire" in one][:1]
    suggested = backtested(recorded, "--policies", "new", "--suggest", policy)
    assert any(remark.startswith("second: no run has surveyed it yet") for remark in suggested["remarks"])


def test_later_runs_that_could_not_survey_a_target_are_named(recorded: Desk) -> None:
    with closing(sqlite3.connect(recorded.folder / "sandbox.db")) as db, db:
        db.execute(
            "INSERT INTO runs (run, mode, started_at, outcome) SELECT 3, mode, started_at, 'failed' FROM runs LIMIT 1"
        )
        db.execute("INSERT INTO surveys (run, target, outcome, error) VALUES (3, 'sandbox', 'failed', 'no answer')")
    [target] = backtested(recorded)["targets"]
    assert target["remarks"][0] == "nothing is known of it after run 2: run 3 could not survey it: no answer"
    assert "1 run could not survey it: run 3" in target["remarks"]
