"""Runs over days: notices are delivered first, surveys must be plausible, plans unchanged, refusals left alone."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.core.decision import Decision
from janitor.core.image import Image, Status
from janitor.core.memory import Exemption
from janitor.core.planning.plan import Limits
from janitor.core.policy import Expire, Match, Policy
from janitor.core.result import DeletionOutcome, Mode, Outcome, RunResult
from janitor.core.usage import Usage, User
from janitor.errors import Exit, Implausible, Refused, Unavailable, UsageError
from janitor.notify.announcing import start_notices
from janitor.run import exit_code
from janitor.run.orders import Site
from janitor.run.review import reviewed_plan
from janitor.store import Store
from tests.factories import AMPLE, DAY, OLD, image_called
from tests.factories import NOW as START
from tests.fakes import RecordingCloud
from tests.runs import run_of

HOUR = timedelta(hours=1)
ANNOUNCED = replace(OLD, notice=2 * DAY)


@dataclass
class World:
    """A cloud, a database and a clock that goes on only when it is told to."""

    store: Store
    cloud: RecordingCloud
    policies: list[Policy]
    now: datetime = START
    limits: Limits = AMPLE

    def run(self, mode: Mode = Mode.DELETE, *, deliver: bool = True, **rest: Any) -> RunResult:
        """One run; then its report is delivered, or not."""
        result = run_of(
            [Site("prod", lambda: self.cloud)],
            self.policies,
            self.store,
            mode,
            self.limits,
            clock=lambda: self.now,
            **rest,
        ).perform()
        self.deliver(result, taken=deliver)
        return result

    def deliver(self, result: RunResult, *, taken: bool = True) -> None:
        """The channel takes all of a report, or nothing."""
        told = [*result.targets[0].notices.announced, *result.targets[0].notices.reminded]
        accepted = {("prod", decision.image.id) for decision in told} if taken else set()
        start_notices(self.store, result, self.policies, accepted, self.now)

    def approved(self, number: int, validity: timedelta = DAY) -> dict[str, tuple[Decision, ...]]:
        return reviewed_plan(self.store, number, self.policies, validity, self.now)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Store.open(tmp_path / "janitor.db") as store:
        yield World(store, RecordingCloud([image_called("a"), image_called("young", days=1)]), [ANNOUNCED])


def announced(result: RunResult) -> list[str]:
    return [decision.image.id for decision in result.targets[0].notices.announced]


def test_announced_then_deleted_after_the_full_wait(world: World) -> None:
    assert announced(world.run()) == ["a"]
    for _ in range(2):
        world.now += DAY - timedelta(seconds=1)
        assert announced(world.run()) == []
        assert world.cloud.deleted == []
    world.now += timedelta(seconds=2)
    world.run()
    assert world.cloud.deleted == ["a"]


def test_an_undelivered_report_starts_no_clock(world: World) -> None:
    world.run(deliver=False)
    world.now += 3 * DAY
    assert announced(world.run()) == ["a"], "announced again, for nobody was told"
    assert world.cloud.deleted == []
    world.now += 2 * DAY
    world.run()
    assert world.cloud.deleted == ["a"]


def test_a_wait_is_as_long_as_it_says_from_the_moment_its_message_was_accepted(world: World) -> None:
    result = world.run(deliver=False)
    world.now += 3 * HOUR
    world.deliver(result)
    world.now = START + 2 * DAY
    world.run()
    assert world.cloud.deleted == []
    world.now += 3 * HOUR
    world.run()
    assert world.cloud.deleted == ["a"]


def test_a_new_wait_does_not_end_before_the_date_that_people_know(world: World) -> None:
    world.policies = [replace(OLD, notice=5 * DAY)]
    world.run()
    world.policies = [replace(OLD, name="new", notice=DAY)]
    for day in range(1, 6):
        world.now = START + day * DAY
        assert announced(world.run()) == (["a"] if day == 1 else [])
        assert world.cloud.deleted == (["a"] if day == 5 else [])


def test_the_same_id_in_two_targets_waits_in_each_for_itself(world: World) -> None:
    other = RecordingCloud([image_called("a"), image_called("young", days=1)])
    for _ in range(2):
        run_of(
            [Site("prod", lambda: world.cloud), Site("dev", lambda: other)],
            world.policies,
            world.store,
            Mode.DELETE,
            world.limits,
            clock=lambda: world.now,
        ).perform()
        world.run()
        world.now += 2 * DAY
    assert (world.cloud.deleted, other.deleted) == (["a"], [])


def test_a_dry_run_announces_nothing_and_shows_what_a_live_run_would(world: World) -> None:
    assert announced(world.run(Mode.DRY_RUN)) == ["a"]
    assert world.store.memory("prod").notices == {}
    world.now += 3 * DAY
    assert announced(world.run()) == ["a"]
    assert world.cloud.deleted == []


def test_an_image_that_comes_into_use_is_spared_and_waits_anew_afterwards(world: World) -> None:
    world.run()
    world.now += DAY
    world.cloud.used = Usage({"a": (User("i", "web-1"),)})
    result = world.run()
    [spared] = result.targets[0].notices.spared
    decision = spared.decision
    assert (decision.image.id, decision.reason.value, decision.detail) == ("a", "in-use", "used by instance web-1")
    assert (decision.policy, spared.policy) == (None, "old")
    assert world.store.load_run(result.run) == result
    world.now += DAY
    assert world.run().targets[0].notices.spared == (), "said once"
    world.cloud.used = Usage()
    world.now += 3 * DAY
    assert announced(world.run()) == ["a"]
    assert world.cloud.deleted == []


def test_a_notice_goes_on_while_its_image_may_not_be_seen(world: World) -> None:
    world.run()
    listed = world.cloud.listed
    world.cloud.listed, world.cloud.unseen = listed[1:], {"a"}
    for _ in range(10):
        world.now += DAY
        assert world.run().targets[0].notices.spared == ()
    assert list(world.store.memory("prod").notices) == ["a"]
    world.cloud.listed, world.cloud.unseen = listed, set()
    world.run()
    assert world.cloud.deleted == ["a"]


class Crash(BaseException):
    """The process is gone from here on."""


def test_a_run_that_dies_leaves_it_to_the_next_to_say_what_it_spared(world: World) -> None:
    world.cloud.listed += [image_called("b", status="killed")]
    stuck = Policy("stuck", Match(status=frozenset({Status.KILLED})), Expire(DAY))
    world.policies = [stuck, ANNOUNCED]
    world.run(Mode.DELETE)
    world.cloud.listed += [image_called("c", status="killed")]
    world.cloud.used = Usage({"a": (User("i", "web-1"),)})

    def die(_image: str) -> None:
        raise Crash

    world.cloud.on_delete = die
    with pytest.raises(Crash):
        world.run()
    world.cloud.on_delete = lambda _image: None
    assert [saved.decision.image.id for saved in world.run().targets[0].notices.spared] == ["a"]
    assert world.run().targets[0].notices.spared == (), "said once"


def test_a_dry_run_spares_nothing_for_good(world: World) -> None:
    world.run()
    world.cloud.used = Usage({"a": (User("i", "web-1"),)})
    assert world.run(Mode.DRY_RUN).targets[0].notices.spared
    assert "a" in world.store.memory("prod").notices


def others() -> list[Image]:
    return [image_called(f"other-{number}", days=1) for number in range(9)]


def test_a_list_that_leaves_an_image_out_ends_no_notice(world: World) -> None:
    world.cloud.listed = [image_called("a"), *others()]
    world.run()
    world.now += DAY
    world.cloud.listed = others()
    assert world.run().targets[0].notices.spared == ()
    world.now += DAY
    world.cloud.listed = [image_called("a", protected=True), *others()]
    assert [saved.decision.image.id for saved in world.run().targets[0].notices.spared] == ["a"]


@pytest.mark.parametrize(
    ("days", "again"), [pytest.param(7, [], id="a-week"), pytest.param(8, ["a"], id="more-than-a-week")]
)
def test_an_image_that_was_not_listed_for_a_week_is_gone_with_its_notice(
    world: World, days: int, again: list[str]
) -> None:
    world.policies = [replace(OLD, notice=30 * DAY)]
    world.cloud.listed = [image_called("a"), *others()]
    world.run()
    world.cloud.listed = others()
    for _ in range(days):
        world.now += DAY
        world.run()
    world.cloud.listed = [image_called("a"), *others()]
    assert announced(world.run()) == again


def test_with_an_image_that_we_deleted_its_notice_ends(world: World) -> None:
    world.cloud.listed = [image_called("a"), *others()]
    for _ in range(2):
        world.run()
        world.now += 2 * DAY
    assert "a" in world.store.memory("prod").notices
    world.run()
    assert (world.cloud.deleted, world.store.memory("prod").notices) == (["a"], {})


def test_another_policy_starts_a_new_wait(world: World) -> None:
    world.run()
    world.now += 2 * DAY
    world.policies = [replace(ANNOUNCED, name="new")]
    assert announced(world.run()) == ["a"]
    assert world.cloud.deleted == []


def test_one_reminder_of_a_long_notice(world: World) -> None:
    world.policies = [replace(OLD, notice=5 * DAY)]
    reminded = []
    for day in range(6):
        result = world.run()
        reminded += [day for _ in result.targets[0].notices.reminded]
        world.now += DAY
    assert reminded == [4]
    assert world.cloud.deleted == ["a"]


@pytest.mark.parametrize("delivered", [timedelta(), timedelta(minutes=1)], ids=["at-once", "after-a-minute"])
def test_nobody_misses_the_reminder_whose_runs_begin_at_the_same_time_each_night(
    world: World, delivered: timedelta
) -> None:
    """However much later in the night the announcement was delivered, and the last run looks."""
    world.policies = [replace(OLD, notice=4 * DAY)]
    result = world.run(deliver=False)
    world.now += delivered
    world.deliver(result)
    told = []
    for day in range(1, 5):
        world.now = START + day * DAY + (2 * delivered if day == 4 else timedelta())
        told += [day for _ in world.run().targets[0].notices.reminded]
    assert (told, world.cloud.deleted) == ([3], ["a"])


def test_a_reminder_that_was_not_delivered_is_given_again_and_then_no_more(world: World) -> None:
    world.policies = [replace(OLD, notice=5 * DAY)]
    world.run()
    reminded = []
    for hours in (1, 2, 3, 4):
        world.now = START + 4 * DAY + hours * HOUR
        reminded.append(len(world.run(deliver=hours > 2).targets[0].notices.reminded))
    assert reminded == [1, 1, 1, 0]


def test_what_the_report_said_is_shown_again(world: World) -> None:
    result = world.run()
    assert world.store.load_run(result.run) == result


def test_a_refused_image_is_left_alone_for_a_while(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called("a")]
    world.cloud.answers = {"a": Refused("in use", code=30409)}
    tried = []
    for day in range(20):
        before = len(world.cloud.deleted)
        result = world.run()
        again = bool(result.targets[0].earlier.refused_again)
        assert again is (day in (1, 4, 11, 18)), "told in full only the first time"
        assert world.store.load_run(result.run) == result
        tried += [day] * (len(world.cloud.deleted) - before)
        assert exit_code(result) is (Exit.DELETIONS_FAILED if day in tried else Exit.OK)
        world.now += DAY
    assert tried == [0, 1, 4, 11, 18]


def test_a_try_that_failed_is_made_again_at_once_and_does_not_begin_the_waits_anew(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called("a")]
    tried = []
    for day in range(23):
        down = day in (11, 12)
        world.cloud.answers = {"a": Unavailable("HTTP 502") if down else Refused("in use", code=30409)}
        before = len(world.cloud.deleted)
        world.run()
        tried += [day] * (len(world.cloud.deleted) - before)
        world.now += DAY
    assert tried == [0, 1, 4, 11, 12, 13, 20]


def test_what_is_refused_in_other_words_is_told_again(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called("a")]
    told = []
    for words in ("in use", "in use", "locked", "locked"):
        world.cloud.answers = {"a": Refused(words, code=30409)}
        told.append(not world.run().targets[0].earlier.refused_again)
        world.now += 7 * DAY
    assert told == [True, False, True, False]


def test_an_accepted_deletion_ends_the_row_of_refusals(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called("a")]
    tried = []
    for day in range(5):
        world.cloud.answers = {} if day == 1 else {"a": Refused("in use", code=30409)}
        world.cloud.undone = {"a"}
        before = len(world.cloud.deleted)
        world.run()
        tried += [day] * (len(world.cloud.deleted) - before)
        world.now += DAY
    assert tried == [0, 1, 2, 3], "refused, accepted and still there, and then refused for the first time again"


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
    world.cloud.listed[0] = replace(world.cloud.listed[0], **change)
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
    world.cloud.used = Usage({"a": (User("i", "web-1"),)})
    world.run()
    world.cloud.used = Usage()
    result = world.run(approved=world.approved(plan.run))
    assert (world.cloud.deleted, announced(result)) == ([], ["a"]), "spared meanwhile, so that it waits anew"
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


FALLS = [
    pytest.param(
        {"listed": [image_called("i0", protected=True), image_called("i1", protected=True)]},
        "owned images",
        id="images",
    ),
    pytest.param({"used": Usage(instances=6)}, "instances fell from 10 to 6", id="instances"),
    pytest.param({"used": Usage(instances=10, volumes=7)}, "volumes made of images fell from 12 to 7", id="volumes"),
    pytest.param({"used": Usage(instances=10, volumes=8)}, None, id="a-few-volumes"),
    pytest.param({"used": Usage(instances=10)}, None, id="volumes-unread"),
    pytest.param(
        {"listed": [image_called(f"i{number}", protected=number > 1) for number in range(10)][:10]}, None, id="no-fall"
    ),
    pytest.param({"listed": [image_called(f"i{number}") for number in range(10)]}, "protected images", id="protected"),
    pytest.param({"offset": 6 * timedelta(minutes=1)}, "clock is 6 minutes ahead", id="clock-ahead"),
    pytest.param({"offset": -6 * timedelta(minutes=1)}, "clock is 6 minutes behind", id="clock-behind"),
    pytest.param({"offset": 5 * timedelta(minutes=1)}, None, id="clock-near-enough"),
    pytest.param({"irregular": ["image x is listed twice"]}, "image x is listed twice", id="contradiction"),
]


@pytest.mark.parametrize(("change", "words"), FALLS)
def test_a_survey_that_looks_wrong_deletes_nothing(world: World, change: dict[str, Any], words: str | None) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called(f"i{number}", protected=number > 1) for number in range(10)]
    world.cloud.used = Usage(instances=10, volumes=12)
    world.run(Mode.DRY_RUN)
    for key, value in change.items():
        setattr(world.cloud, key, value)
    result = world.run()
    assert (result.outcome is Outcome.REFUSED) is (words is not None)
    if words is None:
        assert world.cloud.deleted
        return
    assert words in (result.targets[0].error or "")
    assert "--accept-survey" in (result.targets[0].error or "")
    assert (world.cloud.deleted, exit_code(result)) == ([], Exit.LIMIT)
    accepted = world.run(accept_survey=True)
    assert accepted.outcome is Outcome.OK
    assert world.run().outcome is (Outcome.REFUSED if "clock" in words or "twice" in words else Outcome.OK)


def test_volumes_are_compared_with_those_that_were_read_last(world: World) -> None:
    for seen in (12, None, None):
        world.cloud.used = Usage(instances=10, volumes=seen)
        assert world.run().outcome is Outcome.OK
    world.cloud.used = Usage(instances=10, volumes=0)
    assert "volumes made of images fell from 12 to 0" in (world.run().targets[0].error or "")


def test_a_doubted_survey_is_not_what_the_next_is_compared_with(world: World) -> None:
    world.cloud.listed = [image_called(f"i{number}") for number in range(10)]
    world.run(Mode.DRY_RUN)
    world.cloud.listed = [image_called("i0")]
    for _ in range(2):
        assert world.run().outcome is Outcome.REFUSED


def test_our_own_deletions_are_no_shrinking(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called(f"i{number}") for number in range(9)] + [image_called("young", days=1)]
    world.run()
    assert len(world.cloud.deleted) == 9
    assert world.run().outcome is Outcome.OK


def test_our_own_deletions_are_no_shrinking_while_the_cloud_still_lists_them(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called(f"i{number}") for number in range(9)] + [image_called("young", days=1)]

    def list_as_going(image_id: str) -> None:
        listed = world.cloud.listed
        world.cloud.listed = [replace(i, status="pending_delete") if i.id == image_id else i for i in listed]

    world.cloud.on_delete, world.cloud.undone = list_as_going, {f"i{number}" for number in range(9)}
    world.run()
    assert len(world.cloud.deleted) == 9
    assert world.run().outcome is Outcome.OK


def test_a_list_that_repeats_itself_is_refused(world: World) -> None:
    world.cloud.survey_errors = [Implausible("the list repeats itself")]
    result = world.run()
    assert (result.outcome, exit_code(result)) == (Outcome.REFUSED, Exit.LIMIT)


def test_a_truncated_second_survey_confirms_nothing(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called("a")] + [image_called(f"young{number}", days=1) for number in range(9)]

    def lose_the_rest(_image: str) -> None:
        world.cloud.listed = []

    world.cloud.on_delete = lose_the_rest
    result = world.run()
    [deletion] = result.targets[0].deletions
    assert deletion.outcome is DeletionOutcome.ACCEPTED
    assert result.outcome is Outcome.FAILED


def test_a_use_that_was_seen_is_remembered(world: World) -> None:
    world.policies = [OLD]
    world.cloud.used = Usage({"a": (User("i", "web-1"),)}, instances=1)
    world.run()
    world.cloud.used = Usage(instances=1)
    world.now += DAY
    reasons = {d.image.id: d.reason.value for d in world.run(usage_memory=DAY).targets[0].decisions}
    assert reasons["a"] == "recently-used"
    world.now += HOUR
    world.run(usage_memory=DAY)
    assert world.cloud.deleted == ["a"]


def test_one_instance_list_with_a_hole_costs_nothing_however_late_the_run(world: World) -> None:
    world.policies, world.cloud.listed = [OLD], [image_called("a")]
    others = {f"other{number}": (User(f"i{number}", "db"),) for number in range(9)}
    world.cloud.used = Usage({"a": (User("i", "web-1"),), **others}, instances=10)
    world.run(usage_memory=DAY)
    world.cloud.used = Usage(others, instances=9)
    world.now += 7 * DAY
    [decision] = [d for d in world.run(usage_memory=DAY).targets[0].decisions if d.image.id == "a"]
    assert (decision.reason.value, world.cloud.deleted) == ("recently-used", [])
    assert decision.detail == "it was in use on 2026-11-23 03:00Z, in the last accepted survey"
    world.now += 7 * DAY
    world.run(usage_memory=DAY)
    assert world.cloud.deleted == ["a"]


def test_a_survey_that_looks_wrong_makes_no_use_forgotten(world: World) -> None:
    world.policies = [OLD]
    world.cloud.used = Usage({"a": (User("i", "web-1"),)}, instances=10)
    world.run(usage_memory=DAY)
    world.cloud.used = Usage(instances=1)
    world.now += 2 * DAY
    assert world.run(usage_memory=DAY).outcome is Outcome.REFUSED
    world.cloud.used = Usage(instances=9)
    world.now += 2 * DAY
    assert world.run(usage_memory=DAY).outcome is Outcome.OK
    assert world.cloud.deleted == []


def test_an_exemption_holds_to_the_very_last(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called("a"), image_called("b"), image_called("young", days=1)]

    def exempt_the_other(image_id: str) -> None:
        other = Exemption("B" if image_id == "a" else "A", world.now + DAY, "stop!", "kim")
        world.store.add_exemptions([("prod", other)], world.now)

    world.cloud.on_delete = exempt_the_other
    result = world.run(deletions_at_once=1)
    assert world.cloud.deleted == ["a"]
    [change] = result.targets[0].review.changed
    assert (change.decision.image.id, result.outcome) == ("b", Outcome.OK)
    assert world.store.load_run(result.run) == result


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
