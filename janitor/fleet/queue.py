"""The queue of a fleet on Procrastinate: a job for each account of a night, in the queue of its shard."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, AppNotOpen, ConnectorException
from procrastinate.jobs import Job
from psycopg_pool import AsyncConnectionPool

from janitor.errors import FleetError
from janitor.fleet.database import BoundedConnection, Connection, parameters_of, settings_of
from janitor.fleet.jobs import OwnJobs
from janitor.fleet.outcomes import Awaited, drop, expect

CLEAN, ANSWER = "clean", "answer"
"""The tasks: to clean an account, and to answer a command about one."""
_FIRST = 10
"""The priority of answers, for which a person waits."""
_AT_ONCE = 1000
_WAITING = """
SELECT lock AS account, status::text AS status, args ->> 'night' AS night
FROM procrastinate_jobs WHERE task_name = %(task)s AND status IN ('todo', 'doing')
"""
_OUTDATED = """
DELETE FROM procrastinate_jobs WHERE task_name = %(task)s AND status = 'todo' AND args ->> 'night' < %(night)s
RETURNING lock AS account
"""
_OTHERS = """
DELETE FROM procrastinate_jobs
USING unnest(%(accounts)s::text[], %(digests)s::text[]) AS entry (account, digest)
WHERE task_name = %(task)s AND status = 'todo' AND lock = entry.account AND args ->> 'digest' <> entry.digest
"""
_UNLISTED = """
DELETE FROM procrastinate_jobs
WHERE task_name = %(task)s AND status = 'todo' AND args ->> 'night' = %(night)s AND NOT lock = ANY(%(listed)s)
RETURNING lock AS account
"""
NO_LONGER_LISTED = "it is no longer listed, so it is not cleaned; its database stays where it is"
"""What is said of an account that was queued, and was not in the list when the night was queued again."""
_WITHDRAW = """
DELETE FROM procrastinate_jobs WHERE task_name = %(task)s AND status = 'todo' AND queueing_lock = %(output)s
RETURNING id
"""
_ENQUEUEING = 6_105_124_191
"""An advisory lock of PostgreSQL: who holds it enqueues accounts."""
_TRIES = 3
PATIENCE = timedelta(seconds=10)
"""How long a connection is waited for."""
UNREACHABLE = (ConnectorException, AppNotOpen, psycopg.Error, OSError)
"""What comes out of Procrastinate while PostgreSQL is away: who works or serves goes on once it answers again.

