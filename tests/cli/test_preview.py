"""`janitor preview` as a user sees it, on what runs over a sandbox recorded."""

import csv
import io
import json
from typing import Any

import pytest
import yaml

from tests.conftest import Desk

LATER = """\
policies:
  - name: old
    match: {name: "*"}
    expire: {after: 900d}
"""
SOONER = """\
policies:
  - name: golden
    match: {name: "golden-*"}
  - name: "<b>@all | `x` [y](http://z)"
    match: {name: "*"}
    expire: {after: 30d}
"""

FAMILIES = """\
policies:
  - name: builds
    match: {name: "*"}
    expire: {after: 30d}
    keep: {newest: 1, per: 'name:/^(ci-.*)-[0-9]+$/'}
"""


@pytest.fixture
def recorded(sandbox_desk: Desk) -> Desk:
    """A desk where no run may delete, with one dry run."""
    sandbox_desk.amend("cost: {per_gib_month: 0.05, currency: USD}\n")
    configured(sandbox_desk, 'mode: "delete" ', 'mode: "dry-run" ')
    assert sandbox_desk.janitor("run", "--dry-run").returncode in (0, 3)
    return sandbox_desk


def configured(desk: Desk, before: str, after: str) -> None:
    path = desk.folder / "janitor.yaml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def previewed(desk: Desk, *words: str) -> dict[str, Any]:
    [target] = json.loads(desk.janitor("preview", *words, "--format", "json").stdout)["targets"]
    found: dict[str, Any] = target
    return found


def test_unchanged_policies_change_nothing(recorded: Desk) -> None:
    done = recorded.janitor("preview", "--fail-on", "new")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Changes: none. In all ")
    said = "Only policies and their `exempt` are tried, not changes of `references`, `usage`, `shared` or `owners` in "
    for form in ("text", "markdown"):
        shown = " ".join(recorded.janitor("preview", "--format", form).stdout.split())
        assert shown.endswith(f"{said}janitor.yaml.")
    assert max(map(len, done.stdout.splitlines())) <= 80
    found = previewed(recorded)
    assert found["before"] == found["after"]
    assert (set(found["counts"].values()), found["changes"]) == ({0}, [])
    first, said = found["remarks"]
    assert first == (
        "no live run has carried out its own plan here, so run 1, a dry run, is compared with: a live run would be the "
        "first"
    )
    assert said.startswith("run 1 was a dry run of these same policies, so nothing can be new beside it")
    assert (found["against"], found["against_mode"]) == (1, "dry-run")


def test_what_changes_is_shown_with_reasons_in_every_format(recorded: Desk) -> None:
    recorded.write("new/all.yaml", SOONER)
    found = previewed(recorded, "--policies", "new")
    new = [each for each in found["changes"] if each["change"] == "newly-deleted"]
    assert len(new) == found["counts"]["newly-deleted"] > 5
    assert {(each["before"]["verdict"], each["after"]["verdict"]) for each in new} == {("keep", "delete")}
    assert all("(30d after creation)" in each["after"]["detail"] for each in new)
    text = recorded.janitor("preview", "--policies", "new")
    assert (text.returncode, text.stderr) == (0, "")
    assert f"Newly deleted: {len(new)} images, " in text.stdout
    assert " USD a month" in text.stdout
    assert max(map(len, text.stdout.splitlines())) <= 80
    rows = list(csv.DictReader(io.StringIO(recorded.janitor("preview", "--policies", "new", "--format", "csv").stdout)))
    assert [row["image"] for row in rows] == [each["image"] for each in found["changes"]]


