"""The queue of a fleet on Procrastinate: a job for each account of a night, in the queue of its shard."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job

from janitor.fleet.database import Connection, parameters_of, settings_of
from janitor.fleet.jobs import OwnJobs
from janitor.fleet.outcomes import Awaited, expect

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


@dataclass(frozen=True, slots=True)
class Enqueued:
    """The accounts that were enqueued, those that were already, and those whose job of an earlier night was removed."""

    new: tuple[str, ...]
    already: tuple[str, ...]
    outdated: tuple[str, ...]


def queue_of(shard: int) -> str:
    """The name of the queue of a shard."""
    return f"shard-{shard:03}"


def app_of(url: str, name: str) -> App:
    """Procrastinate on the fleet's PostgreSQL, where jobs are ended only by who has them. Raises FleetError."""
    settings = settings_of(parameters_of(url), name)
    app = App(connector=PsycopgConnector(conninfo="", kwargs=settings, min_size=1, max_size=6, timeout=10.0))
    app.job_manager = OwnJobs(app.connector)
    return app


def enqueue(connection: Connection, app: App, entries: Sequence[Awaited], night: date) -> Enqueued:
    """Enqueue a job for each of these accounts, unless it has one of this night already, waiting or being carried out.

    A job of an earlier night that nobody began is removed: its night is over. The night was begun. Raises FleetError.
    """
    outdated = _accounts(connection.rows(_OUTDATED, task=CLEAN, night=night.isoformat()))
    new: list[str] = []
    left = list(entries)
    while left:
        have = _having(connection, night)
        part = [entry for entry in left[:_AT_ONCE] if entry.account not in have]
        try:
            with connection.together():
                expect(connection, night, part)
                app.job_manager.batch_defer_jobs([_job(entry, night) for entry in part], connection)
        except AlreadyEnqueued:  # somebody else enqueued one of them meanwhile
            continue
        new += [entry.account for entry in part]
        left = left[_AT_ONCE:]
    known = set(new)
    already = tuple(entry.account for entry in entries if entry.account not in known)
    return Enqueued(tuple(new), already, tuple(outdated))


def enqueue_answer(connection: Connection, app: App, account: str, shard: int, output: str) -> None:
    """Enqueue a job for a command about an account, whose answer is kept under this id. Raises FleetError."""
    job = _in_shard(shard, ANSWER, {"output": output}, lock=account, queueing_lock=output, priority=_FIRST)
    with connection.translated():
        app.job_manager.batch_defer_jobs([job], connection)


def _having(connection: Connection, night: date) -> set[str]:
    """The accounts that have a job of this night, or one that waits."""
    rows = connection.rows(_WAITING, task=CLEAN)
    return {row["account"] for row in rows if row["status"] == "todo" or row["night"] == night.isoformat()}


def _job(entry: Awaited, night: date) -> Job:
    words = {"account": entry.account, "night": night.isoformat(), "digest": entry.digest}
    return _in_shard(entry.shard, CLEAN, words, lock=entry.account, queueing_lock=entry.account)


def _in_shard(shard: int, task: str, words: Mapping[str, Any], **keys: Any) -> Job:
    return Job(queue=queue_of(shard), task_name=task, task_kwargs=dict(words), **keys)


def _accounts(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return [row["account"] for row in rows]
