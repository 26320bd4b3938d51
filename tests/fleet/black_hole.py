"""A proxy on loopback that can stop answering without hanging up, as a network that lost its way does."""

import socket
import threading
from contextlib import suppress
from typing import Self


class Proxy:
    """Forwards to a port of 127.0.0.1 until it is told to stop answering; what arrives meanwhile is kept for later."""

    def __init__(self, onward: int) -> None:
        self._onward = onward
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._answers = threading.Event()
        self._answers.set()
        self._over = False
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def stop_answering(self) -> None:
        self._answers.clear()

    def answer(self) -> None:
        self._answers.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._onward))
                except OSError:  # as while PostgreSQL restarts
                    client.close()
                    continue
                self._open += [client, server]
                for source, sink in ((client, server), (server, client)):
                    thread = threading.Thread(target=self._pump, args=(source, sink), daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while read := source.recv(65536):
                self._answers.wait()
                if self._over:
                    return
                sink.sendall(read)
            sink.shutdown(socket.SHUT_WR)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._answers.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in self._open:
            each.close()
