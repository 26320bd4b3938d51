"""The service: one job, run at the times of a schedule until a signal asks it to end."""

import logging
import signal
import socket
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Protocol
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_SUBMITTED
from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from janitor.clock import utc_now
from janitor.errors import JanitorError
from janitor.shutdown import ending_signals

_log = logging.getLogger("janitor.cli.schedule")

_JOB = "run"
# Waits are monotonic, fire times are clock times: only checking the clock shows that it was put forward, or that the
# machine slept.
_LOOK_AGAIN = timedelta(seconds=30)


class Schedule(Protocol):
    """Gives the times of runs; Cron is one."""

    def next_after(self, instant: datetime, zone: ZoneInfo, /) -> datetime: ...


class Trigger(BaseTrigger):  # type: ignore[misc]  # apscheduler ships no types
    """A schedule as a trigger of APScheduler: in UTC, where no hour comes twice; missed times make one run."""

    def __init__(self, schedule: Schedule, zone: ZoneInfo) -> None:
        self._schedule = schedule
        self._zone = zone

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The first time after both: a clock that is set back repeats no run."""
        after = now if previous_fire_time is None else max(now, previous_fire_time)
        return self._schedule.next_after(after, self._zone).astimezone(UTC)


def serve(job: Callable[[], None], schedule: Schedule, zone: ZoneInfo, *, stop: threading.Event) -> int | None:
    """Run `job` whenever `schedule` says, until a signal asks to end or `stop`; to be called from the main thread.

    Jobs never overlap. Times that pass while a job runs, or while the machine sleeps, make one run, right afterwards. A
    job that fails is logged and the service continues. A signal sets `stop`; a job in flight is expected to look at it
    and is waited for, and the signal handlers are as before when this returns: which signal it was, if one was.
    """
    ending = ending_signals()
    with _wakeups(ending) as (asleep, waker):
        scheduler = _scheduler(_Run(job, stop, waker), Trigger(schedule, zone))
        scheduler.add_listener(lambda _event: _log_next(scheduler, zone, stop), EVENT_JOB_SUBMITTED)
        # Logged before the start: afterwards a job may be running, which holds the scheduler's lock until it ends.
        _log_time(schedule.next_after(utc_now(), zone), zone)
        scheduler.start()
        try:
            number = _wait(stop, asleep, scheduler.wakeup, ending)
        finally:
            scheduler.shutdown()
    _log.info("serve-ended")
    return number


class _Run:
    """The job as the scheduler calls it: nothing it raises ends the service."""

    def __init__(self, job: Callable[[], None], stop: threading.Event, waker: socket.socket) -> None:
        self._job = job
        self._stop = stop
        self._waker = waker

    def __call__(self) -> None:
        if not self._stop.is_set():
            self._attempt()
        if self._stop.is_set():
            self._waker.send(b"\0")

    def _attempt(self) -> None:
        try:
            self._job()
        except JanitorError as error:
            _log.error("run-failed: %s", error)
        except Exception:  # noqa: BLE001  a bug in one run must not end the service, which runs again tomorrow
            _log.exception("run-crashed: this is a bug, please report it with the lines below")


def _scheduler(job: Callable[[], None], trigger: Trigger) -> BackgroundScheduler:
    # The debug executor runs the job in the scheduler's own thread. A pool would drop a time that comes while the job
    # still runs; here the scheduler checks the clock again after the job, and runs it once.
    scheduler = BackgroundScheduler(timezone=UTC, executors={"default": DebugExecutor()})
    scheduler.add_job(job, trigger, id=_JOB, max_instances=1, coalesce=True, misfire_grace_time=None)
    return scheduler


def wait(stop: threading.Event) -> int | None:
    """Wait until a signal asks to end, which sets `stop`; to be called from the main thread. Which signal it was."""
    ending = ending_signals()
    with _wakeups(ending) as (asleep, _):
        number = _wait(stop, asleep, lambda: None, ending)
    _log.info("serve-ended")
    return number


def _wait(
    stop: threading.Event, asleep: socket.socket, look: Callable[[], object], ending: Collection[int]
) -> int | None:
    while not stop.is_set():
        try:
            number = asleep.recv(1)[0]
        except TimeoutError:
            look()
            continue
        if number in ending:
            _log.info("serve-ending signal=%s", signal.Signals(number).name)
            stop.set()
            return number
    return None


def _log_next(scheduler: BackgroundScheduler, zone: ZoneInfo, stop: threading.Event) -> None:
    entry = scheduler.get_job(_JOB)  # None once the scheduler is shut down
    if entry is not None and not stop.is_set():
        _log_time(entry.next_run_time, zone)


def _log_time(instant: datetime, zone: ZoneInfo) -> None:
    _log.info("next-run at=%s zone=%s", instant.astimezone(zone).isoformat(), zone.key)


@contextmanager
def _wakeups(ending: Iterable[int]) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A socket to sleep on and the one that wakes it: signals do, each with its number, in whatever thread they arrive.

    A signal that reaches another thread does not interrupt a lock that this one waits for, and setting an event in a
    handler can deadlock. The socket has neither problem.
    """
    asleep, waker = socket.socketpair()
    with asleep, waker:
        asleep.settimeout(_LOOK_AGAIN.total_seconds())
        waker.setblocking(False)
        handlers = {number: signal.signal(number, _leave_it_to_the_socket) for number in ending}
        descriptor = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        try:
            yield asleep, waker
        finally:
            signal.set_wakeup_fd(descriptor)
            for number, handler in handlers.items():
                signal.signal(number, handler)


def _leave_it_to_the_socket(_number: int, _frame: FrameType | None) -> None:
    pass
