"""How many requests of a list are made at a time: fewer where the service would rather have fewer."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

_log = logging.getLogger("janitor.cloud")

T = TypeVar("T")

_SLOWER = 2
_OWN_WORK = 0.1
"""The seconds that reading several answers at a time may cost here, whatever the service does."""


class Pace:
    """How many requests are made at a time. Safe to use from several threads at once.

    It begins with `most`, and is halved when the service asks for fewer, or answers more slowly than when it is asked
    for one at a time: each of as many answers in a row took more than twice as long, and 0.1 s. It never rises again.
    `throttled` counts how often the service has said that it gets too many requests.
    """

    def __init__(
        self,
        most: int,
        throttled: Callable[[], int] = lambda: 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._throttled = throttled
        self._heard = throttled()
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._running = 0
        self._started = 0
        self._alone: float | None = None
        self._slow = 0

    @property
    def at_a_time(self) -> int:
        """How many requests may be under way."""
        with self._lock:
            heard = self._throttled()
            if heard > self._heard:
                self._halve("too-many-requests")
            self._heard = heard
            return self._most

    def timed(self, ask: Callable[[], T]) -> T:
        """The answer, having taken note of how long it took. What it raises tells nothing about that."""
        with self._lock:
            self._running += 1
            self._started += 1
            turn, alone = self._started, self._running == 1
        began = self._monotonic()
        try:
            answer = ask()
        except BaseException:
            with self._lock:
                self._running -= 1
            raise
        with self._lock:
            self._running -= 1
            self._note(self._monotonic() - began, alone=alone and self._started == turn)
        return answer

    def _note(self, seconds: float, *, alone: bool) -> None:
        if alone:
            self._alone = seconds if self._alone is None else min(self._alone, seconds)
        elif self._alone is not None:
            self._slow = self._slow + 1 if seconds > _SLOWER * self._alone + _OWN_WORK else 0
            if self._slow >= self._most:
                self._halve("slow-answers")

    def _halve(self, reason: str) -> None:
        self._slow = 0
        if self._most > 1:
            self._most //= 2
            _log.info("fewer-requests-at-a-time now=%d reason=%s", self._most, reason)
