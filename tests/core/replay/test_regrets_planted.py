"""Regrets are found where they were planted, all of them and no other."""

from collections.abc import Sequence
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from janitor.core.replay.afterwards import Afterwards
from janitor.core.replay.backtest import Replay
from janitor.core.replay.hindsight import hindsight_of
from janitor.core.replay.nights import Terms
from janitor.core.replay.replayed import NightDeletion, Ruling
from janitor.store import Store
from tests.factories import AMPLE, OLD
from tests.new_database import new_database
from tests.planted import IMAGES, Planted, lived_through, name_of, written


@pytest.mark.parametrize("seed", range(20))
def test_all_that_is_planted_is_found_and_nothing_else(seed: int, tmp_path: Path) -> None:
    nights, planted = written(seed)
    with Store.open(new_database(tmp_path / "janitor.db")) as store:
        lived_through(nights, store)
        deletions, after = replayed(store)
    assert {each.decision.image.name for each in deletions} >= {name_of(seed, number) for number in range(IMAGES)}
    assert sorted(map(str, regrets_of(deletions, after))) == sorted(map(str, planted))


def replayed(store: Store) -> tuple[list[NightDeletion], Afterwards]:
    """What the policy would have deleted, and what is recorded afterwards."""
    replay = Replay(Ruling((OLD,), Terms(UTC, timedelta(), AMPLE, ())))
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
