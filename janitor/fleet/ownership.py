"""Who has an account: each taking of it is an epoch, and only the last one may delete.

A queue cannot tell a worker that died from one that was stopped for a while and comes back, so each deletion is
preceded by the question whether the account is still this worker's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from time import monotonic
from typing import LiteralString

from janitor.core.memory import LastExemption
from janitor.errors import FleetError, Superseded
from janitor.fleet.database import Connection, Row

_AT_ONCE = 20
_BOUND = timedelta(seconds=2)
_TAKE = """
WITH held AS (SELECT shard FROM shards WHERE shard = %(shard)s AND worker = %(worker)s FOR SHARE)
INSERT INTO accounts AS known (account, shard, epoch, worker)
SELECT %(account)s, shard, 1, %(worker)s FROM held
ON CONFLICT (account) DO UPDATE SET epoch = known.epoch + 1, worker = excluded.worker, taken_at = now()
WHERE known.shard = excluded.shard
RETURNING epoch, recorded_epoch, last_run, last_exemption, exempted_at
"""
_CONFIRM = """
SELECT accounts.epoch, accounts.worker, shards.worker AS holder
FROM accounts LEFT JOIN shards USING (shard) WHERE account = %(account)s
"""
_RAISE = """
UPDATE accounts SET epoch = %(above)s::bigint + 1
WHERE account = %(account)s AND epoch = %(epoch)s AND epoch <= %(above)s RETURNING epoch
"""
_RECORD = """
UPDATE accounts SET recorded_epoch = epoch, last_exemption = %(number)s, exempted_at = %(at)s
WHERE account = %(account)s AND epoch = %(epoch)s RETURNING epoch
"""
_NOTE_RUN = """
UPDATE accounts SET last_run = greatest(last_run, %(run)s)
WHERE account = %(account)s AND epoch = %(epoch)s RETURNING epoch
"""

_NOTE_EXEMPTION = """
UPDATE accounts SET last_exemption = %(number)s, exempted_at = %(at)s
WHERE account = %(account)s AND last_exemption = %(before)s RETURNING account
"""


class Copy(StrEnum):
    """What an account's own database is: the current one, an older copy of it, or newer than PostgreSQL, or missing."""

    CURRENT = "current"
    OLDER = "older"
    AHEAD = "ahead"
    MISSING = "missing"


class Ownership:
    """One worker's hold on an account, from `take` until another takes it. Safe to use from several threads.

    `recorded` is the last epoch known to be in the account's own database when this one began, and `last_run` the last
    run of it that is known; 0 if none is. `last_exemption` is the last one known to be granted in it.
    """

    def __init__(self, connection: Connection, account: str, shard: int, worker: str, taken: Row) -> None:
        self.account = account
        self.shard = shard
        self.worker = worker
        self.epoch: int = taken["epoch"]
        self.recorded: int = taken["recorded_epoch"]
        self.last_run: int = taken["last_run"]
        self.last_exemption = _exemption_in(taken)
        self._connection = connection
        self._failed: FleetError | None = None

    def judge(self, found: int | None, *, lacks: bool = False) -> Copy:
        """What the epoch in the account's own database shows, read after the taking; None if there is no database.

        `lacks`: it does not know of the last exemption, as a copy from before that.
        """
        if found is None:
            return Copy.MISSING if self.recorded else Copy.CURRENT
        if found >= self.epoch:
            return Copy.AHEAD
        return Copy.OLDER if found < self.recorded or self._forgotten or lacks else Copy.CURRENT

    @property
    def _forgotten(self) -> bool:
        """Whether its database was given up as lost: whatever stands in its place does not know what that knew."""
        return not self.recorded and self.last_run > 0

    def confirm(self) -> None:
        """Whether the account is still ours, asked within two seconds, before each deletion is requested.

        Raises Superseded if it is another's, and FleetError where that is not known, as when PostgreSQL cannot be
        reached. Once it has failed it always fails in the same way: nothing may follow under this epoch.
        """
        if self._failed is None:
            self._ask()
        if self._failed is not None:
            raise type(self._failed)(str(self._failed))

    def raise_above(self, epoch: int) -> None:
        """Count on from an epoch in the account's own database that is not below ours.

        Raises Superseded and FleetError.
        """
        raised = self._changed(_RAISE, above=epoch)
        self.epoch = raised["epoch"]

    def record(self, granted: LastExemption | None) -> None:
        """Our epoch is in the account's own database now, and this is the last exemption there.

        Raises Superseded and FleetError.
        """
        number, at = (0, None) if granted is None else (granted.number, granted.at)
        self._changed(_RECORD, number=number, at=at)

    def note_run(self, run: int) -> None:
        """A run has begun, whose number the account's own database gave. Raises Superseded and FleetError."""
        self._changed(_NOTE_RUN, run=run)

    def _changed(self, statement: LiteralString, **values: object) -> Row:
        changed = self._connection.row(statement, account=self.account, epoch=self.epoch, **values)
        if changed is None:
            self.confirm()
            raise FleetError(f"account {self.account}: its epoch {self.epoch} was not changed; nothing was done")
        return changed

    def _ask(self) -> None:
        began = monotonic()
        try:
            with self._connection.within(_BOUND):
                if self._failed is not None:
                    return
                self._judge(self._connection.row(_CONFIRM, account=self.account))
                if monotonic() - began > _BOUND.total_seconds():
                    raise FleetError(f"{self._connection.where}: its answer came too late to still hold")
        except FleetError as error:
            self._failed = self._failed or error

    def _judge(self, found: Row | None) -> None:
        if found is None:
            raise FleetError(f"account {self.account}: {self._connection.where} no longer knows it")
        if found["epoch"] != self.epoch or found["worker"] != self.worker:
            raise Superseded(
                f"account {self.account}: {found['worker']} took it in epoch {found['epoch']}, so that nothing follows "
                f"of epoch {self.epoch}, which {self.worker} has"
            )
        if found["holder"] != self.worker:
            raise Superseded(
                f"account {self.account}: shard {self.shard} is {_in_words(found['holder'])} now, so that "
                f"{self.worker} does nothing further in it"
            )


