"""Policies that really ruled would have deleted exactly what was deleted; others are tried on the same nights."""

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.core.basis import Basis
from janitor.core.memory import Exemption
from janitor.core.policy import Expire, Policy
from janitor.core.recipients.destinations import Destinations
from janitor.core.replay.backtest import Replay
from janitor.core.replay.replayed import ReplayedNight, Ruling
from janitor.core.result import Mode
from tests.core.test_deciding_again import FAMILIES, IDLE, PINNED, STUCK, WEB, Chance, ListeningStore, World
from tests.factories import ALL, AMPLE, DAY, image_called
from tests.factories import NOW as START
from tests.fakes import RecordingCloud
from tests.new_database import new_database

REMINDED = Policy("reminded", ALL, Expire(4 * DAY), notice=5 * DAY)
IN_FILE = Exemption("web-2", START + 9 * DAY, "release", "keep.yaml")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ListeningStore.open(new_database(tmp_path / "janitor.db")) as store:
        yield World(
            store, RecordingCloud([image_called("web-2"), image_called("db-3"), image_called("young-1", days=1)])
        )


def replayed(
    world: World, policies: Iterable[Policy], since: timedelta | None = None, **rest: Any
) -> list[ReplayedNight]:
    exemptions = rest.pop("exemptions", ())
    basis = Basis(tuple(policies), tuple(exemptions), UTC, timedelta(), AMPLE, 30.0, accept_survey=False)
    replay = Replay(Ruling(basis, **rest))
    with world.store.past() as past:
        return [replay.night(night) for night in past.nights("prod", since)]


def deleted(nights: Iterable[ReplayedNight]) -> dict[int, list[str]]:
    """What is deleted in which run, where anything is."""
    found = {night.run: sorted(one.decision.image.id for one in night.deletions) for night in nights}
    return {run: images for run, images in found.items() if images}


def really_deleted(world: World) -> dict[int, list[str]]:
    sql = """
    SELECT run, image FROM deletions
    WHERE coalesce(confirmed_outcome, settled_outcome, outcome) IN ('deleted', 'accepted') ORDER BY run, image
    """
    found: dict[int, list[str]] = {}
    with world.store._file.reading() as db:
        for run, image in db.execute(sql):
            found.setdefault(run, []).append(image)
    return found


class Steady(Chance):
    """The same, under policies and exemptions of files that stay; where it is calm, little goes wrong."""

    policies: Sequence[Policy] = ()
    calm = False

    def rarely(self) -> bool:
        return self.random.random() < (0.03 if self.calm else 0.15)

    def steady(self, *, dry: bool) -> dict[str, Any]:
        orders = {**self.change(), "deliver": True, "exemptions": [IN_FILE]}
        orders["mode"] = Mode.DRY_RUN if dry and self.rarely() else Mode.DELETE
        if self.calm:
            self.world.cloud.shared = {}
        return orders

    def _policies(self) -> list[Policy]:
        return list(self.policies)


def live_for(world: World, nights: int, seed: int, policies: Sequence[Policy], **rest: Any) -> None:
    """Live through nights under these policies, live in the first and in the last, and without a run in some."""
    chance = Steady(world, random.Random(seed))
    chance.policies, chance.calm = policies, seed % 2 == 1
    for night in range(nights):
        if night and chance.rarely():
            world.now += chance.random.choice([1, 3]) * DAY
        world.night(**chance.steady(dry=0 < night < nights - 1), **rest)


RULES = [PINNED, WEB, FAMILIES, IDLE, REMINDED, STUCK]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("channel", [False, True], ids=["without-channel", "with-channel"])
def test_policies_that_ruled_would_have_deleted_what_was_deleted(world: World, seed: int, channel: bool) -> None:
    rules = random.Random(seed).sample(RULES, len(RULES))
    destinations = Destinations.under(rules, None, None) if channel else None
    live_for(world, 30, seed, rules, destinations=destinations)
    assert deleted(replayed(world, rules, destinations=destinations, exemptions=[IN_FILE])) == really_deleted(world)


@pytest.mark.parametrize("seed", range(2))
def test_a_part_of_the_nights_begins_with_what_people_had_been_told(world: World, seed: int) -> None:
    destinations = Destinations.under(RULES, None, None)
    live_for(world, 30, seed, RULES, destinations=destinations)
    nights = replayed(world, RULES, 12 * DAY, destinations=destinations, exemptions=[IN_FILE])
    first = nights[0].run
    assert first > 1
    assert deleted(nights) == {run: images for run, images in really_deleted(world).items() if run >= first}


def test_the_nights_above_delete_after_notices_and_reminders_and_meet_what_keeps_images(world: World) -> None:
    live_for(world, 30, 1, RULES)
    nights = replayed(world, RULES)
    assert {one.decision.policy for night in nights for one in night.deletions} >= {"web", "families", "reminded"}
    assert any(night.announced for night in nights)


def test_nor_are_nights_missing_above_in_which_something_went_wrong(world: World) -> None:
    live_for(world, 30, 0, RULES)
    nights = replayed(world, RULES)
    assert any(night.rejected for night in nights)
    assert any(night.undecided for night in nights)
    assert any(not night.counts for night in nights)
