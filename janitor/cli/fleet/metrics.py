"""The metrics of a process of a fleet, shown at an address."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

from janitor.cli.fleet.standing import figures_of
from janitor.config.fleet import Fleet
from janitor.errors import FleetError
from janitor.fleet.database import connect
from janitor.monitoring.fleet import Figures, FleetMetrics
from janitor.shutdown import within

Address = tuple[str, int]

_PATIENCE = timedelta(seconds=3)
"""For all that is read: who asks is answered within five seconds, also where PostgreSQL does not answer."""


@contextmanager
def showing_metrics(
    fleet: Fleet,
    face: Address | None,
    counts: Callable[[], Mapping[str, int]] | None = None,
    missed: Callable[[], datetime | None] = lambda: None,
) -> Iterator[None]:
    """Show the metrics of the fleet at an address, if there is one; with the `counts` of a worker, these, too.

    `missed` says when a night was due that was not begun. Raises UsageError if the address is not available.
    """
    if face is None:
        yield
        return
    from janitor.monitoring.http_face import showing

    def figures() -> Figures:
        with connect(fleet.database, "janitor fleet metrics", _PATIENCE) as connection:
            return figures_of(connection)

    metrics = FleetMetrics(partial(_in_time, figures, _PATIENCE), counts)
    with showing(*face, lambda: metrics.registry, missed):
        yield


def _in_time(read: Callable[[], Figures], patience: timedelta) -> Figures:
    """What is read, or FleetError where that takes longer; it then ends by itself, within the patience of its own."""
    late = threading.Event()
    late.set()
    figures = within(read, late, patience)
    if figures is None:
        raise FleetError(f"no answer within {patience.total_seconds():.0f} s")
    return figures
