"""The last run as Prometheus metrics: as a registry to be served, and as a file for node_exporter to collect.

All of it is about one run, the last, or about what stands after it (`standing.py`), so all are gauges. What that run
does not know is left out, not 0: a target that could not be surveyed has no images, deletions or ages here.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from janitor.core.decision import Verdict
from janitor.core.result import DeletionOutcome, Mode, Outcome, RunResult, TargetResult
from janitor.files import METRICS, around_temporary, check_folder_of, content_of, text_in, to_replace
from janitor.monitoring.standing import NAMES

_LAST_GOOD = "janitor_last_good_run_timestamp_seconds"
_READABLE_FOR_ALL = 0o644

_MEANINGS = {
    "janitor_last_run_timestamp_seconds": "When the last run ended.",
    _LAST_GOOD: "When the last run with outcome ok ended.",
    "janitor_last_run_number": "Number of the last run; 0 if it failed before it had one.",
    "janitor_last_run_duration_seconds": "How long the last run took.",
    "janitor_last_run_exit_code": "Exit code of the last run, the delivery of its report included.",
    "janitor_last_run_outcome": "1 for the outcome of the last run, 0 for the others.",
    "janitor_last_run_mode": "1 for the mode of the last run, 0 for the other.",
    "janitor_target_outcome": "1 for the outcome of the target, 0 for the others.",
    "janitor_survey_duration_seconds": "How long the survey of the target took.",
    "janitor_images": "Images of the target by verdict.",
    "janitor_image_bytes": "Bytes of these images; those of unknown size count as 0.",
    "janitor_deletions": "Deletions of the last run by outcome.",
    "janitor_oldest_waiting_image_age_seconds": "Age since creation of the oldest waiting image; 0 if none waits.",
}


def metrics_of(
    result: RunResult,
    exit_code: int | None = None,
    last_ok: datetime | None = None,
    standing: Collector | None = None,
) -> CollectorRegistry:
    """The metrics of a run. `exit_code` may say more than the outcome: that the report was not delivered.

    `last_ok` is when the last run with outcome ok before this one ended. `standing` is asked for further metrics
    whenever these are read.
    """
    gauges = _Gauges()
    good = result.finished_at if result.outcome is Outcome.OK else last_ok
    gauges.set("janitor_last_run_timestamp_seconds", result.finished_at.timestamp())
    gauges.set(_LAST_GOOD, None if good is None else good.timestamp())
    gauges.set("janitor_last_run_number", result.run)
    gauges.set("janitor_last_run_duration_seconds", (result.finished_at - result.started_at).total_seconds())
    gauges.set("janitor_last_run_exit_code", exit_code)
    for outcome in Outcome:
        gauges.set("janitor_last_run_outcome", outcome is result.outcome, outcome=outcome)
    for mode in Mode:
        gauges.set("janitor_last_run_mode", mode is result.mode, mode=mode)
    for target in result.targets:
        _add_target(gauges, target, result.finished_at)
    if standing is not None:
        gauges.registry.register(standing)
    return gauges.registry


def _add_target(gauges: "_Gauges", target: TargetResult, now: datetime) -> None:
    name = target.target
    for outcome in Outcome:
        gauges.set("janitor_target_outcome", outcome is target.outcome, target=name, outcome=outcome)
    gauges.set("janitor_survey_duration_seconds", target.survey.seconds, target=name)
    if target.survey.seconds is None and not target.decisions:
        return
    count = Counter(decision.verdict for decision in target.decisions)
    deletions = Counter(deletion.outcome for deletion in target.deletions)
    for verdict in Verdict:
        size = sum(d.image.size or 0 for d in target.decisions if d.verdict is verdict)
        gauges.set("janitor_images", count[verdict], target=name, verdict=verdict)
        gauges.set("janitor_image_bytes", size, target=name, verdict=verdict)
    for fate in DeletionOutcome:
        gauges.set("janitor_deletions", deletions[fate], target=name, outcome=fate)
    gauges.set("janitor_oldest_waiting_image_age_seconds", max(_waiting(target, now), default=0), target=name)


def _waiting(target: TargetResult, now: datetime) -> Iterator[float]:
    for decision in target.decisions:
        if decision.verdict is Verdict.WAIT and decision.image.created_at is not None:
            yield (now - decision.image.created_at).total_seconds()


class _Gauges:
    """Gauges in a registry of their own, each made when it is first set."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}

    def set(self, name: str, value: float | None, **labels: str) -> None:
        """Set one value; None leaves it out."""
        if value is None:
            return
        if name not in self._gauges:
            self._gauges[name] = Gauge(name, _MEANINGS[name], list(labels), registry=self.registry)
        gauge = self._gauges[name]
        (gauge.labels(**labels) if labels else gauge).set(value)


def write_metrics(path: Path, registry: CollectorRegistry) -> None:
    """Replace a file as a whole: a reader, which may be anyone, sees the old one or the new one.

    A link is followed. The folder must exist. Raises OSError, also for anything but a regular file of this program, and
    then changes nothing.
    """
    path = to_replace(path, METRICS)
    before, after = around_temporary(path)
    with tempfile.NamedTemporaryFile(prefix=before, suffix=after, dir=path.parent, delete=False) as file:
        temporary = Path(file.name)
        try:
            os.fchmod(file.fileno(), _READABLE_FOR_ALL)
            file.write(generate_latest(registry))
            file.flush()
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


class _Families(Collector):
    """Metrics that were read from a file."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        return self._families


def rewrite_standing(path: Path, standing: Collector) -> None:
    """Replace in a file that is there what stands, and leave what is about the last run. Raises OSError."""
    try:
        families = list(text_string_to_metric_families(text_in(content_of(path))))
    except ValueError as error:
        raise OSError(str(error)) from error
    registry = CollectorRegistry()
    registry.register(_Families(family for family in families if family.name not in NAMES))
    registry.register(standing)
    write_metrics(path, registry)


def try_to_write(path: Path) -> str:
    """A sentence that metrics can be written; nothing is. Raises OSError if they cannot."""
    check_folder_of(to_replace(path, METRICS))
    return f"metrics are written to {path}"


def last_ok_in(path: Path) -> datetime | None:
    """When the last run with outcome ok ended, by an earlier file of this program, if that can be read."""
    try:
        lines = text_in(content_of(path)).splitlines()
        values = [line.split(" ")[1] for line in lines if line.startswith(f"{_LAST_GOOD} ")]
        return datetime.fromtimestamp(float(values[0]), UTC) if values else None
    except (OSError, ValueError, OverflowError):
        return None
