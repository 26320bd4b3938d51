"""Services that asked for a wait (`Retry-After`): until it is over, nothing is sent to them."""

import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from janitor.errors import NotSent
from janitor.transport import Call


class Backoffs:
    """Remembers which services asked for a wait of more than `patience` seconds.

    Safe to use from several threads at once.

    A service is identified by the start of its URLs: the host, and the first part of the path, as one host may have
    several.
    """

    def __init__(self, patience: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._monotonic = monotonic
        self._ends: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, call: Call, seconds: float | None) -> None:
        """A service asked to wait so many seconds, if at all."""
        if seconds is None or seconds <= self._patience:
            return
        with self._lock:
            service = _service_of(call)
            self._ends[service] = max(self._ends.get(service, 0), self._monotonic() + seconds)

    def check(self, call: Call) -> None:
        """Raises NotSent where the wait that the service of a call asked for is not over."""
        with self._lock:
            left = self._ends.get(_service_of(call), 0) - self._monotonic()
        if left > 0:
            raise NotSent(f"{call.label}: not sent: the API asked to wait another {left:.0f} s")


def _service_of(call: Call) -> str:
    parts = urlsplit(call.url)
    return f"{parts.scheme}://{parts.netloc}/{parts.path.lstrip('/').partition('/')[0]}"
