"""What the service offers over HTTP: `/metrics` for Prometheus, and `/healthz` for restarts and alarms."""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from janitor.core.units import iso
from janitor.errors import UsageError

_log = logging.getLogger("janitor.monitoring.http_face")

_WHEN_NONE_CAN_BE_HAD = 1.0  # seconds until it is tried again


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits for clients: connections at once, the time until a request's head is read, and until it is answered.

    Every file descriptor that they hold is one fewer for a run.
    """

    connections: int = 64
    head: timedelta = timedelta(seconds=5)
    answer: timedelta = timedelta(seconds=5)


_BOUNDS = Bounds()


@contextmanager
def showing(
    host: str,
    port: int,
    metrics: Callable[[], CollectorRegistry],
    missed: Callable[[], datetime | None],
    bounds: Bounds = _BOUNDS,
) -> Iterator[int]:
    """Answer on this address, in a thread, until the block ends; gives the port. Port 0 is any free one.

    `missed` says when a run was due that did not happen. A connection is for one request, and ends when its time is up;
    one too many is closed at once. Raises UsageError if the address is not available.
    """
    with _bound(host, port) as listener:
        server = _Server(_config(_application(metrics, missed)), listener, bounds)
        with _in_thread(server):
            bound = int(listener.getsockname()[1])
            _log.info("metrics-listening host=%s port=%d", host, bound)
            yield bound


def _application(metrics: Callable[[], CollectorRegistry], missed: Callable[[], datetime | None]) -> ASGIApp:
    def show_metrics(request: Request) -> Response:  # in a thread: it may read the database
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(metrics()), headers={"Content-Type": content_type})

    async def show_health(_request: Request) -> Response:
        since = missed()
        if since is None:
            return PlainTextResponse("ok\n")
        return PlainTextResponse(f"the run due at {iso(since)} did not run: see the log\n", 503)

    return Starlette(routes=[Route("/metrics", show_metrics), Route("/healthz", show_health)])


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        headers=[("Connection", "close")],
        timeout_graceful_shutdown=1,
    )


class _Connection(H11Protocol):
    """One connection, which ends when its time is up: uvicorn itself waits forever for a first request."""

    def __init__(self, bounds: Bounds, config: uvicorn.Config, state: ServerState) -> None:
        super().__init__(config, state, {})
        self._bounds = bounds
        self._end: asyncio.TimerHandle | None = None
        self._asked = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._end_in(self._bounds.head)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self._asked:
            self._asked = True
            self._end_in(self._bounds.answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)

    def _end_in(self, term: timedelta) -> None:
        if self._end is not None:
            self._end.cancel()
        self._end = self.loop.call_later(term.total_seconds(), self.transport.abort)


class _Server(uvicorn.Server):
    """Accepts one connection after the other: asyncio's own servers accept all that are waiting at once."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket, bounds: Bounds) -> None:
        super().__init__(config)
        self._listener = listener
        self._bounds = bounds
        self._accepting: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - the library's name
        await super().startup([])
        self._accepting = asyncio.create_task(self._accept())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
        await super().shutdown(sockets)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError as error:  # no descriptors left, or the client has gone already
                _log.warning("connection-not-accepted: %s", error.strerror)
                await asyncio.sleep(_WHEN_NONE_CAN_BE_HAD)
                continue
            if len(self.server_state.connections) < self._bounds.connections:
                await self._hand_over(connection)
            else:
                connection.close()
                _log.warning("connection-refused: %d are open, the limit", self._bounds.connections)
                await asyncio.sleep(0)  # let other tasks run

    async def _hand_over(self, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: _Connection(self._bounds, self.config, self.server_state), connection
            )
        except OSError as error:
            connection.close()
            _log.warning("connection-lost: %s", error.strerror)


@contextmanager
def _in_thread(server: uvicorn.Server) -> Iterator[None]:
    thread = threading.Thread(target=server.run, name="http-face", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise UsageError(f"cannot listen on port {port} of {host} for --metrics-port: {why}") from error
    with listener:
        listener.setblocking(False)
        yield listener
