"""Who has which shard: a worker leases it for as long as its heartbeat is heard, and where its files are.

Heartbeats are compared by the database's clock alone.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from janitor.config.fleet import Fleet
from janitor.config.fleet.shards import folder_of
from janitor.errors import FleetError
from janitor.fleet.database import Connection, Row
from janitor.fleet.leases.assignment import assign
from janitor.fleet.leases.markers import Marker, make_marker, of_another, read_marker

LAPSE = timedelta(seconds=30)
"""How long after its last heartbeat a worker counts as dead."""
_FORGOTTEN_AFTER = timedelta(days=1)
_HEARTBEAT = """
INSERT INTO workers (worker, host, pid, state, serves, refuses)
VALUES (%(worker)s, %(host)s, %(pid)s, %(state)s, %(serves)s, %(refuses)s)
ON CONFLICT (worker) DO UPDATE SET heartbeat_at = now(), serves = excluded.serves, refuses = excluded.refuses
RETURNING draining
"""
_LIVING = "SELECT worker, serves FROM workers WHERE heartbeat_at > now() - %(lapse)s AND NOT draining"
_LEASE = """
UPDATE shards SET worker = %(worker)s, epoch = epoch + 1, leased_at = now(), place = %(place)s
WHERE shard IN (
    SELECT shard FROM shards LEFT JOIN workers ON workers.worker = shards.worker
    WHERE shard = ANY(%(shards)s) AND (workers.worker IS NULL OR heartbeat_at <= now() - %(lapse)s)
    ORDER BY shard FOR UPDATE OF shards SKIP LOCKED
)
RETURNING shard
"""
_HELD = "SELECT shard FROM shards WHERE worker = %(worker)s"
_UNMARKED = f"{_HELD} AND marker IS NULL"
_MARK = "UPDATE shards SET marker = %(marker)s WHERE shard = %(shard)s AND worker = %(worker)s AND marker IS NULL"
_RELEASE = "UPDATE shards SET worker = NULL WHERE worker = %(worker)s AND shard = ANY(%(shards)s)"
_WORKERS = """
SELECT worker AS name, host, pid, state, serves, refuses, draining, started_at, heartbeat_at,
    heartbeat_at <= now() - %(lapse)s AS silent,
    ARRAY(SELECT shard FROM shards WHERE shards.worker = workers.worker ORDER BY shard) AS shards
FROM workers ORDER BY worker
"""
_LEASES = """
SELECT shard, worker, epoch, CASE WHEN marker IS NOT NULL THEN place END AS place, leased_at FROM shards ORDER BY shard
"""
_HELD_BY = """
SELECT marker IS NOT NULL AS ever, CASE WHEN heartbeat_at > now() - %(lapse)s THEN workers.worker END AS living
FROM shards LEFT JOIN workers ON workers.worker = shards.worker WHERE shard = %(shard)s FOR UPDATE OF shards
"""
_FORGET = """
UPDATE accounts SET epoch = epoch + 1, last_run = greatest(last_run, least(recorded_epoch, 1)), recorded_epoch = 0
WHERE shard = %(shard)s RETURNING account
"""


@dataclass(frozen=True, slots=True)
class Worker:
    """One process that works: its name, unlike that of any other process ever, its host, and its process id."""

    name: str
    host: str
    pid: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a worker has after a heartbeat.

    `shards` are leased to it, of which others are to have `surplus`: no job of these is begun, and each is released
    once its last has ended. `lost` it had before, and has no longer. `refused` it cannot have, each with a sentence.
    """

    shards: frozenset[int] = frozenset()
    surplus: frozenset[int] = frozenset()
    lost: frozenset[int] = frozenset()
    refused: tuple[tuple[int, str], ...] = ()
    draining: bool = False


