"""Reports that really did not arrive: they count as accepted in a replay, which names their nights."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from janitor.core.policy import Expire, Policy
from janitor.core.replay.replayed import ReplayedNight
from janitor.core.result import Mode
from janitor.report.rehearsals.backtests.backtest import TargetBacktest
from janitor.report.rehearsals.backtests.doubts import doubts
from janitor.store import NewReport
from tests.core.replay.test_backtest import replayed
from tests.core.test_deciding_again import ListeningStore, World
from tests.factories import ALL, DAY, image_called
from tests.fakes import RecordingCloud
from tests.new_database import new_database
from tests.run.world import HOUR

SOON = Policy("soon", ALL, Expire(10 * DAY), notice=2 * DAY)
COUNT = "notices and reminders count as accepted"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A cloud with one image, 30 days old in the first night, and a policy that keeps it."""
    with ListeningStore.open(new_database(tmp_path / "janitor.db")) as store:
        yield World(store, RecordingCloud([image_called("old")]), [Policy("never", ALL)])


def told(nights: list[ReplayedNight]) -> list[str]:
    return [each for each in doubts(TargetBacktest("prod", nights)) if each.startswith(COUNT)]


def kept(world: World, messages: str = "[]") -> int:
    """Keep a report of the run of two days ago."""
    [number] = world.store.add_reports(2, [NewReport("slack", messages)], world.now - 2 * DAY)
    return number


def delivered(world: World, after: timedelta) -> None:
    """The run of two days ago has one that was accepted so long after it."""
    world.store.mark_delivered(kept(world), world.now - 2 * DAY + after)


def change(world: World, sql: str) -> None:
    with world.store._file.writing() as db:
        db.execute(sql)


WAYS: dict[str, tuple[Callable[[World], object], bool]] = {
    "owed": (lambda world: change(world, "UPDATE runs SET owes_report = 1 WHERE run = 2"), True),
    "unposted": (lambda world: change(world, "UPDATE runs SET unposted = 1 WHERE run = 2"), True),
    "not-accepted": (kept, True),
    "accepted": (lambda world: delivered(world, HOUR), False),
    "too-late": (lambda world: delivered(world, DAY), True),
    "merged": (lambda world: world.store.mark_superfluous(kept(world), "merged", world.now - 2 * DAY + HOUR), False),
    "for-no-person": (lambda world: kept(world, '{"kind": "file", "report": null}'), False),
    "nothing-to-tell": (lambda _: None, False),
    "dry-run": (lambda world: change(world, "UPDATE runs SET mode = 'dry-run', unposted = 1"), False),
}


@pytest.mark.parametrize(("happens", "missed"), WAYS.values(), ids=WAYS)
def test_a_night_whose_report_did_not_arrive_is_named(
    world: World, happens: Callable[[World], object], missed: bool
) -> None:
    for _ in range(3):
        world.night()
    happens(world)
    nights = replayed(world, [SOON])
    assert [night.undelivered for night in nights] == [False, missed, False]
    although = ", although the report of 1 night really was not, or not in full and in time: run 2"
    assert told(nights) == [COUNT + (although if missed else "")]


def test_so_is_one_that_started_no_notice_of_an_image_that_it_announced(world: World) -> None:
    world.policies = [SOON]
    for delivering in (True, False, True):
        world.cloud.listed.append(image_called(f"from-{world.now:%d}"))
        world.night(deliver=delivering)
    assert [night.undelivered for night in replayed(world, [SOON])] == [False, True, False]


def test_so_is_one_that_reminded_of_nothing(world: World) -> None:
    world.policies = [replace(SOON, notice=10 * DAY)]
    results = [world.night(deliver=night != 9) for night in range(11)]
    assert [result.run for result in results if result.targets[0].notices.reminded] == [10, 11]
    assert [night.run for night in replayed(world, world.policies) if night.undelivered] == [10]


def test_many_are_counted_and_a_few_are_named(world: World) -> None:
    for _ in range(8):
        world.night()
    change(world, "UPDATE runs SET owes_report = 1")
    [said] = told(replayed(world, [SOON]))
    assert said.endswith(
        "although the reports of 8 nights really were not, or not in full and in time: runs 1, 2, 3, 4, 5 and 3 more"
    )


def test_where_nothing_waits_nothing_is_said_of_reports(world: World) -> None:
    world.night(Mode.DRY_RUN)
    change(world, "UPDATE runs SET owes_report = 1")
    assert told(replayed(world, [replace(SOON, notice=0 * DAY)])) == []
