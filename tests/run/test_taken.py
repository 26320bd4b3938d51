"""Announced images that somebody else deleted: said once, and never of an image that a list may have omitted."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from janitor.core.image import Image
from janitor.core.result import DeletionOutcome, Mode, RunResult
from tests.factories import DAY, OLD, image_called, make_deletion, make_target, to_delete
from tests.run.world import World


class Crash(BaseException):
    """The process is gone from here on."""


def crash(*_: object) -> None:
    raise Crash


def others() -> list[Image]:
    return [image_called(f"other-{number}", days=1) for number in range(9)]


def gone_of(result: RunResult) -> list[str]:
    return [decision.image.id for decision in result.targets[0].notices.gone]


def taken_by_somebody(world: World) -> None:
    """An announced image is not listed from the second night on; a week of nights."""
    world.policies = [replace(OLD, notice=30 * DAY)]
    world.cloud.listed = [image_called("a"), *others()]
    world.run()
    world.cloud.listed = others()
    for _ in range(7):
        world.now += DAY
        assert gone_of(world.run()) == [], "a list may have omitted it"
    world.now += DAY


def test_that_somebody_else_deleted_an_announced_image_is_said_once(world: World) -> None:
    taken_by_somebody(world)
    assert gone_of(world.run(Mode.DRY_RUN)) == []
    result = world.run()
    [gone] = result.targets[0].notices.gone
    assert (gone.image, gone.policy, gone.verdict, gone.reason) == (image_called("a"), "old", "keep", "gone")
    said = "announced 2026-11-23 03:00Z; no survey since 2026-11-24 03:00Z lists it, and no run deleted it"
    assert gone.detail == said
    assert world.store.memory("prod").notices == {}
    world.now += DAY
    assert gone_of(world.run()) == []
    assert world.store.load_run(result.run) == result, "and again when it is shown"
    assert world.store.image_history("prod", "a")[-1].text == "reported as deleted by somebody else, the notice ended"


def test_its_times_are_in_the_zone_of_the_run(world: World) -> None:
    taken_by_somebody(world)
    [gone] = world.run(zone=ZoneInfo("Asia/Seoul")).targets[0].notices.gone
    assert "announced 2026-11-23 12:00 KST; no survey since 2026-11-24 12:00 KST lists it" in gone.detail


def test_a_run_that_dies_leaves_it_to_the_next_to_say_what_is_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_by_somebody(world)
    with monkeypatch.context() as dying:
        dying.setattr(type(world.store), "finish_run", crash)
        with pytest.raises(Crash):
            world.run()
    assert gone_of(world.run()) == ["a"]
    assert gone_of(world.run()) == []


@pytest.mark.parametrize(
    ("outcome", "gone"),
    [
        pytest.param(DeletionOutcome.FAILED, [], id="no-usable-answer"),
        pytest.param(DeletionOutcome.ALREADY_GONE, [], id="said-already"),
        pytest.param(DeletionOutcome.REFUSED, ["a"], id="rejected"),
    ],
)
def test_what_the_janitor_may_have_deleted_is_not_said_to_be_somebody_elses(
    world: World, outcome: DeletionOutcome, gone: list[str]
) -> None:
    taken_by_somebody(world)
    run = world.store.begin_run(Mode.DELETE, world.now)
    asked = to_delete(image_called("a"))
    world.store.journal_request(run, "prod", asked, world.now)
    world.store.finish_target(run, make_target([asked], [make_deletion(asked, outcome, "")]))
    result = world.run()
    assert gone_of(result) == gone
    assert world.store.memory("prod").notices == {}
