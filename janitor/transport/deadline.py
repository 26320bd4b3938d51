"""When a request has to be over, checked at every read."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

_GRACE = 5.0
_LOOK_EVERY = 0.25


class Grace:
    """How long what is in flight may still take once we were told to stop; counted from when that is noticed."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._ends: float | None = None

    def left(self) -> float:
        """Seconds, for ever as long as nobody told us to stop."""
        if not self._stop.is_set():
            return math.inf
        if self._ends is None:
            self._ends = time.monotonic() + _GRACE
        return self._ends - time.monotonic()


class Deadline:
    """When one request has to be over."""

    def __init__(self, seconds: float, grace: Grace) -> None:
        self._at = time.monotonic() + seconds
        self._grace = grace

    def left(self) -> float:
        """Seconds; none or fewer when it is past."""
        return min(self._at - time.monotonic(), self._grace.left())


# httpx bounds each read and not their sum: a server that sends a byte now and then would hold us for ever. So every
# read is held to the deadline of the request that its thread is in. It is done in slices, so that a stop is noticed.
_this_thread = threading.local()


@contextmanager
def deadline(seconds: float, grace: Grace) -> Iterator[Deadline]:
    _this_thread.deadline = Deadline(seconds, grace)
    try:
        yield _this_thread.deadline
    finally:
        del _this_thread.deadline


def hold_to_deadline(event: str, info: dict[str, Any]) -> None:
    """Trace extension of httpx: shortens the reads of each new connection to what is left of the deadline."""
    if not event.endswith(("connect_tcp.complete", "start_tls.complete")):
        return
    stream = info["return_value"]
    read = stream.read

    def read_in_time(max_bytes: int, timeout: float | None = None) -> bytes:
        until = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            left = min(_this_thread.deadline.left(), until - time.monotonic())
            try:
                received: bytes = read(max_bytes, timeout=min(max(left, 0.001), _LOOK_EVERY))
            except httpcore.ReadTimeout:
                if left <= _LOOK_EVERY:
                    raise
            else:
                return received

    stream.read = read_in_time
