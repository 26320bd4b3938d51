"""A target is bound to the account that it reaches: its history does not apply to another one under its name."""

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from janitor.core.image import Image
from janitor.core.memory import Exemption
from janitor.core.policy import Clock, Expire, Match, Pattern, Policy
from janitor.core.result import DeletionOutcome, Mode, Outcome
from janitor.core.survey.binding import Binding, recognise
from janitor.core.usage import Usage, User
from janitor.errors import Exit, Refused, Unavailable, UsageError
from janitor.notify.slack.blocks import slack_messages
from janitor.report.routing import Share
from janitor.report.text import text_report
from janitor.run import exit_code
from janitor.run.review import reviewed_plan
from janitor.store import Store
from tests.factories import DAY, OLD, image_called, make_known, make_run, make_target, usage_of
from tests.factories import NOW as START
from tests.fakes import MOVED, OURS, THEIRS, RecordingCloud
from tests.new_database import new_database
from tests.run.world import ANNOUNCED, NightlyWorld
from tests.slack_stand_in import texts_of

IDLE = Policy("idle", Match(name=(Pattern("idle-*"),)), Expire(2 * DAY, Clock.LAST_USED))


def fleet(word: str, count: int = 10) -> list[Image]:
    return [image_called(f"{word}-{number}") for number in range(count)]


@dataclass
class World(NightlyWorld):
    """A cloud, a database and nights, in which the target may reach another account."""

    def reach(self, binding: Binding, *listed: Image) -> None:
        self.cloud = RecordingCloud(list(listed), reached=binding)

    def histories(self) -> dict[str, Any]:
        run = self.store.latest_survey("prod")
        return dict(self.store.inputs(run or 0)["prod"].history or {})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Store.open(new_database(tmp_path / "janitor.db")) as store:
        yield World(store, RecordingCloud(fleet("ours"), reached=OURS))


# Another account behind the name


def test_nothing_of_another_account_is_deleted(world: World) -> None:
    world.policies = [ANNOUNCED]
    world.night()
    world.night()
    world.reach(THEIRS, *fleet("theirs"))
    for arguments in ({}, {"accept_survey": True}, {"mode": Mode.DRY_RUN}):
        result = world.night(**arguments)
        [target] = result.targets
        assert (target.outcome, exit_code(result), world.cloud.deleted) == (Outcome.REFUSED, Exit.LIMIT, [])
        assert (target.decisions, target.notices.announced, target.notices.spared) == ((), (), ())
        assert "now reaches a different account (endpoint or appkey)" in (target.error or "")
        assert "`janitor target rebind prod`" in (target.error or "")
    assert len(world.store.memory("prod").notices) == 10


@pytest.mark.parametrize("visibility", [None, "public", "community"])
def test_an_account_without_an_image_of_its_own_is_not_recognised_by_that(world: World, visibility: str | None) -> None:
    theirs = [each.replace(owned=False, visibility=visibility) for each in fleet("public")] if visibility else []
    world.cloud.listed = theirs
    world.night()
    world.reach(THEIRS, *theirs, *fleet("theirs"))
    [target] = world.night().targets
    assert (target.outcome, world.cloud.deleted) == (Outcome.REFUSED, [])
    assert "run 1 recorded no own image to recognise it by" in (target.error or "")
    assert "`janitor target rebind prod`" in (target.error or "")
    world.store.rebind("prod", "ann", world.now)
    assert world.night().outcome is Outcome.OK
    assert world.cloud.deleted


def test_a_target_without_a_accepted_survey_is_bound_again(world: World) -> None:
    world.cloud.used = Usage(problem="no answer")
    world.night()
    world.reach(THEIRS, *fleet("theirs"))
    [target] = world.night().targets
    assert (target.outcome, len(world.cloud.deleted)) == (Outcome.OK, 10)
    assert "bound again (endpoint or appkey): no survey was accepted before" in target.survey.remarks


def test_nothing_is_settled_by_the_list_of_another_account(world: World) -> None:
    world.cloud.undone = {"ours-0"}
    world.cloud.survey_errors = [None, Unavailable("no answer")]
    world.policies = [replace(OLD, match=Match(name=(Pattern("ours-0"),)))]
    world.night()
    back, world.cloud = world.cloud, RecordingCloud(fleet("theirs"), reached=THEIRS)
    assert world.night().targets[0].earlier.settled == ()
    world.cloud = back
    [settled] = world.night(Mode.DRY_RUN).targets[0].earlier.settled
    assert settled.outcome is DeletionOutcome.ACCEPTED