class Leases:
    """The shards of one worker, from its first heartbeat on. `wanted` are those that it may have."""

    def __init__(
        self,
        connection: Connection,
        fleet: Fleet,
        identity: str,
        worker: Worker,
        wanted: Iterable[int],
        lapse: timedelta = LAPSE,
    ) -> None:
        self._connection = connection
        self._fleet = fleet
        self._identity = identity
        self._worker = worker
        self._wanted = sorted(set(wanted))
        self._lapse = lapse
        self._held: frozenset[int] = frozenset()
        self._unable: dict[int, str] = {}

    def renew(self) -> Held:
        """Be heard, and lease what is free and this worker's to have. To be asked every third of `lapse`, or sooner.

        Raises FleetError; what is held then lapses, unless a later one succeeds in time.
        """
        known = self._known()
        refused = {shard: why for shard in self._wanted if (why := self._refusal(shard, known.get(shard)))}
        beat = self._connection.row(
            _HEARTBEAT,
            worker=self._worker.name,
            host=self._worker.host,
            pid=self._worker.pid,
            state=str(self._fleet.state),
            serves=[shard for shard in self._wanted if shard not in refused],
            refuses=list(refused),
        )
        mine = self._lease_mine(known)
        unmarked = self._mark_new()
        held = frozenset(row["shard"] for row in self._connection.rows(_HELD, worker=self._worker.name))
        lost, self._held = self._held - held, held
        told = tuple(sorted({**refused, **unmarked}.items()))
        return Held(held, held - mine, lost, told, bool(beat and beat["draining"]))

    def release(self, shards: Collection[int]) -> None:
        """Give these back, no job of which is being done. Raises FleetError."""
        self._connection.rows(_RELEASE, worker=self._worker.name, shards=list(shards))
        self._held -= frozenset(shards)

    def drain(self) -> None:
        """From the next heartbeat on, all that is held is for others. Raises FleetError."""
        ask_to_drain(self._connection, self._worker.name)

    def end(self) -> None:
        """Give everything back, and be forgotten. Raises FleetError."""
        with self._connection.together():
            self._connection.rows("UPDATE shards SET worker = NULL WHERE worker = %(name)s", name=self._worker.name)
            self._connection.rows("DELETE FROM workers WHERE worker = %(name)s", name=self._worker.name)
        self._held = frozenset()

    def _known(self) -> dict[int, Row]:
        """What is noted of the shards that are wanted; each is noted from now on."""
        self._connection.rows(
            "INSERT INTO shards (shard) SELECT unnest(%(shards)s::int[]) ON CONFLICT DO NOTHING", shards=self._wanted
        )
        found = self._connection.rows("SELECT shard, worker, place, marker FROM shards")
        return {row["shard"]: row for row in found}

    def _refusal(self, shard: int, known: Row | None) -> str | None:
        """Why this worker cannot have a shard: it lacks its files, or has others. None for one that nobody ever had."""
        if shard in self._unable:
            return self._unable[shard]
        folder = folder_of(self._fleet, shard)
        try:
            marker = read_marker(folder)
        except FleetError as error:
            return str(error)
        if known is None or known["marker"] is None:
            return None
        last = f"the last to have it had them in {known['place']}"
        if marker is None:
            return f"its files are not in {folder}; {last}"
        if (marker.fleet, marker.shard) != (self._identity, shard):
            return f"{folder}: {of_another(marker, self._identity)}; {last}"
        if marker.id != known["marker"]:
            return f"{folder}: these are not the files that the fleet knows; {last}"
        return None

    def _lease_mine(self, known: dict[int, Row]) -> frozenset[int]:
        """Lease what is free of the shards that are this worker's to have; all of these, free or not."""
        living = self._connection.rows(_LIVING, lapse=self._lapse)
        held = {shard: row["worker"] for shard, row in known.items() if row["worker"] is not None}
        shared = assign({row["worker"]: row["serves"] for row in living}, held)
        mine = [shard for shard, worker in shared.items() if worker == self._worker.name]
        place = place_of(self._fleet, self._worker.host)
        self._connection.rows(_LEASE, worker=self._worker.name, place=place, shards=mine, lapse=self._lapse)
        return frozenset(mine)

    def _mark_new(self) -> dict[int, str]:
        """Make folder and marker of what nobody ever had; what could not be made is given back, each with why not."""
        failed = {}
        for row in self._connection.rows(_UNMARKED, worker=self._worker.name):
            shard = row["shard"]
            try:
                marker = make_marker(folder_of(self._fleet, shard), self._identity, shard)
            except FleetError as error:
                failed[shard] = self._unable[shard] = str(error)
                self.release([shard])
            else:
                self._connection.rows(_MARK, shard=shard, worker=self._worker.name, marker=marker.id)
        return failed


