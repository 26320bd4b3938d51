"""The metrics of a process of a fleet, shown at an address."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

from janitor.cli.fleet.standing import figures_of
from janitor.config.fleet import Fleet
from janitor.fleet.database import connect
from janitor.monitoring.fleet import Figures, FleetMetrics

Address = tuple[str, int]

_PATIENCE = timedelta(seconds=4)


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

    def read() -> Figures:
        with connect(fleet.database, "janitor fleet metrics", _PATIENCE) as connection:
            return figures_of(connection)

    metrics = FleetMetrics(read, counts)
    with showing(*face, lambda: metrics.registry, missed):
        yield
