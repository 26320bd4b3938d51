"""Metrics of a program that listens to clicks: its socket, and the clicks since it began. Shown, and never written."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

_AGE = "janitor_slack_socket_age_seconds"
_SILENT = "janitor_slack_socket_silent_seconds"
_CLICKS = "janitor_slack_clicks"
NAMES = frozenset({_AGE, _SILENT, f"{_CLICKS}_total"})


class Listening(Protocol):
    """What is known of a listener."""

    @property
    def counts(self) -> Mapping[str, int]:
        """The clicks since the program began, by what they came to."""

    @property
    def socket_age(self) -> float | None:
        """For how many seconds the present socket has been open; None without one."""

    @property
    def silent_for(self) -> float | None:
        """For how many seconds Slack has not answered a ping on it; None without one."""


class Clicks(Collector):
    """The metrics of a listener. Without a socket its age is left out."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        ages = (
            (_AGE, "For how long the present socket to Slack has been open.", self._listening.socket_age),
            (_SILENT, "For how long Slack has not answered a ping on it.", self._listening.silent_for),
        )
        for name, meaning, seconds in ages:
            if seconds is not None:
                yield GaugeMetricFamily(name, meaning, seconds)
        clicks = CounterMetricFamily(
            _CLICKS, "Clicks since the program began, by what they came to.", labels=["outcome"]
        )
        for outcome, count in sorted(dict(self._listening.counts).items()):
            clicks.add_metric([outcome], count)
        yield clicks


class _All(Collector):
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        return self._registry.collect()


def with_clicks(metrics: Callable[[], CollectorRegistry], listening: Listening) -> Callable[[], CollectorRegistry]:
    """The metrics as they are when asked for, with those of a listener."""

    def both() -> CollectorRegistry:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_All(metrics()))
        registry.register(Clicks(listening))
        return registry

    return both
