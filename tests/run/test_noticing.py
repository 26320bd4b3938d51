"""Notices over days: an image goes only after its full wait, which starts when a report of it was delivered."""

from dataclasses import replace
from datetime import timedelta

import pytest

from janitor.core.image import Image, Status
from janitor.core.policy import Expire, Match, Policy
from janitor.core.result import Mode
from janitor.core.usage import Usage, User
from janitor.run.orders import Site
from tests.factories import DAY, OLD, image_called, usage_of
from tests.factories import NOW as START
from tests.fakes import RecordingCloud
from tests.run.world import ANNOUNCED, HOUR, World, announced
from tests.runs import run_of


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


def test_an_image_that_comes_into_use_is_spared_and_waits_again_afterwards(world: World) -> None:
    world.run()
    world.now += DAY
    world.cloud.used = usage_of({"a": (User("i", "web-1"),)})
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
    world.cloud.used = usage_of({"a": (User("i", "web-1"),)})

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
    world.cloud.used = usage_of({"a": (User("i", "web-1"),)})
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
