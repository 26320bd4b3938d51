"""How many images all accounts together may delete in a night: reserved before, and given back where it did not happen.

What is not known to be unused stays reserved: a worker that died may have requested all that it reserved.
"""

from datetime import date

from janitor.errors import FleetError
from janitor.fleet.database import Connection

_COUNT = "UPDATE nights SET reserved = reserved + %(deletions)s WHERE night = %(night)s"
_NOTE = """
INSERT INTO reservations AS noted VALUES (%(night)s, %(account)s, %(epoch)s, %(deletions)s)
ON CONFLICT (night, account, epoch) DO UPDATE SET deletions = noted.deletions + excluded.deletions
"""
_LESS = """
UPDATE reservations SET given_back = given_back + %(deletions)s
WHERE night = %(night)s AND account = %(account)s AND epoch = %(epoch)s AND given_back + %(deletions)s <= deletions
RETURNING account
"""
_EARLIER = """
SELECT epoch, deletions - given_back AS kept FROM reservations
WHERE night = %(night)s AND account = %(account)s AND epoch < %(epoch)s ORDER BY epoch DESC
"""


def reserve(
    connection: Connection, night: date, account: str, epoch: int, deletions: int, most: int | None
) -> str | None:
    """Reserve deletions that are about to be requested; why none was, in words that complete a sentence, or None.

    `most` is how many all accounts may have in a night, None for any number; more can be reserved in the same epoch.
    Raises FleetError, also for a night that was not begun.
    """
    with connection.together():
        reserved = _reserved(connection, night)
        if most is not None and reserved + deletions > most:
            return (
                f"{deletions:,} deletions are too many for the night: all accounts may have {most:,} together "
                f"(`fleet.max_deletions_per_night`), of which {reserved:,} are reserved"
            )
        connection.rows(_NOTE, night=night, account=account, epoch=epoch, deletions=deletions)
        connection.rows(_COUNT, night=night, deletions=deletions)
        return None


def give_back(connection: Connection, night: date, account: str, epoch: int, deletions: int) -> bool:
    """Give back deletions that were not requested; False where fewer are reserved, and nothing changes.

    Raises FleetError.
    """
    with connection.together():
        _reserved(connection, night)
        found = connection.row(_LESS, night=night, account=account, epoch=epoch, deletions=deletions)
        if found is not None:
            connection.rows(_COUNT, night=night, deletions=-deletions)
        return found is not None


def settle(connection: Connection, night: date, account: str, epoch: int, requested: int) -> int:
    """Give back what earlier epochs of an account reserved in a night, but for what they requested; how many it is.

    `requested` is known from the journal in the account's own database, which nobody else holds. Raises FleetError.
    """
    with connection.together():
        _reserved(connection, night)
        earlier = connection.rows(_EARLIER, night=night, account=account, epoch=epoch)
        unused: int = max(sum(row["kept"] for row in earlier) - requested, 0)
        left = unused
        for row in earlier:
            part = min(row["kept"], left)
            connection.rows(_LESS, night=night, account=account, epoch=row["epoch"], deletions=part)
            left -= part
        connection.rows(_COUNT, night=night, deletions=-unused)
        return unused


def _reserved(connection: Connection, night: date) -> int:
    """How many are reserved in a night, which nobody else changes until the transaction ends."""
    found = connection.row("SELECT reserved FROM nights WHERE night = %(night)s FOR UPDATE", night=night)
    if found is None:
        raise FleetError(f"the night {night} was not begun")
    return int(found["reserved"])
