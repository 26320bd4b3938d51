"""Metrics of a fleet: its night, queue and workers, and what one worker did. What cannot be read is left out."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from janitor.errors import StoreError

_READ_AGAIN_AFTER = 10.0  # seconds, as anyone may ask, and as often as they like
SUPERSEDED = "superseded"
"""What a worker counts where another had the account, or its shard, by then."""

_log = logging.getLogger("janitor.monitoring.fleet")


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of the whole fleet. `accounts` are those of its latest night by state, exit code and mode.

    `oldest` is for how long the account has waited that has waited the longest; None where none waits.
    """

    begun_at: datetime | None
    accounts: Mapping[tuple[str, str, str], int]
    queued: int
    oldest: timedelta | None
    workers: Mapping[str, int]


class FleetMetrics(Collector):
    """Reads the figures, at most every ten seconds, and the counts of this worker, if it is one.

    Safe to use from several threads. `read` raises StoreError where there is no answer; `clock` is monotonic.
    """

    def __init__(
        self,
        read: Callable[[], Figures],
        counts: Callable[[], Mapping[str, int]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._counts = counts
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[float, list[Metric]] | None = None

    @property
    def registry(self) -> CollectorRegistry:
        """These metrics to be served."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return registry

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        with self._lock:
            if self._known is None or self._clock() - self._known[0] >= _READ_AGAIN_AFTER:
                self._known = self._clock(), self._found()
            known = self._known[1]
        return [*known, *(() if self._counts is None else _of_worker(self._counts()))]

    def _found(self) -> list[Metric]:
        try:
            return [_reached(1), *_of_fleet(self._read())]
        except StoreError as error:
            _log.debug("fleet-not-known: %s", error)
            return [_reached(0)]


def _reached(value: int) -> Metric:
    meaning = "Whether PostgreSQL answered in time; 0 leaves out all that is read from it."
    return GaugeMetricFamily("janitor_fleet_database_reached", meaning, value)


def _of_fleet(figures: Figures) -> Iterator[Metric]:
    if figures.begun_at is not None:
        began = figures.begun_at.timestamp()
        yield GaugeMetricFamily("janitor_fleet_night_timestamp_seconds", "When the latest night began.", began)
        meaning = "Accounts of the latest night by state, and the exit code and mode that they ended with last."
        accounts = GaugeMetricFamily("janitor_fleet_accounts", meaning, labels=["state", "exit_code", "mode"])
        for labels, count in figures.accounts.items():
            accounts.add_metric(labels, count)
        yield accounts
    yield GaugeMetricFamily("janitor_fleet_queued_accounts", "Accounts that wait to be cleaned.", figures.queued)
    age = 0 if figures.oldest is None else figures.oldest.total_seconds()
    yield GaugeMetricFamily(
        "janitor_fleet_queue_age_seconds", "For how long the oldest has waited; 0 if none does.", age
    )
    workers = GaugeMetricFamily("janitor_fleet_workers", "Workers by whether they give signs.", labels=["state"])
    for state, count in figures.workers.items():
        workers.add_metric([state], count)
    yield workers


def _of_worker(counts: Mapping[str, int]) -> Iterator[Metric]:
    meaning = "Accounts that this worker took since it began, by what came of it."
    accounts = CounterMetricFamily("janitor_fleet_worker_accounts", meaning, labels=["outcome"])
    for outcome, count in sorted(counts.items()):
        accounts.add_metric([outcome], count)
    yield accounts
    meaning = "How often this worker stopped in an account, or did not begin it, as another has it by now."
    yield CounterMetricFamily("janitor_fleet_epoch_refusals", meaning, counts.get(SUPERSEDED, 0))
