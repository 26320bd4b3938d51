"""`janitor waiting` and `janitor policies` as a user sees them, after nights whose reports were taken or not."""

import csv
import io
import json
from pathlib import Path

import pytest

from janitor.store import exclusive
from tests.conftest import Desk
from tests.factories import NOW
from tests.slack_stand_in import CHANNEL, TOKEN, SlackStandIn

POLICIES = """\
policies:
  - name: golden
    match: {name: "golden-*"}
  - name: old
    match: {name: "*"}
    expire: {after: 14d}
    notice: 2d
"""


@pytest.fixture
def announcing(sandbox_desk: Desk, slack: SlackStandIn) -> Desk:
    """A desk in Seoul whose policy announces before it deletes."""
    config = sandbox_desk.folder / "janitor.yaml"
    lines = [line for line in config.read_text().splitlines(keepends=True) if not line.startswith("timezone")]
    config.write_text("".join(lines))
    sandbox_desk.amend("timezone: Asia/Seoul\ncost: {per_gib_month: 0.05, currency: USD}\n")
    sandbox_desk.amend(f"slack: {{token: {TOKEN}, channel: '{CHANNEL}', base_url: '{slack.base_url}'}}\n")
    for file in Path(sandbox_desk.folder / "policies").iterdir():
        file.unlink()
    sandbox_desk.write("policies/all.yaml", POLICIES)
    return sandbox_desk


def test_what_waits_is_listed_by_date_with_its_zone(announcing: Desk) -> None:
    announcing.janitor("run")
    done = announcing.janitor("waiting")
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    first, worth, *_ = done.stdout.splitlines()
    assert first.startswith("Waiting: ")
    assert first.endswith(" KST")
    assert worth.endswith(" USD a month)")
    assert ", run 1, a live run" in done.stdout
    listed = json.loads(announcing.janitor("waiting", "--format", "json").stdout)
    [totals], [target] = listed["totals"], listed["targets"]
    assert (totals["state"], totals["images"]) == ("announced", len(target["images"]))
    assert f"Waiting: {totals['images']} announced, the first due " in first
    assert {image["policy"] for image in target["images"]} == {"old"}
    assert all(image["due"].endswith("Z") and image["earliest"] is None for image in target["images"])
    rows = list(csv.DictReader(io.StringIO(announcing.janitor("waiting", "--format", "csv").stdout)))
    assert [row["image"] for row in rows] == [image["image"] for image in target["images"]]


def test_an_image_that_nobody_was_told_of_has_no_date_but_a_reason(announcing: Desk, slack: SlackStandIn) -> None:
    slack.refuse_after = 0
    announcing.janitor("run")
    text = " ".join(announcing.janitor("waiting").stdout.split())
    assert "not announced" in text
    assert "the report of run 1 is undelivered (" in text
    assert "; the next live run announces it" in text
    image = json.loads(announcing.janitor("waiting", "--format", "json").stdout)["targets"][0]["images"][0]
    assert (image["state"], image["cause"], image["due"]) == ("not-announced", "undelivered", None)


def test_what_is_due_before_a_day_and_what_is_not_known(announcing: Desk) -> None:
    announcing.janitor("run")
    for date, some in (("2000-01-01", False), ("9999-12-31", True), ("2000-01-01T00:00:00+09:00", False)):
        listed = json.loads(announcing.janitor("waiting", "--before", date, "--format", "json").stdout)
        assert bool(listed["targets"][0]["images"]) is some
    assert announcing.janitor("waiting", "--before", "2000-01-01").stdout.startswith("Waiting: nothing\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("--policy", "odl"), 'there is no "odl", did you mean "old"? there is golden, old', id="policy"),
        pytest.param(("--target", "sandbx"), 'no "sandbx", did you mean "sandbox"? there is sandbox', id="target"),
        pytest.param(("--before", "soon"), '--before: "soon" is not a date', id="date"),
    ],
)
def test_an_unknown_word_is_wrong_usage(announcing: Desk, words: tuple[str, ...], said: str) -> None:
    announcing.janitor("run", "--dry-run")
    done = announcing.janitor("waiting", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_what_a_person_exempts_no_longer_waits(announcing: Desk) -> None:
    announcing.janitor("run")
    waiting = [image["image"] for image in announcing.target("waiting")["images"]]
    announcing.janitor("keep", waiting[0], "--until", "2999-12-31", "--why", "a rollback", "--by", "kim")
    states = {image["image"]: (image["state"], image["detail"]) for image in announcing.target("waiting")["images"]}
    assert states.pop(waiting[0]) == ("held", "exempt by kim: a rollback, until 2999-12-31 14:59Z")
    assert {state for state, _ in states.values()} == {"announced"}
    text = " ".join(announcing.janitor("waiting").stdout.split())
    assert "Announced, and kept: 1 image" in text
    assert "exempt by kim: a rollback, until 2999-12-31 23:59 KST" in text


def test_it_is_read_while_a_run_works(announcing: Desk) -> None:
    announcing.janitor("run")
    with exclusive(announcing.folder / "sandbox.db", "janitor run", NOW):
        for command in ("waiting", "policies"):
            done = announcing.janitor(command)
            assert (done.returncode, done.stderr) == (0, "")


def test_before_any_run_there_is_nothing_to_list(announcing: Desk) -> None:
    for command in ("waiting", "policies"):
        done = announcing.janitor(command)
        assert done.returncode == 2
        assert "run --dry-run" in done.stderr


def test_policies_are_listed_in_order_with_what_each_owns(announcing: Desk) -> None:
    announcing.janitor("run")
    listed = json.loads(announcing.janitor("policies", "--format", "json").stdout)
    assert [row["policy"] for row in listed["policies"]] == ["golden", "old", None]
    decided = announcing.target("show", "1")["decisions"]
    for row in listed["policies"]:
        owned = [decision for decision in decided if decision["policy"] == row["policy"]]
        waits = sum(decision["verdict"] == "wait" for decision in owned)
        assert (row["images"], row["waiting"], row["planned"]) == (len(owned), waits, 0)
        assert (row["next_due"] is not None) is (waits > 0)
    text = announcing.janitor("policies").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "KST" in next(line for line in text.splitlines() if line.startswith("old"))
    rows = list(csv.DictReader(io.StringIO(announcing.janitor("policies", "--format", "csv").stdout)))
    assert [row["policy"] for row in rows] == ["golden", "old", ""]