def test_images_for_which_an_expression_finds_no_family_are_named(recorded: Desk) -> None:
    recorded.write("new/all.yaml", FAMILIES)
    found = previewed(recorded, "--policies", "new")
    lost = [each["image"] for each in found["changes"] if (each["after"] or {}).get("reason") == "no-family"]
    [owns] = [each["owns"] for each in found["policies"] if each["policy"] == "builds"]
    assert owns["no-family"] == len(lost) > 20
    assert owns["in-use"] > 0
    assert sum(owns.values()) + sum(found["unowned"].values()) == found["images"]
    text = recorded.janitor("preview", "--policies", "new").stdout
    assert f"Kept now as no family is found: {len(lost)} images" in text
    assert f"and {len(lost) - 20} more: `--format csv` lists all" in text
    assert max(map(len, text.splitlines())) <= 80
    table = recorded.janitor("preview", "--policies", "new", "--format", "csv").stdout
    rows = csv.DictReader(io.StringIO(table))
    assert [row["image"] for row in rows if row["after_reason"] == "no-family"] == lost


def test_where_live_runs_are_configured_and_none_was_made_every_deletion_is_new(recorded: Desk) -> None:
    configured(recorded, 'mode: "dry-run" ', 'mode: "delete" ')
    done = recorded.janitor("preview", "--fail-on", "new")
    assert done.returncode == 4
    words = " ".join(done.stdout.split())
    assert "no live run has carried out its own plan here, so every deletion counts as new" in words
    assert "before no live run carried out its own plan so far" in words
    found = previewed(recorded)
    assert (found["against"], found["before"]["delete"]["images"]) == (None, 0)
    assert found["counts"]["newly-deleted"] == found["after"]["delete"]["images"] > 0
    assert "no live run carried out its own plan so far" in recorded.janitor("preview", "--format", "markdown").stdout
    past = previewed(recorded, "--run", "1")
    assert (past["against"], past["changes"]) == (1, [])


def test_with_csv_stderr_says_what_text_says_in_remarks(recorded: Desk) -> None:
    recorded.write("new/all.yaml", SOONER)
    config = recorded.folder / "janitor.yaml"
    config.write_text(config.read_text().replace("max_deletions: 1000", "max_deletions: 2"))
    assert recorded.janitor("run", "--dry-run").returncode == 4
    done = recorded.janitor("preview", "--format", "csv")
    assert done.returncode == 0
    assert "sandbox: run 2 ended there as refused: " in done.stderr
    assert "sandbox: over the limit, so a run would delete nothing: " in done.stderr
    assert recorded.janitor("preview", "--format", "json").stderr == ""


def test_later_policies_delete_less(recorded: Desk) -> None:
    path = recorded.write("later.yaml", LATER)
    done = recorded.janitor("preview", "--policies", str(path), "--fail-on", "new")
    assert done.returncode == 0
    found = previewed(recorded, "--policies", str(path))
    assert found["after"]["delete"]["images"] < found["before"]["delete"]["images"]
    assert found["counts"]["no-longer-deleted"] > 5


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--fail-over", "0"), 4, "--fail-over 0: "),
        (("--fail-over", "1000"), 0, ""),
        (("--fail-on", "new"), 4, "--fail-on new: "),
        (("--fail-on", "new", "--fail-over", "1000", "--format", "markdown"), 4, "--fail-on new: "),
    ],
)
def test_a_condition_that_holds_is_said_and_ends_with_4(
    recorded: Desk, words: tuple[str, ...], code: int, said: str
) -> None:
    recorded.write("new/all.yaml", SOONER)
    done = recorded.janitor("preview", "--policies", "new", *words)
    assert done.returncode == code
    assert said in done.stderr
    assert bool(done.stderr) is bool(said)


def test_wrong_policies_are_refused_with_all_their_problems(recorded: Desk) -> None:
    recorded.write("new/a.yaml", "policies: [{name: a, match: {nam: x}}]\n")
    recorded.write("new/b.yaml", "policies: [{name: b, match: {name: x}, expire: {after: 3 fortnights}}]\n")
    done = recorded.janitor("preview", "--policies", "new")
    assert (done.returncode, done.stdout) == (2, "")
    assert "a.yaml:1" in done.stderr
    assert "b.yaml:1" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--policies", "nowhere"), "there is no file or folder nowhere"),
        (("--run", "7"), "there is no run 7: the latest is 1"),
        (("--against", "7"), "there is no run 7: the latest is 1"),
        (("--target", "sandbx"), 'did you mean "sandbox"'),
        (("--at", "2000-01-01"), "--at: 2000-01-01 00:00 UTC is before the snapshot of sandbox (run 1), which is of "),
        (("--at", "soon"), "--at: "),
    ],
)
def test_wrong_usage(recorded: Desk, words: tuple[str, ...], said: str) -> None:
    done = recorded.janitor("preview", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())