def place_of(fleet: Fleet, host: str) -> str:
    """Where the shards of a host are, as it is noted with their leases."""
    return place_at(host, str(fleet.state))


def place_at(host: str, state: str) -> str:
    """The same of a worker, by its host and its folder of shards."""
    return f"{host}:{state}"


def is_here(connection: Connection, fleet: Fleet, identity: str, shard: int, host: str) -> bool:
    """Whether the files of a shard that count are on this host: it was the last to have it, and has its marker.

    A copy that was left behind when the shard moved has the same marker. Raises FleetError.
    """
    known = connection.row("SELECT place, marker FROM shards WHERE shard = %(shard)s", shard=shard)
    if known is None or known["marker"] is None or known["place"] != place_of(fleet, host):
        return False
    return read_marker(folder_of(fleet, shard)) == Marker(identity, shard, known["marker"])


def holder_of(connection: Connection, shard: int, lapse: timedelta = LAPSE) -> str | None:
    """The living worker that has a shard, if any. Raises FleetError."""
    found = connection.row(
        "SELECT worker FROM shards JOIN workers USING (worker) "
        "WHERE shard = %(shard)s AND heartbeat_at > now() - %(lapse)s",
        shard=shard,
        lapse=lapse,
    )
    return None if found is None else found["worker"]


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker as others see it; `silent`: its heartbeat has not been heard for too long.

    `serves` are the shards that it may have: it wants them, and has their files. It wants those that it `refuses`, too,
    but has not their files. Wide because it is the whole row.
    """

    name: str
    host: str
    pid: int
    state: str
    serves: tuple[int, ...]
    refuses: tuple[int, ...]
    shards: tuple[int, ...]
    draining: bool
    started_at: datetime
    heartbeat_at: datetime
    silent: bool


@dataclass(frozen=True, slots=True)
class Lease:
    """Who has a shard, if anybody, and where its files are; `place` is None for one that nobody ever had."""

    shard: int
    worker: str | None
    epoch: int
    place: str | None
    leased_at: datetime | None


def workers(connection: Connection, lapse: timedelta = LAPSE) -> list[WorkerState]:
    """All workers that were heard within a day, by name. Raises FleetError."""
    found = connection.rows(_WORKERS, lapse=lapse)
    return [
        WorkerState(**{**row, **{each: tuple(row[each]) for each in ("serves", "refuses", "shards")}}) for row in found
    ]


def leases(connection: Connection) -> list[Lease]:
    """All shards that anybody wanted, in order. Raises FleetError."""
    return [Lease(**row) for row in connection.rows(_LEASES)]


def ask_to_drain(connection: Connection, worker: str) -> bool:
    """From its next heartbeat on, all that a worker has is for others. False where there is none. Raises FleetError."""
    found = connection.rows(
        "UPDATE workers SET draining = true WHERE worker = %(worker)s RETURNING worker", worker=worker
    )
    return bool(found)


def forget(connection: Connection, shard: int, lapse: timedelta = LAPSE) -> int:
    """Give up the files of a shard as lost: whoever leases it next begins it anew; how many accounts it has.

    The next run of each of these deletes nothing. Raises FleetError, also while a living worker has the shard.
    """
    with connection.together():
        found = connection.row(_HELD_BY, shard=shard, lapse=lapse)
        if found is None or found["ever"] is False:
            raise FleetError(f"shard {shard}: nobody ever had it, so that nothing of it can be lost")
        if found["living"] is not None:
            raise FleetError(f"shard {shard}: {found['living']} has it and its files: stop that worker first")
        connection.rows("UPDATE shards SET worker = NULL, marker = NULL WHERE shard = %(shard)s", shard=shard)
        return len(connection.rows(_FORGET, shard=shard))


def forget_dead(connection: Connection) -> None:
    """Forget workers that nobody has heard for a day. Raises FleetError."""
    connection.rows("DELETE FROM workers WHERE heartbeat_at < now() - %(age)s", age=_FORGOTTEN_AFTER)