It does not translate what the pool raises when it is opened, and has no pool for what it ends after that.
"""
_OLDEST = """
SELECT jobs.lock AS account, (SELECT min(at) FROM procrastinate_events WHERE job_id = jobs.id) AS since
FROM procrastinate_jobs AS jobs WHERE task_name = %(task)s AND status = 'todo' ORDER BY id LIMIT 1
"""
_STALLED = """
SELECT jobs.lock AS account, workers.last_heartbeat AS since
FROM procrastinate_jobs AS jobs LEFT JOIN procrastinate_workers AS workers ON workers.id = jobs.worker_id
WHERE task_name = %(task)s AND status = 'doing'
AND (workers.id IS NULL OR workers.last_heartbeat < now() - %(lapse)s) ORDER BY jobs.id
"""
_QUEUED = """
SELECT queue_name AS queue, count(*) AS jobs FROM procrastinate_jobs
WHERE task_name = %(task)s AND status = 'todo' GROUP BY queue_name
"""


@dataclass(frozen=True, slots=True)
class JobSince:
    """The job of an account, and since when: it was enqueued, or its worker gave no sign any more; None: not known."""

    account: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Enqueued:
    """The accounts that were enqueued, those that were already, and those whose job of an earlier night was removed.

    `unlisted` had waited, and are no longer listed.
    """

    new: tuple[str, ...]
    already: tuple[str, ...]
    outdated: tuple[str, ...]
    unlisted: tuple[str, ...] = ()


def queue_of(shard: int) -> str:
    """The name of the queue of a shard."""
    return f"shard-{shard:03}"


def answers_of(shard: int) -> str:
    """The name of the queue of a shard for commands that are carried out while its accounts are cleaned."""
    return f"answers-{shard:03}"


class _Pool(AsyncConnectionPool[Any]):
    """Waits for its first connection no longer than for any other."""

    async def open(self, wait: bool = False, timeout: float | None = None) -> None:
        """Connect; where `wait` says so, until that is done. Raises PoolTimeout."""
        await super().open(wait, self.timeout if timeout is None else timeout)


def app_of(url: str, name: str, patience: timedelta = PATIENCE) -> App:
    """Procrastinate on the fleet's PostgreSQL, where jobs are ended only by who has them. Raises FleetError.

    For a connection it waits so long; what it raises without one is UNREACHABLE.
    """
    settings = settings_of(parameters_of(url), name)
    pool: dict[str, Any] = {
        "connection_class": BoundedConnection,
        "min_size": 1,
        "max_size": 6,
        "timeout": patience.total_seconds(),
    }
    app = App(connector=PsycopgConnector(pool_factory=_Pool, conninfo="", kwargs=settings, **pool))
    app.job_manager = OwnJobs(app.connector)
    return app


def enqueue(
    connection: Connection,
    app: App,
    entries: Sequence[Awaited],
    night: date,
    listed: Collection[str] | None = None,
) -> Enqueued:
    """Enqueue a job for each of these accounts, unless it has one of this night already, waiting or being carried out.

    All of them are enqueued, or none is. What nobody began is replaced where its night is over, or it waits for another
    configuration. With `listed`, all accounts that there are, others that wait are dropped. The night was begun.
    Raises FleetError.
    """
    for _ in range(_TRIES - 1):
        try:
            return _enqueue(connection, app, entries, night, listed)
        except AlreadyEnqueued:  # a worker handed back a job of an earlier night meanwhile
            continue
    return _enqueue(connection, app, entries, night, listed)


def _enqueue(
    connection: Connection, app: App, entries: Sequence[Awaited], night: date, listed: Collection[str] | None
) -> Enqueued:
    """One try, while nobody else enqueues. Raises AlreadyEnqueued."""
    with connection.together(), _translated(connection):
        connection.rows("SELECT pg_advisory_xact_lock(%(key)s)", key=_ENQUEUEING)
        outdated = connection.rows(_OUTDATED, task=CLEAN, night=night.isoformat())
        unlisted = () if listed is None else _drop_unlisted(connection, night, listed)
        accounts, digests = [entry.account for entry in entries], [entry.digest for entry in entries]
        connection.rows(_OTHERS, task=CLEAN, accounts=accounts, digests=digests)
        have = _having(connection, night)
        new = [entry for entry in entries if entry.account not in have]
        for first in range(0, len(new), _AT_ONCE):
            part = new[first : first + _AT_ONCE]
            expect(connection, night, part)
            app.job_manager.batch_defer_jobs([_job(entry, night) for entry in part], connection)
    already = tuple(account for account in accounts if account in have)
    left = tuple(row["account"] for row in outdated)
    return Enqueued(tuple(entry.account for entry in new), already, left, unlisted)


def _drop_unlisted(connection: Connection, night: date, listed: Collection[str]) -> tuple[str, ...]:
    """The accounts that waited in a night and are not listed: nobody cleans them any further in it."""
    rows = connection.rows(_UNLISTED, task=CLEAN, night=night.isoformat(), listed=list(listed))
    dropped = tuple(row["account"] for row in rows)
    drop(connection, night, dropped, NO_LONGER_LISTED)
    return dropped


@contextmanager
def _translated(connection: Connection) -> Iterator[None]:
    """Errors of Procrastinate's connections as FleetError."""
    try:
        with connection.translated():
            yield
    except ConnectorException as error:
        if isinstance(error.__cause__, psycopg.Error):
            with connection.translated():
                raise error.__cause__ from error
        raise FleetError(f"{connection.where}: {error}") from error


def enqueue_answer(
    connection: Connection, app: App, account: str, shard: int, output: str, *, alone: bool = False
) -> None:
    """Enqueue a job for a command about an account, whose answer is kept under this id. Raises FleetError.

    It is carried out while the account is cleaned, or `alone` when it is not.
    """
    job = _in_shard(shard, ANSWER, {"output": output}, lock=account, queueing_lock=output, priority=_FIRST)
    if not alone:
        job = job.evolve(queue=answers_of(shard), lock=None)
    with _translated(connection):
        app.job_manager.batch_defer_jobs([job], connection)


def oldest(connection: Connection) -> JobSince | None:
    """The account that has waited the longest to be cleaned, if one waits. Raises FleetError."""
    found = connection.row(_OLDEST, task=CLEAN)
    return None if found is None else JobSince(**found)


def stalled(connection: Connection, lapse: timedelta) -> list[JobSince]:
    """The accounts whose worker gave no sign for so long while it cleaned them. Raises FleetError."""
    return [JobSince(**row) for row in connection.rows(_STALLED, task=CLEAN, lapse=lapse)]


def queued(connection: Connection) -> dict[str, int]:
    """How many accounts wait in each queue in which any does. Raises FleetError."""
    return {row["queue"]: row["jobs"] for row in connection.rows(_QUEUED, task=CLEAN)}


def withdraw_answer(connection: Connection, output: str) -> bool:
    """Remove such a job, if nobody has begun it; whether it was removed. Raises FleetError."""
    return bool(connection.rows(_WITHDRAW, task=ANSWER, output=output))


def _having(connection: Connection, night: date) -> set[str]:
    """The accounts that have a job of this night, or one that waits."""
    rows = connection.rows(_WAITING, task=CLEAN)
    return {row["account"] for row in rows if row["status"] == "todo" or row["night"] == night.isoformat()}


def _job(entry: Awaited, night: date) -> Job:
    words = {"account": entry.account, "night": night.isoformat(), "digest": entry.digest}
    return _in_shard(entry.shard, CLEAN, words, lock=entry.account, queueing_lock=entry.account)


def _in_shard(shard: int, task: str, words: Mapping[str, Any], **keys: Any) -> Job:
    return Job(queue=queue_of(shard), task_name=task, task_kwargs=dict(words), **keys)
