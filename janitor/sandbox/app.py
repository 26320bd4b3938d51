"""The sandbox as an ASGI application: routes, the log of requests, and a hook around each answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, timedelta
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from janitor.clock import utc_now
from janitor.sandbox.api import Asked, Endpoint
from janitor.sandbox.control import Controlled, control_routes
from janitor.sandbox.faults.injector import FaultyResponse
from janitor.sandbox.members import Member
from janitor.sandbox.members.many import PREFIX, Members
from janitor.sandbox.options import Options
from janitor.sandbox.request_log import Arrival, Call, shown_headers

Hook = Callable[[Call, Callable[[], Awaitable[Response]]], Awaitable[Response]]
"""Sees each call before and after it is answered, faults included; may delay, replace or withhold the answer."""

_NOWHERE = "this sandbox has many accounts, each below /accounts/NAME, and none is here"


class _Application:
    """One call of the API as an ASGI application; the account is asked, and the request recorded, here.

    It is the call at that place among those of any account, which the scope has as `sandbox`.
    """

    def __init__(self, place: int, hook: Hook | None) -> None:
        self._place = place
        self._hook = hook

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived_at, member = utc_now(), scope["sandbox"]
        endpoint: Endpoint = member.api.endpoints[self._place]
        request = Request(scope, receive)
        asked = await _asked(request)
        arrival = Arrival(arrived_at, request.client.port if request.client else 0, shown_headers(asked.headers))
        call = _call(member, endpoint, asked, arrival)
        if member.options.latency:
            await asyncio.sleep(member.options.latency.total_seconds())
        response = await self._recorded(call, asked, endpoint, member)
        now = endpoint.account.clock().astimezone(UTC)
        response.headers.setdefault("date", format_datetime(now, usegmt=True))
        await response(scope, receive, send)

    async def _recorded(self, call: Call, asked: Asked, endpoint: Endpoint, member: Member) -> Response:
        code: int | None = None
        status: int | None = None
        faults: tuple[str, ...] = ()

        async def answer(clock_off: timedelta, *, cell_down: bool = False) -> Response:
            nonlocal code
            wrong = clock_off or cell_down
            told = replace(asked, clock_off=clock_off, cell_down=cell_down) if wrong else asked
            reply = endpoint.answer(told)
            code = reply.code
            return reply.response

        async def struck() -> Response:
            nonlocal faults
            response, faults = await member.injector.answer(call, endpoint, asked, answer)
            return response

        try:
            response = await (struck() if self._hook is None else self._hook(call, struck))
            status = _status_of(response)
            return response
        finally:
            member.log.add(call.answered(code, status, endpoint.account.clock(), utc_now(), faults))


def _call(member: Member, endpoint: Endpoint, asked: Asked, arrival: Arrival) -> Call:
    name, path = endpoint.name, member.api.shown(asked.url_path)
    ordinal, image = member.log.ordinal(name), endpoint.image(asked)
    return Call(member.name, name, ordinal, asked.method, path, asked.query, image, arrival)


def _status_of(response: Response) -> int | None:
    """The status that is sent; None where the connection is closed without one."""
    sends_nothing = isinstance(response, FaultyResponse) and not response.part
    return None if sends_nothing else response.status_code


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


def make_app(members: Members, options: Options, hook: Hook | None = None) -> ASGIApp:
    """The application: the answers of each account, except for faults.

    These are read and set outside the API, at /sandbox/faults, of all accounts or below the path of one.
    """
    # All accounts have the same calls at the same places: so their paths are read once, not for each of thousands.
    first = members[next(iter(members))]
    *known, unknown = (_route(place, endpoint, hook) for place, endpoint in enumerate(first.api.endpoints))
    served = Starlette(routes=[*known, *control_routes(options.api), unknown])
    return _with(first, served) if options.accounts is None else _Front(members, served, options)


def _route(place: int, endpoint: Endpoint, hook: Hook | None) -> Route:
    route = Route(endpoint.path, _Application(place, hook))
    route.methods = None if endpoint.method is None else {endpoint.method}  # starlette would allow HEAD with GET
    return route


def _with(sandbox: Controlled, served: ASGIApp) -> ASGIApp:
    """The application over that account, or all."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await served({**scope, "sandbox": sandbox}, receive, send)

    return application


class _Front:
    """Hands a request to the account that its path names, as if nothing else was there."""

    def __init__(self, members: Members, served: ASGIApp, options: Options) -> None:
        self._members = members
        self._served = served
        nowhere = Route("/{path:path}", _nowhere)
        nowhere.methods = None
        self._whole = _with(members, Starlette(routes=[*control_routes(options.api), nowhere]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, slash, rest = scope["path"].removeprefix(PREFIX).partition("/")  # the name of any other path is empty
        if name in self._members:
            inner = {**scope, "path": slash + rest, "sandbox": self._members[name]}
            await self._served(inner, receive, send)
        else:
            await self._whole(scope, receive, send)


async def _nowhere(_request: Request) -> Response:
    """Not 404: a deletion would take that for an image that is gone."""
    return Response(f"{_NOWHERE}\n", 421, media_type="text/plain")
