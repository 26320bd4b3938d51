"""Proxies on loopback: one of HTTP, which forwards and tunnels, and one of SOCKS 5; both lead to one server."""

import re
import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from tests.raw_server import RawServer


class HttpProxy(RawServer):
    """Forwards requests of http and tunnels those of https to a server, whatever host they name."""

    def __init__(self, server: str, refusal: bytes = b"") -> None:
        super().__init__(self._forward)
        parts = urlsplit(server)
        self._server = (parts.hostname, parts.port)
        self._refusal = refusal

    def _forward(self, connection: socket.socket) -> None:
        if self._refusal:
            connection.sendall(self._refusal)
            return
        with socket.create_connection(self._server, 10) as onward:
            if self.requests[-1].startswith(b"CONNECT"):
                connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                onward.sendall(_asked_of_server(self.requests[-1]))
            _join(connection, onward)


class SocksProxy(RawServer):
    """Connects to a server, whatever host is named; `names` are those."""

    def __init__(self, server: str, *, password: bytes = b"") -> None:
        super().__init__(self._serve_socks)
        parts = urlsplit(server)
        self._server = (parts.hostname, parts.port)
        self._password = password
        self.names: list[str] = []

    def _serve_socks(self, connection: socket.socket) -> None:
        if self._password:
            connection.sendall(b"\x05\x02")
            accepted = self._password in connection.recv(1024)
            connection.sendall(b"\x01\x00" if accepted else b"\x01\x01")
        else:
            connection.sendall(b"\x05\x00")
        asked = connection.recv(1024)
        self.names.append(asked[5 : 5 + asked[4]].decode() if asked[3:4] == b"\x03" else socket.inet_ntoa(asked[4:8]))
        with socket.create_connection(self._server, 10) as onward:
            connection.sendall(b"\x05\x00\x00\x01\x7f\0\0\x01\0\0")
            _join(connection, onward)


def _asked_of_server(said: bytes) -> bytes:
    """A request to a proxy names the whole URL, the same to a server the path alone; anything else stays as it is."""
    return re.sub(rb"\A([A-Z]+) http://[^/ ]+", rb"\1 ", said)


def _join(one: socket.socket, other: socket.socket) -> None:
    """Carry what either says to the other until one of them hangs up."""
    back = threading.Thread(target=_carry, args=(other, one), daemon=True)
    back.start()
    _carry(one, other)
    back.join(10)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while said := source.recv(65536):
            target.sendall(_asked_of_server(said))
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
