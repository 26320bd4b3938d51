"""Retries, bounded in count and time."""

import logging
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

from janitor.core.units import format_duration
from janitor.transport.route import Route

FIRST_WAIT, LONGEST_WAIT, JITTER = 0.3, 8.0, 0.5

_log = logging.getLogger("janitor.cloud")


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How an adapter makes requests: `timeout` is for one request, the next two for all tries of one call.

    `parallel_pages`: how many pages of one list are asked for at a time.
    """

    timeout: timedelta = timedelta(seconds=30)
    attempts: int = 5
    give_up_after: timedelta = timedelta(minutes=2)
    page_size: int = 1000
    parallel_pages: int = 4
    route: Route = field(default_factory=Route)


class Transient(Exception):
    """A try failed in a way that may pass. `lost`: the request may have been carried out nevertheless."""

    def __init__(self, cause: str, *, retry_after: float | None = None, lost: bool = True) -> None:
        super().__init__(cause)
        self.retry_after = retry_after
        self.lost = lost


class Tries:
    """The patience for one call: how often it was tried, since when, and whether to retry."""

    def __init__(self, label: str, options: HttpOptions, stop: threading.Event) -> None:
        self._label = label
        self._options = options
        self._stop = stop
        self._began = time.monotonic()
        self._count = 0
        self._wait = 0.0
        self._last: Transient | None = None
        self._ended = ""

    @property
    def _left(self) -> float:
        return self._options.give_up_after.total_seconds() - (time.monotonic() - self._began)

    def next(self, wait: float) -> float:
        """Begin a try: how many seconds it may take, and `wait` at least before the next one.

        Raises the last cause when time ran out while waiting.
        """
        if self._last is not None and self._left <= 0:
            raise self._last
        self._count += 1
        self.expect(wait)
        return max(min(self._options.timeout.total_seconds(), self._left), 0.001)

    def expect(self, wait: float) -> None:
        """Wait so long at least before the next try."""
        self._wait = wait

    def again(self, error: Exception) -> bool | float:
        """Whether to retry, after waiting here: a hook for stamina."""
        if not isinstance(error, Transient):
            return False
        self._last = error
        if self._count >= self._options.attempts or self._left <= 0:
            return False
        _log.info("retry call=%r tries=%d cause=%r", self._label, self._count, str(error))
        return self._pause(self._backoff()) if error.retry_after is None else self._honour(error.retry_after)

    def _backoff(self) -> float:
        jitter = random.uniform(0, JITTER) if self._wait else 0  # noqa: S311 - spreads load, guards nothing
        return min(self._wait + jitter, self._left)

    def _honour(self, seconds: float) -> bool | float:
        if seconds > self._left:
            allowed = format_duration(self._options.give_up_after)
            self._ended = f", and Retry-After of {seconds:.0f} s exceeds give_up_after of {allowed}"
            return False
        return self._pause(seconds)

    def _pause(self, seconds: float) -> bool | float:
        # The wait is here and not in stamina, because it may be long and a stop must end it.
        if seconds > 0 and not self._stopped():
            self._stop.wait(seconds)
        return False if self._stopped() else 0.0

    def _stopped(self) -> bool:
        if self._stop.is_set():
            self._ended = ", and the program was told to stop"
        return self._stop.is_set()

    def summary(self, error: Transient) -> str:
        """Why there is no answer, in one sentence."""
        times = "once" if self._count == 1 else f"{self._count} times"
        return f"{self._label}: no usable answer (tried {times}{self._ended}): {error}"
