"""Nights: each is begun once, and summed up once, however many hosts try.

A night is the date on which it begins, in the time zone of the configuration. Its times are by the clock of who asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from janitor.fleet.database import Connection

KEPT = timedelta(days=400)
_LATELY = 7
"""As many nights are looked through for what a worker could read."""
_CLAIMED_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Night:
    """A night. `reserved` are the deletions that were done in it or may be; `claimed_by` sums it up, or did.

    `told`: people were told of it, or are being told, and it went on.
    """

    night: date
    begun_at: datetime
    deadline_at: datetime
    reserved: int
    claimed_by: str | None
    claimed_at: datetime | None
    summed_up_at: datetime | None
    told: bool


def begin(connection: Connection, night: date, at: datetime, deadline: timedelta) -> Night:
    """A night that begins now, or as it was begun before. Raises FleetError."""
    connection.rows(
        "INSERT INTO nights (night, begun_at, deadline_at) VALUES (%(night)s, %(at)s, %(ends)s) ON CONFLICT DO NOTHING",
        night=night,
        at=at,
        ends=at + deadline,
    )
    begun = night_of(connection, night)
    assert begun is not None
    return begun


def reopen(connection: Connection, night: date, at: datetime, deadline: datetime) -> None:
    """A night that was begun before `at` begins again then: it has another deadline, and is summed up after that.

    Raises FleetError.
    """
    connection.rows(
        "UPDATE nights SET deadline_at = %(deadline)s, summed_up_at = NULL, claimed_by = NULL, claimed_at = NULL "
        "WHERE night = %(night)s AND begun_at < %(at)s AND deadline_at < %(deadline)s "
        "AND (summed_up_at IS NULL OR summed_up_at < %(at)s)",
        night=night,
        at=at,
        deadline=deadline,
    )


def begin_again(connection: Connection, night: date, at: datetime, deadline: datetime) -> None:
    """Accounts were queued in a night after its end, or while it was told of: it is summed up once more after them.

    It has another deadline then, and who is telling of it has not told of all.

    Raises FleetError.
    """
    connection.rows(
        "UPDATE nights SET deadline_at = %(deadline)s, claimed_at = NULL, claimed_by = NULL, summed_up_at = NULL, "
        "told = told OR summed_up_at IS NOT NULL OR claimed_at IS NOT NULL "
        "WHERE night = %(night)s AND (summed_up_at IS NOT NULL OR claimed_at IS NOT NULL OR deadline_at <= %(at)s)",
        night=night,
        at=at,
        deadline=deadline,
    )


def night_of(connection: Connection, night: date | None = None) -> Night | None:
    """A night, the last one without its date; None where there is none. Raises FleetError."""
    found = connection.row(
        "SELECT night, begun_at, deadline_at, reserved, claimed_by, claimed_at, summed_up_at, told FROM nights "
        "WHERE %(night)s::date IS NULL OR night = %(night)s ORDER BY night DESC LIMIT 1",
        night=night,
    )
    return None if found is None else Night(**found)


def not_summed_up(connection: Connection) -> list[Night]:
    """The nights that nobody has summed up, in order. Raises FleetError."""
    found = connection.rows(
        "SELECT night, begun_at, deadline_at, reserved, claimed_by, claimed_at, summed_up_at, told FROM nights "
        "WHERE summed_up_at IS NULL ORDER BY night"
    )
    return [Night(**row) for row in found]


def claim(connection: Connection, night: date, who: str, at: datetime) -> bool:
    """Whether it is for `who` to sum up a night: nobody did, and nobody claimed to within a quarter of an hour.

    One that claimed and neither ended nor gave up may have died. Raises FleetError.
    """
    claimed = connection.rows(
        "UPDATE nights SET claimed_by = %(who)s, claimed_at = %(at)s WHERE night = %(night)s "
        "AND summed_up_at IS NULL AND (claimed_at IS NULL OR claimed_at <= %(before)s) RETURNING night",
        night=night,
        who=who,
        at=at,
        before=at - _CLAIMED_FOR,
    )
    return bool(claimed)


def summed_up(connection: Connection, night: date, who: str, at: datetime) -> bool:
    """Note that `who` has summed up a night, for good; False where another has claimed it since. Raises FleetError."""
    noted = connection.rows(
        "UPDATE nights SET summed_up_at = %(at)s WHERE night = %(night)s AND claimed_by = %(who)s "
        "AND summed_up_at IS NULL RETURNING night",
        night=night,
        who=who,
        at=at,
    )
    return bool(noted)


def forget(connection: Connection, at: datetime) -> int:
    """Forget nights after 400 days, with their outcomes; how many these were. Raises FleetError."""
    forgotten = connection.rows(
        "DELETE FROM nights WHERE night < %(before)s RETURNING night", before=(at - KEPT).date()
    )
    return len(forgotten)


def troubled(connection: Connection, night: date) -> int:
    """How many accounts of a night ended by themselves, but not with exit code 0. Raises FleetError."""
    found = connection.row(
        "SELECT count(*) AS accounts FROM outcomes "
        "WHERE night = %(night)s AND state IN ('done', 'applied') AND exit_code IS DISTINCT FROM 0",
        night=night,
    )
    assert found is not None
    return int(found["accounts"])


def tried(connection: Connection, night: date) -> int:
    """How many accounts of a night ended a dry run last, which deletes nothing. Raises FleetError."""
    found = connection.row(
        "SELECT count(*) AS accounts FROM outcomes WHERE night = %(night)s AND mode = 'dry-run'", night=night
    )
    assert found is not None
    return int(found["accounts"])


def endings(connection: Connection, night: date) -> dict[tuple[str, str, str], int]:
    """How many accounts of a night are in each state, by the exit code and the mode that they ended with last.

    Empty for none. Raises FleetError.
    """
    found = connection.rows(
        "SELECT state, coalesce(exit_code::text, '') AS code, coalesce(mode, '') AS mode, count(*) AS accounts "
        "FROM outcomes WHERE night = %(night)s GROUP BY state, exit_code, 2, 3 ORDER BY state, exit_code, 3",
        night=night,
    )
    return {(row["state"], row["code"], row["mode"]): row["accounts"] for row in found}


def accepted(connection: Connection, digests: Mapping[str, str]) -> set[str]:
    """Which of these accounts a worker took lately by this digest, and so could read. Raises FleetError."""
    rows = connection.rows(
        "SELECT DISTINCT account FROM unnest(%(accounts)s::text[], %(digests)s::text[]) AS new (account, digest) "
        "JOIN outcomes USING (account, digest) "
        "WHERE state IN ('running', 'done') AND night > (SELECT max(night) FROM nights) - %(nights)s",
        accounts=list(digests),
        digests=list(digests.values()),
        nights=_LATELY,
    )
    return {row["account"] for row in rows}
