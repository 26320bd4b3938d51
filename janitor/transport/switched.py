"""A connection that a server has switched to another protocol, as for web sockets: bytes both ways, bounded in time."""

import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpcore

from janitor.transport.deadline import Grace, deadline
from janitor.transport.network import SOCKET

_AT_ONCE = 64 * 1024
_MOMENT = 0.01  # how long a read may hold the connection while nothing comes
_LOOK_EVERY = 0.25


class Switched:
    """Bytes to and from the other side. One thread may read while others write: TLS allows only one of both at a time.

    Raises TimeoutError where something takes too long, and ConnectionError once the connection has ended.
    """

    def __init__(self, stream: httpcore.NetworkStream, grace: Grace, close: Callable[[], object]) -> None:
        self._stream = stream
        self._grace = grace
        self._close = close
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def read(self, seconds: float) -> bytes:
        """What has come, at least one byte; waits for it for so long."""
        until = time.monotonic() + seconds
        while (data := self._read_now()) is None:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._wait(min(left, _LOOK_EVERY))
        if not data:
            raise ConnectionResetError("the other side closed the connection")
        return data

    def _read_now(self) -> bytes | None:
        with self._lock, _as_os_errors(), deadline(_MOMENT, self._grace):
            try:
                return self._stream.read(_AT_ONCE)
            except httpcore.ReadTimeout:
                if self._grace.left() <= 0:
                    raise ConnectionAbortedError("the program is stopping") from None
                return None

    def _wait(self, seconds: float) -> None:
        """Wait until there is something to read, without holding the connection."""
        if self._closed.is_set():
            raise ConnectionAbortedError("the connection is closed")
        poll = select.poll()
        try:
            poll.register(self._stream.get_extra_info(SOCKET), select.POLLIN)
            poll.poll(seconds * 1000)
        except (OSError, ValueError) as error:  # closed by another thread
            raise ConnectionAbortedError("the connection is closed") from error

    def write(self, content: bytes, seconds: float) -> None:
        """Send all of it."""
        with self._lock, _as_os_errors(), deadline(seconds, self._grace):
            self._stream.write(content)

    def close(self) -> None:
        """Close the connection; whoever reads from it gets a ConnectionError."""
        self._closed.set()
        with self._lock:
            self._close()


@contextmanager
def _as_os_errors() -> Iterator[None]:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise TimeoutError from error
    except httpcore.NetworkError as error:
        raise ConnectionError(str(error)) from error
