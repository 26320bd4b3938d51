"""The service runs one job at the schedule's times, whatever the job does, and ends on a signal."""

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from janitor.cli import schedule
from janitor.cli.schedule import Schedule, Trigger, serve
from janitor.core.cron import Cron
from janitor.errors import StoreError

BERLIN = ZoneInfo("Europe/Berlin")
SEOUL = ZoneInfo("Asia/Seoul")
FAR = timedelta(days=365)


class Every:
    """A schedule that cron cannot write: often enough for a test."""

    def __init__(self, interval: timedelta) -> None:
        self.interval = interval

    def next_after(self, instant: datetime, zone: ZoneInfo, /) -> datetime:
        return (instant + self.interval).astimezone(zone)


class At:
    """A schedule of a few given times, counted from when it is first asked, and then none for a year."""

    def __init__(self, *offsets: float) -> None:
        self.offsets = offsets
        self.times: list[datetime] = []

    def next_after(self, instant: datetime, zone: ZoneInfo, /) -> datetime:
        if not self.times:
            self.times = [*(instant + timedelta(seconds=offset) for offset in self.offsets), instant + FAR]
        return next(time for time in self.times if time > instant).astimezone(zone)


OFTEN = Every(timedelta(milliseconds=5))


def serve_until(done: Callable[[int], bool], job: Callable[[int], None], when: Schedule = OFTEN) -> int:
    """Serve `job`, told which run it is, until `done` says so of a run; how many runs there were."""
    stop = threading.Event()
    runs = 0

    def numbered() -> None:
        nonlocal runs
        runs += 1
        if done(runs):
            stop.set()
        job(runs)

    serve(numbered, when, SEOUL, stop=stop)
    return runs


def nothing(_run: int) -> None:
    pass


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("previous", "now", "fire"),
    [
        pytest.param(None, "2026-05-01T00:00:00", "2026-05-01T18:00:00", id="first-fire-is-ahead"),
        pytest.param(
            None, "2026-05-01T18:00:00", "2026-05-02T18:00:00", id="a-start-at-the-very-second-waits-for-the-next"
        ),
        pytest.param("2026-05-01T18:00:00", "2026-05-01T18:00:00.2", "2026-05-02T18:00:00", id="then-the-day-after"),
        pytest.param(
            "2026-05-01T18:00:00", "2026-05-09T10:00:00", "2026-05-09T18:00:00", id="a-week-asleep-leaves-no-queue"
        ),
        pytest.param(
            "2026-05-01T18:00:00", "2026-05-01T17:10:00", "2026-05-02T18:00:00", id="a-clock-put-back-fires-no-twice"
        ),
    ],
)
def test_the_trigger_in_utc(previous: str | None, now: str, fire: str) -> None:
    trigger = Trigger(Cron.parse("0 3 * * *"), SEOUL)
    assert trigger.get_next_fire_time(utc(previous) if previous else None, utc(now)) == utc(fire)


def test_the_trigger_speaks_utc_because_in_a_zone_an_hour_can_come_twice() -> None:
    fire = Trigger(Cron.parse("*/30 * * * *"), BERLIN).get_next_fire_time(None, utc("2026-10-25T01:10:00"))
    assert (fire, fire.tzinfo) == (utc("2026-10-25T01:30:00"), UTC)


def test_runs_again_and_again() -> None:
    assert serve_until(lambda run: run == 4, nothing) == 4


def test_never_runs_early() -> None:
    when = At(0.06)
    started: list[datetime] = []
    serve_until(lambda run: True, lambda run: started.append(datetime.now(UTC)), when)
    assert started[0] >= when.times[0]


def test_times_that_pass_during_a_run_make_one_run_right_afterwards() -> None:
    when = At(0.01, 0.02, 0.03, 0.04, 1)
    began: list[datetime] = []
    only_one = threading.Lock()

    def long_at_first(run: int) -> None:
        assert only_one.acquire(blocking=False), "two runs at once"
        began.append(datetime.now(UTC))
        while run == 1 and datetime.now(UTC) <= when.times[3]:
            threading.Event().wait(0.005)
        only_one.release()

    runs = serve_until(lambda run: datetime.now(UTC) >= when.times[4], long_at_first, when)
    assert runs == 3, "the first, one for all that were missed, and the last"
    assert when.times[3] < began[1] < when.times[4] <= began[2]


