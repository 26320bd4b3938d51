"""What became of each account in a night: one row, from when it is queued until its last attempt has ended.

A row belongs to the last epoch that wrote into it: who was superseded changes nothing in it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import LiteralString

from psycopg.types.json import Jsonb

from janitor.errors import Superseded
from janitor.fleet.database import Connection

_AT_ONCE = 500


class State(StrEnum):
    """How far an account is in a night. `done`: its last attempt ended by itself, and its exit code tells how.

    `applied`: it was not queued, but a plan that a person had reviewed was carried out in it.
    """

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    APPLIED = "applied"


_ENDED = (State.DONE, State.FAILED)


@dataclass(frozen=True, slots=True)
class Awaited:
    """An account that is to be cleaned in a night, by what is written of it in the configuration with this digest."""

    account: str
    shard: int
    digest: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended, in this `mode`. What is not in `counts` is not known.

    `bytes` were reclaimed, worth `money` a month, and a live run would reclaim `would_bytes`, where this was a dry run;
    None where that is not known. `report` is the report in JSON. `said` is a sentence for who looks at the night.
    Wide because it is all that is recorded.
    """

    exit_code: int
    counts: Mapping[str, int] = field(default_factory=dict)
    mode: str | None = None
    bytes: int | None = None
    money: Decimal | None = None
    would_bytes: int | None = None
    would_money: Decimal | None = None
    currency: str | None = None
    said: str | None = None
    report: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of an account in a night; its report apart, which may be long.

    `attempt` counts the attempts that were begun. What an attempt ended with stays until the next one ends, but for the
    figures: those are unknown from when that begins, as it may delete.
    Wide because it is the whole row.
    """

    night: date
    account: str
    shard: int
    digest: str
    state: State
    epoch: int
    attempt: int
    worker: str | None
    started_at: datetime | None
    finished_at: datetime | None
    exit_code: int | None
    mode: str | None
    counts: Mapping[str, int]
    bytes: int | None
    money: Decimal | None
    would_bytes: int | None
    would_money: Decimal | None
    currency: str | None
    said: str | None


def expect(connection: Connection, night: date, awaited: Iterable[Awaited]) -> None:
    """These accounts are queued in a night that was begun. Raises FleetError."""
    every = list(awaited)
    connection.rows(
        "INSERT INTO outcomes (night, account, shard, digest, state) "
        "SELECT %(night)s, account, shard, digest, 'queued' "
        "FROM unnest(%(accounts)s::text[], %(shards)s::int[], %(digests)s::text[]) AS new (account, shard, digest) "
        "ON CONFLICT (night, account) "
        "DO UPDATE SET state = 'queued', shard = excluded.shard, digest = excluded.digest, attempt = 0",
        night=night,
        accounts=[each.account for each in every],
        shards=[each.shard for each in every],
        digests=[each.digest for each in every],
    )


def drop(connection: Connection, night: date, accounts: Iterable[str], said: str) -> None:
    """These are not cleaned any further in a night, for a reason; what they ended with before stands.

    Raises FleetError.
    """
    connection.rows(
        "UPDATE outcomes SET state = CASE WHEN finished_at IS NULL THEN 'failed' ELSE 'done' END, "
        "said = CASE WHEN finished_at IS NULL THEN %(said)s WHEN exit_code <> 0 THEN said END "
        "WHERE night = %(night)s AND account = ANY(%(accounts)s) AND state = 'queued'",
        night=night,
        accounts=list(accounts),
        said=said,
    )


def begin(connection: Connection, night: date, account: str, epoch: int, worker: str, at: datetime) -> int:
    """An attempt of whoever has the account in this epoch begins; which one of the night it is, from 1.

    Raises Superseded where the row belongs to a later epoch, or has ended, or the account was not queued, and
    FleetError.
    """
    return _changed(
        connection,
        "UPDATE outcomes SET state = 'running', epoch = %(epoch)s, attempt = attempt + 1, worker = %(worker)s, "
        "started_at = %(at)s, finished_at = NULL, said = NULL, counts = '{}', mode = NULL, "
        "bytes = NULL, money = NULL, would_bytes = NULL, would_money = NULL "
        "WHERE night = %(night)s AND account = %(account)s AND epoch < %(epoch)s AND state IN ('queued', 'running') "
        "RETURNING attempt",
        night=night,
        account=account,
        epoch=epoch,
        worker=worker,
        at=at,
    )


def has_ended(connection: Connection, night: date, account: str) -> bool:
    """Whether no attempt of an account in a night follows: as where its last worker died, or lost PostgreSQL, between
    noting that and ending its job. Raises FleetError.
    """
    found = connection.row(
        "SELECT state FROM outcomes WHERE night = %(night)s AND account = %(account)s", night=night, account=account
    )
    return found is not None and State(found["state"]) in _ENDED


def finish(connection: Connection, night: date, account: str, epoch: int, ending: Ending, at: datetime) -> None:
    """The attempt ended by itself. Raises Superseded and FleetError."""
    _end(connection, State.DONE, night, account, epoch, ending, at)


def fail(
    connection: Connection, night: date, account: str, epoch: int, ending: Ending, at: datetime, *, counts: bool = True
) -> None:
    """The attempt failed, and no other follows; not `counts`: it was only begun to give the account up.

    Raises Superseded and FleetError.
    """
    _end(connection, State.FAILED, night, account, epoch, ending, at, less=0 if counts else 1)


def put_back(
    connection: Connection, night: date, account: str, epoch: int, said: str | None, *, counts: bool = True
) -> None:
    """The account waits for another attempt; this one does not count where it was only told to stop.

    Raises Superseded and FleetError.
    """
    _changed(
        connection,
        "UPDATE outcomes SET state = 'queued', said = %(said)s, attempt = attempt - %(less)s "
        "WHERE night = %(night)s AND account = %(account)s AND epoch = %(epoch)s RETURNING attempt",
        night=night,
        account=account,
        epoch=epoch,
        said=said,
        less=0 if counts else 1,
    )


def refuse(connection: Connection, night: date, account: str, said: str, at: datetime, *, final: bool) -> None:
    """Note why a worker did not take the account that is queued; `final`: and nobody will. Raises FleetError."""
    connection.rows(
        "UPDATE outcomes SET said = %(said)s, state = %(state)s, finished_at = coalesce(%(at)s, finished_at) "
        "WHERE night = %(night)s AND account = %(account)s AND state = 'queued'",
        night=night,
        account=account,
        said=said,
        state=State.FAILED if final else State.QUEUED,
        at=at if final else None,
    )


def states(connection: Connection, night: date) -> dict[State, int]:
    """How many accounts of a night are in each state. Raises FleetError."""
    found = connection.rows(
        "SELECT state, count(*) AS accounts FROM outcomes WHERE night = %(night)s GROUP BY state", night=night
    )
    counted = {row["state"]: row["accounts"] for row in found}
    return {state: counted.get(state, 0) for state in State}


def outcomes(connection: Connection, night: date) -> list[Outcome]:
    """What is known of each account in a night, by name. Raises FleetError."""
    found = connection.rows(
        "SELECT night, account, shard, digest, state, epoch, attempt, worker, started_at, finished_at, exit_code, "
        "mode, counts, bytes, money, would_bytes, would_money, currency, said FROM outcomes "
        'WHERE night = %(night)s ORDER BY account COLLATE "C"',
        night=night,
    )
    return [Outcome(**{**row, "state": State(row["state"])}) for row in found]


def report_of(connection: Connection, night: date, account: str) -> str | None:
    """The report in JSON of the last attempt that ended; None where none did. Raises FleetError."""
    found = connection.row(
        "SELECT report FROM outcomes WHERE night = %(night)s AND account = %(account)s", night=night, account=account
    )
    return None if found is None else found["report"]


def reports(connection: Connection, night: date) -> Iterator[tuple[str, str]]:
    """The accounts of a night that have a report, with that, by name; some hundred are read at once.

    Raises FleetError.
    """
    last = ""
    while found := connection.rows(
        "SELECT account, report FROM outcomes WHERE night = %(night)s AND report IS NOT NULL "
        'AND account COLLATE "C" > %(last)s ORDER BY account COLLATE "C" LIMIT %(most)s',
        night=night,
        last=last,
        most=_AT_ONCE,
    ):
        yield from ((row["account"], row["report"]) for row in found)
        last = found[-1]["account"]


def _end(
    connection: Connection,
    state: State,
    night: date,
    account: str,
    epoch: int,
    ending: Ending,
    at: datetime,
    less: int = 0,
) -> None:
    _changed(
        connection,
        "UPDATE outcomes SET state = %(state)s, finished_at = %(at)s, exit_code = %(exit_code)s, mode = %(mode)s, "
        "counts = %(counts)s, bytes = %(bytes)s, money = %(money)s, would_bytes = %(would_bytes)s, "
        "would_money = %(would_money)s, currency = %(currency)s, said = %(said)s, report = %(report)s, "
        "attempt = attempt - %(less)s "
        "WHERE night = %(night)s AND account = %(account)s AND epoch = %(epoch)s RETURNING attempt",
        state=state,
        night=night,
        account=account,
        epoch=epoch,
        at=at,
        less=less,
        **values_of(ending),
    )


def values_of(ending: Ending) -> dict[str, object]:
    """What is recorded of an ending, by the names of the columns."""
    return {**{each.name: getattr(ending, each.name) for each in fields(ending)}, "counts": Jsonb(dict(ending.counts))}


def _changed(connection: Connection, statement: LiteralString, **values: object) -> int:
    """The attempt of the row that a statement changes, which is that of the epoch."""
    found = connection.row(statement, **values)
    if found is not None:
        return int(found["attempt"])
    known = connection.row(
        "SELECT epoch, state FROM outcomes WHERE night = %(night)s AND account = %(account)s",
        night=values["night"],
        account=values["account"],
    )
    why = "it was not queued" if known is None else f"epoch {known['epoch']} has it, and it is {known['state']}"
    raise Superseded(
        f"account {values['account']}, night {values['night']}: {why}, so that epoch {values['epoch']} does not"
    )
