"""Sockets bounded by the deadline of their request: resolving, connecting, TLS, every read and write."""

import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future, InvalidStateError, wait
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import httpcore

from janitor.transport.deadline import present_deadline

T = TypeVar("T")

_CONNECT_WITHIN = 10.0  # to one address; a name may have several
_AT_ONCE = 64 * 1024

HAS_READ = "has_read"
"""What our streams report besides what httpcore asks for: whether anything was read since the last write."""
SOCKET = "socket"
"""And the socket, to wait on."""


class BoundedNetwork(httpcore.NetworkBackend):
    """Connections whose every wait ends at the deadline of this thread's request.

    httpcore's timeouts are for single waits, and therefore ignored. `close` closes what it left open.
    """

    def __init__(self) -> None:
        self._open: set[_Stream] = set()

    def close(self) -> None:
        """Close all connections."""
        for stream in tuple(self._open):
            stream.close()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect. Raises ConnectTimeout and ConnectError, also if the name cannot be resolved."""
        try:
            connection = _connected(host, port)
            for option in socket_options or ():
                connection.setsockopt(*option)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("") from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return _Stream(connection, self._open)


def _connected(host: str, port: int) -> socket.socket:
    """A connection, made in a thread that can be abandoned: nothing bounds how long the resolver takes for a name."""
    future = Future[socket.socket]()

    def connect() -> None:
        try:
            connection = socket.create_connection((host, port), _CONNECT_WITHIN)
        except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
            with suppress(InvalidStateError):
                future.set_exception(error)
            return
        try:
            future.set_result(connection)
        except InvalidStateError:
            connection.close()  # nobody waits for it any longer

    threading.Thread(target=connect, name="connect", daemon=True).start()
    deadline = present_deadline()
    while not future.done() and deadline.left() > 0:
        wait((future,), deadline.slice())
    future.cancel()
    try:
        return future.result()
    except CancelledError:
        raise TimeoutError from None


class _Tracked(httpcore.NetworkStream):
    """A stream that knows whether anything was read since the last write."""

    _has_read = False

    def _send_all(self, buffer: bytes, send: Callable[[memoryview], int]) -> None:
        self._has_read = False
        rest = memoryview(buffer)
        while rest:
            rest = rest[send(rest[:_AT_ONCE]) :]


class _Stream(_Tracked):
    """One TCP connection; it is in `open_` until it is closed."""

    def __init__(self, connection: socket.socket, open_: "set[_Stream]") -> None:
        self._connection = connection
        self._open = open_
        open_.add(self)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """The available data, at most so much; nothing at the end."""
        self._has_read = True
        try:
            return _in_time(self._connection, partial(self._connection.recv, max_bytes))
        except TimeoutError as error:
            raise httpcore.ReadTimeout("") from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Send all of it."""
        try:
            self._send_all(buffer, lambda part: _in_time(self._connection, partial(self._connection.send, part)))
        except TimeoutError as error:
            raise httpcore.WriteTimeout("") from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._open.discard(self)
        self._connection.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted from here on."""
        return _encrypted(self, ssl_context, server_hostname)

    def get_extra_info(self, info: str) -> Any:
        """Facts about a connection. For httpcore: whether there is something to read, which ends an idle one.

        And whether anything was read since the last write, and the socket.
        """
        if info == HAS_READ:
            return self._has_read
        if info == SOCKET:
            return self._connection
        return _is_readable(self._connection) if info == "is_readable" else None


def _in_time(connection: socket.socket, act: Callable[[], T]) -> T:
    """What this reads or writes. The deadline is checked first, as data may always be available.

    Raises TimeoutError.
    """
    deadline = present_deadline()
    while (patience := deadline.slice()) > 0:
        connection.settimeout(patience)
        with suppress(TimeoutError):
            return act()
    raise TimeoutError


def _is_readable(connection: socket.socket) -> bool:
    if connection.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


class _Encrypted(_Tracked):
    """TLS over another stream, which bounds it; that one may itself be encrypted, on the way to a proxy."""

    def __init__(self, stream: httpcore.NetworkStream, context: ssl.SSLContext, hostname: str | None) -> None:
        self._stream = stream
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=hostname)

    def handshake(self) -> None:
        """Do the TLS handshake. Raises ssl.SSLError, and what the stream raises."""
        self._do(self._tls.do_handshake)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """The available data, at most so much; nothing at the end."""
        self._has_read = True
        try:
            return self._do(partial(self._tls.read, max_bytes))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except ssl.SSLError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Send all of it."""
        try:
            self._send_all(buffer, lambda part: self._do(partial(self._tls.write, part)))
        except ssl.SSLError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted once more."""
        return _encrypted(self, ssl_context, server_hostname)

    def get_extra_info(self, info: str) -> Any:
        """Facts about a connection: the negotiated protocol, and what the stream reports."""
        if info == HAS_READ:
            return self._has_read
        return self._tls if info == "ssl_object" else self._stream.get_extra_info(info)

    def _do(self, act: Callable[[], T]) -> T:
        while True:
            try:
                done = act()
            except ssl.SSLWantReadError:
                self._flush()
                received = self._stream.read(_AT_ONCE)
                if received:
                    self._incoming.write(received)
                else:
                    self._incoming.write_eof()
            else:
                self._flush()
                return done

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._stream.write(self._outgoing.read())


def _encrypted(stream: httpcore.NetworkStream, context: ssl.SSLContext, hostname: str | None) -> httpcore.NetworkStream:
    """The stream with TLS over it. Raises ConnectTimeout and ConnectError: nothing of the request has been sent yet."""
    encrypted = _Encrypted(stream, context, hostname)
    try:
        encrypted.handshake()
    except (httpcore.ReadTimeout, httpcore.WriteTimeout) as error:
        stream.close()
        raise httpcore.ConnectTimeout("") from error
    except (httpcore.NetworkError, OSError) as error:
        stream.close()
        raise httpcore.ConnectError(str(error)) from error
    return encrypted
