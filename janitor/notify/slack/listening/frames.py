"""The frames of a web socket (RFC 6455), whole and within bounds, for slack-sdk's connection.

By itself slack-sdk reads frames of any length, waits for the rest of one without end, and loses its place where a frame
comes in parts.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from janitor.transport.switched import Switched

_CONTINUED, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_KNOWN = (_CONTINUED, _TEXT, _BINARY, _CLOSE, _PING, _PONG)
_FINAL, _RESERVED, _MASKED = 0x80, 0x70, 0x80
_LARGEST_CONTROL = 125
_NO_CODE = (1005).to_bytes(2, "big")
_SHORTEST = 3


class BadFrame(ConnectionError):
    """What came is no frame, or one that is not taken; the connection is of no use any more."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one socket may take: the size of a message, and seconds until it begins, until it is whole, to send one."""

    largest: int = 2**20
    begins: float = 1.0
    whole: float = 20.0
    sent: float = 5.0


BOUNDS = Bounds()


class Frames:
    """What slack-sdk takes for its socket: gives one whole message or control frame at a time, whatever size it asks.

    `made_at` and `pong_at` are when this was made, and when the last pong came, in seconds of `ticks`. Raises
    TimeoutError where nothing begins, and ConnectionError, BadFrame among them, where the socket is of no use any more.
    """

    def __init__(self, wire: Switched, bounds: Bounds = BOUNDS, ticks: Callable[[], float] = time.monotonic) -> None:
        self._wire = wire
        self._bounds = bounds
        self._ticks = ticks
        self._rest = b""
        self._message = bytearray()
        self._is_text = False
        self._ends: float | None = None
        self._nothing_next = False
        self.made_at = ticks()
        self.pong_at: float | None = None

    def recv(self, _size: int) -> bytes:
        """The next message or control frame, as one frame."""
        if self._nothing_next:
            # slack-sdk asks for more after so short a frame, although it is whole.
            self._nothing_next = False
            return b""
        frame = self._next()
        self._nothing_next = len(frame) < _SHORTEST
        return frame

    def send(self, frame: bytes) -> int:
        """Send a frame, all of it."""
        self._wire.write(frame, self._bounds.sent)
        return len(frame)

    @property
    def age(self) -> float:
        """For how many seconds it has been there."""
        return self._ticks() - self.made_at

    @property
    def silent_for(self) -> float:
        """For how many seconds no pong has come."""
        return self._ticks() - (self.made_at if self.pong_at is None else self.pong_at)

    def close(self) -> None:
        """Close the connection."""
        self._wire.close()

    def _next(self) -> bytes:
        while True:
            final, code, payload = self._frame()
            if code == _CLOSE:
                return _frame(_CLOSE, payload or _NO_CODE)
            if code in (_PING, _PONG):
                self.pong_at = self._ticks() if code == _PONG else self.pong_at
                return _frame(code, payload)
            self._add(payload, begins=code != _CONTINUED)
            self._is_text = code == _TEXT if code != _CONTINUED else self._is_text
            if final:
                whole, self._message, self._ends = bytes(self._message), bytearray(), None
                if self._is_text:
                    return _frame(_TEXT, whole)

    def _add(self, payload: bytes, *, begins: bool) -> None:
        if begins is (self._ends is not None):
            raise BadFrame("a message began within another, or went on without a beginning")
        if len(self._message) + len(payload) > self._bounds.largest:
            raise BadFrame(self._too_large)
        self._ends = self._ends or self._ticks() + self._bounds.whole
        self._message += payload

    @property
    def _too_slow(self) -> str:
        return f"a message was not whole within {self._bounds.whole:g} seconds"

    @property
    def _too_large(self) -> str:
        return f"a message has more than {self._bounds.largest:,} bytes"

    def _frame(self) -> tuple[bool, int, bytes]:
        """The next frame: whether it is the last of its message, its code, and what it carries."""
        if self._ends is not None and self._ticks() > self._ends:
            raise BadFrame(self._too_slow)
        if not self._rest:
            self._rest = self._wire.read(self._bounds.begins)
        until = self._ends or self._ticks() + self._bounds.whole
        first, second = self._bytes(2, until)
        code, control = first & 0x0F, first & 0x08
        if first & _RESERVED or second & _MASKED or code not in _KNOWN or (control and not first & _FINAL):
            raise BadFrame("what came is not a frame of a web socket")
        size = second & ~_MASKED
        if size > _LARGEST_CONTROL:
            size = int.from_bytes(self._bytes(2 if size == _LARGEST_CONTROL + 1 else 8, until), "big")
            if control:
                raise BadFrame("a control frame is too large")
        if size > self._bounds.largest:
            raise BadFrame(self._too_large)
        return bool(first & _FINAL), code, self._bytes(size, until)

    def _bytes(self, size: int, until: float) -> bytes:
        """The next bytes, all of them by then."""
        parts, have = [self._rest], len(self._rest)
        while have < size:
            try:
                part = self._wire.read(max(until - self._ticks(), 0.0))
            except TimeoutError:
                raise BadFrame(self._too_slow) from None
            parts.append(part)
            have += len(part)
        content = b"".join(parts)
        self._rest = content[size:]
        return content[:size]


def _frame(code: int, payload: bytes) -> bytes:
    size = len(payload)
    if size <= _LARGEST_CONTROL:
        return bytes([_FINAL | code, size]) + payload
    if size < 2**16:
        return bytes([_FINAL | code, 126]) + size.to_bytes(2, "big") + payload
    return bytes([_FINAL | code, 127]) + size.to_bytes(8, "big") + payload
