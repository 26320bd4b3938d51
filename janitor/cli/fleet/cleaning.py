"""One account cleaned by a worker: taken, run, reported, and its outcome recorded for the night."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NoReturn

from janitor.cli import wiring
from janitor.cli.commands.reporting import posted_in_time
from janitor.cli.configuration import mode_of
from janitor.cli.fleet.context import Connections, Written
from janitor.cli.fleet.endings import ending_of, ending_without_run
from janitor.cli.fleet.turns import wait_for_turn
from janitor.clock import utc_now
from janitor.commands import about
from janitor.config import Settings
from janitor.config.fleet.shards import shard_of
from janitor.config.policy_files import Rules
from janitor.core.units import counted
from janitor.errors import Busy, ConfigurationError, Exit, FleetError, JanitorError, Superseded
from janitor.fleet import outcomes
from janitor.fleet.authority import AccountAuthority
from janitor.fleet.database import Connection
from janitor.fleet.nights import Night, night_of
from janitor.fleet.outcomes import Ending
from janitor.fleet.ownership import Copy, Ownership, take
from janitor.fleet.work.orders import Again, Order
from janitor.notify.channel import Sending
from janitor.run.sites import Choice
from janitor.shutdown import Stop

BEGUN_BY = "by the fleet"
_COMMAND = "janitor fleet work"
_REFUSED_FOR = timedelta(minutes=1)
_BUSY_FOR = timedelta(seconds=20)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=30)
_OTHER = "this worker has another configuration, or other policies, than those that this account was queued for"

_log = logging.getLogger("janitor.fleet")


def growing(attempt: int) -> timedelta:
    """How long to wait after an attempt that failed: 30 s, and twice as long each time, half an hour at most."""
    return min(_FIRST_WAIT * float(2 ** (attempt - 1)), _LONGEST_WAIT)


@dataclass(slots=True)
class Cleaner:
    """Cleans accounts in several threads. `worker` has leased their shards; `wait` is how long after an attempt.

    `working` counts the accounts of each shard that are being cleaned. Wide because it also holds how long it waits.
    """

    written: Written
    connections: Connections
    worker: str
    stop: Stop = field(default_factory=Stop)
    clock: Callable[[], datetime] = utc_now
    wait: Callable[[int], timedelta] = growing
    busy_for: timedelta = _BUSY_FOR
    working: Counter[int] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def clean(self, order: Order) -> None:
        """Clean an account, and record what came of it. Raises Again where it is to be tried once more."""
        shard = shard_of(order.account, self.written.fleet.shards)
        with self._counted(shard):
            try:
                with self.connections.one() as connection:
                    self._clean(connection, order, shard)
            except Superseded as error:
                self._count("superseded")
                _log.warning("account-superseded account=%s: %s", order.account, error)
                # If the job is still with this worker, nobody else would carry it out.
                raise Again(self.busy_for) from error
            except FleetError as error:
                self._count("unreachable")
                _log.error("account-not-cleaned account=%s: %s", order.account, error)
                raise Again(self.busy_for) from error

    def _clean(self, connection: Connection, order: Order, shard: int) -> None:
        """Raises Again, Superseded and FleetError."""
        if self.stop.is_set():
            raise Again(timedelta())
        if outcomes.has_ended(connection, order.night, order.account):
            _log.info("account-cleaned-before account=%s: its night has ended", order.account)
            return
        try:
            accounts = self.written.accounts()
            if order.account not in accounts.names:
                self._refuse(connection, order, _OTHER)
            settings, rules = accounts.settings_of(order.account), self.written.rules()
            if accounts.digest_of(order.account, rules) != order.digest:
                self._refuse(connection, order, _OTHER)
        except ConfigurationError as error:
            self._refuse(connection, order, f"its configuration is wrong: {error}")
        own = take(connection, order.account, shard, self.worker)
        if own.judge(None if not settings.database.exists() else own.recorded) is Copy.MISSING:
            missing = f"its database is missing here: {settings.database}; restore its shard, or move it here"
            self._refuse(connection, order, missing)
        attempt = outcomes.begin(connection, order.night, order.account, own.epoch, self.worker, self.clock())
        if attempt > 1 + self.written.fleet.retries:
            since = _begun(connection, order.night).begun_at
            died = ending_without_run(Exit.FAILED, _given_up(attempt - 1), settings, since)
            outcomes.fail(connection, order.night, order.account, own.epoch, died, self.clock(), counts=False)
            self._count("failed")
            return
        self._run(connection, order, own, attempt, settings, rules)

    def _refuse(self, connection: Connection, order: Order, why: str) -> NoReturn:
        self._count("refused")
        _log.error("account-refused account=%s: %s", order.account, why)
        outcomes.refuse(connection, order.night, order.account, why, self.clock(), final=False)
        raise Again(_REFUSED_FOR)

    def _run(
        self, connection: Connection, order: Order, own: Ownership, attempt: int, settings: Settings, rules: Rules
    ) -> None:
        """Raises Again, Superseded and FleetError."""
        account, night = order.account, order.night
        epoch = own.epoch  # the outcome's, also where the account's is raised: PostgreSQL may be an older copy
        try:
            code, ending = self._result(connection, own, night, settings, rules)
        except Busy as error:
            # A worker that was stopped holds the file until it comes back, finds itself superseded, and lets go.
            outcomes.put_back(connection, night, account, epoch, str(error), counts=False)
            raise Again(self.busy_for) from error
        if self.stop.is_set():
            outcomes.put_back(
                connection, night, account, epoch, "interrupted: its worker was told to stop", counts=False
            )
            raise Again(timedelta())
        if code in _TO_REPEAT and attempt <= self.written.fleet.retries:
            self._count("again")
            outcomes.put_back(connection, night, account, epoch, ending.said)
            raise Again(self.wait(attempt))
        record = outcomes.fail if code in _TO_REPEAT else outcomes.finish
        record(connection, night, account, epoch, ending, self.clock())
        self._count("failed" if code in _TO_REPEAT else "done")

    def _result(
        self, connection: Connection, own: Ownership, night: date, settings: Settings, rules: Rules
    ) -> tuple[int, Ending]:
        """One run and the delivery of its report: its exit code, and what is recorded of it.

        Raises Busy, and FleetError where the account may be another worker's by now.
        """
        request = wiring.RunRequest(
            mode_of(settings, dry_run=False), Choice(settings.targets), command=_COMMAND, begun_by=BEGUN_BY
        )
        begun = _begun(connection, night)
        most, listed = self.written.fleet.max_deletions_per_night, self.written.accounts().names
        authority = AccountAuthority(connection, own, begun, most, listed)
        with ExitStack() as holding:
            around = wiring.Surroundings(stop=self.stop, clock=self.clock, holding=holding, authority=authority)
            holding.enter_context(about(own.account))
            try:
                result = wiring.perform(settings, rules, request, around)
                own.confirm()  # or else the next run of this account reports what this one did
                if result.run:
                    own.note_run(result.run)
                sending = Sending(
                    self.stop, lambda channel: wait_for_turn(self.connections, settings, channel, self.stop)
                )
                posted = posted_in_time(settings, result, rules.policies, sending, self.clock)
            except (Busy, FleetError):
                raise
            except JanitorError as error:
                return error.exit_code, ending_without_run(error.exit_code, str(error), settings, begun.begun_at)
            except Exception as error:  # noqa: BLE001 - what fails of one account must not end the others
                _log.exception("account-bug account=%s", own.account)
                said = f"this is a bug, see the worker's log: {type(error).__name__}"
                return Exit.BUG, ending_without_run(Exit.BUG, said, settings, begun.begun_at)
        code = wiring.code_of(result, posted.code)
        return code, ending_of(result, code, posted, settings, begun.begun_at)

    @contextmanager
    def _counted(self, shard: int) -> Iterator[None]:
        with self._lock:
            self.working[shard] += 1
        try:
            yield
        finally:
            with self._lock:
                self.working[shard] -= 1

    def _count(self, what: str) -> None:
        with self._lock:
            self.ended[what] += 1


def _begun(connection: Connection, night: date) -> Night:
    """A night that was begun. Raises FleetError."""
    begun = night_of(connection, night)
    if begun is None:
        raise FleetError(f"{connection.where}: it no longer knows the night {night}")
    return begun


def _given_up(attempts: int) -> str:
    died = "as if its worker died" if attempts == 1 else "as if their workers died"
    return f"given up: {counted(attempts, 'attempt')} ended without saying how, {died}"


_TO_REPEAT = (Exit.FAILED, Exit.USAGE, Exit.BUG)
