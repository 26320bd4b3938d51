"""Reports runs to monitoring systems: by a heartbeat and by metrics."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import CollectorRegistry

from janitor.config import Settings
from janitor.core.result import Outcome, RunResult
from janitor.errors import Busy, Exit, StoreError, UsageError
from janitor.monitoring.heartbeat import Heartbeat
from janitor.monitoring.metrics import last_ok_in, metrics_of, rewrite_standing, write_metrics
from janitor.monitoring.punctuality import Punctuality
from janitor.monitoring.standing import Standing
from janitor.shutdown import Stop
from janitor.store import Store

_log = logging.getLogger("janitor.monitoring.watch")

_FAR_ENOUGH_BACK = 1000  # how many runs to search for one with outcome ok

Begun = Callable[[], None]
Ended = Callable[[RunResult, int], int]


class Watch:
    """Reports each run to the configured monitoring. A failure to do so is logged, and has no other effect."""

    def __init__(self, settings: Settings, stop: Stop, punctuality: Punctuality | None = None) -> None:
        self.metrics = CollectorRegistry()
        self._settings = settings
        self._heartbeat = Heartbeat(settings.heartbeat_url, stop, route=settings.http.route)
        self._punctuality = punctuality
        self._last_ok: datetime | None = None
        self._standing = Standing(settings)

    @contextmanager
    def run(self) -> Iterator[tuple[Begun, Ended]]:
        """A context for an attempt at a run, the delivery of its report included.

        Gives two functions: one to call when the run has begun, one to call with its result and exit code, which it
        returns. A run that never calls the second has failed; one that is Busy does not count.
        """
        ended: list[tuple[RunResult, int]] = []

        def tell(result: RunResult, code: int) -> int:
            ended.append((result, code))
            return code

        if self._punctuality is not None:
            self._punctuality.began()
        try:
            yield self._heartbeat.start, tell
        except Busy:
            self._is_over(happened=False)
            raise
        except BaseException:
            self._tell(None, Exit.BUG)
            raise
        self._tell(*ended[-1]) if ended else self._tell(None, Exit.BUG)

    def _is_over(self, *, happened: bool) -> None:
        if self._punctuality is not None:
            self._punctuality.ended(happened=happened)

    def _tell(self, result: RunResult | None, code: int) -> None:
        self._is_over(happened=result is not None and result.run > 0)
        if result is not None:
            self._publish(result, code)
            self._write()
        if code == Exit.OK:
            self._heartbeat.success()
        else:
            self._heartbeat.failure()

    def _publish(self, result: RunResult, code: int | None) -> None:
        self._last_ok = result.finished_at if result.outcome is Outcome.OK else self._ok_before()
        self._standing.changed()
        self.metrics = metrics_of(result, code, self._last_ok, self._standing)

    def _write(self) -> None:
        if self._settings.metrics_file is None:
            return
        try:
            write_metrics(self._settings.metrics_file, self.metrics)
        except OSError as error:
            _log.warning("metrics-not-written file=%s: %s", self._settings.metrics_file, error.strerror or error)

    def _ok_before(self) -> datetime | None:
        """When the last run with outcome ok ended: as seen here, by the database, or, if that fails, by the file."""
        file = self._settings.metrics_file
        known = [self._last_ok, self._recorded_good(), last_ok_in(file) if file is not None else None]
        return max((instant for instant in known if instant is not None), default=None)

    def _recorded_good(self) -> datetime | None:
        try:
            with Store.open_existing(self._settings.database) as store:
                runs = store.runs(_FAR_ENOUGH_BACK)
        except (StoreError, UsageError):
            return None
        return next((run.finished_at for run in runs if run.outcome is Outcome.OK), None)

    def recall(self) -> None:
        """Restore the metrics of the last recorded run, as far as the database has them."""
        try:
            with Store.open_existing(self._settings.database) as store:
                latest = store.latest_run()
                result = store.load_run(latest) if latest is not None else None
        except (StoreError, UsageError) as error:
            _log.info("no-metrics-yet: %s", error)
            return
        if result is not None:
            self._publish(result, None)


def failed_to_begin(settings: Settings) -> None:
    """Report that a run could not begin."""
    Heartbeat(settings.heartbeat_url, Stop(), route=settings.http.route).failure()


def standing_changed(settings: Settings) -> None:
    """Bring up to date in the file of metrics what something else than a run has changed. A failure is logged."""
    file = settings.metrics_file
    if file is None or not file.exists():
        return
    try:
        rewrite_standing(file, Standing(settings))
    except OSError as error:
        _log.warning("metrics-not-written file=%s: %s", file, error.strerror or error)
