"""Ending early and in time: a container is killed ten seconds after it was asked to end."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from datetime import timedelta
from types import FrameType
from typing import TypeVar

from janitor.commands import as_here

T = TypeVar("T")

GRACE = timedelta(seconds=9.5)
_LOOK_EVERY = 0.2

_log = logging.getLogger("janitor.shutdown")


class Stop(threading.Event):
    """Set when the run should end early: what is in flight is finished, nothing new is begun."""

    signal_number: int = signal.SIGTERM


def wait_for(work: Sequence[Future[T]], stop: threading.Event, patience: timedelta) -> bool:
    """Wait until all is done; True if something is not, that long after the program was told to stop."""
    ends: float | None = None
    while wait(work, timeout=_LOOK_EVERY).not_done:
        if ends is None and stop.is_set():
            ends = time.monotonic() + patience.total_seconds()
        if ends is not None and time.monotonic() > ends:
            return True
    return False


def ending_signals() -> tuple[signal.Signals, ...]:
    """The signals that ask the program to end: SIGINT, SIGTERM, and SIGHUP unless it is ignored, as under nohup."""
    hangs_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hangs_up else []))


@contextmanager
def stopping_on_signals(stop: Stop, *, in_time: bool = True, late_code: int | None = None) -> Iterator[None]:
    """Let `ending_signals` set `stop` instead of killing what is in flight; any that follow change nothing.

    Should the end take longer than a container is given, the process ends nevertheless, with `late_code`, or else 128
    plus the signal: the database holds what was requested, and the next run settles it. Unless it is to end `in_time`.
    """

    def ask_to_stop(number: int, _frame: FrameType | None) -> None:
        if not asked:
            asked.append(number)
            # A handler that takes the event's lock itself could deadlock.
            code = 128 + number if late_code is None else late_code
            threading.Thread(target=_stop, args=(stop, number, code if in_time else None), daemon=True).start()

    asked: list[int] = []
    before = {number: signal.signal(number, ask_to_stop) for number in ending_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(stop: Stop, number: int, late_code: int | None) -> None:
    stop.signal_number = number
    stop.set()
    _log.info("stopping signal=%s", signal.Signals(number).name)
    if late_code is not None:
        end_after(GRACE, late_code)


def end_after(grace: timedelta, code: int) -> None:
    """End the process with this code if it is still running after this time; to be called in a daemon thread."""
    threading.Event().wait(grace.total_seconds())
    os._exit(code)  # without a flush, which could be what hangs


def end_now(code: int) -> None:
    """End the process without waiting, as Python would, for threads whose requests hang."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def within(action: Callable[[], T], stop: threading.Event, patience: timedelta) -> T | None:
    """What `action` gives, or None where the program was told to stop and it takes longer than that."""
    future: Future[T] = Future()

    def act() -> None:
        try:
            future.set_result(action())
        except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
            future.set_exception(error)

    threading.Thread(target=as_here(act), daemon=True, name="within").start()
    return None if wait_for([future], stop, patience) else future.result()
