"""What a database tells a backtest of the time after a night: read from the file, rule by rule."""

from collections.abc import Callable
from datetime import UTC, timedelta

import pytest

from janitor.core.basis import Basis
from janitor.core.image import Image
from janitor.core.planning.plan import OVER_LIMIT
from janitor.core.policy import Expire, Policy
from janitor.core.replay.afterwards import Afterwards
from janitor.core.replay.backtest import Replay
from janitor.core.replay.hindsight import hindsight_of
from janitor.core.replay.regrets import Hindsight
from janitor.core.replay.replayed import ReplayedNight, Ruling
from janitor.core.result import Mode
from janitor.core.survey import Survey
from janitor.core.survey.clock import unconfirmed
from janitor.core.survey.plausibility import implausible
from janitor.core.usage import Reading, Source, Unread, Usage, User
from janitor.store import Store
from tests.factories import ALL, AMPLE, DAY, NOW, image_called, usage_of
from tests.fakes import RecordingCloud
from tests.run.world import HOUR, NightlyWorld

NEVER, SOON = Policy("never", ALL), Policy("soon", ALL, Expire(10 * DAY))
OLD = image_called("old")
KEY = OLD.identity


def replayed(store: Store, policy: Policy) -> list[ReplayedNight]:
    replay = Replay(Ruling(Basis((policy,), (), UTC, timedelta(), AMPLE, 30.0, accept_survey=False)))
    with store.past() as past:
        return [replay.night(night) for night in past.nights("prod")]


def afterwards(store: Store, since: int = 1) -> Afterwards:
    with store.past() as past:
        return past.afterwards("prod", [KEY], since)


def looked_back(store: Store) -> Hindsight:
    """The time after the deletions of a policy that deletes in the first night."""
    deletions = [deletion for night in replayed(store, SOON) for deletion in night.deletions]
    assert [(each.run, each.decision.image.id) for each in deletions] == [(1, "old")]
    return hindsight_of(deletions, afterwards(store), UTC)


def survey(store: Store, usage: Usage, target: str = "prod", image: Image = OLD, *, run: int | None = None) -> int:
    """A night that surveys one image, or another target of the same run."""
    run = run or store.begin_run(Mode.DRY_RUN, NOW)
    at = NOW + run * DAY
    store.record_survey(run, target, Survey((image,), usage, at, at))
    return run


# Left out at the last moment


def world_of(store: Store) -> NightlyWorld:
    """A target with one old image, which nobody wants to go in the first night."""
    world = NightlyWorld(store, RecordingCloud([OLD]), [NEVER])
    world.night()
    world.policies = [SOON]
    return world


def left_out(world: NightlyWorld) -> int:
    """A night in which the image was protected when its turn came, and in the next no longer; its run."""
    world.cloud.now["old"] = OLD.replace(protected=True)
    run = world.night().run
    world.cloud.now.clear()
    world.policies = [NEVER]
    world.night()
    return run


def test_what_a_run_left_out_at_the_last_moment_is_a_doubt_for_earlier_nights(store: Store) -> None:
    run = left_out(world_of(store))
    [doubt] = looked_back(store).doubts
    assert doubt.detail.startswith("left out of the deletions at the last moment: ")
    assert "protected" in doubt.detail
    assert doubt.first.run == run


def test_what_was_left_out_before_a_night_or_in_another_target_says_nothing_of_it(store: Store) -> None:
    run = left_out(world_of(store))
    assert [left for left, _ in afterwards(store).left_out[KEY]] == [run]
    assert afterwards(store, run + 1).left_out == {}
    change(store, "UPDATE mentions SET target = 'stage'")
    assert afterwards(store).left_out == {}


def test_by_whatever_spelling_and_for_no_reason_that_was_recorded(store: Store) -> None:
    left_out(world_of(store))
    change(store, "UPDATE mentions SET image = upper(image), detail = NULL")
    [doubt] = looked_back(store).doubts
    assert doubt.detail.endswith(": no reason recorded")


def test_what_a_run_said_otherwise_of_an_image_was_not_left_out(store: Store) -> None:
    left_out(world_of(store))
    change(store, "UPDATE mentions SET kind = 'spared'")
    assert looked_back(store).doubts == ()


def change(store: Store, sql: str) -> None:
    with store._file.writing() as db:
        db.execute(sql)


# Sources that are no longer asked

ASKED = Usage(readings=(Reading(Source.SERVERS, "R1"), Reading(Source.VOLUMES, "R1")))
SERVERS_OFF = Usage(readings=(Reading(Source.VOLUMES, "R1"),))


def test_a_source_that_is_no_longer_asked_is_unread_from_then_on_and_named(store: Store) -> None:
    for usage in (ASKED, ASKED, SERVERS_OFF, SERVERS_OFF, ASKED):
        survey(store, usage)
    after = afterwards(store).surveys
    assert [each.saw_all_uses for each in after] == [True, True, False, False, True]
    assert [set(each.not_asked) for each in after] == [set(), set(), {"servers in R1"}, {"servers in R1"}, set()]


