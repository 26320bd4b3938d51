"""A command about one account: carried out here where its database is, or else asked of the worker that has it."""

import os
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from janitor.cli.fleet.endings import ending_of
from janitor.cli.terminal import say
from janitor.cli.wiring import code_of
from janitor.clock import utc_now
from janitor.config import Settings
from janitor.config.fleet import Fleet
from janitor.config.fleet.accounts import Accounts
from janitor.config.fleet.loading import fleet_of
from janitor.config.fleet.shards import shard_of
from janitor.config.operator import user_name
from janitor.config.policy_files import Rules
from janitor.core.result import RunResult
from janitor.errors import Exit, FleetError, Superseded, UsageError
from janitor.escaping import visible
from janitor.fleet import outputs, ownership, queue, schema
from janitor.fleet.applied import PlanAuthority
from janitor.fleet.database import Connection, connect
from janitor.fleet.leases import shards
from janitor.fleet.outputs import Output
from janitor.fleet.ownership import Copy, take
from janitor.notify.delivered import Delivery
from janitor.run.requesting import Right
from janitor.store import Store

_LOOK_EVERY = 0.2
_NAME = "janitor fleet exec"
_KEPT = "`janitor fleet exec --answer {}` shows the answer for a day"


@dataclass(frozen=True, slots=True)
class Asked:
    """A command about an account, in words that were checked. `alone`: not while the account is cleaned.

    `digest` is that of what is written of the account where it is asked.
    """

    account: str
    words: tuple[str, ...]
    alone: bool
    digest: str


def is_here(fleet: Fleet, account: str) -> bool:
    """Whether the database of an account is on this host. Raises FleetError where that is not known."""
    with connect(fleet.database, _NAME) as connection:
        identity = schema.check(connection, fleet.shards)
        return shards.is_here(connection, fleet, identity, shard_of(account, fleet.shards), socket.gethostname())


def check_has(fleet: Fleet, account: str, worker: str) -> None:
    """Raises Superseded unless a worker has leased the shard of the account, and FleetError."""
    shard = shard_of(account, fleet.shards)
    with connect(fleet.database, worker) as connection:
        schema.check(connection, fleet.shards)
        if shards.holder_of(connection, shard) != worker:
            raise Superseded(f"account {account}: {worker} has not leased shard {shard}; nothing was done")


def note_exemption(fleet: Fleet, database: Path, account: str) -> None:
    """What a person has exempted in an account's database is noted: a copy from before that is then an old one.

    Raises FleetError.
    """
    with Store.open_existing(database) as store:
        granted = store.last_exemption()
        if granted is not None:
            with connect(fleet.database, _NAME) as connection:
                ownership.note_exemption(connection, account, granted, store.knows_exemption)


def end_with_worker() -> None:
    """Tell this process to stop as soon as the worker that began it is no more: its standard input ends then."""
    if stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        threading.Thread(target=_stop_at_end_of_input, daemon=True).start()


def _stop_at_end_of_input() -> None:
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Place:
    """An account and the worker that has its shard, of the accounts as they are written here.

    `digest` is what the account had where a command about it was asked; None where that is not known.
    """

    accounts: Accounts
    account: str
    worker: str
    digest: str | None

    def check(self, rules: Rules) -> None:
        """Raises FleetError unless these rules, and what else is written here, are what who asked has."""
        if self.digest != self.accounts.digest_of(self.account, rules) or not self.accounts.are_current:
            raise FleetError(
                f"account {self.account}: {self.worker} has another configuration, or other policies, than the host on "
                "which this was asked; nothing was done"
            )


@contextmanager
def taken(place: Place, settings: Settings, most: int | None, rules: Rules) -> Iterator[Right]:
    """The account taken for a worker that has its shard, to delete in it by these rules.

    What it deletes is counted in the night that was begun last, in which all accounts together may have `most`; what a
    person has reviewed has no such limit. Raises Superseded where another has the shard, and FleetError.
    """
    fleet, account, worker = fleet_of(place.accounts.settings), place.account, place.worker
    place.check(rules)
    with connect(fleet.database, worker) as connection:
        own = take(connection, account, shard_of(account, fleet.shards), worker)
        if own.judge(None if not settings.database.exists() else own.recorded) is Copy.MISSING:
            raise FleetError(f"account {account}: its database is missing here; nothing was done")

        authority = PlanAuthority(connection, own, most, place.accounts.names)

        def ended(result: RunResult) -> None:
            own.confirm()
            if result.run:
                own.note_run(result.run)
            if authority.night is not None and authority.requested:
                since = authority.night.begun_at
                authority.note_end(ending_of(result, code_of(result), Delivery(), settings, since), utc_now())

        yield Right(authority, ended)


def asked_of_worker(fleet: Fleet, asked: Asked, wait: timedelta, term: str) -> Output:
    """The answer of the worker that has the account's shard, once it is there.

    Without one in time, or interrupted, what nobody began is withdrawn. Raises FleetError then, and where PostgreSQL
    does not answer.
    """
    shard = shard_of(asked.account, fleet.shards)
    who = f"{user_name()}@{socket.gethostname()}"
    with connect(fleet.database, _NAME) as connection:
        schema.check(connection, fleet.shards)
        with connection.together():
            identity = outputs.ask(connection, asked.account, asked.words, who, asked.digest)
            app = queue.app_of(fleet.database, _NAME)
            queue.enqueue_answer(connection, app, asked.account, shard, identity, alone=asked.alone)
        holder = shards.holder_of(connection, shard)
        whom = "no worker has at present" if holder is None else f"{holder} has"
        say(f"Asked of shard {shard}, which {whom}; {_KEPT.format(identity)}.", err=True)
        try:
            if (answer := _answer(connection, identity, wait)) is not None:
                return answer
        except KeyboardInterrupt:
            queue.withdraw_answer(connection, identity)
            raise
        return _given_up(connection, identity, f"shard {shard}, which {whom}", term)


def answer_of(fleet: Fleet, identity: str) -> Output:
    """An answer that is kept. Raises UsageError where none is, and FleetError where the command has not ended."""
    with connect(fleet.database, _NAME) as connection:
        schema.check(connection, fleet.shards)
        found = outputs.read(connection, identity)
    if found is None:
        raise UsageError(f"there is no answer {identity}: they are kept for a day")
    if found.exit_code is None:
        raise FleetError(f"answer {identity}: {visible(' '.join(found.words))} has not ended yet")
    return found


def _answer(connection: Connection, identity: str, wait: timedelta) -> Output | None:
    ends = time.monotonic() + wait.total_seconds()
    while True:
        found = outputs.read(connection, identity)
        if found is not None and found.exit_code is not None:
            return found
        if time.monotonic() > ends:
            return None
        time.sleep(_LOOK_EVERY)


def _given_up(connection: Connection, identity: str, where: str, term: str) -> Output:
    """The answer, where it came in the last moment. Raises FleetError."""
    if queue.withdraw_answer(connection, identity):
        said = f"nobody began it within {term}: it waited for {where}; nothing was done"
        outputs.answer(connection, identity, "", f"janitor: {said}\n", Exit.FAILED)
        raise FleetError(said)
    found = outputs.read(connection, identity)
    if found is not None and found.exit_code is not None:
        return found
    raise FleetError(f"a worker began it, and has not ended it within {term}: {_KEPT.format(identity)}")


def needs_yes(words: Sequence[str]) -> UsageError:
    """What is said of a command that deletes, and may not ask."""
    return UsageError(f"{words[0]} is carried out by a worker, which can ask nobody: add --yes, or --dry-run")
