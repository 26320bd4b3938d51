"""How a fleet stands, and what became of a night, each read from its PostgreSQL as one value."""

from collections.abc import Collection
from datetime import datetime

from janitor.fleet import nights, outcomes, ownership, queue
from janitor.fleet.database import Connection
from janitor.fleet.leases import shards
from janitor.fleet.leases.shards import place_at
from janitor.fleet.nights import Night
from janitor.monitoring.fleet import Figures
from janitor.report.fleet.night import AccountOutcome, NightReport
from janitor.report.fleet.status import FleetState, FreeShard, JobState, NightState, OwnerState, WorkerState


def state_of(connection: Connection, number: int) -> FleetState:
    """How the fleet stands, which has this number of shards. Raises FleetError."""
    clock = connection.row("SELECT now() AS at")
    assert clock is not None
    workers, waiting = shards.workers(connection), queue.queued(connection)
    oldest, stalled = queue.oldest(connection), queue.stalled(connection, shards.LAPSE)
    return FleetState(
        at=clock["at"],
        shards=number,
        night=_latest_night(connection),
        queued=sum(waiting.values()),
        oldest=None if oldest is None else JobState(oldest.account, oldest.since),
        stalled=[JobState(job.account, job.since) for job in stalled],
        workers=[_worker(each) for each in workers],
        free=_free(shards.leases(connection), workers, number, waiting),
        owners=[
            OwnerState(each.account, each.shard, each.worker, each.epoch, each.taken_at)
            for each in ownership.owners(connection)
        ],
    )


def _latest_night(connection: Connection) -> NightState | None:
    night = nights.night_of(connection)
    if night is None:
        return None
    states = {state.value: count for state, count in outcomes.states(connection, night.night).items()}
    troubled, tried = nights.troubled(connection, night.night), nights.tried(connection, night.night)
    return NightState(night.night, night.begun_at, night.deadline_at, night.summed_up_at, states, troubled, tried)


def _worker(each: shards.WorkerState) -> WorkerState:
    return WorkerState(
        each.name, each.host, each.shards, each.silent, each.draining, each.started_at, each.heartbeat_at
    )


def _free(
    leases: Collection[shards.Lease], workers: Collection[shards.WorkerState], number: int, waiting: dict[str, int]
) -> list[FreeShard]:
    """The shards that no living worker has."""
    living = [worker for worker in workers if not worker.silent]
    names = {worker.name for worker in living}
    known = {lease.shard: lease for lease in leases}
    free = []
    for shard in range(number):
        lease = known.get(shard)
        if lease is not None and lease.worker in names:
            continue
        can = tuple(worker.name for worker in living if shard in worker.serves and not worker.draining)
        queued = waiting.get(queue.queue_of(shard), 0)
        last, place = (None, None) if lease is None else (lease.worker, lease.place)
        refusing = tuple(w.name for w in living if shard in w.refuses and place == place_at(w.host, w.state))
        free.append(FreeShard(shard, last, place, can, queued, refusing))
    return free


def drained(connection: Connection, worker: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shards of a worker that is asked to end: those that another can take, and those that wait. Raises FleetError.

    To take one, it lives, wants it, has its files, and is not asked to end itself.
    """
    every = shards.workers(connection)
    mine = next((each.shards for each in every if each.name == worker), ())
    others = [each for each in every if each.name != worker and not each.silent and not each.draining]
    taken = tuple(shard for shard in mine if any(shard in each.serves for each in others))
    return taken, tuple(shard for shard in mine if shard not in taken)


def report_of(connection: Connection, night: Night, at: datetime) -> NightReport:
    """What became of each account in a night, as of an instant. Raises FleetError."""
    accounts = [_outcome(each) for each in outcomes.outcomes(connection, night.night)]
    return NightReport(night.night, night.begun_at, night.deadline_at, night.summed_up_at, at, accounts)


def _outcome(each: outcomes.Outcome) -> AccountOutcome:
    return AccountOutcome(
        each.account,
        each.shard,
        each.state.value,
        each.attempt,
        each.worker,
        each.started_at,
        each.finished_at,
        each.exit_code,
        each.mode,
        each.counts,
        each.bytes,
        each.money,
        each.would_bytes,
        each.would_money,
        each.currency,
        each.said,
    )


def figures_of(connection: Connection) -> Figures:
    """What `/metrics` shows of the whole fleet. Raises FleetError."""
    clock = connection.row("SELECT now() AS at")
    assert clock is not None
    night, oldest, workers = nights.night_of(connection), queue.oldest(connection), shards.workers(connection)
    silent = sum(worker.silent for worker in workers)
    return Figures(
        begun_at=None if night is None else night.begun_at,
        accounts={} if night is None else nights.endings(connection, night.night),
        queued=sum(queue.queued(connection).values()),
        oldest=None if oldest is None or oldest.since is None else clock["at"] - oldest.since,
        workers={"living": len(workers) - silent, "silent": silent},
    )
