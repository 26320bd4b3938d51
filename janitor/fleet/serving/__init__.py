"""The times of a schedule as jobs of Procrastinate: each comes once, however many processes serve."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from procrastinate import App, RetryDecision
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy

from janitor.core.cron import Cron
from janitor.fleet.jobs import OwnJobs
from janitor.fleet.leases.shards import LAPSE
from janitor.fleet.queue import PATIENCE, UNREACHABLE, app_of
from janitor.fleet.work.reach import Reach
from janitor.shutdown import Stop

BEGIN, QUEUE = "begin", "nights"
"""The task that begins a night, and the queue of its jobs."""
_LATE = timedelta(minutes=10)
"""How late a time of the schedule still counts, for which nobody served: Procrastinate's own measure."""
_LONGEST_PAUSE = timedelta(seconds=30)
_LOOK = timedelta(seconds=0.2)

_log = logging.getLogger("janitor.fleet")


@dataclass(frozen=True, slots=True)
class _UntilLater(BaseRetryStrategy):
    """A night that could not be begun is tried again, so often at most."""

    pause: timedelta
    most: int

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002
        if job.attempts >= self.most:
            return None
        return RetryDecision(retry_in={"seconds": int(self.pause.total_seconds())})


@dataclass(slots=True)
class Periodic:
    """Begins nights at the times of a schedule: of the time zone, which Procrastinate's own periodic tasks do not know.

    `begin` is called once for each of these times by one of those that serve, and again where it raises or its process
    dies; `look` in every one of them, each minute. Wide because what differs in tests is given.
    """

    url: str
    name: str
    schedule: Cron
    zone: ZoneInfo
    begin: Callable[[datetime], object]
    look: Callable[[], object]
    stop: Stop
    clock: Callable[[], datetime]
    every: timedelta = timedelta(minutes=1)
    connecting: timedelta = PATIENCE
    _seen: datetime | None = field(default=None)

    def serve(self) -> None:
        """Serve until told to stop; where PostgreSQL fails, begin anew once it answers."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        pause, reach = _LOOK, Reach(self.url, self.name)
        while not self.stop.is_set():
            try:
                app = self._app()
                async with app.open_async():
                    pause = _LOOK
                    reach.found("schedule")
                    await self._with(app)
            except UNREACHABLE as error:
                await reach.lost("schedule", error)
                pause = min(pause * 2, _LONGEST_PAUSE)
            await self._sleep(pause)

    async def _with(self, app: App) -> None:
        working = asyncio.create_task(app.run_worker_async(**self._options()))
        try:
            while not self.stop.is_set() and not working.done():
                await self._defer_due(app)
                assert isinstance(app.job_manager, OwnJobs)
                for job in await app.job_manager.free_stalled([QUEUE], LAPSE.total_seconds()):
                    _log.warning("night-of-a-dead-process job=%s: queued again", job.id)
                await asyncio.to_thread(self.look)
                await self._sleep(self._until_next(), working)
        finally:
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    async def _defer_due(self, app: App) -> None:
        """Enqueue the last time of the schedule that has come since it was looked for, unless another did."""
        now = self.clock()
        due, after = None, self._seen or now - _LATE
        while (following := self.schedule.next_after(after, self.zone)) <= now:
            due = after = following
        if due is not None:
            stamp = int(due.timestamp())
            job = Job(
                id=None, queue=QUEUE, task_name=BEGIN, lock=QUEUE, queueing_lock=None, task_kwargs={"timestamp": stamp}
            )
            await app.job_manager.defer_periodic_job(job=job, periodic_id="schedule", defer_timestamp=stamp)
        self._seen = now

    def _until_next(self) -> timedelta:
        now = self.clock()
        return min(self.every, max(self.schedule.next_after(now, self.zone) - now, timedelta()) + _LOOK)

    async def _sleep(self, time: timedelta, working: "asyncio.Task[None] | None" = None) -> None:
        ends = asyncio.get_running_loop().time() + time.total_seconds()
        while not self.stop.is_set() and asyncio.get_running_loop().time() < ends:
            if working is not None and working.done():
                return
            await asyncio.sleep(_LOOK.total_seconds())

    def _options(self) -> dict[str, Any]:
        return {
            "queues": [QUEUE],
            "name": self.name,
            "concurrency": 1,
            "fetch_job_polling_interval": 5.0,
            "listen_notify": True,
            "delete_jobs": "always",
            "install_signal_handlers": False,
            "shutdown_graceful_timeout": 8.0,
            "update_heartbeat_interval": LAPSE.total_seconds() / 3,
            "stalled_worker_timeout": LAPSE.total_seconds(),
        }

    def _app(self) -> App:
        app = app_of(self.url, self.name, self.connecting)

        @app.task(name=BEGIN, retry=_UntilLater(self.every, 60))
        def begin(timestamp: int) -> None:
            self.begin(datetime.fromtimestamp(timestamp, UTC))

        return app
