"""A server of raw sockets on loopback: each connection is given to a script, which may send whatever bytes it likes."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self

Script = Callable[[socket.socket], object]


class RawServer:
    """A server for the length of a `with`; `requests` are the heads that arrived, one a connection."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._open: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return "http://{}:{}".format(*self._listening.getsockname())

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._open.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            self.requests.append(connection.recv(65536))
            self._script(connection)

    def endlessly(self, bits: bytes, pause: float = 0, head: bytes = b"") -> None:
        """From now on the script is this: after the head, these bytes again and again until somebody hangs up."""

        def script(connection: socket.socket) -> None:
            connection.sendall(head)
            while not self.over.wait(pause):
                connection.sendall(bits)

        self._script = script

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)


def saying(answer: bytes) -> Script:
    """Sends this, and hangs up."""
    return lambda connection: connection.sendall(answer)


@contextmanager
def endless(bits: bytes, pause: float = 0, head: bytes = b"") -> Iterator[RawServer]:
    """A server that sends these bytes after the head, again and again."""
    with RawServer(lambda _: None) as server:
        server.endlessly(bits, pause, head)
        yield server