def test_a_reviewed_plan_is_not_applied_to_another_account(world: World) -> None:
    plan = world.night(Mode.DRY_RUN)
    approved = reviewed_plan(world.store, plan.run, world.policies, 9 * DAY, world.now)
    # Even where it has some of the same images.
    world.reach(THEIRS, *fleet("ours", 3), *fleet("theirs"))
    result = world.night(approved=approved)
    assert (exit_code(result), world.cloud.deleted) == (Exit.LIMIT, [])


@pytest.mark.parametrize("problem", [None, "no answer"])
def test_a_night_of_another_account_leaves_no_trace(tmp_path: Path, problem: str | None) -> None:
    """What is decided later, and what is known of each image, is as if the target had not run that night."""
    told = []
    for swapped in (False, True):
        with Store.open(new_database(tmp_path / f"{swapped}.db")) as store:
            world = World(
                store, RecordingCloud([*fleet("ours"), image_called("idle-1")], reached=OURS), [IDLE, ANNOUNCED]
            )
            ours = world.cloud
            ours.used = usage_of({"idle-1": (User("i1", "web-1"),), "ours-1": (User("i1", "web-1"),)}, instances=1)
            nights = [world.night()]
            if swapped:
                world.reach(THEIRS, *fleet("theirs"), image_called("idle-1"))
                world.cloud.used = Usage(problem=problem) if problem else usage_of({"idle-1": (User("i2", "x"),)})
                world.night()
                world.cloud = ours
            else:
                world.now += DAY
            ours.used = Usage(instances=1)
            nights += [world.night() for _ in range(4)]
            told.append(
                (
                    [night.targets[0].decisions for night in nights],
                    [night.targets[0].notices.announced for night in nights],
                    world.histories(),
                    store.memory("prod"),
                    sorted(ours.deleted),
                )
            )
    assert told[0] == told[1]
    assert told[0][-1]


def test_a_moved_endpoint_is_bound_again_and_said(world: World) -> None:
    world.policies = [ANNOUNCED]
    world.night()
    world.night()
    world.reach(MOVED, *fleet("ours"))
    [target] = world.night().targets
    assert (target.outcome, len(world.cloud.deleted)) == (Outcome.OK, 10)
    assert [remark for remark in target.survey.remarks if "bound again (endpoint or appkey)" in remark]
    assert world.store.bound("prod") == MOVED
    assert world.store.load_run(3).targets[0].survey.remarks == target.survey.remarks
    assert world.night().targets[0].survey.remarks == ()


def test_what_we_deleted_ourselves_does_not_make_a_stranger(world: World) -> None:
    world.cloud.listed = [*fleet("ours"), image_called("young-1", days=1), image_called("young-2", days=1)]
    world.night()
    world.reach(MOVED, *world.cloud.listed)
    assert world.night().outcome is Outcome.OK


def test_images_of_another_account_that_may_be_seen_do_not_make_it_the_same(world: World) -> None:
    world.night(Mode.DRY_RUN)
    shared = [each.replace(owned=False, visibility="shared") for each in fleet("ours")]
    world.reach(THEIRS, *shared, *fleet("theirs"))
    assert world.night().outcome is Outcome.REFUSED


def test_images_that_another_account_may_not_see_do_not_make_it_the_same(world: World) -> None:
    world.night(Mode.DRY_RUN)
    world.reach(THEIRS, *fleet("theirs"))
    world.cloud.unseen = {each.id for each in fleet("ours")}
    assert world.night().outcome is Outcome.REFUSED


def test_a_database_without_bindings_is_bound_and_it_is_said(world: World) -> None:
    world.night(Mode.DRY_RUN)
    with world.store._file.writing() as db:
        db.execute("DELETE FROM bindings")
    [target] = world.night(Mode.DRY_RUN).targets
    assert (target.outcome, world.store.bound("prod")) == (Outcome.OK, OURS)
    [remark] = target.survey.remarks
    assert remark.startswith("What changed since the last run, and how to lift what it blocks: docs/upgrading.md (")
    assert remark.endswith(
        " Bound to the present endpoint and appkey: where it reaches another account, nothing will be deleted."
    )
    for words in ("slack.accepts", "--metrics-host", "--yes"):
        assert words in remark


@pytest.mark.parametrize(
    "reached",
    [OURS, Binding("openstack", "0123456789abcdef" * 2, "https://kr1-api-image-infrastructure.nhncloudservice.com/v2")],
)
def test_what_is_said_after_an_upgrade_is_cut_in_no_report(reached: Binding) -> None:
    remark = recognise("prod", reached, None, make_known("abcde", "abcde")).words
    result = make_run(make_target(remarks=(remark,)))
    terminal = io.StringIO()
    Console(file=terminal, width=80, highlight=False).print(text_report(result, None, zone=UTC))
    assert remark in " ".join(terminal.getvalue().split())
    blocks = [
        text["text"]
        for message in slack_messages(Share(None, result, result), None, UTC)
        for text in texts_of(message.blocks)
    ]
    assert any(remark in text for text in blocks)


