"""A process of a fleet that begins its nights on the schedule, and sums them up."""

import logging
from datetime import timedelta
from functools import partial
from pathlib import Path

from janitor.cli.fleet.context import Connections, Written
from janitor.cli.fleet.metrics import Address, showing_metrics
from janitor.cli.fleet.summing import Nightly
from janitor.clock import utc_now
from janitor.errors import Exit, UsageError
from janitor.fleet.schema import check
from janitor.fleet.serving import Periodic
from janitor.fleet.work.worker import worker_here
from janitor.shutdown import Stop, end_now, stopping_on_signals, within

_TIME_TO_END = timedelta(seconds=7)

_log = logging.getLogger("janitor.fleet")


def serve_until_stopped(config: Path | None, face: Address | None) -> None:
    """Serve until a signal; the process ends in time even where PostgreSQL does not answer.

    What was being done then is done again by whoever serves next: a night is begun and summed up by claims that lapse.

    Raises ConfigurationError, UsageError without a fleet or a schedule, and FleetError where PostgreSQL cannot be
    reached at first.
    """
    written, who, stop = Written(config), worker_here().name, Stop()
    settings = written.last
    if settings.schedule is None:
        raise UsageError(f'{settings.source}: fleet serve needs a schedule, for example schedule: "0 3 * * *"')
    connections = Connections(written.fleet.database, who)
    with connections.one() as connection:
        check(connection, written.fleet.shards)
    nightly = Nightly(written, connections, who, stop)
    timetable = Periodic(
        url=written.fleet.database,
        name=who,
        schedule=settings.schedule,
        zone=settings.timezone,
        begin=nightly.begin,
        look=nightly.look,
        stop=stop,
        clock=utc_now,
    )
    following = settings.schedule.next_after(utc_now(), settings.timezone)
    _log.info("fleet-serving as=%s next-night=%s", who, following.isoformat())
    with stopping_on_signals(stop), showing_metrics(written.fleet, face, missed=lambda: nightly.missed):
        if within(partial(_served, timetable), stop, _TIME_TO_END) is None:
            _log.warning("fleet-serve-cut-short as=%s: PostgreSQL did not answer; another that serves goes on", who)
            end_now(Exit.OK)
        connections.close()
    _log.info("fleet-serve-ended as=%s", who)


def _served(timetable: Periodic) -> bool:
    """Serve; True once that has ended."""
    timetable.serve()
    return True
