"""A web socket over a connection that an HTTP server has accepted: RFC 6455 as wsproto knows it, and what breaks it."""

import os
import socket
import struct
import threading
from collections.abc import Iterable
from contextlib import suppress
from io import BufferedIOBase

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Event, Ping, Pong, Request, TextMessage
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from janitor.sandbox.slack.sockets import Socket, Sockets

_RESET = struct.pack("ii", 1, 0)
_PIECE = 2**16


class Wire:
    """One web socket; it can be written to from any thread."""

    def __init__(self, connection: socket.socket, reader: BufferedIOBase) -> None:
        self._connection = connection
        self._reader = reader
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._writing = threading.Lock()
        self._heard = ""
        self._is_cut = False

    def serve(self, path: str, headers: Iterable[tuple[str, str]], sockets: Sockets) -> None:
        """Accept the upgrade that was asked for, and listen until the socket is gone."""
        asked = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        try:
            self._protocol.initiate_upgrade_connection(asked, path)
            assert any(isinstance(event, Request) for event in self._protocol.events())
            self._send(AcceptConnection())
        except (RemoteProtocolError, OSError):
            return
        opened = sockets.attach(self)
        try:
            self._listen(opened, sockets)
        except (RemoteProtocolError, LocalProtocolError, OSError):
            self._connection.close()
        finally:
            sockets.detach(opened)
            if self._is_cut:
                os.close(self._connection.detach())

    def text(self, text: str) -> None:
        """Send a message."""
        self._send(TextMessage(text))

    def raw(self, pieces: Iterable[bytes]) -> None:
        """Send these bytes, whatever they mean, and nothing between them."""
        with self._writing:
            for octets in pieces:
                self._connection.sendall(octets)

    def ping(self, payload: bytes) -> None:
        """Send a ping."""
        self._send(Ping(payload))

    def close(self) -> None:
        """Say so, and close."""
        with suppress(LocalProtocolError):
            self._send(CloseConnection(1000, "stand-in"))
        self._connection.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Reset the connection, which whoever reads from it does on waking up: a reset has no end before it."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._is_cut = True
        self._connection.shutdown(socket.SHUT_RD)

    def _send(self, event: Event) -> None:
        with self._writing:
            self._connection.sendall(self._protocol.send(event))

    def _listen(self, opened: Socket, sockets: Sockets) -> None:
        while octets := self._reader.read1(_PIECE):
            self._protocol.receive_data(octets)
            for event in self._protocol.events():
                if isinstance(event, CloseConnection):
                    self._send(event.response())
                    return
                self._take(event, opened, sockets)

    def _take(self, event: Event, opened: Socket, sockets: Sockets) -> None:
        match event:
            case TextMessage():
                self._heard += event.data
                if event.message_finished:
                    said, self._heard = self._heard, ""
                    sockets.hear(opened, said)
            case Ping():
                opened.pings.append(bytes(event.payload))
                if not opened.deaf:
                    self._send(event.response())
            case Pong():
                opened.pongs.append(bytes(event.payload))
            case _:
                pass
