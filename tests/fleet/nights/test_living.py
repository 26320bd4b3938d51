"""Nights of a fleet with all that happens to its workers: a few by default, all of them where they are asked for.

They take minutes: `make fleet-nights` lives through them, and through all with FLEET_NIGHTS=full.
"""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fleet.nights.rules import breaches
from tests.fleet.nights.simulation import Simulation, Sizes

pytestmark = pytest.mark.skipif("FLEET_NIGHTS" not in os.environ, reason="takes minutes: make fleet-nights")
_FEW = Sizes(accounts=10, images=20, nights=3, kills=6, catches=2, workers=3, restarts=1)
_SIZES = Sizes() if os.environ.get("FLEET_NIGHTS") == "full" else _FEW
_CALM = Sizes(accounts=3, images=20, nights=3, kills=0, catches=0, workers=1, restarts=0, holes=0, patience=60)
_CAUGHT = replace(_CALM, accounts=6, images=100, catches=6, workers=3, latency=30, patience=120)
_KILLED = replace(_CALM, accounts=6, kills=16, nights=2, workers=2, patience=30)


def lived(folder: Path, sizes: Sizes, seed: int, without: str | None = None) -> tuple[list[str], Counter[str]]:
    """The breaches, and what was met."""
    counts: Counter[str] = Counter()
    broken = breaches(Simulation(seed, sizes, folder, without, print).live(), counts)
    print(*(f"{count:9,}  {name}" for name, count in sorted(counts.items())), sep="\n")
    return broken, counts


@pytest.mark.usefixtures("programs")
@pytest.mark.timeout(2400)
def test_a_fleet_outlives_its_workers(tmp_path: Path) -> None:
    broken, counts = lived(tmp_path, _SIZES, 1)
    assert broken == []
    assert 0 < counts["workers caught"] <= _SIZES.catches
    assert counts["workers killed"] + counts["workers stopped"] == _SIZES.kills + counts["workers caught"]
    assert counts["workers restarted"] == _SIZES.restarts
    assert counts["deletions"] > _SIZES.accounts


@pytest.mark.usefixtures("programs")
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("mechanism", "sizes", "rule"),
    [
        ("confirmation", _CAUGHT, "nobody_deletes_who_was_superseded"),
        ("journal", _CALM, "journals_are_what_was_requested"),
        ("stalled-jobs", _KILLED, "every_account_has_an_outcome"),
        ("deliveries", _CALM, "nobody_is_told_twice"),
    ],
)
def test_without_a_mechanism_a_fleet_breaks_a_rule(tmp_path: Path, mechanism: str, sizes: Sizes, rule: str) -> None:
    broken, _ = lived(tmp_path, sizes, 5, mechanism)
    assert any(breach.startswith(f"{rule}: ") for breach in broken), broken
