"""The nights of a target, of which each is read as what changed since the one before: the same as each read whole."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.core.test_deciding_again import Chance, ListeningStore, World
from tests.factories import DAY, image_called
from tests.fakes import RecordingCloud
from tests.new_database import new_database
from tests.replays import is_whole


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ListeningStore.open(new_database(tmp_path / "janitor.db")) as store:
        yield World(store, RecordingCloud([image_called("web-2"), image_called("db-3")]))


def check_nights(world: World, since: timedelta | None = None) -> list[int]:
    """Compare each night with the inputs of its run; returns the runs."""
    store, runs = world.store, []
    inputs = {summary.run: store.inputs(summary.run).get("prod") for summary in store.runs(limit=None)}
    with store.past() as past:
        for night in past.nights("prod", since):
            runs.append(night.run)
            whole = inputs[night.run]
            assert whole is not None
            assert is_whole(night, whole)
    return runs


@pytest.mark.parametrize("seed", range(4))
def test_each_night_is_what_its_run_had_before_it(world: World, seed: int) -> None:
    chance = Chance(world, random.Random(seed))
    for _ in range(25):
        world.night(**chance.change())
    assert len(check_nights(world)) > 15
    assert len(check_nights(world, 10 * DAY)) in range(5, 12)


def test_a_target_that_was_bound_to_another_account_meanwhile_is_read_as_each_run_knew_it(world: World) -> None:
    chance = Chance(world, random.Random(7))
    for night in range(24):
        if night % 9 == 5:
            world.store.rebind("prod", "kim", world.now)
        world.night(**chance.change())
    check_nights(world)
    check_nights(world, 12 * DAY)
