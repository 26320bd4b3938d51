"""Some nights of a fleet, with all that happens to its workers; what was noted of them meanwhile."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from janitor.cli.fleet.context import Written
from janitor.cli.fleet.nights import begin_night
from janitor.errors import FleetError
from janitor.fleet import outcomes, schema
from janitor.fleet.database import Connection, connect
from janitor.fleet.local_postgres import running
from janitor.fleet.outcomes import State
from tests.fleet.black_hole import Proxy
from tests.fleet.nights import audit
from tests.fleet.nights.clock import Clock
from tests.fleet.nights.cloud import MOST_AT_ONCE
from tests.fleet.nights.mishaps import Hands, planned
from tests.fleet.nights.record import Deletion, Entry, Record, Reported, Said
from tests.fleet.nights.staff import Place, Staff, cloud
from tests.fleet.postgres import found
from tests.nights.channel import Accepted
from tests.nights.told import read
from tests.slack_stand_in import Posted

T = TypeVar("T")
SHARDS = 8
_DAY = timedelta(days=1)
_JOURNAL = "SELECT target, image, answer IS NOT NULL FROM deletions WHERE requested_at IS NOT NULL"
_ENQUEUING = "janitor fleet enqueue"


@dataclass(frozen=True)
class Sizes:
    """How much there is of what; `patience` is how long a night may take. The last night is a calm one.

    Half of the `kills` only stop a worker for a while; so do `catches`, in the middle of its deletions.
    """

    accounts: int = 200
    images: int = 100
    nights: int = 10
    kills: int = 60
    catches: int = 8
    workers: int = 4
    restarts: int = 2
    holes: int = 1
    latency: int = 2
    patience: float = 600.0


class Simulation:
    """A fleet that lives through some nights. `without` is a mechanism that its workers lack."""

    def __init__(
        self,
        seed: int,
        sizes: Sizes,
        folder: Path,
        without: str | None = None,
        say: Callable[[str], None] = lambda _words: None,
    ) -> None:
        self._seed = seed
        self._sizes = sizes
        self._folder = folder
        self._without = without
        self._say = say
        self._random = Random(seed)
        self._clock = Clock(folder / "clock")
        self._record = Record(most_at_once=MOST_AT_ONCE)
        self._url = ""
        self._connection: Connection | None = None

    def live(self) -> Record:
        """Live through all nights; what was noted."""
        sizes = self._sizes
        self._clock.begin()
        with ExitStack() as stack:
            server = stack.enter_context(running(found()))
            self._url = server.make_database("fleet")
            self._ask(lambda connection: schema.migrate(connection, SHARDS))
            self._ask(audit.begin)
            options = {"accounts": sizes.accounts, "images": sizes.images, "latency": sizes.latency}
            write = stack.enter_context(cloud(self._folder, seed=self._seed, shards=SHARDS, **options))
            proxy = stack.enter_context(Proxy(server.port))
            staff = Staff(self._folder, self._places(server.url("fleet", port=proxy.port)), self._without)
            with closing_staff(staff):
                stack.callback(self._close)
                self._live(Hands(self._random, staff, server, proxy))
            self._read(staff, write)
        return self._record

    def _places(self, through_proxy: str) -> list[Place]:
        """The first reaches PostgreSQL through the proxy; each has most of the shards."""
        every = range(SHARDS)
        return [
            Place(number, [shard for shard in every if number == 0 or shard % self._sizes.workers != number], url)
            for number in range(self._sizes.workers)
            for url in (through_proxy if number == 0 else self._url,)
        ]

    def _live(self, hands: Hands) -> None:
        sizes = self._sizes
        kills = sizes.kills // 2
        plan = planned(
            self._random,
            sizes.accounts,
            sizes.nights,
            kill=kills,
            stop=sizes.kills - kills,
            catch=sizes.catches,
            restart=sizes.restarts,
            hole=sizes.holes,
        )
        for place in hands.staff.places:
            hands.staff.begin(place)
        written = self._written()
        self._record.accounts = list(written.accounts().names)
        for number, doing in enumerate(plan):
            if number:
                self._clock.forward(_DAY)
            if number < max(sizes.nights - 1, 1):
                self._expired_before = self._clock()  # what expires later is announced only, or not seen any more
            began = time.monotonic()
            begun = self._ask(lambda connection: begin_night(connection, written.accounts(), self._clock()))
            self._record.nights.append(begun.night.isoformat())
            hands.doing = doing
            happens = len(doing)
            ended = self._until_all_ended(begun.night, hands)
            hands.calm()
            took = time.monotonic() - began
            self._say(f"night {number + 1}: {ended} of {sizes.accounts} ended, {happens} mishaps, {took:.0f} s")
            if ended < sizes.accounts:
                return

    def _until_all_ended(self, night: Any, hands: Hands) -> int:
        until = time.monotonic() + self._sizes.patience
        ended = 0
        while time.monotonic() < until:
            states = self._ask(lambda connection: outcomes.states(connection, night))
            ended = states[State.DONE] + states[State.FAILED]
            hands.act(ended)
            for name in hands.staff.ended_by_themselves():
                self._say(f"{name} ended by itself: {self._folder / name}.log")
                self._record.crashed.append(name)
            if ended == self._sizes.accounts and not hands.doing:
                return ended
            for _ in range(5):
                hands.catch()
                time.sleep(0.01)
        return ended

    def _report_of(self, night: str) -> Reported:
        command = [sys.executable, "-m", "janitor", "fleet", "report", night, "--format", "json"]
        done = subprocess.run(
            [*command, "-c", str(self._folder / "janitor.yaml")],
            env={**os.environ, "JANITOR_FLEET_URL": self._url},
            capture_output=True,
            check=False,
        )
        report = json.loads(done.stdout)
        names = tuple(account["account"] for account in report["accounts"])
        return Reported(night, names, report["totals"]["deleted"] or 0)

    def _written(self) -> Written:
        os.environ["JANITOR_FLEET_URL"] = self._url
        return Written(self._folder / "janitor.yaml")

    def _ask(self, question: Callable[[Connection], T]) -> T:
        """The answer of PostgreSQL, on a new connection where the last one was cut."""
        for _ in range(50):
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = connect(self._url, _ENQUEUING)
                return question(self._connection)
            except FleetError:
                if self._connection is not None:
                    self._connection.close()
                time.sleep(0.2)
        raise FleetError("PostgreSQL does not come back")

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    # What was noted.

    def _read(self, staff: Staff, write: Callable[[Path], None]) -> None:
        record = self._record
        record.mishaps = staff.mishaps
        record.takings = self._ask(audit.takings)
        record.written = self._ask(audit.changes)
        record.rows = self._ask(audit.rows)
        record.reported = [self._report_of(night) for night in record.nights]
        record.ended = self._ask(lambda connection: audit.ended(connection, _ENQUEUING))
        record.journal = list(_journal(self._folder / "shards"))
        file = self._folder / "cloud.json"
        write(file)
        seen = json.loads(file.read_text())
        record.deletions = [Deletion(**each) for each in seen["deletions"]]
        record.said = list(_said(seen["messages"]))
        deadline, now = self._expired_before.timestamp(), self._clock().timestamp()
        for image in seen["images"]:
            key = image["account"], image["image"]
            if image["there"]:
                record.left.add(key)
            if image["free"] and image["expires"] < deadline:
                record.expired.add(key)
            if image["guarded"] or image["expires"] > now:
                record.guarded.add(key)


@contextmanager
def closing_staff(staff: Staff) -> Iterator[None]:
    """Whatever happens, no process is left."""
    try:
        yield
    finally:
        staff.end()


def _journal(state: Path) -> Iterator[Entry]:
    for file in sorted(state.glob("shard-*/*.db")):
        with closing(sqlite3.connect(file)) as database:
            for account, image, answered in database.execute(_JOURNAL):
                yield Entry(account, image, bool(answered))


def _said(messages: list[dict[str, Any]]) -> Iterator[Said]:
    for number, message in enumerate(messages):
        posted = Posted(message["text"], message["blocks"], message["channel"])
        at = datetime.fromtimestamp(message["at"], UTC)
        for told in read(Accepted(posted, at, sure=True)):
            yield Said(
                number,
                message["channel"].removeprefix("#"),
                told.run,
                told.image,
                told.fate.name,
                told.page,
                told.settled,
                message["at"],
            )
