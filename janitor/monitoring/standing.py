"""What stands when a run is over, as metrics: undelivered reports, and images that wait.

It is read from the database whenever metrics are written or shown, since more than runs changes it: `janitor resend`
does, and a dry run does not. What cannot be read is left out, not 0.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from janitor.config import Settings
from janitor.core.memory import Backlog, WaitingImages
from janitor.errors import StoreError, UsageError
from janitor.store import Store

_log = logging.getLogger("janitor.monitoring.standing")

_READ_AGAIN_AFTER = 10.0  # seconds, as anyone may ask, and as often as they like

UNDELIVERED = "janitor_undelivered_reports"
_SINCE = "janitor_oldest_undelivered_report_timestamp_seconds"
_WAITING = "janitor_waiting_images"
_WAITING_MEANS = "Images that wait for the end of their notice, by whether a channel has accepted its announcement."
_NEXT_DUE = "janitor_next_due_timestamp_seconds"
NAMES = frozenset({UNDELIVERED, _SINCE, _WAITING, _NEXT_DUE})


class Standing(Collector):
    """Reads what stands, at most every ten seconds. Safe to use from several threads. `clock` is monotonic, in seconds.

    Only targets that are configured count.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._read: tuple[float, list[Metric]] | None = None

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        with self._lock:
            if self._read is None or self._clock() - self._read[0] >= _READ_AGAIN_AFTER:
                self._read = self._clock(), self._found()
            return self._read[1]

    def changed(self) -> None:
        """Read it again when it is asked for next."""
        with self._lock:
            self._read = None

    def _found(self) -> list[Metric]:
        try:
            with Store.open_existing(self._settings.database) as store:
                names = filter(self._settings.may_have_target, store.targets())
                waiting = [found for name in names if (found := store.waiting_images(name)) is not None]
                return list(metrics_of(store.backlog(), waiting))
        except (StoreError, UsageError) as error:
            _log.debug("standing-not-known: %s", error)
            return []


def metrics_of(backlog: Backlog, waiting: Iterable[WaitingImages]) -> Iterator[Metric]:
    """The metrics of these; a date that there is not is left out."""
    yield GaugeMetricFamily(UNDELIVERED, "Reports that their channels have not accepted yet.", backlog.reports)
    yield from _date(_SINCE, "When the run of the oldest of these reports began.", backlog.since)
    images = GaugeMetricFamily(_WAITING, _WAITING_MEANS, labels=["target", "announced"])
    waiting = tuple(waiting)
    for target in waiting:
        images.add_metric([target.target, "true"], target.announced)
        images.add_metric([target.target, "false"], target.unannounced)
    yield images
    dates = [target.next_due for target in waiting if target.next_due is not None]
    yield from _date(_NEXT_DUE, "When the first of the announced images is due.", min(dates, default=None))


def _date(name: str, meaning: str, instant: datetime | None) -> Iterator[Metric]:
    if instant is not None:
        yield GaugeMetricFamily(name, meaning, instant.timestamp())
