"""One job over accounts of both kinds: one configuration, one report, and a failure in one stays there."""

import json
from contextlib import ExitStack
from typing import Any

import pytest
import yaml

from janitor.sandbox.calls import Api
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox, running
from tests.conftest import POLICY, Desk


def target_of(cloud: Sandbox, name: str, **keys: Any) -> dict[str, Any]:
    (target,) = yaml.safe_load(cloud.configuration())["targets"]
    return {**target, "name": name, **keys}


@pytest.fixture
def clouds() -> Any:
    with ExitStack() as stack:
        choices = (
            Options(port=0, images=30),
            Options(port=0, images=40, api=Api.OPENSTACK, seed=2),
            Options(port=0, images=50, api=Api.OPENSTACK, seed=3, regions=2),
        )
        yield [stack.enter_context(running(options)) for options in choices]


def configured(desk: Desk, targets: list[dict[str, Any]]) -> None:
    limits = {"max_deletions": 1000, "max_share": "100%"}
    desk.write("janitor.yaml", yaml.safe_dump({"mode": "delete", "targets": targets, "limits": limits}))
    desk.write("policies/old.yaml", POLICY)


def test_three_accounts_of_two_kinds_are_one_job_with_one_report(desk: Desk, clouds: list[Sandbox]) -> None:
    old, lab, prod = clouds
    configured(desk, [target_of(old, "old"), target_of(lab, "lab"), target_of(prod, "prod", region="*")])
    done = desk.janitor("run", "--format", "json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["outcome"]) == (0, "ok"), done.stderr
    assert [one["target"] for one in report["targets"]] == ["old", "lab", "prod-RegionOne", "prod-RegionTwo"]
    for one, account in zip(report["targets"], (old.account, lab.account, *prod.accounts.values()), strict=True):
        deleted = {deletion["image"] for deletion in one["deletions"] if deletion["outcome"] == "deleted"}
        assert deleted
        assert not deleted & account.images.keys()
    text = desk.janitor("show", str(report["run"])).stdout
    assert [text.count(f"── {name} ──") for name in ("old", "lab", "prod-RegionOne", "prod-RegionTwo")] == [1] * 4
    again = json.loads(desk.janitor("run", "--format", "json").stdout)
    assert [one["deletions"] for one in again["targets"]] == [[]] * 4


@pytest.mark.parametrize(
    ("project", "code", "outcome"),
    [pytest.param({"tenant_id": "f" * 32}, 1, "ok", id="another"), pytest.param({}, 4, "refused", id="the-same")],
)
def test_an_account_that_is_down_keeps_only_one_of_its_project(
    desk: Desk, clouds: list[Sandbox], project: dict[str, str], code: int, outcome: str
) -> None:
    """Until it was listed once."""
    old, lab, _ = clouds
    with running(Options(port=0, images=30, api=Api.OPENSTACK)) as gone:
        down = target_of(gone, "down", http={"attempts": 1}, **project)
    configured(desk, [target_of(old, "old"), down, target_of(lab, "lab")])
    done = desk.janitor("run", "--format", "json")
    report = json.loads(done.stdout)
    assert done.returncode == code
    assert [(one["target"], one["outcome"]) for one in report["targets"]] == [
        ("old", "ok"),
        ("down", "failed"),
        ("lab", outcome),
    ]
    assert [bool(one["deletions"]) for one in report["targets"]] == [True, False, outcome == "ok"]


def test_a_plan_over_the_limit_in_one_target_is_applied_there_alone(desk: Desk, clouds: list[Sandbox]) -> None:
    old, lab, _ = clouds
    configured(desk, [target_of(old, "old"), target_of(lab, "lab")])
    limited = (desk.folder / "janitor.yaml").read_text().replace("1000", "1")
    desk.write("janitor.yaml", limited)
    refused = json.loads(desk.janitor("run", "--format", "json").stdout)
    assert [one["error"].rpartition(": ")[2] for one in refused["targets"]] == [
        "janitor apply 1 --target old",
        "janitor apply 1 --target lab",
    ]
    wrong = desk.janitor("apply", "1", "--target", "prod")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "janitor: run 1 planned no deletion in prod; it did in old, lab\n",
    )
    done = json.loads(desk.janitor("apply", "1", "--target", "old", "--yes", "--format", "json").stdout)
    assert [(one["target"], bool(one["deletions"])) for one in done["targets"]] == [("old", True)]
