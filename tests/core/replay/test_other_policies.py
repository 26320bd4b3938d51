"""Policies that did not rule, on nights in which something happened: what they would have deleted, and what is told."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from janitor.core.image import Image, Sharing
from janitor.core.memory import Exemption
from janitor.core.planning.deletion import Answer
from janitor.core.planning.plan import Limits
from janitor.core.policy import Expire, Match, Pattern, Policy
from janitor.core.recipients.destinations import Destinations
from janitor.core.replay.nights import PastRun, counting
from janitor.core.replay.outcomes.savings import in_all, savings_by_policy
from janitor.core.replay.replayed import ReplayedNight
from janitor.core.result import Mode
from janitor.core.survey.binding import Binding
from janitor.core.usage import User, UserKind
from janitor.errors import Refused, Unavailable
from janitor.report.rehearsals.backtests.backtest import Backtest, TargetBacktest
from janitor.report.rehearsals.backtests.doubts import doubts
from janitor.report.rehearsals.backtests.markdown import backtest_markdown
from janitor.report.rehearsals.backtests.rows import backtest_json
from janitor.report.rehearsals.backtests.text import backtest_page
from tests.core.replay.test_backtest import deleted, replayed
from tests.core.test_deciding_again import ListeningStore, World
from tests.factories import ALL, DAY, GIB, image_called, usage_of
from tests.factories import NOW as START
from tests.fakes import RecordingCloud
from tests.new_database import new_database
from tests.report.terminal import printed, unfolded
from tests.run.world import HOUR

SOON, LATE = (Policy(name, ALL, Expire(days * DAY)) for name, days in (("soon", 10), ("late", 33)))
NEVER = Policy("never", ALL)
KEPT = Exemption("old", START + 90 * DAY, "release", "keep.yaml")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A cloud with one image, 30 days old in the first night, and policies that keep all."""
    with ListeningStore.open(new_database(tmp_path / "janitor.db")) as store:
        yield World(store, RecordingCloud([image_called("old")]), [NEVER])


def live(world: World, nights: int, policy: Policy = NEVER) -> None:
    world.policies = [policy]
    for _ in range(nights):
        world.night()


def test_an_image_that_was_really_deleted_stays_as_it_was_until_other_policies_delete_it(world: World) -> None:
    live(world, 6, SOON)
    nights = replayed(world, [LATE])
    assert deleted(nights) == {5: ["old"]}
    assert [one.really for night in nights for one in night.deletions] == [True]
    assert [len(night.really) for night in nights] == [1, 0, 0, 0, 0, 0]


def test_an_image_that_would_have_been_deleted_is_gone_from_then_on(world: World) -> None:
    live(world, 3)
    live(world, 3, LATE)
    nights = replayed(world, [SOON])
    assert deleted(nights) == {1: ["old"]}
    assert [one.really for night in nights for one in night.deletions] == [False]


def test_an_image_that_others_removed_is_not_deleted(world: World) -> None:
    live(world, 2)
    world.cloud.listed = []
    live(world, 4)
    assert deleted(replayed(world, [LATE])) == {}


def test_notices_run_from_the_night_that_would_have_announced_them(world: World) -> None:
    live(world, 8)
    announced = replace(SOON, notice=5 * DAY)
    nights = replayed(world, [announced], destinations=Destinations.under([announced], None, None))
    assert [len(night.announced) for night in nights] == [1, 0, 0, 0, 0, 0, 0, 0]
    assert [len(night.waiting) for night in nights] == [1, 1, 1, 1, 1, 0, 0, 0]
    assert deleted(nights) == {6: ["old"]}


def test_a_week_without_runs_ends_a_notice(world: World) -> None:
    live(world, 2)
    world.now += 7 * DAY
    live(world, 6)
    announced = replace(SOON, notice=2 * DAY)
    nights = replayed(world, [announced], destinations=Destinations.under([announced], None, None))
    assert [len(night.announced) for night in nights] == [1, 0, 1, 0, 0, 0, 0, 0]
    assert deleted(nights) == {5: ["old"]}


@pytest.mark.parametrize("mode", Mode)
def test_runs_that_could_not_survey_are_no_silence(world: World, mode: Mode) -> None:
    for night in range(6):
        world.cloud.survey_errors = [Unavailable("down")] if night in (1, 2) else []
        world.night(mode)
    announced = replace(SOON, notice=26 * HOUR)
    nights = replayed(world, [announced], destinations=Destinations.under([announced], None, None))
    assert [night.run for night in nights] == [1, 4, 5, 6]
    assert deleted(nights) == {4: ["old"]}