def test_the_first_run_binds_in_silence(world: World) -> None:
    assert world.night(Mode.DRY_RUN).targets[0].survey.remarks == ()
    assert world.store.bound("prod") == OURS


# Bound again by a person


def test_after_rebinding_the_history_begins_again_and_can_still_be_read(world: World) -> None:
    world.policies = [ANNOUNCED]
    world.cloud.used = usage_of({"ours-1": (User("i1", "web-1"),)}, instances=1)
    first = world.night()
    history = world.store.image_history("prod", "ours-1")
    inputs = world.store.inputs(first.run)
    world.store.add_exemptions([("prod", Exemption("ours-2", START + 90 * DAY, "why", "ann"))], world.now)
    world.store.rebind("prod", "ann", world.now)
    assert world.store.bound("prod") is None
    assert world.store.memory("prod").notices == {}
    assert world.store.last_accepted("prod", 9) is None
    assert world.store.known("prod") == []
    assert world.store.history_of("prod", "ours-1") is None
    world.reach(THEIRS, *fleet("theirs"), image_called("ours-2"))
    second = world.night()
    assert (second.outcome, world.store.bound("prod")) == (Outcome.OK, THEIRS)
    assert len(second.targets[0].notices.announced) == 10
    assert [d.reason.value for d in second.targets[0].decisions if d.image.id == "ours-2"] == ["exempt"]
    assert world.store.load_run(first.run) == first
    assert world.store.inputs(first.run) == inputs
    assert world.store.image_history("prod", "ours-1")[: len(history)] == history
    assert world.store.image_history("prod", "ours-2")[0].text.startswith("first seen")


def test_a_plan_of_before_is_not_applied_after_rebinding(world: World) -> None:
    plan = world.night(Mode.DRY_RUN)
    world.store.rebind("prod", "ann", world.now)
    with pytest.raises(UsageError, match="prod was bound to another account after run 1"):
        reviewed_plan(world.store, plan.run, world.policies, 9 * DAY, world.now)


def change(draw: random.Random, world: World) -> None:
    """Something that happens to an account between two nights."""
    cloud = world.cloud
    for _ in range(draw.randint(0, 3)):
        name = draw.choice(("a-1", "a-2", "a-3", "idle-1", "idle-2", "idle-3"))
        there = {each.id: each for each in cloud.listed}
        match draw.randint(0, 5):
            case 0:
                there.pop(name, None)
            case 1:
                there.setdefault(name, image_called(name, days=draw.choice((1, 12, 30))))
            case 2 if name in there:
                there[name] = there[name].replace(status=draw.choice(("active", "deactivated", "killed")))
            case 3:
                users = {each: (User("i1", "web-1"),) for each in there if draw.random() < 0.3}
                cloud.used = draw.choice(
                    (usage_of(users, instances=1), usage_of(users, instances=1), Unavailable("no"))
                )
            case 4:
                cloud.answers[name] = Refused("no", code=403)
            case _:
                cloud.answers.pop(name, None)
        cloud.listed = list(there.values())


@pytest.mark.parametrize("seed", range(12))
def test_a_target_that_was_bound_again_behaves_like_one_that_never_ran(tmp_path: Path, seed: int) -> None:
    """The same images, by the same ids: nothing that was known of them before may count."""
    told: list[list[Any]] = [[], []]
    for place, earlier in enumerate((0, 6)):
        with Store.open(new_database(tmp_path / f"{place}.db")) as store:
            world = World(store, RecordingCloud(fleet("a", 4)), [IDLE, ANNOUNCED], START - earlier * DAY)
            world.cloud.survey_errors = []
            draw = random.Random(seed)
            for _ in range(earlier):
                change(draw, world)
                world.night(accept_survey=True)
            if earlier:
                store.rebind("prod", "ann", world.now)
            draw = random.Random(seed + 1000)
            world.cloud = RecordingCloud([*fleet("a", 4), image_called("idle-1"), image_called("idle-2")])
            for _ in range(6):
                change(draw, world)
                result = world.night(usage_memory=DAY)
                [target] = result.targets
                settled = [(each.decision, each.outcome) for each in target.earlier.settled]
                told[place] += [
                    (result.run - earlier, target.outcome, target.decisions, target.notices.announced, settled),
                    (world.histories(), store.memory("prod"), sorted(store.known("prod"))),
                    (store.deleted("prod"), store.earlier_usage("prod", START - 90 * DAY)),
                ]
            told[place].append(sorted(world.cloud.deleted))
    assert told[1] == told[0]
