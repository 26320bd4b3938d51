"""A server's list that changes while it is walked, and what is read beside it run in any order, all by one seed."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from janitor.cloud.common.markers import PageToRead
from janitor.cloud.common.paging import MarkerGone
from janitor.errors import Refused

R = TypeVar("R")
T = TypeVar("T")

READINGS = ("exclusive", "inclusive")
GONE = ("error", "empty", "start", "rest")
SIDE_BY_SIDE = 4
FILTERS = ("kept", "ignored", "refused", "empty", "anything")
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
STEADY_CHANGES = ("delete", "delete-marker", "delete-stretch", "insert-first", "insert-last", "insert", "rename")


def nothing() -> None:
    """What there is to do if a page is used."""


def unread(page: list[T], used: Callable[[], None] = nothing) -> PageToRead[T]:
    """A page that has come, and is still to be read."""
    return lambda: (page, used)


@dataclass
class ChangingList:
    """What the documentation leaves open is a setting; every request may come after a change.

    `gone` is what a marker that does not exist gets: an error, an empty page, the list from its start, or what followed
    it. With `deaf`, every marker is ignored. Names are part of the entries, `id:name`; an id may stand in two places.
    `times` is when each was created, in seconds; `filtering` is what asking for those created before a time gets.
    """

    chance: random.Random
    ids: list[str]
    cap: int
    reading: str = "exclusive"
    gone: str = "error"
    deaf: bool = False
    change: float = 0.0
    changes: tuple[str, ...] = STEADY_CHANGES
    asked: int = 0
    vanished: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    born: int = 0
    names: dict[str, int] = field(default_factory=dict)
    marker: str | None = None
    times: dict[str, int] = field(default_factory=dict)
    filtering: str = "kept"

    def fetch(self, marker: str | None) -> list[str]:
        """The page at a marker, as entries, and perhaps a change before it."""
        self.pass_time(1)
        self.asked += 1
        return self._entries(marker)

    def pass_time(self, share: float) -> None:
        """Let a change happen, or not, as in this share of the time of one request."""
        if self.asked and self.chance.random() < self.change * share:
            self.happen(self.chance.choice(self.changes))

    def beside(self, marker: str) -> list[str]:
        """The same for one of several requests at a time, which take no more time than one of them."""
        self.pass_time(1 / SIDE_BY_SIDE)
        return self._entries(marker)

    def last_before(self, time: datetime) -> str | None:
        """The last image created before a time, by one of several requests at a time."""
        self.pass_time(1 / SIDE_BY_SIDE)
        if self.filtering == "refused":
            raise Refused("no such filter", code=400)
        alive = [] if self.filtering == "empty" else self.alive()
        if self.filtering == "anything":
            self.chance.shuffle(alive)
        if self.filtering == "kept":
            seconds = (time - FIRST_DAY).total_seconds()
            alive = [image for image in alive if self.times.get(image, seconds) < seconds]
        return alive[0] if alive else None

    def created(self, entry: str) -> datetime | None:
        """When an image was created; None where that is unknown."""
        seconds = self.times.get(entry.partition(":")[0])
        return None if seconds is None else FIRST_DAY + timedelta(seconds=seconds)

    def _entries(self, marker: str | None) -> list[str]:
        self.marker = marker or self.marker
        return [f"{image}:{self.names.get(image, 0)}" for image in self._page(None if self.deaf else marker)]

    def alive(self) -> list[str]:
        """The ids that are listed now."""
        return [image for image in self.ids if image not in self.vanished]

    def happen(self, what: str) -> None:
        """Let one change happen: `move` takes an image to another place in the list, which any other leaves."""
        alive, at = self.alive(), self.chance.randrange(len(self.ids) + 1)
        match what:
            case "delete" if alive:
                self.vanished.add(self.chance.choice(alive))
            case "delete-marker" if self.marker:
                self.vanished.add(self.marker)
            case "delete-stretch" if alive:
                first = self.chance.randrange(len(alive))
                self.vanished.update(alive[first : first + self.chance.randint(2, self.cap)])
            case "rename" if alive:
                image = self.chance.choice(alive)
                self.names[image] = self.names.get(image, 0) + 1
            case "move" if alive:
                image = self.chance.choice(alive)
                self.ids.remove(image)
                self.ids.insert(at, image)
                self.moved.add(image)
            case "insert" | "insert-first" | "insert-last":
                self.born += 1
                self._insert({"insert": at, "insert-first": 0}.get(what, len(self.ids)), f"new{self.born}")

    def _insert(self, at: int, image: str) -> None:
        """Put a new image into its place, created between those beside it, or together with one of them."""
        beside = [self.times[each] for each in self.ids[max(0, at - 1) : at + 1] if each in self.times]
        if beside:
            self.times[image] = self.chance.randint(min(beside), max(beside))
        self.ids.insert(at, image)

    def _page(self, marker: str | None) -> list[str]:
        start = 0
        if marker is not None:
            known = marker in self.ids and (marker not in self.vanished or self.gone == "rest")
            if known:
                start = self.ids.index(marker) + (self.reading == "exclusive")
            elif self.gone == "error":
                raise MarkerGone
            elif self.gone == "empty":
                return []
        page: list[str] = []
        for image in self.ids[start:]:
            if image not in self.vanished:
                page.append(image)
                if len(page) == self.cap:
                    break
        return page


class Turn(Generic[R]):
    """Something that runs beside, when the turns come to it."""

    def __init__(self, turns: "Turns", run: Callable[[], R]) -> None:
        self._turns = turns
        self._run = run
        self._results: list[R] = []

    def run(self) -> None:
        self._results.append(self._run())

    def done(self) -> bool:
        self._turns.pass_some()
        return bool(self._results)

    def result(self) -> R:
        while not self._results:
            self._turns.pass_one()
        return self._results[0]

    def cancel(self) -> bool:
        return self._turns.forget(self)


class Turns:
    """Runs what was started in any order, and at any time until its result is needed, the later the less `eager`."""

    def __init__(self, chance: random.Random, eager: float = 0.4) -> None:
        self._chance = chance
        self._eager = eager
        self._waiting: list[Turn[object]] = []
        self.most = 0

    def start(self, run: Callable[[], R]) -> Turn[R]:
        turn = Turn(self, run)
        self._waiting.append(turn)  # type: ignore[arg-type]
        self.most = max(self.most, len(self._waiting))
        self.pass_some()
        return turn

    def pass_some(self) -> None:
        while self._waiting and self._chance.random() < self._eager:
            self.pass_one()

    def wait(self) -> None:
        """Until another of those that were started is done."""
        if self._waiting:
            self.pass_one()

    def close(self) -> None:
        """Nothing: what is left is never run."""

    def pass_one(self) -> None:
        self._waiting.pop(self._chance.randrange(len(self._waiting))).run()

    def forget(self, turn: "Turn[R]") -> bool:
        if turn in self._waiting:
            self._waiting.remove(turn)  # type: ignore[arg-type]
            return True
        return False
