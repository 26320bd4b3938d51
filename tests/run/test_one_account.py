"""Two targets that are one account are noticed by their images, whatever their APIs, before anything is deleted."""

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from janitor.core.image import Image
from janitor.core.result import Mode, Outcome, RunResult
from janitor.errors import Unavailable
from janitor.run.orders import Site
from janitor.store import Store
from tests.factories import AMPLE, OLD, image_called
from tests.fakes import RecordingCloud
from tests.runs import run_of

FLEET = [image_called(f"i{number}") for number in range(20)]
SAID = "list the same images (i0 is one of them): they are one account under two names"
AT_ONCE = pytest.mark.parametrize("targets_at_once", [1, 4])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "janitor.db") as opened:
        yield opened


def unreachable() -> RecordingCloud:
    raise Unavailable("no answer")


def sites(clouds: Mapping[str, RecordingCloud]) -> list[Site]:
    return [
        Site(name, lambda cloud=cloud: cloud, elsewhere=frozenset(clouds).difference([name]))  # type: ignore[misc]
        for name, cloud in clouds.items()
    ]


def run(store: Store, clouds: Mapping[str, RecordingCloud], mode: Mode = Mode.DELETE, **parts: Any) -> RunResult:
    return run_of(sites(clouds), [OLD], store, mode, AMPLE, **parts).perform()


def two(first: list[Image], second: list[Image]) -> dict[str, RecordingCloud]:
    return {"new": RecordingCloud(first), "old": RecordingCloud(second)}


@AT_ONCE
def test_in_their_first_run_neither_deletes_before_both_are_listed(store: Store, targets_at_once: int) -> None:
    clouds = two(FLEET, [image.replace(protected=True) for image in FLEET])
    result = run(store, clouds, targets_at_once=targets_at_once)
    assert not [image for cloud in clouds.values() for image in cloud.deleted]
    assert [target.outcome for target in result.targets] == [Outcome.REFUSED] * 2
    assert all(SAID in str(target.error) for target in result.targets)


@AT_ONCE
def test_by_what_is_recorded_each_is_refused_even_if_the_other_is_not_part_of_the_run(
    store: Store, targets_at_once: int
) -> None:
    clouds = two(FLEET, FLEET)
    run(store, clouds, Mode.DRY_RUN)
    for name in clouds:
        alone = [site for site in sites(clouds) if site.name == name]
        [target] = run_of(alone, [OLD], store, Mode.DELETE, AMPLE, targets_at_once=targets_at_once).perform().targets
        assert target.outcome is Outcome.REFUSED
        assert not clouds[name].deleted


def test_no_person_can_accept_that(store: Store) -> None:
    clouds = two(FLEET, FLEET)
    result = run(store, clouds, accept_survey=True)
    assert [target.outcome for target in result.targets] == [Outcome.REFUSED] * 2


OTHERS = [image_called(f"x{number}") for number in range(90)]


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        pytest.param(FLEET[:9], [*FLEET[5:9], *OTHERS[:9]], False, id="some"),
        pytest.param(FLEET[:6], [*FLEET[:6], *OTHERS[:40]], False, id="all-of-a-small-one-shared-with-a-large-one"),
        pytest.param([FLEET[0], OTHERS[0]], [FLEET[0], OTHERS[1]], False, id="one-of-two"),
        pytest.param(FLEET, [*FLEET, *OTHERS[:21]], True, id="one-lists-others-besides"),
        pytest.param(FLEET[:5], FLEET, True, id="one-lists-a-part"),
    ],
)
def test_a_few_images_in_common_are_no_reason(store: Store, first: list[Image], second: list[Image], one: bool) -> None:
    """Of an API that does not tell shared images from others, each account that shares one lists it."""
    clouds = two(first, second)
    result = run(store, clouds)
    assert {target.outcome for target in result.targets} == {Outcome.REFUSED if one else Outcome.OK}
    assert [len(cloud.deleted) for cloud in clouds.values()] == ([0, 0] if one else [len(first), len(second)])


def test_a_target_that_is_configured_no_longer_does_not_count(store: Store) -> None:
    clouds = two(FLEET, FLEET)
    run(store, {"old": clouds["old"]}, Mode.DRY_RUN)
    assert run(store, {"new": clouds["new"]}).outcome is Outcome.OK
    assert len(clouds["new"].deleted) == 20


def test_one_that_cannot_be_listed_holds_up_no_other(store: Store) -> None:
    clouds = two(FLEET, FLEET)
    failing = Site("old", unreachable, elsewhere=frozenset({"new"}))
    result = run_of([sites(clouds)[0], failing], [OLD], store, Mode.DELETE, AMPLE, targets_at_once=1).perform()
    assert [target.outcome for target in result.targets] == [Outcome.OK, Outcome.FAILED]
    assert len(clouds["new"].deleted) == 20


def test_no_more_targets_are_surveyed_at_a_time_than_configured(store: Store) -> None:
    """Although all new ones wait for each other."""
    under_way, most, lock = 0, 0, threading.Lock()

    class Counted(RecordingCloud):
        def images(self, markers: Any = ()) -> Iterator[Image]:
            nonlocal under_way, most
            with lock:
                under_way += 1
                most = max(most, under_way)
            yield from super().images(markers)
            with lock:
                under_way -= 1

    clouds: dict[str, RecordingCloud] = {f"t{number}": Counted([image_called(f"i{number}")]) for number in range(30)}
    assert run(store, clouds, targets_at_once=3).outcome is Outcome.OK
    assert most <= 3
    assert all(cloud.deleted for cloud in clouds.values())


@AT_ONCE
@pytest.mark.parametrize("order", [1, -1], ids=["new-first", "old-first"])
def test_one_with_a_history_waits_for_those_without(store: Store, targets_at_once: int, order: int) -> None:
    clouds = two([image.replace(protected=True) for image in FLEET], FLEET)
    run(store, {"old": clouds["old"]}, Mode.DRY_RUN)
    both = dict(list(clouds.items())[::order])
    assert [target.outcome for target in run(store, both, targets_at_once=targets_at_once).targets] == [
        Outcome.REFUSED
    ] * 2
    assert not clouds["old"].deleted


@pytest.mark.parametrize("spelled", ["{:032x}", "urn:uuid:{:032x}"])
def test_ids_are_compared_however_they_are_spelled(store: Store, spelled: str) -> None:
    fleet = [image_called(spelled.format(0xABCDEF << 100 | number)) for number in range(9)]
    clouds = two(fleet, fleet)
    assert run(store, clouds).outcome is Outcome.REFUSED
    assert not clouds["new"].deleted


def test_ids_are_compared_with_and_without_dashes(store: Store) -> None:
    ids = [str(UUID(int=0xABCDEF << 100 | number)) for number in range(9)]
    clouds = two([image_called(one) for one in ids], [image_called(one.replace("-", "")) for one in ids])
    assert run(store, clouds).outcome is Outcome.REFUSED
    assert not clouds["new"].deleted