def test_an_announced_image_that_comes_into_use_is_announced_anew(world: World) -> None:
    live(world, 1)
    world.cloud.used = usage_of({"old": (User("i1", "web"),)})
    live(world, 1)
    world.cloud.used = usage_of({})
    live(world, 5)
    announced = replace(SOON, notice=2 * DAY)
    nights = replayed(world, [announced], destinations=Destinations.under([announced], None, None))
    assert [len(night.announced) for night in nights] == [1, 0, 1, 0, 0, 0, 0]
    assert deleted(nights) == {5: ["old"]}


def test_where_what_uses_images_could_not_be_read_nothing_is_decided(world: World) -> None:
    world.cloud.used = Unavailable("no answer")
    live(world, 1)
    world.cloud.used = usage_of({})
    live(world, 1)
    nights = replayed(world, [SOON])
    assert [night.undecided for night in nights] == ["what is in use could not be read: no answer", None]
    assert deleted(nights) == {2: ["old"]}


def test_where_a_survey_was_not_accepted_nothing_is_decided(world: World) -> None:
    world.cloud.listed = [image_called("old"), *(image_called(f"web-{number}") for number in range(9))]
    live(world, 1)
    listed, world.cloud.listed = world.cloud.listed, world.cloud.listed[:1]
    world.night(accept_survey=False)
    world.cloud.listed = listed
    assert [night.undecided for night in replayed(world, [SOON])] == [None, "its survey was not accepted"]


def test_what_the_api_rejected_that_night_is_counted_apart(world: World) -> None:
    world.cloud.answers["old"] = Refused("held", code=409)
    live(world, 2, SOON)
    del world.cloud.answers["old"]
    live(world, 4, SOON)
    nights = replayed(world, [SOON])
    assert [len(night.rejected) for night in nights] == [1, 1, 0, 0, 0, 0]
    assert deleted(nights) == {5: ["old"]}


def test_a_plan_over_a_limit_is_named_and_carried_out_nevertheless(world: World) -> None:
    world.limits = Limits(0, 100)
    live(world, 1)
    [night] = replayed(world, [SOON])
    assert night.excess is not None
    assert len(night.deletions) == 1


def test_limits_that_kept_a_run_from_deleting_do_not_keep_the_replay_from_it(world: World) -> None:
    world.limits = Limits(0, 100)
    live(world, 2, SOON)
    nights = replayed(world, [SOON])
    assert [night.withheld for night in nights] == [None, None]
    assert deleted(nights) == {1: ["old"]}


# What people said


def test_exemptions_of_the_tried_files_replace_those_of_then(world: World) -> None:
    world.policies = [SOON]
    world.night(exemptions=[KEPT])
    world.night(exemptions=[KEPT])
    assert deleted(replayed(world, [SOON], exemptions=[KEPT])) == {}
    assert deleted(replayed(world, [SOON])) == {1: ["old"]}
    assert deleted(replayed(world, [SOON], exemptions=[replace(KEPT, until=START + HOUR)])) == {2: ["old"]}


def test_an_exemption_by_command_behind_one_of_a_file_still_holds(world: World) -> None:
    world.policies = [SOON]
    world.store.add_exemptions([("prod", Exemption("old", START + 2 * DAY, "tests", "kim"))], START - HOUR)
    for _ in range(3):
        world.night(exemptions=[KEPT])
    assert deleted(replayed(world, [SOON])) == {3: ["old"]}


def test_an_exemption_by_command_holds_for_an_image_that_was_really_deleted(world: World) -> None:
    live(world, 1, SOON)
    world.store.add_exemptions([("prod", Exemption("old", START + 6 * DAY, "tests", "kim"))], world.now - HOUR)
    live(world, 7, SOON)
    assert deleted(replayed(world, [LATE])) == {7: ["old"]}


def test_an_image_of_which_it_was_not_asked_whether_it_is_shared_is_deleted_and_counted(world: World) -> None:
    live(world, 1)
    [night] = replayed(world, [SOON], may_be_shared=lambda _api, _image: True)
    assert [one.asked for one in night.deletions] == [False]
    [night] = replayed(world, [SOON])
    assert [one.asked for one in night.deletions] == [True]


