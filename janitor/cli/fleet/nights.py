"""A night of the fleet begun: a job for each account, by the configuration as it is written now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase

from janitor.config.fleet.accounts import Accounts
from janitor.config.fleet.loading import fleet_of
from janitor.config.fleet.shards import shard_of
from janitor.errors import UsageError
from janitor.fleet import nights, queue, schema
from janitor.fleet.database import Connection
from janitor.fleet.outcomes import Awaited


@dataclass(frozen=True, slots=True)
class Begun:
    """A night, and what was enqueued for it."""

    night: date
    deadline_at: datetime
    enqueued: queue.Enqueued


def begin_night(connection: Connection, accounts: Accounts, at: datetime, globs: Sequence[str] = ()) -> Begun:
    """Enqueue all accounts, or those whose name one of these patterns matches, for the night that this is.

    Raises UsageError where none is matched, ConfigurationError for policies that cannot be read, and FleetError.
    """
    fleet = fleet_of(accounts.settings)
    schema.check(connection, fleet.shards)
    chosen = _chosen(accounts.names, globs)
    awaited = [Awaited(name, shard_of(name, fleet.shards), accounts.digest_of(name)) for name in chosen]
    night = at.astimezone(accounts.settings.timezone).date()
    begun = nights.begin(connection, night, at, fleet.deadline)
    app = queue.app_of(fleet.database, "janitor fleet enqueue")
    return Begun(night, begun.deadline_at, queue.enqueue(connection, app, awaited, night))


def _chosen(names: Sequence[str], globs: Sequence[str]) -> Sequence[str]:
    if not globs:
        return names
    chosen = [name for name in names if any(fnmatchcase(name, glob) for glob in globs)]
    if not chosen:
        raise UsageError(f"no account has a name like {' or '.join(globs)}")
    return chosen
