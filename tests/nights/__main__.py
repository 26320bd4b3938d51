"""The command: many seeds, several at once, and what they met."""

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.nights import Broken, simulate
from tests.nights.simulation import NIGHTS


def main() -> int:
    """Run the seeds that were asked for; returns 1 where one of them breaks a rule."""
    parser = argparse.ArgumentParser(prog="python -m tests.nights", description="A hundred nights, over many seeds.")
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first of them")
    parser.add_argument("--nights", type=int, default=NIGHTS, help="how many nights each lives through")
    parser.add_argument("--jobs", type=int, default=1, help="how many seeds at once, each in a process")
    words = parser.parse_args()
    total: Counter[str] = Counter()
    broken = 0
    for counts, breach in lived(range(words.first, words.first + words.seeds), words.nights, words.jobs):
        total += counts
        broken += breach is not None
        if breach is not None:
            sys.stdout.write(f"{breach}\n")
            sys.stdout.flush()
    for name, count in sorted(total.items()):
        sys.stdout.write(f"{count:9,}  {name}\n")
    sys.stdout.write(f"{words.seeds - broken} of {words.seeds} seeds held.\n")
    return 1 if broken else 0


def lived(seeds: range, nights: int, jobs: int) -> Iterator[tuple[Counter[str], str | None]]:
    """What each seed met, and which rule it broke, if any."""
    if jobs == 1:
        _be_silent()
        yield from (_live(seed, nights) for seed in seeds)
        return
    with ProcessPoolExecutor(jobs, initializer=_be_silent) as pool:
        yield from pool.map(_live, seeds, [nights] * len(seeds))


def _live(seed: int, nights: int) -> tuple[Counter[str], str | None]:
    try:
        return simulate(seed, nights), None
    except Broken as broken:
        return Counter(), "\n".join([str(broken), *broken.__notes__])


def _be_silent() -> None:
    """What goes wrong here is wanted, and would be logged line by line."""
    logging.disable()


if __name__ == "__main__":
    sys.exit(main())
