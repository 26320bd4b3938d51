"""Whether the service keeps its schedule: the last run that was due did happen, or is in progress."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

_GRACE = timedelta(minutes=1)
_LONGEST_RUN = timedelta(hours=6)


class Schedule(Protocol):
    """Says when runs are due."""

    def next_after(self, instant: datetime, zone: ZoneInfo, /) -> datetime: ...


class Punctuality:
    """Knows whether a run was missed, from the begins and ends of runs. Safe to use from several threads.

    Only times since it was created count. A time that passes during a run is not missed: its run comes right
    afterwards. But a run that takes longer than six hours no longer counts as in progress.
    """

    def __init__(self, schedule: Schedule, zone: ZoneInfo, clock: Callable[[], datetime]) -> None:
        self._schedule = schedule
        self._zone = zone
        self._clock = clock
        self._kept_until = self._idle_since = clock()
        self._began: datetime | None = None
        self._failed = False
        self._lock = threading.Lock()

    def began(self) -> None:
        """A due run begins."""
        with self._lock:
            self._began = self._clock()

    def ended(self, *, happened: bool) -> None:
        """It ended; `happened` is false if it could not begin."""
        with self._lock:
            if happened and self._began is not None:
                self._kept_until = self._began
            self._failed = not happened
            self._began = None
            self._idle_since = self._clock()

    def missed(self) -> datetime | None:
        """When the last due run should have happened, if it did not."""
        with self._lock:
            now = self._clock()
            if self._began is not None and now - self._began <= _LONGEST_RUN:
                return None
            due = self._schedule.next_after(self._kept_until, self._zone)
            missed = max(due, self._idle_since) + (timedelta() if self._failed else _GRACE) <= now
            return due if missed else None
