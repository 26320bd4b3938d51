"""Random walks side by side through lists that change meanwhile: `python -m tests.cloud.walks --walks 1000000`.

Each is repeatable by its number. Kinds of lists:

    usual     images are created and deleted meanwhile, any number, anywhere
    strange   and the markers are of no use, or pages have another length than in the night before
    doubled   an image stands in the list twice
    moving    an image moves to another place meanwhile, as where a list is ordered by name

What must hold of each walk is in `Walk.broken`, and of many of them in `shares`: no walk, side by side or page by page,
can be certain of a list whose order changes, so it is only compared how often they miss something.
"""

import argparse
import logging
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from janitor.cloud.common.markers import markers
from janitor.cloud.common.pace import Pace
from janitor.cloud.common.paging import Page, pages
from janitor.cloud.common.ranges import Ranges, side_by_side
from janitor.errors import Implausible
from tests.cloud.changing import GONE, READINGS, SIDE_BY_SIDE, STEADY_CHANGES, ChangingList, Turns

LIMIT = 1000
IMPLAUSIBLE = "implausible"
MISSED = "walks that miss an image that stayed in its place"
MISSED_MOVED = "walks that miss an image that moved"
MOST_WRONG = 0.05
FEWEST_TO_COMPARE = 20_000
_CHANCE = 1.25
"""How much more often something may happen by chance alone, in as many walks as that."""


def identify(entry: str) -> str:
    return entry.partition(":")[0]


@dataclass
class Walk:
    """What came of one walk."""

    kind: str
    listed: ChangingList
    throughout: set[str]
    found: list[str]
    error: str = ""
    gave_up: bool = False
    doubted: bool = False
    most: int = 0

    @property
    def missing(self) -> set[str]:
        return set() if self.error else self.throughout - set(self.found)

    @property
    def fallen_back(self) -> bool:
        return self.gave_up or self.doubted

    def broken(self) -> str | None:
        """The rule that this walk breaks, if any."""
        if len(self.found) != len(set(self.found)):
            return "an image is new twice"
        if self.missing and self.kind in ("usual", "strange"):
            return f"images that were there throughout are missing: {sorted(self.missing)}"
        return None


def world(chance: random.Random, kind: str) -> tuple[ChangingList, list[str]]:
    """A list, and the markers from the night before, when it was a little different."""
    cap = chance.randint(4, 12)
    ids = [f"i{number}" for number in range(chance.randint(4 * cap, 12 * cap))]
    noted = markers(ids, cap)
    listed = ChangingList(chance, ids, cap, chance.choice(READINGS), chance.choice(GONE))
    listed.change = chance.choice((0, 0.05, 0.2, 0.5))
    if kind == "moving":
        listed.changes = (*STEADY_CHANGES, "move", "move")
    for _ in range(chance.choice((0, 1, 3, 10))):
        listed.happen(chance.choice(listed.changes))
    listed.moved.clear()
    if kind == "strange":
        _be_strange(listed, noted)
    if kind == "doubled":
        for image in chance.sample(ids, chance.randint(1, 3)):
            beside = chance.random() < 0.5
            listed.ids.insert(listed.ids.index(image) if beside else chance.randrange(len(ids)), image)
    return listed, noted


def _be_strange(listed: ChangingList, noted: list[str]) -> None:
    """Let the server give other pages than in the night before, or the markers be of no use."""
    chance = listed.chance
    listed.cap = chance.randint(2 + (listed.reading == "inclusive"), 14)
    match chance.choice(("as-they-were", "reversed", "shuffled", "twice", "foreign", "deaf")):
        case "reversed":
            noted.reverse()
        case "shuffled":
            chance.shuffle(noted)
        case "twice":
            noted += noted
        case "foreign":
            noted[:] = [f"other{number}" for number in range(len(noted))]
        case "deaf":
            listed.deaf, listed.cap = True, LIMIT - 1


def walk(number: int, kind: str, *, beside: bool = True) -> Walk:
    """One walk, of a kind of list: `usual`, `strange` or `moving`; page by page instead if not `beside`."""
    chance = random.Random(f"{kind} {number}")
    listed, noted = world(chance, kind)
    throughout = set(listed.alive())
    turns = Turns(chance)
    ranges = Ranges(
        lambda marker: (listed.beside(marker), _nothing),
        identify,
        noted,
        Pace(SIDE_BY_SIDE, monotonic=lambda: 0.0),
        turns.start,
    )

    def fetch(marker: str | None) -> list[str]:
        turns.pass_some()
        return listed.fetch(marker)

    read: Iterator[Page[str]] = (
        side_by_side(fetch, identify, LIMIT, ranges) if beside else pages(fetch, identify, LIMIT)
    )
    found: list[str] = []
    error = ""
    try:
        for page in read:
            found += map(identify, page.new)
    except Implausible as implausible:
        error = str(implausible)
    throughout -= listed.vanished
    return Walk(kind, listed, throughout, found, error, ranges.gave_up, ranges.doubted, turns.most)


def _nothing() -> None:
    pass


KINDS = ("usual", "usual", "strange", "doubled", "moving")


def main() -> int:
    """Walk so often; returns 1 where a rule is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.cloud.walks", description="Random walks through lists.")
    parser.add_argument("--walks", type=int, default=10_000, help="how many")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the number of the first of them")
    words = parser.parse_args()
    logging.disable()
    counts, broken = walked(range(words.first, words.first + words.walks))
    broken += shares(counts)
    for name, count in sorted(counts.items()):
        sys.stdout.write(f"{count:12,}  {name}\n")
    for breach in broken[:20]:
        sys.stdout.write(f"{breach}\n")
    return 1 if broken else 0


def walked(numbers: range) -> tuple[Counter[str], list[str]]:
    """What these walks met, and the rules that they broke."""
    counts: Counter[str] = Counter()
    broken: list[str] = []
    for number in numbers:
        kind = KINDS[number % len(KINDS)]
        one = walk(number, kind)
        counts.update(_counted(one, "side by side"))
        counts.update(_counted(walk(number, kind, beside=False), "page by page"))
        if (breach := one.broken()) is not None:
            broken.append(f"{kind} {number}: {breach}")
    return counts, broken


def shares(counts: Counter[str]) -> list[str]:
    """The rules about many walks that these break: how many fall back without reason, and how many miss something."""
    broken = []
    if counts["usual, side by side: fallen back"] > MOST_WRONG * counts["usual, side by side: walks"]:
        broken.append("too many walks fall back")
    if counts["moving, page by page: walks"] * len(KINDS) < FEWEST_TO_COMPARE:
        return broken
    for kind, what in product(sorted(set(KINDS)), (MISSED, MISSED_MOVED, IMPLAUSIBLE)):
        beside, alone = (counts[f"{kind}, {way}: {what}"] for way in ("side by side", "page by page"))
        if beside > _CHANCE * alone + 5:
            broken.append(f"{kind}: {what}: {beside} side by side, {alone} page by page")
    return broken


def _counted(one: Walk, way: str) -> Iterator[str]:
    start = f"{one.kind}, {way}"
    yield f"{start}: walks"
    if one.fallen_back:
        yield f"{start}: fallen back"
    if one.error:
        yield f"{start}: {IMPLAUSIBLE}"
    if one.missing - one.listed.moved:
        yield f"{start}: {MISSED}"
    if one.missing & one.listed.moved:
        yield f"{start}: {MISSED_MOVED}"


if __name__ == "__main__":
    sys.exit(main())
