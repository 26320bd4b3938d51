"""What happens to the workers of a fleet in a night, and when: at so many accounts whose night has ended."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from janitor.fleet.local_postgres import LocalPostgres
from tests.fleet.black_hole import Proxy
from tests.fleet.nights.record import Mishap
from tests.fleet.nights.staff import Staff

SHORTEST, LONGEST = 2.0, 3.5
"""For how many seconds workers are stopped: longer than the others wait for a sign of them."""
_CAUGHT_FOR = 6.0
"""For how many those that were caught deleting are: until another has certainly taken their accounts."""
_JUST_NOW = 0.1
_HOLE = 4.0


@dataclass
class Hands:
    """Does what was planned. `doing` are the mishaps still to come in this night, each from so many accounts on.

    `catching` are the workers still to be stopped at the next moment in which they delete, each in another account: in
    one they would use up its attempts of the night.
    """

    random: Random
    staff: Staff
    server: LocalPostgres
    proxy: Proxy
    doing: list[tuple[int, str]] = field(default_factory=list)
    catching: int = 0
    _caught: set[str] = field(default_factory=set)
    _hole: float | None = None

    def act(self, ended: int) -> None:
        """Do what is due, as so many accounts have ended."""
        self.staff.go_on()
        self._leave_hole()
        while self.doing and self.doing[0][0] <= ended:
            _, kind = self.doing.pop(0)
            does: dict[str, Callable[[], None]] = {
                "kill": self._kill,
                "stop": self._stop,
                "catch": self._catch_next,
                "restart": self._restart,
                "hole": self._enter_hole,
            }
            does[kind]()

    def catch(self) -> None:
        """Stop a worker that deletes at this moment, if one is to be caught."""
        found = self.staff.deleting(_JUST_NOW) if self.catching else None
        if found is not None and found[1] not in self._caught:
            self.staff.stop(found[0], _CAUGHT_FOR, caught=True)
            self._caught.add(found[1])
            self.catching -= 1

    def _catch_next(self) -> None:
        self.catching += 1

    def calm(self) -> None:
        """All go on."""
        self.staff.go_on(every=True)
        self._leave_hole(now=True)

    def _kill(self) -> None:
        place = self.random.choice(self.staff.places)
        if place.stopped is not None:
            self.staff.go_on(every=True)
        self.staff.kill(place)

    def _stop(self) -> None:
        free = [place for place in self.staff.places if place.stopped is None]
        if free:
            self.staff.stop(self.random.choice(free), self.random.uniform(SHORTEST, LONGEST))

    def _restart(self) -> None:
        began = time.time()
        self.server.restart()
        self.staff.mishaps.append(Mishap("restarted", "all", began, time.time()))

    def _enter_hole(self) -> None:
        self.proxy.stop_answering()
        self._hole = time.time()

    def _leave_hole(self, *, now: bool = False) -> None:
        if self._hole is not None and (now or time.time() - self._hole > _HOLE):
            self.proxy.answer()
            self.staff.mishaps.append(Mishap("cut off", self.staff.places[0].worker, self._hole, time.time()))
            self._hole = None


def planned(random: Random, accounts: int, nights: int, **kinds: int) -> list[list[tuple[int, str]]]:
    """What happens in each night: so many of each kind, at random, none in the last night.

    In the first nobody deletes, so that nobody can be caught.
    """
    found: list[list[tuple[int, str]]] = [[] for _ in range(nights)]
    for kind, number in kinds.items():
        first = 1 if kind == "catch" else 0
        for _ in range(number):
            found[random.randrange(first, max(nights - 1, first + 1))].append((random.randrange(accounts), kind))
    return [sorted(night) for night in found]