def test_before_the_first_run_there_is_nothing_to_preview(sandbox_desk: Desk) -> None:
    done = sandbox_desk.janitor("preview")
    assert (done.returncode, done.stdout) == (2, "")


def test_at_a_later_date_more_has_expired(recorded: Desk) -> None:
    done = recorded.janitor("preview", "--at", "2099-01-01")
    assert done.returncode == 0
    assert "decided as of 2099-01-01 00:00" in " ".join(done.stdout.split())
    assert previewed(recorded, "--at", "2099-01-01")["counts"]["newly-deleted"] > 5


def test_the_configured_limits_are_measured_and_with_run_those_of_that_run(recorded: Desk) -> None:
    recorded.write("new/all.yaml", SOONER)
    configured(recorded, "max_deletions: 1000", "max_deletions: 2")
    found = previewed(recorded, "--policies", "new")
    assert "limits.max_deletions allows 2" in found["over_limit"][0]
    assert (
        "limits count as configured now, otherwise than in run 1: limits.max_deletions 2 (1000 in that run)"
        in (found["remarks"])
    )
    assert "a run would delete nothing" in " ".join(recorded.janitor("preview").stdout.split())
    past = previewed(recorded, "--run", "1", "--policies", "new")
    assert past["over_limit"] == []
    assert "decided as run 1 was configured: limits.max_deletions 1000 (now 2)" in past["remarks"]
    assert recorded.janitor("run", "--dry-run").returncode == 4
    configured(recorded, "max_deletions: 2", "max_deletions: 1000")
    assert previewed(recorded)["over_limit"] == []
    assert previewed(recorded, "--run", "2")["over_limit"] != []


def test_a_target_that_was_never_surveyed_does_not_pass_silently(recorded: Desk) -> None:
    config = recorded.folder / "janitor.yaml"
    document = yaml.safe_load(config.read_text())
    [first] = document["targets"]
    document["targets"] = [first, {**first, "name": "second", "appkey": "another"}]
    config.write_text(yaml.safe_dump(document))
    done = recorded.janitor("preview")
    assert done.returncode == 1, done.stderr
    assert "1 target could not be decided on." in " ".join(done.stdout.split())
    table = recorded.janitor("preview", "--format", "csv")
    assert (table.returncode, table.stdout.count("\n")) == (1, 1)
    assert "second: not decided: no run has surveyed it yet" in table.stderr
    assert recorded.janitor("preview", "--target", "sandbox").returncode == 0
    alone = recorded.janitor("preview", "--target", "second")
    assert alone.returncode == 1
    assert alone.stdout.startswith("What would be deleted is not known: 1 target could not be decided on.")


def test_the_latest_run_is_a_run(recorded: Desk) -> None:
    for option in ("--run", "--against"):
        assert recorded.janitor("preview", option, "latest").stdout == recorded.janitor("preview", option, "1").stdout
        done = recorded.janitor("preview", option, "latets")
        assert "'latets' is not a run, did you mean \"latest\"?" in done.stderr
    assert recorded.janitor("images", "--run", "latest").stdout == recorded.janitor("images").stdout


def test_policies_that_a_folder_has_no_more_or_has_newly_are_named(recorded: Desk) -> None:
    then = [each["policy"] for each in previewed(recorded)["policies"]]
    recorded.write("new/all.yaml", LATER.replace("old", "other"))
    found = previewed(recorded, "--policies", "new")
    assert (found["policies_removed"], found["policies_new"]) == (then, ["other"])
    same = previewed(recorded)
    assert (same["policies_removed"], same["policies_new"]) == ([], [])
