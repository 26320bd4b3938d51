"""A reviewed plan is applied once, in time, and only to what has not changed since."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.core.planning.plan import Limits
from janitor.core.policy import Expire, Policy
from janitor.core.result import Mode, Outcome
from janitor.core.usage import Usage, User
from janitor.errors import UsageError
from tests.factories import DAY, OLD, image_called, usage_of
from tests.factories import NOW as START
from tests.run.world import ANNOUNCED, World, announced


def test_over_the_limit_the_report_names_the_way_and_apply_goes_it(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called(f"i{number}") for number in range(4)]
    world.limits = Limits(2, 100)
    refused = world.run()
    assert refused.outcome is Outcome.REFUSED
    assert (refused.targets[0].error or "").endswith(f"janitor apply {refused.run}")
    done = world.run(approved=world.approved(refused.run))
    assert (done.outcome, sorted(world.cloud.deleted)) == (Outcome.OK, ["i0", "i1", "i2", "i3"])


CHANGES = [
    pytest.param({"protected": True}, "protected false -> true", id="protected-since"),
    pytest.param({"status": "deactivated"}, "status active -> deactivated", id="another-status"),
    pytest.param({"updated_at": START}, "updated ", id="updated-since"),
    pytest.param({"public": True}, "now keep [public]", id="guarded-since"),
    pytest.param({"name": "golden-1"}, "name differs", id="another-name"),
    pytest.param({"properties": {"os_distro": "debian"}, "tags": ("x",)}, "properties differs, tags", id="more"),
]


@pytest.mark.parametrize(("change", "words"), CHANGES)
def test_apply_leaves_what_has_changed(world: World, change: dict[str, Any], words: str) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called("a"), image_called("b"), image_called("c", days=1)]
    plan = world.run(Mode.DRY_RUN)
    world.cloud.listed[0] = world.cloud.listed[0].replace(**change)
    result = world.run(approved=world.approved(plan.run), max_shrink=100.0)
    [changed] = result.targets[0].review.changed
    assert changed.decision.image.id == "a"
    assert changed.detail.startswith("changed since the plan: ")
    assert words in changed.detail
    assert world.cloud.deleted == ["b"]


def test_apply_deletes_nothing_that_the_plan_did_not_name(world: World) -> None:
    world.policies = [OLD]
    plan = world.run(Mode.DRY_RUN)
    world.cloud.listed.append(image_called("later"))
    result = world.run(approved=world.approved(plan.run))
    assert world.cloud.deleted == ["a"]
    assert [decision.image.id for decision in result.targets[0].to_delete] == ["a"]
    assert world.store.load_run(result.run) == result


def test_apply_respects_notices(world: World) -> None:
    world.run()
    world.now += 2 * DAY
    plan = world.run(Mode.DRY_RUN)
    assert [decision.image.id for decision in plan.targets[0].to_delete] == ["a"]
    world.cloud.used = usage_of({"a": (User("i", "web-1"),)})
    world.run()
    world.cloud.used = Usage()
    result = world.run(approved=world.approved(plan.run))
    assert (world.cloud.deleted, announced(result)) == ([], ["a"]), "spared meanwhile, so that it waits again"
    [changed] = result.targets[0].review.changed
    assert "now wait [notice]" in changed.detail


EDITS = [
    pytest.param([replace(OLD, description="another word")], True, id="a-word"),
    pytest.param([replace(OLD, expire=Expire(15 * DAY))], True, id="when-it-expires"),
    pytest.param([ANNOUNCED], True, id="its-notice"),
    pytest.param([replace(OLD, name="older")], True, id="its-name"),
    pytest.param([], True, id="gone"),
    pytest.param([OLD, replace(OLD, name="behind")], False, id="one-behind-it-is-none-of-its-business"),
]


@pytest.mark.parametrize(("policies", "refused"), EDITS)
def test_a_plan_whose_policy_was_edited_is_not_applied(world: World, policies: list[Policy], refused: bool) -> None:
    world.policies = [OLD]
    plan = world.run(Mode.DRY_RUN)
    world.policies = policies
    if refused:
        with pytest.raises(UsageError, match="policy old has changed since run 1"):
            world.approved(plan.run)
    else:
        assert world.approved(plan.run)


def test_another_policy_that_has_come_before_leaves_the_plan_nothing(world: World) -> None:
    world.policies = [OLD]
    plan = world.run(Mode.DRY_RUN)
    world.policies = [replace(OLD, name="first"), OLD]
    result = world.run(approved=world.approved(plan.run))
    [changed] = result.targets[0].review.changed
    assert "policy old -> first" in changed.detail
    assert world.cloud.deleted == []


def test_a_plan_is_applied_once_and_what_is_gone_is_said_to_be(world: World) -> None:
    world.policies = [OLD]
    plan = world.run(Mode.DRY_RUN)
    for _ in range(2):
        result = world.run(approved=world.approved(plan.run))
        assert result.outcome is Outcome.OK
    assert world.cloud.deleted == ["a"]
    [changed] = result.targets[0].review.changed
    assert (changed.decision.image.id, changed.detail) == (
        "a",
        "changed since the plan: no longer listed, as the janitor deleted it",
    )
    with pytest.raises(UsageError, match="planned no deletion"):
        world.approved(result.run)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE decisions SET verdict = 'delete'", id="another-verdict"),
        pytest.param("UPDATE image_facts SET updated_at = '2026-01-01T00:00:00Z'", id="another-fact"),
    ],
)
def test_a_plan_that_is_not_as_it_was_recorded_is_not_applied(world: World, tmp_path: Path, change: str) -> None:
    world.policies = [OLD]
    plan = world.run(Mode.DRY_RUN)
    with closing(sqlite3.connect(tmp_path / "janitor.db")) as db, db:
        db.execute(change)
    with pytest.raises(UsageError, match="the plan of run 1 is not what that run recorded"):
        world.approved(plan.run)


def test_a_run_that_did_not_finish_left_no_plan(world: World, tmp_path: Path) -> None:
    world.policies = [OLD]
    plan = world.run(Mode.DRY_RUN)
    with closing(sqlite3.connect(tmp_path / "janitor.db")) as db, db:
        db.execute("UPDATE runs SET outcome = NULL, finished_at = NULL, digest = NULL")
    with pytest.raises(UsageError, match="left no finished plan"):
        world.approved(plan.run)


def test_the_survey_of_a_plan_that_is_applied_must_be_plausible_too(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called(f"i{number}") for number in range(10)]
    plan = world.run(Mode.DRY_RUN)
    world.cloud.listed = world.cloud.listed[:6]
    result = world.run(approved=world.approved(plan.run))
    assert (result.outcome, world.cloud.deleted) == (Outcome.REFUSED, [])


def test_a_plan_is_good_for_a_day(world: World) -> None:
    world.policies = [OLD]
    plan = world.run(Mode.DRY_RUN)
    world.now += DAY
    assert world.approved(plan.run)
    world.now += timedelta(seconds=1)
    with pytest.raises(UsageError, match="was valid for 1d"):
        world.approved(plan.run)


def test_there_must_be_something_to_apply(world: World) -> None:
    plan = world.run(Mode.DRY_RUN)
    with pytest.raises(UsageError, match="planned no deletion"):
        world.approved(plan.run)


def test_the_text_of_a_policy_is_the_same_in_every_process() -> None:
    code = (
        "from datetime import timedelta; from janitor.core.planning.plan_diff import policy_text; "
        "from janitor.core.policy import *; "
        "from janitor.core.image import Status; inner = Match(status=frozenset(Status)); "
        "print(policy_text(Policy('p', Match(status=frozenset(Status), disk_format=frozenset(map(str, range(9))), "
        "exclude=inner), Expire(timedelta(days=1)))))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in "1234"
    }
    assert len(texts) == 1
