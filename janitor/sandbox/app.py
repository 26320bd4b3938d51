"""The sandbox as a starlette application: routes, admission, the record of requests, and a hook around each answer."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from janitor.sandbox import wire
from janitor.sandbox.account import Account
from janitor.sandbox.compute_v1 import Asked, ComputeV1
from janitor.sandbox.control import faults_route
from janitor.sandbox.mischief import JSON, Answer, Mischief
from janitor.sandbox.options import Options
from janitor.sandbox.record import Call, Record
from janitor.sandbox.refusals import Refusal

PREFIX = "/compute"
_APPKEYS = f"{PREFIX}/v1.0/appkeys/"
_WITH_APPKEY = re.compile(f"^{re.escape(_APPKEYS)}[^/]*")

Hook = Callable[[Call, Answer], Awaitable[Response]]
"""Sees each call before and after it is answered, faults included; may delay, replace or withhold the answer."""


@dataclass(frozen=True, slots=True)
class _Desk:
    """What all endpoints share."""

    account: Account
    options: Options
    record: Record
    mischief: Mischief
    hook: Hook | None


class _Endpoint:
    """One call of the API as an ASGI application; the account is asked, and the request recorded, here."""

    def __init__(self, name: str, answer: Callable[[Asked], bytes], desk: _Desk) -> None:
        self._name = name
        self._answer = answer
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        asked = Asked(request.path_params, dict(request.query_params), await request.body())
        call = self._call(request, asked)
        if self._desk.options.latency:
            await asyncio.sleep(self._desk.options.latency.total_seconds())
        response = await self._recorded(call, request, asked)
        response.headers.setdefault("date", format_datetime(self._desk.account.clock().astimezone(UTC), usegmt=True))
        await response(scope, receive, send)

    def _call(self, request: Request, asked: Asked) -> Call:
        path = _WITH_APPKEY.sub("", request.url.path)
        image = asked.query.get("id") if self._name == "delete-image" else None
        return Call(self._name, self._desk.record.ordinal(self._name), request.method, path, asked.query, image)

    async def _recorded(self, call: Call, request: Request, asked: Asked) -> Response:
        code: int | None = None
        faults: tuple[str, ...] = ()

        async def answer() -> Response:
            nonlocal code
            code, body = self._code_and_body(request, asked)
            return Response(body, media_type=JSON)

        async def struck() -> Response:
            nonlocal faults
            response, faults = await self._desk.mischief.answer(call, answer)
            return response

        try:
            return await (struck() if self._desk.hook is None else self._desk.hook(call, struck))
        finally:
            self._desk.record.add(call.answered(code, self._desk.account.clock(), faults))

    def _code_and_body(self, request: Request, asked: Asked) -> tuple[int, bytes]:
        try:
            self._admit(request)
            return 0, self._answer(asked)
        except Refusal as refusal:
            code = wire.refusal_code(refusal, self._desk.options.absent)
            return code, wire.refusal_body(refusal, code)

    def _admit(self, request: Request) -> None:
        if self._name == "unknown":
            return
        self._desk.account.admit_appkey(request.path_params["appkey"])
        if self._name not in ("issue-token", "show-token"):
            self._desk.account.admit(request.headers.get("x-auth-token"))


def make_app(
    account: Account, options: Options, record: Record, mischief: Mischief, hook: Hook | None = None
) -> Starlette:
    """The application: every answer is HTTP 200 with the documented header, also for what it does not know.

    Only faults answer otherwise; they are read and set outside the API, at /sandbox/faults.
    """
    api, desk = ComputeV1(account, options), _Desk(account, options, record, mischief, hook)
    calls = (
        ("issue-token", "POST", "/tokens", api.issue_token),
        ("show-token", "GET", "/tokens", api.show_token),
        ("list-images", "GET", "/images", api.list_images),
        ("delete-image", "DELETE", "/images", api.delete_image),
        ("list-instances", "GET", "/instances", api.list_instances),
        ("detail-instances", "GET", "/instances-detail", api.detail_instances),
        ("act-on-instance", "POST", "/instances/{instance}/action", api.act_on_instance),
    )
    routes = [
        Route(f"{_APPKEYS}{{appkey}}{path}", _Endpoint(name, answer, desk), methods=[method])
        for name, method, path, answer in calls
    ]
    return Starlette(
        routes=[*routes, faults_route(mischief), Route("/{path:path}", _Endpoint("unknown", api.refuse, desk))]
    )
