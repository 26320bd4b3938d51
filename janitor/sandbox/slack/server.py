"""The workspace behind an HTTP server on loopback: the Web API, Socket Mode, and the page to click through it."""

import socket
import struct
import sys
import threading
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from janitor.sandbox.slack.page import routes
from janitor.sandbox.slack.replies import Reply
from janitor.sandbox.slack.workspace import Workspace

_HOST = "127.0.0.1"
_LARGEST_BODY = 32 * 2**20
_LINK = "/link/"
_SECONDS_TO_SEND = struct.pack("ll", 10, 0)
"""A socket into which nothing more goes is gone: an app that does not read holds nobody up for longer."""


class SlackServer(Workspace):
    """A workspace behind a server, on a port of loopback (a free one for 0) while the `with` lasts.

    `names` are those by which it may be asked, so that no page elsewhere can reach it by another one.
    """

    def __init__(self, port: int = 0, poll_seconds: float = 0.5) -> None:
        self._server = _Server((_HOST, port), _Handler)
        super().__init__(f"http://{_HOST}:{self._server.server_port}")
        self._server.workspace = self
        self.names = set(routes.LOOPBACK)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(poll_seconds,), name="slack")

    @property
    def page(self) -> str:
        """The address of the page to look at it."""
        return f"{self.address}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self.sockets.refuses = True
        for opened in list(self.sockets.open):
            opened.die()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    workspace: SlackServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """What went wrong with one connection goes to stderr, unless it is that the other side is gone."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection, which asks once."""

    server: _Server
    timeout = 60

    def do_GET(self) -> None:
        """A call without a body, or a web socket."""
        refusal = routes.refusal_of(self._lines, self._workspace.names)
        if refusal is None and self.headers.get("Upgrade", "").lower() == "websocket":
            self._upgrade()
        else:
            self._give(refusal or routes.shown(self._workspace, self.path, self._lines) or self._answer(b""))

    def do_POST(self) -> None:
        """A call."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LARGEST_BODY:
            self._give(Reply(413 if length else 411, "too long, or of no known length"))
            return
        body, refusal = self.rfile.read(int(length)), routes.refusal_of(self._lines, self._workspace.names)
        self._give(refusal or routes.done(self._workspace, self.path, self._lines, body) or self._answer(body))

    @property
    def _lines(self) -> routes.Headers:
        return {name.lower(): value for name, value in self.headers.items()}

    @property
    def _workspace(self) -> "SlackServer":
        return self.server.workspace

    def _answer(self, body: bytes) -> Reply:
        return self._workspace.answer(self.path, self.headers.get("Authorization"), body)

    def _upgrade(self) -> None:
        from janitor.sandbox.slack.wire import Wire

        asked, sockets = urlsplit(self.path), self._workspace.sockets
        self.close_connection = True
        if asked.path != _LINK or not sockets.admits(parse_qs(asked.query).get("ticket", [""])[0]):
            self._give(Reply(401, "no such ticket"))
            return
        self.connection.settimeout(None)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SECONDS_TO_SEND)
        Wire(self.connection, self.rfile).serve(self.path, self.headers.items(), sockets)

    def _give(self, reply: Reply) -> None:
        if reply.status is None:
            self.close_connection = True
            return
        content, clock = reply.body.encode(errors="replace"), self._workspace.clock
        # Not the time of now, which tests do not go by.
        self.send_response_only(reply.status)
        if clock is not None and "Date" not in reply.headers:
            self.send_header("Date", format_datetime(clock(), usegmt=True))
        for name, value in {"Content-Type": "text/html", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
        """Say nothing on stderr."""
