"""Metrics of a program that listens to clicks, beside those of its runs."""

from collections import Counter
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from janitor.monitoring.listening import with_clicks
from janitor.monitoring.metrics import metrics_of
from tests.factories import make_run, make_target
from tests.monitoring.test_metrics import values_of


@dataclass
class Listener:
    socket_age: float | None = None
    silent_for: float | None = None
    counts: Counter[str] = field(default_factory=Counter)


def test_clicks_and_the_socket_are_shown_beside_the_last_run() -> None:
    listener, run = Listener(90.0, 1.5, Counter({"kept": 2, "not-a-member": 1})), metrics_of(make_run(make_target()))
    shown = values_of(with_clicks(lambda: run, listener)())
    added = {name: value for name, value in shown.items() if name not in values_of(run)}
    assert added == {
        "janitor_slack_socket_age_seconds": 90,
        "janitor_slack_socket_silent_seconds": 1.5,
        'janitor_slack_clicks_total{outcome="kept"}': 2,
        'janitor_slack_clicks_total{outcome="not-a-member"}': 1,
    }
    assert values_of(run).items() <= shown.items()


def test_what_is_shown_is_what_is_now() -> None:
    listener = Listener()
    shown = with_clicks(CollectorRegistry, listener)
    assert values_of(shown()) == {}
    listener.socket_age, listener.counts["kept"] = 3.0, 1
    assert values_of(shown()) == {
        "janitor_slack_socket_age_seconds": 3,
        'janitor_slack_clicks_total{outcome="kept"}': 1,
    }
