"""A night of the fleet begun: a job for each account, by the configuration as it is written now."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from time import monotonic

from janitor.cli.configuration import rules_of
from janitor.config import Settings
from janitor.config.fleet.accounts import Accounts
from janitor.config.fleet.entries import some_of
from janitor.config.fleet.loading import fleet_of
from janitor.config.fleet.shards import shard_of
from janitor.errors import ConfigurationError, Problem, UsageError
from janitor.fleet import nights, queue, schema
from janitor.fleet.database import Connection
from janitor.fleet.outcomes import Awaited, outcomes


@dataclass(frozen=True, slots=True)
class Begun:
    """A night, and what was enqueued for it."""

    night: date
    deadline_at: datetime
    enqueued: queue.Enqueued


def begin_night(
    connection: Connection,
    accounts: Accounts,
    at: datetime,
    globs: Sequence[str] = (),
    without: Collection[str] = frozenset(),
) -> Begun:
    """Enqueue all accounts, or those whose name one of these patterns matches, for the night that this is.

    Those named in `without` are left out.

    Raises UsageError where none is matched, ConfigurationError for policies that cannot be read, and FleetError.
    """
    fleet = fleet_of(accounts.settings)
    schema.check(connection, fleet.shards)
    chosen = _chosen(accounts.names, globs)
    chosen = [name for name in chosen if name not in without]
    awaited = [Awaited(name, shard_of(name, fleet.shards), accounts.digest_of(name)) for name in chosen]
    night = night_at(accounts.settings, at)
    app = queue.app_of(fleet.database, "janitor fleet enqueue")
    with connection.together():  # or what was queued before a crash would be told to nobody
        begun = nights.begin(connection, night, at, fleet.deadline)
        enqueued = queue.enqueue(connection, app, awaited, night, None if globs else accounts.names)
        if enqueued.new:
            nights.begin_again(connection, night, at, at + fleet.deadline)
            begun = nights.night_of(connection, night) or begun
    return Begun(night, begun.deadline_at, enqueued)


def check_accounts(connection: Connection, accounts: Accounts, globs: Sequence[str] = ()) -> tuple[int, int]:
    """Check the policies, and the accounts that are to be enqueued and that no worker has taken as they are written.

    For some seconds at most, so that of very many only some are checked: returns how many were, and how many there are.
    What only a worker can know, as that a secret is missing there, is no mistake here.

    Raises ConfigurationError with every problem that was found, UsageError where no account is matched, and FleetError.
    """
    fleet = fleet_of(accounts.settings)
    schema.check(connection, fleet.shards)
    rules_of(accounts.settings)
    digests = {name: accounts.digest_of(name) for name in _chosen(accounts.names, globs)}
    known = nights.accepted(connection, digests)
    unknown = sorted(digests.keys() - known, key=lambda name: digests[name])  # the same some, of all places of the list
    ends, checked = monotonic() + _CHECKING.total_seconds(), 0
    problems: list[Problem] = []
    for name in unknown:
        problems += accounts.problems_of(name)
        checked += 1
        if monotonic() > ends:
            break
    if problems:
        raise ConfigurationError(some_of(problems))
    return checked, len(unknown)


_CHECKING = timedelta(seconds=3)


def begin_by_schedule(connection: Connection, accounts: Accounts, at: datetime) -> Begun:
    """Enqueue all accounts for the night that began at this time of the schedule; to be repeated until it succeeds.

    Those that were begun since are left as they are. A night that people began earlier on the same day, and that may be
    summed up already, is summed up again after this. Raises what `begin_night` raises.
    """
    night = night_at(accounts.settings, at)
    since = {each.account for each in outcomes(connection, night) if each.started_at and each.started_at >= at}
    begun = begin_night(connection, accounts, at, without=since)
    nights.reopen(connection, night, at, at + fleet_of(accounts.settings).deadline)
    return begun


def night_at(settings: Settings, at: datetime) -> date:
    """The night that an instant belongs to: the date, in the time zone of the configuration."""
    return at.astimezone(settings.timezone).date()


def _chosen(names: Sequence[str], globs: Sequence[str]) -> Sequence[str]:
    if not globs:
        return names
    chosen = [name for name in names if any(fnmatchcase(name, glob) for glob in globs)]
    if not chosen:
        raise UsageError(f"no account has a name like {' or '.join(globs)}")
    return chosen
