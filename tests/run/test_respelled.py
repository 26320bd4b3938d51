"""An announced image whose id the list spells otherwise later: it is the same image, and its notice goes on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from janitor.core.explaining.waiting import waiting_in
from janitor.core.result import Mode
from janitor.store import Store
from tests.factories import DAY, OLD, image_called
from tests.fakes import RecordingCloud
from tests.run.world import NightlyWorld, announced

ID = "0f5f9bb0-4f0c-4a58-9d3c-0e8c3a1f2b4d"
BYSTANDERS = [image_called(f"by-{number}", days=1, protected=True) for number in range(6)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NightlyWorld]:
    with Store.open(tmp_path / "janitor.db") as store:
        cloud = RecordingCloud([image_called("one", days=40).replace(id=ID), *BYSTANDERS])
        yield NightlyWorld(store, cloud, [replace(OLD, notice=2 * DAY)])


def spell(world: NightlyWorld, image_id: str) -> None:
    world.cloud.listed[0] = world.cloud.listed[0].replace(id=image_id)


def waiting(world: NightlyWorld) -> list[str]:
    snapshot = world.store.latest_snapshot("prod")
    assert snapshot is not None
    return [each.image.id for each in waiting_in(snapshot)]


@pytest.mark.parametrize("other", [ID.replace("-", ""), ID.upper()], ids=["undashed", "upper-case"])
@pytest.mark.parametrize("between", Mode)
def test_it_is_not_announced_again_and_goes_when_it_is_due(world: NightlyWorld, other: str, between: Mode) -> None:
    first = world.night()
    assert announced(first) == [ID]
    spell(world, other)
    second = world.night(between)
    assert announced(second) == []
    assert waiting(world) == [other]
    due = [world.store.memory("prod").notices[other].due]
    assert due == [decision.due for decision in first.targets[0].notices.announced]
    third = world.night()
    assert [deletion.decision.image.id for deletion in third.targets[0].deletions] == [other]
    assert world.store.load_run(1).targets == first.targets, "what was announced is still reported as it was"


def test_it_is_the_same_when_it_is_spelled_as_before_again(world: NightlyWorld) -> None:
    for spelled in (ID, ID.upper(), ID):
        spell(world, spelled)
        result = world.night(Mode.DRY_RUN if spelled != ID else Mode.DELETE)
    assert [deletion.decision.image.id for deletion in result.targets[0].deletions] == [ID]


def test_two_notices_of_one_image_become_one(world: NightlyWorld) -> None:
    world.night()
    notice = world.store.memory("prod").notices[ID]
    world.store.announce(1, {("prod", ID.upper()): notice}, (), world.now)
    spell(world, ID.upper())
    world.night(Mode.DRY_RUN)
    assert waiting(world) == [ID.upper()]
    assert list(world.store.memory("prod").notices) == [ID.upper()]