def test_an_image_that_was_shared_by_an_earlier_night_is_kept(world: World) -> None:
    world.cloud.shared = {"old": Sharing(("p1",))}
    live(world, 1, SOON)
    live(world, 1)
    assert deleted(replayed(world, [SOON], may_be_shared=lambda _api, _image: True)) == {}
    assert deleted(replayed(world, [SOON], HOUR, may_be_shared=lambda _api, _image: True)) == {}


def test_an_image_that_is_known_to_be_shared_only_later_is_deleted_and_was_not_asked_about(world: World) -> None:
    live(world, 1)
    world.cloud.shared = {"old": Sharing(("p1",))}
    live(world, 1, SOON)
    [first, _] = replayed(world, [SOON], may_be_shared=lambda _api, _image: True)
    assert [one.asked for one in first.deletions] == [False]


# Images that use others


def test_an_image_that_was_really_deleted_goes_on_to_use_its_base(world: World) -> None:
    world.cloud.listed = [image_called("base", days=100), image_called("built", days=60)]
    world.cloud.used = usage_of({"base": (User("built", "built", UserKind.IMAGE, "snapshots"),)})
    live(world, 1, replace(SOON, expire=Expire(50 * DAY)))
    assert world.cloud.deleted == ["built"]
    world.cloud.used = usage_of({})
    live(world, 4)
    assert deleted(replayed(world, [replace(LATE, expire=Expire(62 * DAY))])) == {4: ["built"], 5: ["base"]}


def test_an_image_that_would_have_been_deleted_no_longer_uses_its_base(world: World) -> None:
    world.cloud.listed = [image_called("base", days=100), image_called("built", days=60)]
    world.cloud.used = usage_of({"base": (User("built", "built", UserKind.IMAGE, "snapshots"),)})
    live(world, 3)
    assert deleted(replayed(world, [SOON])) == {1: ["built"], 2: ["base"]}


MEMORY = 3 * DAY


def live_with_a_base(world: World, nights: int, policy: Policy, used_in: int | None = None) -> None:
    """Live through nights in which an image is the base of another, as long as that is there."""
    world.cloud.listed = [image_called("base", days=100), image_called("built", days=60)]
    world.policies = [policy]
    for night in range(1, nights + 1):
        users = [User("built", "built", UserKind.IMAGE, "snapshots")] * any(
            each.id == "built" for each in world.cloud.listed
        )
        users += [User("i1", "web")] * (night == used_in)
        world.cloud.used = usage_of({"base": tuple(users)} if users else {})
        world.night(usage_memory=MEMORY)


@pytest.mark.parametrize("used_in", [None, 3, 5])
def test_a_base_counts_as_used_until_its_user_would_have_been_deleted_or_something_else_used_it(
    world: World, used_in: int | None
) -> None:
    live_with_a_base(world, 10, NEVER, used_in)
    expected = {1: ["built"], max(1, used_in or 1) + 4: ["base"]}
    assert deleted(replayed(world, [SOON])) == expected


@pytest.mark.parametrize("used_in", [None, 3, 5])
def test_so_it_does_where_its_user_was_really_deleted(world: World, used_in: int | None) -> None:
    live_with_a_base(world, 10, SOON, used_in)
    assert deleted(replayed(world, [SOON])) == {1: ["built"], max(1, used_in or 1) + 4: ["base"]}
    assert sorted(world.cloud.deleted) == ["base", "built"]


# Requests that were not carried out


def test_what_was_accepted_and_not_done_counts_as_not_deleted(world: World) -> None:
    world.cloud.undone = {"old"}
    live(world, 2, SOON)
    world.cloud.undone = set()
    live(world, 2, SOON)
    nights = replayed(world, [SOON])
    assert deleted(nights) == {3: ["old"]}
    assert [len(night.rejected) for night in nights] == [1, 1, 0, 0]
    assert [sorted(night.really) for night in nights] == [[], [], ["old"], []]
    assert [one.really for night in nights for one in night.deletions] == [True]


def test_what_was_accepted_last_and_not_seen_since_counts_as_deleted_but_not_as_really_deleted(world: World) -> None:
    world.cloud.undone = {"old"}
    live(world, 1, SOON)
    [night] = replayed(world, [SOON])
    assert [(one.decision.image.id, one.really) for one in night.deletions] == [("old", False)]


