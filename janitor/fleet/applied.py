"""A plan that a person has reviewed, carried out in one account: what it deletes is counted in the night.

It is counted in the night that was begun last, and no limit of that keeps it from deleting: but the others have so much
less. From before its first request until it has ended, what became of the account's images is unknown; and from then
on, what a live run would do where a dry run had found it before.
"""

from collections.abc import Container
from datetime import datetime

from janitor.fleet.authority import AccountAuthority
from janitor.fleet.database import Connection
from janitor.fleet.nights import Night, night_of
from janitor.fleet.outcomes import Ending, State, values_of
from janitor.fleet.ownership import Ownership

_BEGUN = "deletions were begun in it by `janitor fleet exec`, and nothing is known of their end"
_NOTE = """
INSERT INTO outcomes AS known (night, account, shard, digest, state, epoch, worker, mode, said)
VALUES (%(night)s, %(account)s, %(shard)s, '', %(state)s, %(epoch)s, %(worker)s, 'delete', %(said)s)
ON CONFLICT (night, account) DO UPDATE SET epoch = excluded.epoch,
    counts = known.counts - '{deleted,unconfirmed,not_deleted,would_delete,would_announce}'::text[], bytes = NULL,
    money = NULL, would_bytes = NULL, would_money = NULL, mode = excluded.mode,
    said = CASE WHEN known.state = excluded.state THEN excluded.said ELSE concat_ws('; ', known.said, excluded.said) END
WHERE known.epoch <= excluded.epoch
"""
_END = """
UPDATE outcomes SET counts = counts || %(counts)s, bytes = %(bytes)s, money = %(money)s,
    currency = coalesce(%(currency)s, currency), finished_at = CASE WHEN state = %(state)s THEN %(at)s ELSE finished_at
    END, exit_code = CASE WHEN state = %(state)s THEN %(exit_code)s ELSE exit_code END,
    said = CASE WHEN state = %(state)s THEN %(said)s
        ELSE nullif(replace(replace(said, '; ' || %(begun)s, ''), %(begun)s, ''), '') END
WHERE night = %(night)s AND account = %(account)s AND epoch = %(epoch)s
"""


class PlanAuthority(AccountAuthority):
    """The right to carry out a reviewed plan in one account. `night`, where there is one, is that which it counts in.

    `most`: also of a run that a person begins, for which the limit of the night does hold. `requested`: deletions were
    reserved, so that some may have been requested.
    """

    def __init__(
        self, connection: Connection, own: Ownership, most: int | None = None, listed: Container[str] = ()
    ) -> None:
        """Raises FleetError."""
        self.night: Night | None = night_of(connection)
        self.requested = False
        super().__init__(connection, own, self.night, most, listed)

    def reserve(self, target: str, deletions: int) -> str | None:
        """As for any run; without `most`, the limit of the night does not hold for it."""
        if self.night is None and self._most is not None:
            return "no night was ever begun, in which these deletions would count: `janitor fleet enqueue` begins one"
        why = super().reserve(target, deletions)
        if why is None and self.night is not None:
            own = self._ownership
            self._connection.rows(_NOTE, **self._key(self.night), shard=own.shard, worker=own.worker, said=_BEGUN)
            self.requested = True
        return why

    def note_end(self, ending: Ending, at: datetime) -> None:
        """Record what became of the images of the account in the night, where any deletion may have been requested.

        Raises FleetError.
        """
        if self.night is not None and self.requested:
            self._connection.rows(_END, **self._key(self.night), **values_of(ending), at=at, begun=_BEGUN)

    def _key(self, night: Night) -> dict[str, object]:
        own = self._ownership
        return {"night": night.night, "account": own.account, "epoch": own.epoch, "state": State.APPLIED}
