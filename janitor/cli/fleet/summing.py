"""What every process that serves does each minute: sums up the nights that are over, once, and forgets what is old."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from janitor.cli.fleet.context import Connections, Written
from janitor.cli.fleet.nights import begin_by_schedule, night_at
from janitor.cli.fleet.standing import report_of
from janitor.cli.fleet.turns import wait_for_turn
from janitor.clock import utc_now
from janitor.config import Settings
from janitor.errors import DeliveryError, FleetError, JanitorError, UsageError
from janitor.fleet import nights, outputs
from janitor.fleet.database import Connection
from janitor.fleet.leases import shards
from janitor.fleet.nights import Night
from janitor.fleet.outcomes import State, states
from janitor.monitoring.heartbeat import Heartbeat
from janitor.notify.channel import Sending
from janitor.notify.nights import post_night, write_night
from janitor.report.wording import in_one_line
from janitor.shutdown import Stop

_BEING_ENQUEUED = timedelta(minutes=1)
_NO_NEWS = timedelta(days=3)
"""A night that ended so long ago, while nobody served, is no news any more."""
_GRACE = timedelta(minutes=5)

_log = logging.getLogger("janitor.fleet")


@dataclass(slots=True)
class Nightly:
    """Begins nights and sums them up, as `who`. Each method may raise only what is named, and is called again."""

    written: Written
    connections: Connections
    who: str
    stop: Stop = field(default_factory=Stop)
    clock: Callable[[], datetime] = utc_now
    missed: datetime | None = None
    _settings: Settings | None = None
    _since: datetime | None = None

    def begin(self, at: datetime) -> None:
        """Enqueue all accounts, as they are written now, for the night that began then.

        Raises JanitorError, where the configuration is wrong or PostgreSQL fails; repeating it does nothing twice.
        """
        try:
            accounts = self.written.accounts()
            with self.connections.one() as connection:
                begun = begin_by_schedule(connection, accounts, at)
        except JanitorError as error:
            _log.error("night-not-begun at=%s: %s", at.isoformat(), in_one_line(str(error)))
            self._heartbeat().failure()
            raise
        _log.info("night-begun night=%s accounts=%d", begun.night, len(begun.enqueued.new))
        self._heartbeat().start()

    def look(self) -> None:
        """Sum up what is over, forget what is old, and see whether the last night was begun. Raises nothing."""
        now = self.clock()
        self._since = self._since or now
        due = self._due(now)
        try:
            with self.connections.one() as connection:
                self._sum_up(connection, now)
                nights.forget(connection, now)
                shards.forget_dead(connection)
                outputs.forget(connection)
                begun = due is None or nights.night_of(connection, night_at(self.settings, due)) is not None
            self.missed = None if begun else due
        except FleetError as error:
            self.missed = due
            _log.warning("nights-not-looked-at: %s", error)

    @property
    def settings(self) -> Settings:
        """The configuration of the fleet, as it was last without a mistake."""
        try:
            self._settings = self.written.accounts().settings
        except UsageError as error:  # also one of the whole configuration
            if self._settings is None:
                self._settings = self.written.last
            _log.warning("configuration-wrong: %s", in_one_line(str(error)))
        assert self._settings is not None
        return self._settings

    def _due(self, now: datetime) -> datetime | None:
        """The last time of the schedule since this process serves, some minutes ago at least."""
        schedule, zone, due = self.settings.schedule, self.settings.timezone, None
        after = max(self._since or now, now - timedelta(days=2))
        while schedule is not None and (following := schedule.next_after(after, zone)) <= now - _GRACE:
            due = after = following
        return due

    def _sum_up(self, connection: Connection, now: datetime) -> None:
        for night in nights.not_summed_up(connection):
            if is_over(connection, night, now) and nights.claim(connection, night.night, self.who, now):
                self._tell(connection, night, now)

    def _tell(self, connection: Connection, night: Night, now: datetime) -> None:
        """Post the summary, and note that, for good; one that was not accepted is tried again once the claim lapses."""
        report = replace(report_of(connection, night, now), summed_up_at=now)
        settings, news = self.settings, now - night.deadline_at < _NO_NEWS
        sending = Sending(self.stop, lambda channel: wait_for_turn(self.connections, settings, channel, self.stop))
        try:
            posted = news and post_night(settings, report, sending, again=night.told)
        except DeliveryError as error:
            _log.error("night-not-posted night=%s: %s; it is tried again", night.night, error)
            return
        if not nights.summed_up(connection, night.night, self.who, now):
            _log.warning("night-of-another night=%s: its claim expired meanwhile", night.night)
            return
        _log.info("night-summed-up night=%s posted=%s needs_a_person=%s", night.night, posted, report.needs_a_person)
        if news:
            write_night(settings, report)
            heartbeat = self._heartbeat()
            (heartbeat.failure if report.needs_a_person else heartbeat.success)()

    def _heartbeat(self) -> Heartbeat:
        return Heartbeat(self.settings.heartbeat_url, self.stop, route=self.settings.http.route)


def is_over(connection: Connection, night: Night, now: datetime) -> bool:
    """Whether all accounts of a night have ended, or its deadline has passed. Raises FleetError."""
    if now >= night.deadline_at:
        return True
    found = states(connection, night.night)
    ended = any(found.values()) and not (found[State.QUEUED] or found[State.RUNNING])
    return ended and now - night.begun_at >= _BEING_ENQUEUED
