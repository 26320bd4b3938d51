"""A worker as a command makes it: it cleans accounts and answers commands until a signal, and shows metrics."""

import logging
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from janitor.cli.fleet.answering import Answerer
from janitor.cli.fleet.cleaning import Cleaner
from janitor.cli.fleet.context import Connections, Written
from janitor.cli.fleet.metrics import Address, showing_metrics
from janitor.errors import Exit
from janitor.fleet.work.worker import FleetWorker, Timing, worker_here
from janitor.shutdown import Stop, stopping_on_signals

_log = logging.getLogger("janitor.fleet")


def work_until_stopped(
    config: Path | None, wanted: Iterable[int], concurrency: int, face: Address | None, timing: Timing
) -> None:
    """Work until a signal, or until this worker was drained; metrics are shown at the address `face`.

    Raises ConfigurationError, UsageError without a fleet, and FleetError where PostgreSQL cannot be reached at first.
    """
    written, worker, stop = Written(config), worker_here(), Stop()
    connections = Connections(written.fleet.database, worker.name)
    cleaner = Cleaner(written, connections, worker.name, stop)
    counts = partial(dict[str, int], cleaner.ended)
    with stopping_on_signals(stop, late_code=Exit.OK), showing_metrics(written.fleet, face, counts):
        try:
            answer = Answerer(config, connections, worker.name, stop).answer
            FleetWorker(written.fleet, worker, cleaner, wanted, answer, concurrency, timing).work()
        finally:
            connections.close()
    _log.info("worker-ended worker=%s", worker.name)
