"""Live runs that did less than they had planned, told by what they planned and sent, and by no words of theirs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from janitor.core.planning.deletion import Answer
from janitor.core.policy import Expire, Policy
from janitor.core.replay.replayed import ReplayedNight
from janitor.core.result import Mode
from janitor.report.rehearsals.backtests.backtest import TargetBacktest
from janitor.report.rehearsals.backtests.doubts import doubts
from janitor.shutdown import Stop
from tests.core.replay.test_backtest import replayed
from tests.core.test_deciding_again import ListeningStore, World
from tests.factories import ALL, DAY, image_called
from tests.fakes import RecordingCloud
from tests.new_database import new_database

SOON = Policy("soon", ALL, Expire(10 * DAY))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A cloud with three images, 30 days old in the first night."""
    with ListeningStore.open(new_database(tmp_path / "janitor.db")) as store:
        yield World(store, RecordingCloud([image_called(f"i{number}") for number in range(3)]), [SOON])


def told(nights: list[ReplayedNight]) -> str:
    return "\n".join(doubts(TargetBacktest("prod", nights)))


def unsent_in_two_nights(world: World, **first: Any) -> list[int]:
    """How many planned deletions were not sent in each night: the first of two new ones is interrupted by its first."""
    stop = Stop()
    world.cloud.on_delete = lambda _: stop.set()
    world.night(stop=stop, deletions_at_once=1, **first)
    world.cloud.on_delete = lambda _: None
    world.night()
    return [night.unsent for night in replayed(world, [SOON])]


def test_runs_that_were_interrupted_are_named(world: World) -> None:
    assert unsent_in_two_nights(world) == [2, 0]
    nights = replayed(world, [SOON])
    assert "run 1 planned 2 deletions that were never sent" in told(nights)
    assert "1 image was really deleted" not in told(nights)
    assert "3 images were really deleted in these nights" in told(nights)


def test_what_a_run_wrote_of_it_says_nothing(world: World) -> None:
    assert unsent_in_two_nights(world) == [2, 0]
    change(world, "UPDATE surveys SET error = 'other words'")
    assert [night.unsent for night in replayed(world, [SOON])] == [2, 0]
    change(world, "UPDATE surveys SET error = 'interrupted: 1 of 3 deletions were not sent', outcome = 'partial'")
    assert [night.unsent for night in replayed(world, [SOON])] == [0, 0]


def test_what_was_left_out_at_the_last_moment_was_not_to_be_sent(world: World) -> None:
    assert unsent_in_two_nights(world) == [2, 0]
    change(world, "INSERT INTO mentions VALUES (1, 'prod', 'changed', 0, 'i2', 'renamed')")
    assert [night.unsent for night in replayed(world, [SOON])] == [1, 0]


def test_of_a_reviewed_list_that_was_applied_only_its_images_were_planned(world: World) -> None:
    plan = world.night(Mode.DRY_RUN)
    approved = world.approved(plan.run, 2 * DAY)
    assert unsent_in_two_nights(world, approved=approved) == [0, 2, 0]
    change(world, "DELETE FROM mentions WHERE kind = 'approved' AND image = 'i2'")
    assert [night.unsent for night in replayed(world, [SOON])] == [0, 1, 0]


def test_a_run_that_decided_nothing_had_planned_nothing(world: World) -> None:
    world.cloud.answers["i1"] = Answer.REFUSED
    world.night()
    change(world, "UPDATE surveys SET outcome = 'failed', decisions = 0, sharing_asked = NULL")
    change(world, "DELETE FROM deletions")
    assert [night.unsent for night in replayed(world, [SOON])] == [0]


def test_a_run_that_has_not_ended_may_still_work_and_an_earlier_one_died(world: World) -> None:
    world.night()
    world.night()
    change(world, "UPDATE runs SET outcome = NULL")
    nights = replayed(world, [SOON])
    assert [night.ended for night in nights] == [True, False]
    assert "run 2 has not ended: it still works, or it died" in told(nights)


def change(world: World, sql: str) -> None:
    with world.store._file.writing() as db:
        db.execute(sql)
