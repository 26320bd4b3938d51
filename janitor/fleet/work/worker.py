"""A process of a fleet that cleans accounts: it leases shards, takes their jobs, and hands back what it cannot end."""

import asyncio
import contextlib
import logging
import os
import socket
import uuid
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from time import monotonic
from typing import Any

from procrastinate import App, JobContext, RetryDecision
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy
from procrastinate.worker import Worker as Taking

from janitor.config.fleet import Fleet
from janitor.core.units import in_ranges
from janitor.errors import FleetError
from janitor.fleet.jobs import OwnJobs
from janitor.fleet.leases.shards import LAPSE, Held, Worker, place_of
from janitor.fleet.queue import ANSWER, CLEAN, PATIENCE, UNREACHABLE, answers_of, app_of, queue_of
from janitor.fleet.schema import check
from janitor.fleet.work.keeper import Keeper
from janitor.fleet.work.orders import Again, Cleaning, Order
from janitor.fleet.work.reach import Reach

_log = logging.getLogger("janitor.fleet")


@dataclass(frozen=True, slots=True)
class Timing:
    """How often a worker gives a sign, and looks for jobs; for how long without a sign it counts as dead.

    `patience` is how long it waits, once told to stop, for the accounts that it is cleaning; `connecting` how long for
    a connection.
    """

    sign: timedelta = timedelta(seconds=10)
    look: timedelta = timedelta(seconds=1)
    lapse: timedelta = LAPSE
    patience: timedelta = timedelta(seconds=8)
    connecting: timedelta = PATIENCE

    @classmethod
    def of(cls, lapse: timedelta) -> "Timing":
        """A worker counts as dead sooner, as in a demonstration: all of a fleet have to agree on that."""
        return cls(sign=lapse / 8, look=lapse / 20, lapse=lapse)


def worker_here() -> Worker:
    """This process, by a name that no other process ever has."""
    host, pid = socket.gethostname(), os.getpid()
    return Worker(f"{host}-{pid}-{uuid.uuid4().hex[:6]}", host, pid)