def test_what_was_left_out_at_the_last_moment_counts_as_not_deleted(world: World) -> None:
    world.cloud.now["old"] = image_called("old", protected=True)
    live(world, 1, SOON)
    world.cloud.now = {}
    live(world, 2, SOON)
    nights = replayed(world, [SOON])
    assert deleted(nights) == {2: ["old"]}
    assert [len(night.rejected) for night in nights] == [1, 0, 0]


def test_what_others_had_removed_before_it_could_be_deleted_is_not_deleted(world: World) -> None:
    world.cloud.answers["old"] = Answer.ABSENT
    live(world, 2, SOON)
    nights = replayed(world, [SOON])
    assert deleted(nights) == {}
    assert [(night.rejected, night.really) for night in nights] == [((), frozenset())] * 2


def told(nights: list[ReplayedNight]) -> str:
    return "\n".join(doubts(TargetBacktest("prod", nights)))


def test_runs_that_applied_a_list_are_named(world: World) -> None:
    world.policies = [SOON]
    plan = world.night(Mode.DRY_RUN)
    world.night(approved=world.approved(plan.run, 2 * DAY))
    world.night()
    nights = replayed(world, [SOON])
    assert [night.applied for night in nights] == [False, True, False]
    assert "run 2 applied a reviewed list" in told(nights)


def test_one_that_was_really_deleted_is_told_in_the_singular(world: World) -> None:
    live(world, 2, SOON)
    assert "1 image was really deleted in these nights" in told(replayed(world, [LATE]))


def test_of_the_images_that_wait_at_the_end_each_policy_says_how_many_were_really_deleted(world: World) -> None:
    world.cloud.listed += [image_called("web-1"), image_called("young", days=5)]
    live(world, 3, SOON)
    assert world.cloud.deleted == ["old", "web-1"]
    every = [
        Policy(name, Match(name=tuple(map(Pattern, names))), Expire(DAY), notice=20 * DAY)
        for name, names in (("web", ["web-*"]), ("rest", ["*"]), ("none", ["nothing"]))
    ]
    found = TargetBacktest("prod", replayed(world, every))
    assert {name: (waits.amount.images, waits.gone) for name, _, waits in found.policies} == {
        "web": (1, 1),
        "rest": (2, 1),
    }
    made = Backtest("new", 90 * DAY, [found])
    [target] = json.loads("".join(backtest_json(made, None)))["targets"]
    assert {one["policy"]: one["waiting_really_deleted"] for one in target["policies"]} == {"web": 1, "rest": 1}
    for text in (unfolded(printed(backtest_page(made, None, UTC))), backtest_markdown(made, None, UTC)):
        assert "waiting at the end: 2 images, 20.0 GiB (1 really deleted by then)" in text


# Other images, other accounts


def test_an_image_whose_id_is_spelled_otherwise_later_is_deleted_once(world: World) -> None:
    as_first = image_called("ab-12")
    world.cloud.listed = [as_first]
    live(world, 3)
    world.cloud.listed = [as_first.replace(id="AB-12")]
    live(world, 3)
    nights = replayed(world, [SOON])
    assert deleted(nights) == {1: ["ab-12"]}
    assert [sorted(night.gone) for night in nights] == [[]] * 6
    world.cloud.listed = []
    live(world, 1)
    assert [sorted(night.gone) for night in replayed(world, [SOON])][-1] == ["ab-12"]


def test_an_image_that_is_listed_by_two_spellings_is_deleted_once(world: World) -> None:
    world.cloud.listed = [image_called("ab-12"), image_called("ab-12").replace(id="AB-12")]
    live(world, 2)
    assert [len(images) for images in deleted(replayed(world, [SOON])).values()] == [1]


def test_another_image_of_the_same_id_is_there_again(world: World) -> None:
    live(world, 2)
    world.cloud.listed = [image_called("old", days=5)]
    live(world, 8)
    nights = replayed(world, [SOON])
    assert deleted(nights) == {1: ["old"], 7: ["old"]}
    assert [sorted(night.gone) for night in nights] == [[], [], ["old"]] + [[]] * 7
    saved = in_all(savings_by_policy(nights).values())
    assert saved.deleted.images == 2


