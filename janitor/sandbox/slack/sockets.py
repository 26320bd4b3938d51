"""Socket Mode: the sockets that the app has open, what is sent over them, and how they fail.

Messages: docs.slack.dev/apis/events-api/using-socket-mode. Slack sends an envelope to one of the open sockets, and to
none where none is open.
"""

import json
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import chain, count
from typing import Any, Protocol

from janitor.sandbox.slack.clicks import Click
from janitor.sandbox.slack.people import APP

_MOST_SOCKETS = 10
_TEXT, _FINAL = 0x1, 0x80
_GARBAGE = bytes(range(0xF3, 0x100)) * 8


class Line(Protocol):
    """How bytes reach the app; each raises OSError where it is gone."""

    def text(self, text: str) -> None:
        """Send a message."""

    def raw(self, pieces: Iterable[bytes]) -> None:
        """Send these bytes, whatever they mean, and nothing between them."""

    def ping(self, payload: bytes) -> None:
        """Send a ping."""

    def close(self) -> None:
        """Close it as web sockets are closed."""

    def cut(self) -> None:
        """Close it without a word."""


class Socket:
    """One open socket of the app.

    `deaf`: it stands, and nothing is answered or sent any more, pings included. `said` is every message of the app,
    `pongs` the payloads of its pongs.
    """

    def __init__(self, line: Line, leave: Callable[["Socket"], None]) -> None:
        self._line = line
        self._leave = leave
        self.deaf = False
        self.said: list[str] = []
        self.pings: list[bytes] = []
        self.pongs: list[bytes] = []

    def say(self, text: str) -> bool:
        """Send a message, as it is; whether it went out."""
        return self._sent(lambda: self._line.text(text))

    def ping(self, payload: bytes = b"from slack") -> bool:
        """Send a ping."""
        return self._sent(lambda: self._line.ping(payload))

    def disconnect(self, reason: str = "warning", *, closes: bool | None = None) -> None:
        """Say that this socket will be closed (`warning`), and close it at once for any other reason.

        Slack's reasons are `warning`, `refresh_requested`, `link_disabled` and `too_many_websockets`.
        """
        self.say(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "stand-in"}}))
        if closes if closes is not None else reason != "warning":
            self.close()

    def silence(self) -> None:
        """From now on nothing comes, and no ping is answered; the connection stands."""
        self.deaf = True

    def half_frame(self, text: str = "x" * 1_000) -> None:
        """Send the first half of a message, and nothing after it: the socket is deaf."""
        octets = text.encode()
        self.silence()
        with suppress(OSError):
            self._line.raw([_head(len(octets)) + octets[: len(octets) // 2]])

    def oversized(self, size: int = 64 * 2**20, piece: int = 2**16) -> bool:
        """Send a message of that many bytes, or as much of it as the app takes; whether it took all."""
        pieces = (b" " * min(piece, size - start) for start in range(0, size, piece))
        return self._sent(lambda: self._line.raw(chain([_head(size)], pieces)))

    def garbage(self, octets: bytes = _GARBAGE) -> None:
        """Send bytes that are no frame."""
        self._sent(lambda: self._line.raw([octets]))

    def close(self) -> None:
        """Close it, with a close frame."""
        self._leave(self)
        with suppress(OSError):
            self._line.close()

    def die(self) -> None:
        """The connection is reset."""
        self._leave(self)
        with suppress(OSError):
            self._line.cut()

    def _sent(self, send: Callable[[], None]) -> bool:
        """Whether it went out, as far as this side knows: into a deaf socket everything does."""
        if self.deaf:
            return True
        try:
            send()
        except OSError:
            self._leave(self)
            return False
        return True


class Sockets:
    """All sockets of the app. `open` are those that stand, `ever` counts all that were opened."""

    def __init__(self, address: str) -> None:
        self._address = address.replace("http", "ws", 1)
        self._changed = threading.Condition()
        self._tickets: set[str] = set()
        self._numbers = count(1)
        self._clicks: dict[str, Click] = {}
        self.open: list[Socket] = []
        self.ever = 0
        self.refuses = False
        self.unknown: list[str] = []

    def address(self) -> str:
        """An address at which one socket may be opened."""
        ticket = f"ticket-{next(self._numbers):06d}"
        self._tickets.add(ticket)
        return f"{self._address}/link/?ticket={ticket}&app_id={APP}"

    def admits(self, ticket: str) -> bool:
        """Whether a socket may be opened with this ticket, which is then used up."""
        with self._changed:
            known = ticket in self._tickets
            self._tickets.discard(ticket)
        return known and not self.refuses

    def attach(self, line: Line) -> Socket:
        """A socket that was opened; it is greeted."""
        socket = Socket(line, self.detach)
        with self._changed:
            crowded = len(self.open) >= _MOST_SOCKETS
            self.open.append(socket)
            self.ever += 1
            socket.say(self._hello())
            socket.ping()
            self._changed.notify_all()
        if crowded:
            socket.disconnect("too_many_websockets")
        return socket

    def detach(self, socket: Socket) -> None:
        """A socket is gone."""
        with self._changed:
            if socket in self.open:
                self.open.remove(socket)
            self._changed.notify_all()

    def wait_for(self, opened: int, seconds: float = 30) -> bool:
        """Wait until exactly that many are open, at most for that time; whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.open) == opened, seconds)

    def wait_for_ever(self, opened: int, seconds: float = 30) -> bool:
        """Wait until that many have been opened in all, those that are gone included; whether they were."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ever >= opened, seconds)

    def deliver(self, click: Click) -> Socket | None:
        """Send a click over one of the sockets, each in its turn; None where none is open, and it is lost."""
        self._clicks[click.envelope_id] = click
        click.tried = True
        while True:
            with self._changed:
                if not self.open:
                    return None
                socket = self.open.pop(0)
                self.open.append(socket)
            click.sent.append(click.clock())
            if socket.say(click.envelope):
                return socket
            click.sent.pop()

    def hear(self, socket: Socket, text: str) -> None:
        """The app says something over a socket: an acknowledgement, else it is kept in `unknown`."""
        socket.said.append(text)
        answer = _object(text)
        click = self._clicks.get(str(answer.get("envelope_id")))
        if click is None:
            self.unknown.append(text)
        else:
            click.hear(answer.get("payload"))

    def _hello(self) -> str:
        about = {"host": "stand-in", "build_number": 1, "approximate_connection_time": 3_600}
        hello = {"type": "hello", "num_connections": len(self.open), "debug_info": about}
        return json.dumps({**hello, "connection_info": {"app_id": APP}})


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _head(size: int) -> bytes:
    """The beginning of a text frame of that size (RFC 6455, section 5.2)."""
    if size < 126:
        return bytes([_FINAL | _TEXT, size])
    if size < 2**16:
        return bytes([_FINAL | _TEXT, 126]) + size.to_bytes(2, "big")
    return bytes([_FINAL | _TEXT, 127]) + size.to_bytes(8, "big")
