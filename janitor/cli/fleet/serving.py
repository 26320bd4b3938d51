"""A process of a fleet that begins its nights on the schedule, and sums them up."""

import logging
from pathlib import Path

from janitor.cli.fleet.context import Connections, Written
from janitor.cli.fleet.metrics import Address, showing_metrics
from janitor.cli.fleet.summing import Nightly
from janitor.clock import utc_now
from janitor.errors import UsageError
from janitor.fleet.schema import check
from janitor.fleet.serving import Periodic
from janitor.fleet.work.worker import worker_here
from janitor.shutdown import Stop, stopping_on_signals

_log = logging.getLogger("janitor.fleet")


def serve_until_stopped(config: Path | None, face: Address | None) -> None:
    """Serve until a signal.

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
        try:
            timetable.serve()
        finally:
            connections.close()
    _log.info("fleet-serve-ended as=%s", who)
