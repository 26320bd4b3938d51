"""A sandbox without sockets: what an httpx client sends reaches the application by a call, and nothing really waits.

For simulations of many nights. Everything else is as it is behind a socket, faults included.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
from starlette.types import ASGIApp, Message, Receive

from janitor.clock import utc_now
from janitor.sandbox.app import Hook
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox, furnished

_ORIGIN = "http://sandbox.invalid"
_DEFAULTS = Options()


def in_process(
    options: Options = _DEFAULTS, clock: Callable[[], datetime] = utc_now, hook: Hook | None = None
) -> tuple[Sandbox, httpx.BaseTransport]:
    """A sandbox, and the transport by which an httpx client reaches its `url`; there is nothing to close.

    The transport may be used from many threads. A delay costs no time: one longer than the client's read timeout is a
    timeout at once, any other is none. The options' latency does not count, and a `hook` must not wait.
    """
    sandbox, app = furnished(replace(options, latency=timedelta()), _ORIGIN, clock, hook)
    return sandbox, _Transport(app)


class _Transport(httpx.BaseTransport):
    """Hands each request to an ASGI application, in the thread that sends it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange(request.read(), request.extensions.get("timeout", {}).get("read"))
        _finish(self._app(_scope(request, exchange), exchange.receive, exchange.send))
        return exchange.response(request)


def _scope(request: httpx.Request, exchange: "_Exchange") -> dict[str, Any]:
    raw_path, _, query = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (request.url.host, request.url.port or 80),
        "client": ("127.0.0.1", 0),
        "state": {"line": exchange},
    }


def _finish(run: Any) -> None:
    """Run a coroutine to its end without an event loop."""
    coroutine: Coroutine[Any, Any, None] = run
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("a sandbox without sockets has no event loop: nothing in it may wait")


@dataclass
class _Exchange:
    """One request and what comes back; the `Line` that the application sees."""

    content: bytes
    patience: float | None
    status: int | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    closed: bool = False
    timed_out: bool = False
    asked: bool = False

    async def receive(self) -> Message:
        if self.asked:
            return {"type": "http.disconnect"}
        self.asked = True
        return {"type": "http.request", "body": self.content, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")

    def hang_up(self) -> None:
        self.closed = True

    async def hold(self, _receive: Receive, seconds: float) -> None:
        self.timed_out = self.patience is not None and seconds > self.patience

    def response(self, request: httpx.Request) -> httpx.Response:
        """What the client gets. Raises what httpx raises for a connection that was closed, or for silence."""
        if self.timed_out:
            raise httpx.ReadTimeout("timed out", request=request)
        if self.status is None:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        if self.closed:
            raise httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body", request=request
            )
        return httpx.Response(self.status, headers=self.headers, content=self.body, request=request)