class _TryAgain(BaseRetryStrategy):
    """A job is carried out again when it says so, and after anything unexpected."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002
        after = exception.after if isinstance(exception, Again) else _AFTER_A_BUG
        return RetryDecision(retry_in={"seconds": int(after.total_seconds() + 0.999)})


_AFTER_A_BUG = timedelta(minutes=5)
_LONGEST_PAUSE = 30.0
_ANSWERS_AT_ONCE = 2


@dataclass(slots=True)
class FleetWorker:
    """Works until it is told to stop, or was drained. `cleaner` cleans; `answer` answers a command about an account.

    `wanted` are the shards that it may lease. Wide because it also holds what it has leased, and its queues.
    """

    fleet: Fleet
    worker: Worker
    cleaner: Cleaning
    wanted: Iterable[int]
    answer: Callable[[str], None]
    concurrency: int = 1
    timing: Timing = field(default_factory=Timing)
    held: Held = field(default_factory=Held)
    _queues: list[str] = field(default_factory=list)
    _answers: list[str] = field(default_factory=list)
    _taking: tuple[Taking, ...] = ()
    _carried_out: set[int] = field(default_factory=set)
    _told: frozenset[tuple[int, str]] = frozenset()
    _leased: tuple[str, int] | None = None
    _reach: Reach = field(init=False)

    def __post_init__(self) -> None:
        self._reach = Reach(self.fleet.database, self.worker.name)

    def work(self) -> None:
        """Work. Raises FleetError where PostgreSQL cannot be reached, or has no tables of this fleet, at first."""
        with self.cleaner.connections.one() as connection:
            identity = check(connection, self.fleet.shards)
        _log.info("worker-started worker=%s", self.worker.name)
        keeper = Keeper(self.fleet, identity, self.worker, self.wanted, self.timing.lapse)
        try:
            asyncio.run(self._work(keeper))
        finally:
            keeper.end()

    async def _work(self, keeper: Keeper) -> None:
        keeping = asyncio.create_task(self._keep_leases(keeper))
        stopping = asyncio.create_task(self._told_to_stop())
        working = asyncio.create_task(self._take_jobs())
        try:
            await asyncio.wait({keeping, stopping, working}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._take_none()
            for task in (working, stopping, keeping):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _keep_leases(self, keeper: Keeper) -> None:
        """Give signs and lease shards, until this worker is drained. Without PostgreSQL no job is begun."""
        while True:
            try:
                idle = frozenset(shard for shard in self.held.surplus if not self.cleaner.working[shard])
                self._keep(await asyncio.to_thread(keeper.renew, idle))
                await self._free_stalled()
                self._reach.found("leases")
            except (FleetError, *UNREACHABLE) as error:
                self._take_none()
                await self._reach.lost("leases", error)
            if self.held.draining and not self.held.shards:
                _log.info("worker-drained worker=%s", self.worker.name)
                return
            await asyncio.sleep(self.timing.sign.total_seconds())

    def _keep(self, held: Held) -> None:
        place = place_of(self.fleet, self.worker.host)
        wrong = {(shard, why) for shard, why in held.refused if not _is_elsewhere(why, place)}
        for shard, why in sorted(wrong - self._told):
            _log.error("shard-refused shard=%d: %s", shard, why)
        leased = in_ranges(sorted(held.shards)).replace(" ", "") or "none", len(held.refused) - len(wrong)
        if leased != self._leased:
            self._leased = leased
            _log.info("shards-leased shards=%s on-other-hosts=%d", *leased)
        for shard in sorted(held.lost):
            _log.warning("shard-lost shard=%d: another worker has it, or may take it", shard)
        self._told = frozenset(held.refused)
        self.held = held
        mine = sorted(held.shards - held.surplus)
        self._queues[:], self._answers[:] = map(queue_of, mine), map(answers_of, mine)

    def _take_none(self) -> None:
        self._queues.clear()
        self._answers.clear()

    async def _free_stalled(self) -> None:
        """Hand back the jobs of these shards whose worker died, and those of our own that we know nothing of."""
        for taking in self._taking if self._queues else ():
            jobs = taking.app.job_manager
            assert isinstance(jobs, OwnJobs)
            silent_for, ours = self.timing.lapse.total_seconds(), self._carried_out.copy()
            for job in await jobs.free_stalled(list(taking.queues or ()), silent_for, ours):
                _log.warning("job-of-a-dead-worker job=%s account=%s: queued again", job.id, job.lock or "")
            if taking.worker_id is not None:
                for job in await jobs.free_forgotten(taking.worker_id, ours):
                    _log.warning("job-forgotten job=%s account=%s: queued again", job.id, job.lock or "")

    async def _told_to_stop(self) -> None:
        while not self.cleaner.stop.is_set():
            await asyncio.sleep(0.1)

    async def _take_jobs(self) -> None:
        """Carry out jobs; where PostgreSQL fails, begin anew once it answers."""
        shortest = pause = self.timing.look.total_seconds()
        while True:
            began = monotonic()
            try:
                app = self._app()
                async with app.open_async():
                    self._reach.found("jobs")
                    cleaning = Taking(app, **self._options(self._queues, self.concurrency))
                    answering = Taking(app, **self._options(self._answers, _ANSWERS_AT_ONCE))
                    self._taking = cleaning, answering
                    await _together(each.run() for each in self._taking)  # type: ignore[no-untyped-call]
            except UNREACHABLE as error:
                await self._reach.lost("jobs", error)
            finally:
                self._taking = ()
            pause = shortest if monotonic() - began > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    def _options(self, queues: list[str], concurrency: int) -> dict[str, Any]:
        timing = self.timing
        return {
            "queues": queues,
            "name": self.worker.name,
            "concurrency": concurrency,
            "fetch_job_polling_interval": timing.look.total_seconds(),
            "listen_notify": False,  # it would listen for the shards that were held when it began
            "delete_jobs": "always",
            "install_signal_handlers": False,
            "shutdown_graceful_timeout": timing.patience.total_seconds(),
            "update_heartbeat_interval": timing.sign.total_seconds(),
            "stalled_worker_timeout": timing.lapse.total_seconds(),
        }

    def _app(self) -> App:
        app = app_of(self.fleet.database, self.worker.name, self.timing.connecting)

        @app.task(name=CLEAN, retry=_TryAgain(), pass_context=True)
        def clean(context: JobContext, account: str, night: str, digest: str) -> None:
            with self._known(context):
                self.cleaner.clean(Order(account, date.fromisoformat(night), digest))

        @app.task(name=ANSWER, retry=_TryAgain(), pass_context=True)
        def answer(context: JobContext, output: str) -> None:
            with self._known(context):
                self.answer(output)

        return app

    @contextlib.contextmanager
    def _known(self, context: JobContext) -> Iterator[None]:
        """While a job is carried out, it is not taken for a forgotten one."""
        assert context.job.id is not None
        self._carried_out.add(context.job.id)
        try:
            yield
        finally:
            self._carried_out.discard(context.job.id)


def _is_elsewhere(why: str, place: str) -> bool:
    """Whether a shard is refused since its files are on another host, or in another folder, as most of a fleet are.

    Files that are missing although this was the last place to have them are another matter.
    """
    return why.startswith("its files are not in ") and not why.endswith(f"had them in {place}")


async def _together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do it all until one fails, or this is cancelled; all have ended when this returns.

    Each is told once: Procrastinate gives up the jobs that it waits for when it is told again.
    """
    tasks = [asyncio.create_task(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            if not task.cancelling():
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
