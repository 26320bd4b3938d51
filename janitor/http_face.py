"""What the service shows over HTTP: `/metrics` for Prometheus, and `/healthz` for whoever restarts or alarms."""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from janitor.errors import UsageError
from janitor.units import iso

_log = logging.getLogger("janitor.http_face")


@contextmanager
def showing(
    host: str, port: int, metrics: Callable[[], CollectorRegistry], missed: Callable[[], datetime | None]
) -> Iterator[int]:
    """Answer on this address, in a thread, for the length of the block; gives the port. Port 0 is any free one.

    `missed` tells when a run was due that did not happen. Raises UsageError if the address cannot be had.
    """
    with _bound(host, port) as listener:
        server = uvicorn.Server(_config(_application(metrics, missed)))
        with _in_thread(server, listener):
            bound = int(listener.getsockname()[1])
            _log.info("metrics-listening host=%s port=%d", host, bound)
            yield bound


def _application(metrics: Callable[[], CollectorRegistry], missed: Callable[[], datetime | None]) -> ASGIApp:
    async def show_metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(metrics()), headers={"Content-Type": content_type})

    async def show_health(_request: Request) -> Response:
        since = missed()
        if since is None:
            return PlainTextResponse("ok\n")
        return PlainTextResponse(f"the run due at {iso(since)} did not happen; the log says why\n", 503)

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
        timeout_graceful_shutdown=1,
    )


@contextmanager
def _in_thread(server: uvicorn.Server, listener: socket.socket) -> Iterator[None]:
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http-face", daemon=True)
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
        yield listener
