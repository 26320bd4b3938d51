"""Nights of a fleet with all that happens to its workers: a few by default, all of them where they are asked for.

They take minutes: `make fleet-nights` lives through them, and through all with FLEET_NIGHTS=full.
"""

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.fleet.nights.rules import breaches
from tests.fleet.nights.simulation import Simulation, Sizes

pytestmark = pytest.mark.skipif("FLEET_NIGHTS" not in os.environ, reason="takes minutes: make fleet-nights")
_FEW = Sizes(accounts=10, images=20, nights=3, kills=6, workers=3, restarts=1)
_SIZES = Sizes() if os.environ.get("FLEET_NIGHTS") == "full" else _FEW
_CALM = Sizes(accounts=2, images=20, nights=2, kills=0, workers=1, restarts=0, holes=0, patience=60)


def lived(folder: Path, sizes: Sizes, seed: int, without: str | None = None) -> tuple[list[str], Counter[str]]:
    """The breaches, and what was met."""
    counts: Counter[str] = Counter()
    broken = breaches(Simulation(seed, sizes, folder, without, print).live(), counts)
    print(*(f"{count:9,}  {name}" for name, count in sorted(counts.items())), sep="\n")
    return broken, counts


@pytest.mark.usefixtures("programs")
@pytest.mark.timeout(1800)
def test_a_fleet_outlives_its_workers(tmp_path: Path) -> None:
    broken, counts = lived(tmp_path, _SIZES, 1)
    assert broken == []
    assert counts["workers killed"] + counts["workers stopped"] == _SIZES.kills
    assert counts["workers restarted"] == _SIZES.restarts
    assert counts["deletions"] > _SIZES.accounts


@pytest.mark.usefixtures("programs")
@pytest.mark.timeout(600)
def test_without_its_journal_a_fleet_breaks_a_rule(tmp_path: Path) -> None:
    broken, _ = lived(tmp_path, _CALM, 1, "journal")
    assert any(breach.startswith("journals_are_what_was_requested: ") for breach in broken), broken
