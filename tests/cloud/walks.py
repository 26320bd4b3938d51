"""Random walks side by side through lists that change meanwhile: `python -m tests.cloud.walks --walks 1000000`.

Each is repeatable by its number, and made three times: page by page, side by side at the markers of the night before,
and side by side by the times at which images were created, as in a first night. Kinds of lists:

    usual     images are created and deleted meanwhile, any number, anywhere
    strange   and the markers or times are of no use, or pages have another length than in the night before
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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from janitor.cloud.common.markers import Markers, Places, markers
from janitor.cloud.common.pace import Pace
from janitor.cloud.common.paging import Page, pages
from janitor.cloud.common.ranges import Ranges
from janitor.cloud.common.side_by_side import side_by_side
from janitor.cloud.openstack.windows import Windows
from janitor.errors import Implausible
from tests.cloud.changing import FILTERS, GONE, READINGS, SIDE_BY_SIDE, STEADY_CHANGES, ChangingList, Turns, unread

LIMIT = 1000
ALONE, AT_MARKERS, BY_TIME = "page by page", "side by side", "by time"
WAYS = (ALONE, AT_MARKERS, BY_TIME)
LIVELY = "pages beside it were of use"
MOST_WRONG = {AT_MARKERS: 0.05, BY_TIME: 0.08}
"""By time, the last pages of a window overlap the next one, and these lists have short pages and many changes."""
IMPLAUSIBLE = "implausible"
MISSED = "walks that miss an image that stayed in its place"
MISSED_MOVED = "walks that miss an image that moved"
FEWEST_LIVELY = 0.9
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
    joined: int = 0

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
    ids = [f"i{number}" for number in range(chance.randint(4 * cap, 24 * cap))]
    noted = markers(ids, cap)
    listed = ChangingList(chance, ids, cap, chance.choice(READINGS), chance.choice(GONE))
    listed.times = times(chance, ids)
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


def times(chance: random.Random, ids: list[str]) -> dict[str, int]:
    """When these were created, the last one first: evenly, in bursts, many at once, or more and more often."""
    often = chance.choice(((50, 100), (0, 1), (0, 0, 1, 300), (1, 1, 1, 1, 90_000)))
    now, found = 10_000_000, {}
    for number, image in enumerate(ids):
        now -= chance.choice(often) + (number if len(often) == 2 and chance.random() < 0.5 else 0)
        found[image] = now
    return found


def _be_strange(listed: ChangingList, noted: list[str]) -> None:
    """Let the server give other pages than in the night before, or the markers be of no use."""
    chance = listed.chance
    listed.cap = chance.randint(2 + (listed.reading == "inclusive"), 14)
    listed.filtering = chance.choice(FILTERS)
    match chance.choice(("as-they-were", "as-they-were", "unknown", "one-unknown", "mixed", "turned")):
        case "unknown":
            listed.times = {}
        case "one-unknown":
            listed.times.pop(chance.choice(listed.ids), None)
        case "mixed":
            mixed = chance.sample(sorted(listed.times.values()), len(listed.times))
            listed.times = dict(zip(listed.times, mixed, strict=True))
        case "turned":
            listed.times = {image: 20_000_000 - time for image, time in listed.times.items()}
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


def walk(number: int, kind: str, way: str = AT_MARKERS) -> Walk:
    """One walk in this way, through a kind of list: `usual`, `strange`, `doubled` or `moving`."""
    chance = random.Random(f"{kind} {number}")
    listed, noted = world(chance, kind)
    throughout = set(listed.alive())
    turns = Turns(chance)
    places = by_time(listed, chance.choice((listed.cap, LIMIT))) if way == BY_TIME else at_markers(listed, noted)
    ranges = Ranges(places, identify, Pace(SIDE_BY_SIDE, monotonic=lambda: 0.0), turns)

    def fetch(marker: str | None) -> list[str]:
        turns.pass_some()
        return listed.fetch(marker)

    read: Iterator[Page[str]] = (
        pages(fetch, identify, LIMIT) if way == ALONE else side_by_side(fetch, identify, LIMIT, ranges)
    )
    found: list[str] = []
    error = ""
    try:
        for page in read:
            found += map(identify, page.new)
    except Implausible as implausible:
        error = str(implausible)
    throughout -= listed.vanished
    return Walk(kind, listed, throughout, found, error, ranges.gave_up, ranges.doubted, turns.most, ranges.joined)


def at_markers(listed: ChangingList, noted: Sequence[str]) -> Places[str]:
    return Markers(noted, lambda marker: unread(listed.beside(marker)))


def by_time(listed: ChangingList, limit: int) -> Places[str]:
    return Windows(listed.last_before, lambda marker: unread(listed.beside(marker)), identify, listed.created, limit)


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
        for way in WAYS:
            one = walk(number, kind, way)
            counts.update(_counted(one, way))
            if way != ALONE and (breach := one.broken()) is not None:
                broken.append(f"{kind} {number}, {way}: {breach}")
    return counts, broken


def shares(counts: Counter[str]) -> list[str]:
    """The rules about many walks that these break: how many fall back without reason, and how many miss something."""
    broken = []
    for way in (AT_MARKERS, BY_TIME):
        if counts[f"usual, {way}: fallen back"] > MOST_WRONG[way] * counts[f"usual, {way}: walks"]:
            broken.append(f"too many walks fall back, {way}")
        if counts[f"usual, {way}: {LIVELY}"] < FEWEST_LIVELY * counts[f"usual, {way}: walks"]:
            broken.append(f"too few walks are faster, {way}")
    if counts[f"moving, {ALONE}: walks"] * len(KINDS) < FEWEST_TO_COMPARE:
        return broken
    for kind, way, what in product(sorted(set(KINDS)), (AT_MARKERS, BY_TIME), (MISSED, MISSED_MOVED, IMPLAUSIBLE)):
        beside, alone = (counts[f"{kind}, {each}: {what}"] for each in (way, ALONE))
        if beside > _CHANCE * alone + 5:
            broken.append(f"{kind}: {what}: {beside} {way}, {alone} {ALONE}")
    return broken


def _counted(one: Walk, way: str) -> Iterator[str]:
    start = f"{one.kind}, {way}"
    yield f"{start}: walks"
    if one.fallen_back:
        yield f"{start}: fallen back"
    if one.joined:
        yield f"{start}: {LIVELY}"
    if one.error:
        yield f"{start}: {IMPLAUSIBLE}"
    if one.missing - one.listed.moved:
        yield f"{start}: {MISSED}"
    if one.missing & one.listed.moved:
        yield f"{start}: {MISSED_MOVED}"


if __name__ == "__main__":
    sys.exit(main())