def test_where_a_target_was_bound_to_another_account_nothing_is_known_of_images_of_before(world: World) -> None:
    live(world, 2)
    world.store.rebind("prod", "kim", world.now)
    world.cloud.reached = Binding("memory", "another")
    world.cloud.listed = [image_called("old"), image_called("new")]
    live(world, 2)
    nights = replayed(world, [SOON])
    assert deleted(nights) == {1: ["old"], 3: ["new", "old"]}
    assert [night.rebound for night in nights] == [False, False, True, False]
    assert not any(night.gone for night in nights)
    assert "a person bound prod to another account before run 3" in told(nights)


def test_images_of_an_account_that_is_no_longer_bound_are_neither_kept_nor_gone(world: World) -> None:
    world.cloud.listed.append(image_called("other", days=20))
    live(world, 1, replace(SOON, expire=Expire(25 * DAY)))
    world.store.rebind("prod", "kim", world.now)
    world.cloud.reached, world.cloud.listed = Binding("memory", "another"), [image_called("new", days=1)]
    live(world, 5)
    nights = replayed(world, [LATE])
    assert deleted(nights) == {}


# Which runs are nights

LIVE, DRY = Mode.DELETE, Mode.DRY_RUN


@pytest.mark.parametrize(
    ("runs", "nights"),
    [
        pytest.param([(DRY, 0), (DRY, 1), (DRY, 24)], {0, 1, 2}, id="dry-runs-alone"),
        pytest.param([(DRY, 0), (LIVE, 20), (LIVE, 44)], {1, 2}, id="before-and-beside-a-live-one"),
        pytest.param([(DRY, 0), (LIVE, 21), (LIVE, 45)], {0, 1, 2}, id="before-the-first-live-one"),
        pytest.param([(LIVE, 0), (DRY, 48), (LIVE, 96)], {0, 2}, id="between-live-ones"),
        pytest.param([(LIVE, 0), (DRY, 20), (DRY, 21)], {0, 2}, id="after-the-last-live-one"),
        pytest.param([(LIVE, 0), (LIVE, 1), (LIVE, 2)], {0, 1, 2}, id="live-ones-close-together"),
    ],
)
def test_dry_runs_beside_live_ones_do_not_count(runs: list[tuple[Mode, int]], nights: set[int]) -> None:
    past = [PastRun(number, mode, START + hours * HOUR) for number, (mode, hours) in enumerate(runs)]
    assert counting(past) == nights


def test_a_dry_run_between_live_ones_shows_facts_only(world: World) -> None:
    live(world, 1)
    world.night(Mode.DRY_RUN)
    live(world, 1)
    nights = replayed(world, [replace(LATE, expire=Expire(30.5 * DAY))])
    assert [night.counts for night in nights] == [True, False, True]
    assert deleted(nights) == {3: ["old"]}


def test_another_account_has_none_of_the_images_that_were_really_deleted(world: World) -> None:
    live(world, 2, SOON)
    world.store.rebind("prod", "kim", world.now - HOUR)
    live(world, 4, SOON)
    assert deleted(replayed(world, [LATE])) == {}


def test_only_nights_before_the_latest_run_are_replayed(world: World) -> None:
    live(world, 6)
    assert [night.run for night in replayed(world, [NEVER], 2 * DAY)] == [4, 5, 6]


# What it saves


def image_of(name: str, size: int | None) -> Image:
    return image_called(name, size=size)


def test_what_is_saved_counts_from_each_deletion_to_the_last_night(world: World) -> None:
    world.cloud.listed = [image_of("old", 10 * GIB), image_of("unknown", None)]
    live(world, 16)
    saved = in_all(savings_by_policy(replayed(world, [SOON])).values())
    assert (saved.deleted.images, saved.deleted.size, saved.deleted.unknown_sizes) == (2, 10 * GIB, 1)
    assert saved.gib_months == pytest.approx(5.0)  # ten of them for half a month
    assert saved.lasting == 10 * GIB


def test_what_others_removed_is_saved_until_then(world: World) -> None:
    live(world, 3)
    world.cloud.listed = []
    live(world, 13)
    saved = in_all(savings_by_policy(replayed(world, [SOON])).values())
    assert saved.gib_months == pytest.approx(10 * 3 / 30)
    assert saved.lasting == 0


def test_what_we_really_deleted_is_saved_all_the_same(world: World) -> None:
    live(world, 16, SOON)
    saved = in_all(savings_by_policy(replayed(world, [SOON])).values())
    assert saved.gib_months == pytest.approx(5.0)
    assert saved.lasting == 10 * GIB
