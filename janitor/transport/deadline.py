"""When a request has to be finished: counted from its beginning, even while data arrives."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_GRACE = 5.0
_LOOK_EVERY = 0.25


class Grace:
    """How long requests in flight may take once the program was told to stop; counted from when that is noticed."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._ends: float | None = None

    def left(self) -> float:
        """Seconds; infinite until the program is told to stop."""
        if not self._stop.is_set():
            return math.inf
        if self._ends is None:
            self._ends = time.monotonic() + _GRACE
        return self._ends - time.monotonic()


class Deadline:
    """When one request has to be finished."""

    def __init__(self, seconds: float, grace: Grace) -> None:
        self._at = time.monotonic() + seconds
        self._grace = grace

    def left(self) -> float:
        """Seconds; zero or negative once it is past."""
        return min(self._at - time.monotonic(), self._grace.left())

    def slice(self) -> float:
        """How long to wait before checking again, as a stop may shorten the time left; zero or negative once past."""
        return min(max(self.left(), 0.0), _LOOK_EVERY)


# httpx bounds each wait but not their sum, and not at all while data keeps arriving: a server that sends a byte now and
# then, or interim answers without end, would hold us forever. So every read, write and connection is held to the
# deadline of the request that its thread is in.
_this_thread = threading.local()


@contextmanager
def deadline(seconds: float, grace: Grace) -> Iterator[Deadline]:
    """The deadline of what this thread sends and receives within the block."""
    _this_thread.deadline = Deadline(seconds, grace)
    try:
        yield _this_thread.deadline
    finally:
        del _this_thread.deadline


def present_deadline() -> Deadline:
    """The deadline of this thread."""
    held: Deadline = _this_thread.deadline
    return held
