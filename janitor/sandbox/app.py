"""The sandbox as a starlette application: routes, the log of requests, and a hook around each answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from janitor.sandbox.api import Asked, Endpoint, ServedApi
from janitor.sandbox.control import faults_route
from janitor.sandbox.faults.injector import FaultInjector
from janitor.sandbox.options import Options
from janitor.sandbox.request_log import Call, RequestLog

Hook = Callable[[Call, Callable[[], Awaitable[Response]]], Awaitable[Response]]
"""Sees each call before and after it is answered, faults included; may delay, replace or withhold the answer."""


@dataclass(frozen=True, slots=True)
class _Desk:
    """What all endpoints share."""

    api: ServedApi
    options: Options
    log: RequestLog
    injector: FaultInjector
    hook: Hook | None


class _Application:
    """One call of the API as an ASGI application; the account is asked, and the request recorded, here."""

    def __init__(self, endpoint: Endpoint, desk: _Desk) -> None:
        self._endpoint = endpoint
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = await _asked(Request(scope, receive))
        call = self._call(asked)
        if self._desk.options.latency:
            await asyncio.sleep(self._desk.options.latency.total_seconds())
        response = await self._recorded(call, asked)
        now = self._endpoint.account.clock().astimezone(UTC)
        response.headers.setdefault("date", format_datetime(now, usegmt=True))
        await response(scope, receive, send)

    def _call(self, asked: Asked) -> Call:
        name, path = self._endpoint.name, self._desk.api.shown(asked.url_path)
        ordinal = self._desk.log.ordinal(name)
        return Call(name, ordinal, asked.method, path, asked.query, self._endpoint.image(asked))

    async def _recorded(self, call: Call, asked: Asked) -> Response:
        code: int | None = None
        faults: tuple[str, ...] = ()

        async def answer(clock_off: timedelta, *, cell_down: bool = False) -> Response:
            nonlocal code
            wrong = clock_off or cell_down
            told = replace(asked, clock_off=clock_off, cell_down=cell_down) if wrong else asked
            reply = self._endpoint.answer(told)
            code = reply.code
            return reply.response

        async def struck() -> Response:
            nonlocal faults
            response, faults = await self._desk.injector.answer(call, self._endpoint, asked, answer)
            return response

        try:
            return await (struck() if self._desk.hook is None else self._desk.hook(call, struck))
        finally:
            self._desk.log.add(call.answered(code, self._endpoint.account.clock(), faults))


async def _asked(request: Request) -> Asked:
    return Asked(
        request.method,
        request.url.path,
        request.path_params,
        dict(request.query_params),
        request.query_params.multi_items(),
        {name.lower(): value for name, value in request.headers.items()},
        await request.body(),
    )


def make_app(
    api: ServedApi, options: Options, log: RequestLog, injector: FaultInjector, hook: Hook | None = None
) -> Starlette:
    """The application: the answers of an API, except for faults.

    They are read and set outside the API, at /sandbox/faults.
    """
    desk = _Desk(api, options, log, injector, hook)
    *known, unknown = (_route(endpoint, desk) for endpoint in api.endpoints)
    return Starlette(routes=[*known, faults_route(injector, options.api), unknown])


def _route(endpoint: Endpoint, desk: _Desk) -> Route:
    route = Route(endpoint.path, _Application(endpoint, desk))
    route.methods = None if endpoint.method is None else {endpoint.method}  # starlette would allow HEAD with GET
    return route