def test_one_that_is_asked_later_for_the_first_time_was_not_missing_before(store: Store) -> None:
    for usage in (SERVERS_OFF, ASKED):
        survey(store, usage)
    assert [each.saw_all_uses for each in afterwards(store).surveys] == [True, True]


def test_another_account_has_other_sources(store: Store) -> None:
    survey(store, ASKED)
    store.rebind("prod", "kim", NOW + DAY + HOUR)
    survey(store, SERVERS_OFF)
    assert [each.saw_all_uses for each in afterwards(store).surveys] == [True, True]


def test_where_it_was_not_recorded_which_sources_were_asked_none_counts_as_missing(store: Store) -> None:
    for usage in (ASKED, SERVERS_OFF, SERVERS_OFF):
        survey(store, usage)
    change(store, "UPDATE surveys SET usage_readings = NULL WHERE run = 2")
    assert [each.saw_all_uses for each in afterwards(store).surveys] == [True, True, False]


# Uses that another target told of

USED = usage_of({"old": (User("s1", "web"),)})


def test_a_use_that_another_target_told_of_is_a_regret_that_names_it(store: Store) -> None:
    world = NightlyWorld(store, RecordingCloud([OLD]), [NEVER])
    for night in range(4):
        run = world.night().run
        survey(store, USED if night in (1, 2) else Usage(), "stage", image_called("OLD"), run=run)
    change(store, "UPDATE uses SET image = upper(image)")
    [regret] = looked_back(store).regrets
    assert (regret.detail, regret.who) == ("used by instance web in target stage", "instance web")
    assert regret.last is not None
    assert (regret.first.run, regret.last.run) == (2, 3)


def test_one_of_the_target_itself_names_no_target(store: Store) -> None:
    world = NightlyWorld(store, RecordingCloud([OLD]), [NEVER])
    for night in range(3):
        world.cloud.used = USED if night else Usage()
        world.night()
    assert [each.detail for each in looked_back(store).regrets] == ["used by instance web"]


def test_it_lasts_until_the_run_that_could_not_read_its_source(store: Store) -> None:
    for usage in (USED, USED, Usage(unread=frozenset({Unread(Source.SERVERS)})), Usage()):
        run = survey(store, Usage())
        survey(store, usage, "stage", run=run)
    assert [(used.runs, used.target) for used in afterwards(store).used[KEY]] == [((1, 3), "stage")]


# Images that wait in the replay and are really gone

LONG = Policy("long", ALL, Expire(10 * DAY), notice=20 * DAY)


def undone(world: NightlyWorld) -> None:
    world.cloud.undone.add("old")


def taken_by_others(world: NightlyWorld) -> None:
    world.cloud.listed = [each for each in world.cloud.listed if each.id != "old"]


@pytest.mark.parametrize(
    ("happens", "waiting", "gone"),
    [
        pytest.param(lambda _: None, [1, 1, 1], [0, 1, 1], id="deleted-by-us"),
        pytest.param(undone, [1, 1, 1], [0, 0, 0], id="accepted-and-not-done"),
        pytest.param(taken_by_others, [1, 0, 0], [0, 0, 0], id="removed-by-others"),
    ],
)
def test_of_images_that_wait_those_are_gone_that_our_own_runs_really_deleted(
    store: Store, happens: Callable[[NightlyWorld], None], waiting: list[int], gone: list[int]
) -> None:
    world = world_of(store)
    world.cloud.listed += [image_called(f"kept-{number}", protected=True) for number in range(9)]
    happens(world)
    world.night()
    world.policies = [NEVER]
    world.night()
    nights = replayed(store, LONG)
    assert [len(night.waiting) for night in nights] == waiting
    assert [len(night.waiting_gone) for night in nights] == gone


# Nights in which nothing could be deleted


@pytest.mark.parametrize(
    ("error", "withheld"),
    [
        (unconfirmed(), unconfirmed()),
        (implausible("prod", ["half of it is missing"]), implausible("prod", ["half of it is missing"])),
        (None, "no reason is recorded"),
        (f"{OVER_LIMIT}2 deletions planned, limits.max_deletions allows 1.", None),
    ],
    ids=["clock", "implausible", "no-reason", "limit"],
)
def test_what_kept_a_run_from_deleting_keeps_a_replay_from_it_but_for_a_limit(
    store: Store, error: str | None, withheld: str | None
) -> None:
    world = world_of(store)
    with store._file.writing() as db:
        db.execute("UPDATE surveys SET outcome = 'refused', error = ?", (error,))
    [night] = replayed(store, SOON)
    assert (night.withheld, len(night.deletions)) == (withheld, int(withheld is None))
    assert world.cloud.deleted == []
