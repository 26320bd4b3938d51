"""A small HTTP server on loopback that answers as a test scripts it, faults included."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; `path` is the raw one, without the query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answered:
    """One answer. `dropped` closes the connection without one; `cut` closes it after so many bytes of the body.

    `dripped` sends the answer, head included, in bits with so many seconds between them, until someone hangs up;
    `held` waits for that event before answering.
    """

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    dropped: bool = False
    cut: int | None = None
    dripped: float | None = None
    held: threading.Event | None = None

    @property
    def payload(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()

    @property
    def length(self) -> str:
        return str(len(self.payload))


Answerer = Callable[[Asked], Answered]


def in_turn(*answers: Answered) -> Answerer:
    """Each answer once, the last one repeatedly."""
    rest = list(answers)
    return lambda asked: rest.pop(0) if len(rest) > 1 else rest[0]


class Loopback:
    """The server, for the length of a `with`; remembers its requests, in order, and counts the connections.

    With a context it speaks TLS.
    """

    def __init__(self, answer: Answerer, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.connections = 0
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.loopback = self
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "http" if tls is None else "https"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.002}, daemon=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def paths(self) -> list[str]:
        return [f"{asked.method} {asked.path}" for asked in self.asked]

    def __enter__(self) -> "Loopback":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    loopback: Loopback


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        self.server.loopback.connections += 1
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the client hung up, which some tests are about

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        asked = Asked(self.command, parts.path, query, {k.lower(): v for k, v in self.headers.items()}, body)
        self.server.loopback.asked.append(asked)
        self._send(self.server.loopback.answer(asked))

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the names that the standard library asks for

    def _send(self, answer: Answered) -> None:
        if answer.held is not None:
            answer.held.wait(10)
        self.close_connection = answer.dropped or answer.cut is not None or answer.dripped is not None
        if answer.dropped:
            return
        headers = {"Content-Type": "application/json", "Content-Length": answer.length, **answer.headers}
        head = f"HTTP/1.1 {answer.status} Scripted\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
        whole = head.encode() + answer.payload[: answer.cut]
        self._write(whole if answer.dripped is None else (bytes([byte]) for byte in whole), answer.dripped or 0)

    def _write(self, bits: bytes | Iterable[bytes], pause: float) -> None:
        for bit in [bits] if isinstance(bits, bytes) else bits:
            self.wfile.write(bit)
            if pause:
                time.sleep(pause)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the standard library asks for
        """Silence: what was asked is in `Loopback.asked`."""
