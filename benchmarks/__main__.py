"""`python -m benchmarks [--quick]`: measures, and prints. About ten minutes; `--quick` takes one, on small fleets."""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.tables import deletions_table, figures_table, surveys_table
from benchmarks.trials import Deletions, Surveys, deletions, scan, sources, start, surveys


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    fleets: tuple[int, ...]
    latencies: tuple[int, ...]
    rounds: int
    unchanged: int
    deletions: int
    starts: int


_FULL = Extent((1_000, 10_000, 100_000), (0, 100), rounds=3, unchanged=10, deletions=500, starts=15)
_QUICK = Extent((1_000, 10_000), (0,), rounds=1, unchanged=2, deletions=100, starts=5)
_LARGE = 100_000
_MIB_OF_TEXTS = 100
_DELETION_LATENCY = 100
_DELETION_FLEET = 2_000
_SOURCE_LATENCY = 100


def main() -> None:
    """Measure, report progress on stderr, and print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Figures of the janitor; asserts nothing."
    )
    parser.add_argument("--quick", action="store_true", help="small fleets and few rounds, in about a minute")
    extent = _QUICK if parser.parse_args().quick else _FULL
    began = time.perf_counter()
    starts = start(extent.starts)
    _tell(f"{_MIB_OF_TEXTS} MiB of declared texts")
    texts = scan(_MIB_OF_TEXTS, max(extent.rounds, 3))
    _tell("sources of usage")
    usage = sources(_SOURCE_LATENCY, max(extent.rounds, 3))
    fleets = list(_surveys(extent))
    runs = list(_deletions(extent))
    print("\nDry runs: whole processes; ratios of medians of interleaved rounds\n")
    print(surveys_table(fleets))
    print(f"\nLive runs at {_DELETION_LATENCY} ms a request\n")
    print(deletions_table(runs))
    print("\nFigures\n")
    print(figures_table(fleets, runs, starts, texts, usage))
    print(f"\n{time.perf_counter() - began:.0f} s in all")


def _surveys(extent: Extent) -> Iterator[Surveys]:
    for latency in extent.latencies:
        for images in extent.fleets:
            _tell(f"dry runs over {images:,} images, {latency} ms a page")
            yield surveys(images, latency, extent.rounds, 1 if images >= _LARGE else extent.unchanged)


def _deletions(extent: Extent) -> Iterator[Deletions]:
    for _ in range(min(extent.rounds, 2)):
        for at_once in (1, None):
            _tell(f"{extent.deletions} deletions, {at_once or 'the default number'} at a time")
            yield deletions(_DELETION_FLEET, extent.deletions, _DELETION_LATENCY, at_once)


def _tell(step: str) -> None:
    print(f"measuring: {step}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
