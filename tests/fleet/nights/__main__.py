"""The command: nights of a fleet by a seed, and what they met."""

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import fields
from pathlib import Path

from tests.fleet.nights.broken import MECHANISMS
from tests.fleet.nights.rules import breaches
from tests.fleet.nights.simulation import Simulation, Sizes
from tests.in_memory import folder_in_memory

_SHOWN = 40


def main() -> int:
    """Live through the nights that were asked for; returns 1 where a rule is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fleet.nights", description="Nights of a fleet.")
    for size in fields(Sizes):
        parser.add_argument(f"--{size.name}", type=type(size.default), default=size.default)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without", choices=sorted(MECHANISMS), help="which mechanism the workers lack")
    parser.add_argument("--folder", type=Path, help="where the files of the fleet stay; none stay without it")
    words = parser.parse_args()
    sizes = Sizes(**{size.name: getattr(words, size.name) for size in fields(Sizes)})
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=folder_in_memory()) as folder:
        place = words.folder or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        record = Simulation(words.seed, sizes, place, words.without, _say).live()
    counts: Counter[str] = Counter()
    broken = breaches(record, counts)
    shown = [*(f"{count:9,}  {name}" for name, count in sorted(counts.items())), *broken[:_SHOWN]]
    _say("\n".join(shown))
    _say(f"seed {words.seed}: {len(broken)} breaches, {time.monotonic() - began:.0f} s")
    return 1 if broken else 0


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
