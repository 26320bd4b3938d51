"""Regrets are found where they were planted, all of them and no other."""

from collections.abc import Sequence
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from janitor.core.basis import Basis
from janitor.core.policy import Expire, Policy
from janitor.core.replay.afterwards import Afterwards
from janitor.core.replay.backtest import Replay
from janitor.core.replay.hindsight import hindsight_of
from janitor.core.replay.replayed import NightDeletion, Ruling
from janitor.core.usage import User
from janitor.store import Store
from tests.factories import ALL, AMPLE, DAY, OLD, image_called, usage_of
from tests.fakes import RecordingCloud
from tests.new_database import new_database
from tests.planted import IMAGES, Planted, lived_through, name_of, written
from tests.run.world import NightlyWorld


@pytest.mark.parametrize("seed", range(20))
def test_all_that_is_planted_is_found_and_nothing_else(seed: int, tmp_path: Path) -> None:
    nights, planted = written(seed)
    with Store.open(new_database(tmp_path / "janitor.db")) as store:
        lived_through(nights, store)
        deletions, after = replayed(store)
    assert {each.decision.image.name for each in deletions} >= {name_of(seed, number) for number in range(IMAGES)}
    assert sorted(map(str, regrets_of(deletions, after))) == sorted(map(str, planted))


def replayed(store: Store, policies: Sequence[Policy] = (OLD,)) -> tuple[list[NightDeletion], Afterwards]:
    """What policies would have deleted, and what is recorded afterwards."""
    replay = Replay(Ruling(Basis(tuple(policies), (), UTC, timedelta(), AMPLE, 30.0, accept_survey=False)))
    with store.past() as past:
        deletions = [deletion for night in past.nights("prod") for deletion in replay.night(night).deletions]
        images = {each.decision.image.identity for each in deletions}
        return deletions, past.afterwards("prod", images, deletions[0].run)


def regrets_of(deletions: Sequence[NightDeletion], after: Afterwards) -> list[Planted]:
    """The regrets, each as it is planted."""
    return [
        (each.deletion.decision.image.id, each.kind, each.who, each.first.at, each.last.at if each.last else None)
        for each in hindsight_of(deletions, after, UTC).regrets
    ]


def test_images_that_were_really_deleted_are_watched_until_then_and_no_longer(tmp_path: Path) -> None:
    patient = Policy("patient", ALL, Expire(16 * DAY))
    young, old = image_called("young", days=13.5), image_called("old", days=15.5)
    with Store.open(new_database(tmp_path / "janitor.db")) as store:
        world = NightlyWorld(store, RecordingCloud([young, old, image_called("new", days=0)]), [patient])
        for night in range(6):
            world.cloud.used = usage_of({"young": (User("s", "s"),)} if night == 4 else {})
            world.night()
        assert world.cloud.deleted == ["old", "young"]
        strict, lenient = ([Policy("p", ALL, Expire(days * DAY))] for days in (14, 18))
        assert watched(store, strict) == {"old": (1, 0), "young": (2, 0)}
        assert watched(store, lenient) == {"old": (0, 0), "young": (0, 0)}
        assert [ended(store, policies) for policies in (strict, lenient)] == [{"old": "us", "young": "us"}] * 2


@pytest.mark.parametrize(
    ("ahead", "spans"),
    [
        pytest.param(None, {"old": 11 * DAY}, id="no-clock"),
        pytest.param(5, {"old": 11 * DAY}, id="one-in-between"),
        pytest.param(10, {"old": 11 * DAY}, id="the-last-but-one"),
        pytest.param(0, {"old": 0 * DAY}, id="that-of-the-deletion"),
    ],
)
def test_a_clock_that_was_ahead_makes_no_watch_longer(
    ahead: int | None, spans: dict[str, timedelta], tmp_path: Path
) -> None:
    with Store.open(new_database(tmp_path / "janitor.db")) as store:
        world = NightlyWorld(store, RecordingCloud([image_called("old")]), [])
        for night in range(12):
            world.now += 3000 * DAY if night == ahead else 0 * DAY
            world.night()
            world.now -= 3000 * DAY if night == ahead else 0 * DAY
        deletions, after = replayed(store, [Policy("p", ALL, Expire(DAY))])
        found = hindsight_of(deletions, after, UTC).watched
        assert {
            each.deletion.decision.image.id: each.last.at - each.deletion.at for each in found if each.last is not None
        } == spans


def test_what_others_removed_is_not_told_as_ours(tmp_path: Path) -> None:
    with Store.open(new_database(tmp_path / "janitor.db")) as store:
        world = NightlyWorld(store, RecordingCloud([image_called(name) for name in ("deleted", "taken")]), [])
        world.night()
        world.cloud.listed = world.cloud.listed[:1]
        world.night()  # half of all images are missing: its survey is not accepted
        every = [Policy("p", ALL, Expire(DAY))]
        assert ended(store, every) == {"deleted": "", "taken": ""}
        world.cloud.listed += [image_called(f"kept-{number}", protected=True) for number in range(5)]
        world.night()
        assert ended(store, every) == {"deleted": "", "taken": "others"}
        world.policies = every
        world.night()
        assert ended(store, every) == {"deleted": "us", "taken": "others"}


def ended(store: Store, policies: Sequence[Policy]) -> dict[str, str]:
    """What ended the watch of each image that these policies would have deleted."""
    return {
        each.deletion.decision.image.id: "us" if each.by_us else "others" if each.over else ""
        for each in hindsight_of(*replayed(store, policies), UTC).watched
    }


def watched(store: Store, policies: Sequence[Policy]) -> dict[str, tuple[int, int]]:
    """How many nights saw each image that these policies would have deleted, and how many regrets it has."""
    deletions, after = replayed(store, policies)
    hindsight = hindsight_of(deletions, after, UTC)
    return {
        each.deletion.decision.image.id: (
            each.nights,
            sum(regret.deletion is each.deletion for regret in hindsight.regrets),
        )
        for each in hindsight.watched
    }
