"""When a request has to be over: counted from its beginning, whatever comes in the meantime."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

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

    def slice(self) -> float:
        """How long to wait for something before looking again, as a stop may have shortened the rest; none: past."""
        return min(max(self.left(), 0.0), _LOOK_EVERY)


# httpx bounds each wait and not their sum, and no wait at all where something is always there: a server that sends a
# byte now and then, or interim answers without end, would hold us for ever. So every read, write and connection is
# held to the deadline of the request that its thread is in.
_this_thread = threading.local()


@contextmanager
def deadline(seconds: float, grace: Grace) -> Iterator[Deadline]:
    """The deadline of what this thread sends and receives inside."""
    _this_thread.deadline = Deadline(seconds, grace)
    try:
        yield _this_thread.deadline
    finally:
        del _this_thread.deadline


def present_deadline() -> Deadline:
    """The one that this thread is held to."""
    held: Deadline = _this_thread.deadline
    return held