def test_a_clock_put_forward_is_noticed_and_makes_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = timedelta()
    waiting, ran, stop = threading.Event(), threading.Event(), threading.Event()
    runs: list[datetime] = []

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + ahead

    def put_forward() -> None:
        nonlocal ahead
        waiting.wait(20)
        threading.Event().wait(0.05)  # time for the scheduler to fall asleep
        ahead = timedelta(days=3)
        ran.wait(2)
        threading.Event().wait(0.05)  # time for a burst, which must not come
        stop.set()

    def hourly(instant: datetime, zone: ZoneInfo, /) -> datetime:
        waiting.set()
        return Every(timedelta(hours=1)).next_after(instant, zone)

    def job() -> None:
        runs.append(Clock.now())
        ran.set()

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Clock)
    monkeypatch.setattr(schedule, "_LOOK_AGAIN", timedelta(milliseconds=5))
    other = threading.Thread(target=put_forward)
    other.start()
    serve(job, SimpleNamespace(next_after=hourly), SEOUL, stop=stop)
    other.join()
    assert len(runs) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(StoreError("the database is locked"), "run-failed: the database is locked", id="expected"),
        pytest.param(ZeroDivisionError(), "run-crashed", id="bug"),
    ],
)
def test_a_run_that_fails_is_logged_and_the_service_lives_on(
    error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_run: int) -> None:
        raise error

    assert serve_until(lambda run: run == 3, fails) == 3
    failures = [
        record for record in caplog.records if record.name == "janitor.cli.schedule" and record.levelname == "ERROR"
    ]
    assert [record.getMessage().startswith(said) for record in failures] == [True] * 3
    assert all(bool(record.exc_info) == isinstance(error, ZeroDivisionError) for record in failures)


def test_the_next_run_is_said_at_the_start_and_after_each_run(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "janitor.cli.schedule")
    when = At(0.03, 0.1)
    serve_until(lambda run: run == 2, nothing, when)
    said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("next-run")]
    assert said == [f"next-run at={time.astimezone(SEOUL).isoformat()} zone=Asia/Seoul" for time in when.times[:2]]


def test_a_signal_that_reaches_another_thread_is_heard_at_once() -> None:
    told: list[bool] = []
    stop = threading.Event()

    def job() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        told.append(stop.wait(15))

    serve(job, OFTEN, SEOUL, stop=stop)
    assert told == [True]


def test_a_stop_asked_for_before_the_start_runs_nothing() -> None:
    stop = threading.Event()
    stop.set()
    serve(lambda: pytest.fail("it ran"), Every(FAR), SEOUL, stop=stop)


def test_nothing_stays_behind() -> None:
    before = (threading.active_count(), signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))
    serve_until(lambda run: run == 2, nothing)
    assert (threading.active_count(), signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


# Signals go to a process of its own, so that one that is not handled ends that process and not the tests.
SERVICE = """
import signal, sys, threading
from datetime import timedelta
from zoneinfo import ZoneInfo
from janitor.cli.schedule import serve

class Every:
    def next_after(self, instant, zone, /):
        return (instant + timedelta(seconds={interval})).astimezone(zone)

stop = threading.Event()
def job():
    print("sending", flush=True)
    stop.wait(20)
    print("stopped" if stop.is_set() else "not told to stop", flush=True)

before = signal.getsignal(signal.SIGTERM)
print("serving", flush=True)
threading.Timer(0.2, print, ("waiting",), {{"flush": True}}).start()
serve(job, Every(), ZoneInfo("UTC"), stop=stop)
print("ended", stop.is_set(), signal.getsignal(signal.SIGTERM) is before, flush=True)
"""


def start_service(interval: float, until: str) -> "subprocess.Popen[str]":
    """A service in a process of its own, that has printed the line `until`."""
    script = SERVICE.format(interval=interval)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while process.stdout.readline().strip() != until:
        assert process.poll() is None
    return process


@pytest.mark.usefixtures("hangup_as_usual")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_lets_the_run_in_flight_end(number: signal.Signals) -> None:
    with start_service(0.01, "sending") as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=15)
    lines = [line for line in out.splitlines() if line != "waiting"]
    assert (lines, err, process.returncode) == (["stopped", "ended True True"], "", 0)


def test_a_signal_ends_an_idle_service_and_a_second_one_changes_nothing() -> None:
    with start_service(3600, "waiting") as process:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=15)
    assert (out.splitlines(), err, process.returncode) == (["ended True True"], "", 0)
