"""Metrics of a fleet: of the night, the queue and one worker; what cannot be read is left out, and not 0."""

from datetime import UTC, datetime, timedelta

from prometheus_client import generate_latest

from janitor.errors import FleetError
from janitor.monitoring.fleet import Figures, FleetMetrics

AT = datetime(2026, 6, 1, tzinfo=UTC)
ACCOUNTS = {("done", "0", "dry-run"): 7, ("queued", "", ""): 2}
FIGURES = Figures(AT, ACCOUNTS, 2, timedelta(minutes=3), {"living": 2, "silent": 1})


def test_the_night_the_queue_and_the_worker_are_shown() -> None:
    text = generate_latest(FleetMetrics(lambda: FIGURES, lambda: {"done": 5, "superseded": 1}).registry).decode()
    assert 'janitor_fleet_accounts{exit_code="0",mode="dry-run",state="done"} 7.0' in text
    assert "janitor_fleet_queue_age_seconds 180.0" in text
    assert "janitor_fleet_database_reached 1.0" in text
    assert 'janitor_fleet_workers{state="silent"} 1.0' in text
    assert 'janitor_fleet_worker_accounts_total{outcome="done"} 5.0' in text
    assert "janitor_fleet_epoch_refusals_total 1.0" in text


def test_what_cannot_be_read_is_left_out() -> None:
    def unreachable() -> Figures:
        raise FleetError("no answer")

    alone = generate_latest(FleetMetrics(unreachable).registry).decode()
    assert [line for line in alone.splitlines() if not line.startswith("#")] == ["janitor_fleet_database_reached 0.0"]
    text = generate_latest(FleetMetrics(unreachable, dict).registry).decode()
    assert "queue_age" not in text
    assert "janitor_fleet_epoch_refusals_total 0.0" in text


def test_it_is_read_every_ten_seconds_at_most() -> None:
    read, now = [], [0.0]

    def figures() -> Figures:
        read.append(now[0])
        return FIGURES

    metrics = FleetMetrics(figures, clock=lambda: now[0])
    for now[0] in (0.0, 9.9, 10.0):
        list(metrics.collect())
    assert read == [0.0, 10.0]