def take(connection: Connection, account: str, shard: int, worker: str) -> Ownership:
    """Take an account, which ends the hold of whoever had it before. `worker` has leased the shard.

    The connection is the one that confirms. Raises Superseded where the shard is leased to another, and FleetError.
    """
    taken = connection.row(_TAKE, account=account, shard=shard, worker=worker)
    if taken is not None:
        return Ownership(connection, account, shard, worker, taken)
    lease = connection.row("SELECT worker FROM shards WHERE shard = %(shard)s", shard=shard)
    if lease is None or lease["worker"] != worker:
        holder = _in_words(None if lease is None else lease["worker"])
        raise Superseded(f"account {account}: shard {shard} is {holder}, so that {worker} does not begin it")
    known = connection.row("SELECT shard FROM accounts WHERE account = %(account)s", account=account)
    raise FleetError(f"account {account}: it belongs to shard {known and known['shard']}, and not to {shard}")


def note_exemption(
    connection: Connection, account: str, granted: LastExemption, knows: Callable[[LastExemption], bool]
) -> None:
    """An exemption was granted in an account's own database: a copy from before it is an old one.

    `knows`: whether the database knows of another. Where it does not know of the one that was noted last, it is an old
    copy itself, and its next run is to find that. Raises FleetError.
    """
    for _ in range(_AT_ONCE):
        row = connection.row("SELECT last_exemption, exempted_at FROM accounts WHERE account = %(a)s", a=account)
        before = None if row is None else _exemption_in(row)
        if row is None or (before is not None and (not knows(before) or before.number >= granted.number)):
            return
        values = {"account": account, "number": granted.number, "at": granted.at, "before": row["last_exemption"]}
        if connection.row(_NOTE_EXEMPTION, **values) is not None:
            return
    raise FleetError(f"account {account}: others exempt images at the same time: nothing else was noted of this one")


def _exemption_in(row: Row) -> LastExemption | None:
    return LastExemption(row["last_exemption"], row["exempted_at"]) if row["last_exemption"] else None


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has an account, or had it last."""

    account: str
    shard: int
    worker: str
    epoch: int
    taken_at: datetime


def owners(connection: Connection) -> list[Owner]:
    """Who has which account, by name. Raises FleetError."""
    found = connection.rows("SELECT account, shard, worker, epoch, taken_at FROM accounts ORDER BY account")
    return [Owner(**row) for row in found]


def _in_words(holder: str | None) -> str:
    return "nobody's" if holder is None else f"that of {holder}"
