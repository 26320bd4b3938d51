"""What each fault does to the answer of a call."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from janitor.sandbox.account import Account
from janitor.sandbox.api import Asked, Endpoint
from janitor.sandbox.faults import Fault, Faults, Rule, Turns
from janitor.sandbox.refusals import Refusal
from janitor.sandbox.request_log import Call

_GATEWAY = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>gateway</body></html>"

_LOGIN = """<!DOCTYPE html>
<html><head><title>Sign in</title></head>
<body><form action="/login"><input name="user"><input name="password" type="password"></form></body></html>
"""


class Answer(Protocol):
    """Asks the account."""

    def __call__(self, clock_off: timedelta, *, cell_down: bool = False) -> Awaitable[Response]:
        """What it says, with a clock that is wrong by that, and perhaps while a part of its compute is down."""


class Line(Protocol):
    """The connection that a request came by; the server puts it into the scope's state as `line`."""

    def hang_up(self) -> None:
        """Close it, once what was sent is out."""

    async def hold(self, receive: Receive, seconds: float) -> None:
        """Wait, but no longer than the client does."""


class FaultyResponse(Response):
    """An answer of which only a part is sent before the connection is closed, or that comes late, or both."""

    def __init__(self, answer: Response, *, part: float = 1.0, delay: timedelta = timedelta()) -> None:
        super().__init__(answer.body, answer.status_code, dict(answer.headers))
        self._part = answer.part if isinstance(answer, FaultyResponse) else part
        self._delay = delay

    @property
    def part(self) -> float:
        """How much of the body is sent; with nothing of it, no status either."""
        return self._part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        line: Line = scope["state"]["line"]
        if self._delay:
            await line.hold(receive, self._delay.total_seconds())
        if self._part == 1:
            await super().__call__(scope, receive, send)
            return
        if self._part:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            body = bytes(self.body[: int(len(self.body) * self._part)])
            await send({"type": "http.response.body", "body": body, "more_body": True})
        line.hang_up()
        await until_gone(receive)


async def until_gone(receive: Receive) -> None:
    """Wait until the connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass


class FaultInjector:
    """Makes faults affect calls. May be used from any thread; `faults` can be set at any time, and start over then.

    Of many accounts, each has one, and its name is `whose`.
    """

    def __init__(self, clock: Callable[[], datetime], faults: Faults, whose: str = "") -> None:
        self._clock = clock
        self._whose = whose
        self._pages: dict[str, Response] = {}
        self.faults = faults

    @property
    def faults(self) -> Faults:
        """What goes wrong from now on."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults = faults
        self._turns = Turns(faults, self._whose) if faults.rules else None

    async def answer(
        self, call: Call, endpoint: Endpoint, asked: Asked, answer: Answer
    ) -> tuple[Response, tuple[str, ...]]:
        """The answer as it leaves the sandbox, and the faults that struck it."""
        turns = self._turns
        if turns is None:
            return await answer(timedelta()), ()
        context = _FaultContext(call, endpoint, asked, answer, self._pages.get(endpoint.path))
        struck = turns.due(call, self._clock(), context.possible)
        response = await self._struck(struck, context) if struck else await answer(timedelta())
        if endpoint.opening and _is_whole_page(response, endpoint.opening):
            self._pages[endpoint.path] = response
        return response, tuple(rule.fault.value for rule in struck)

    async def _struck(self, rules: tuple[Rule, ...], context: "_FaultContext") -> Response:
        offset = sum((rule.offset for rule in rules if rule.fault is Fault.CLOCK_OFF), timedelta())
        delay = sum((rule.delay for rule in rules if rule.fault is Fault.DELAY), timedelta())
        response = await self._main(rules, replace(context, clock_off=offset))
        if offset:
            now = (self._clock() + offset).astimezone(UTC)
            response.headers["date"] = format_datetime(now, usegmt=True)
        return FaultyResponse(response, delay=delay) if delay else response

    async def _main(self, rules: tuple[Rule, ...], context: "_FaultContext") -> Response:
        for rule in rules:
            if rule.fault in _STRIKES:
                return await _STRIKES[rule.fault](rule, context)
        return await context.answer()


def _is_whole_page(response: Response, opening: bytes) -> bool:
    return not isinstance(response, FaultyResponse) and bytes(response.body).startswith(opening)


@dataclass(frozen=True, slots=True)
class _FaultContext:
    """One call that is struck; `page` is the one that was answered before it."""

    call: Call
    endpoint: Endpoint
    asked: Asked
    ask: Answer
    page: Response | None
    clock_off: timedelta = timedelta()

    @property
    def account(self) -> Account:
        return self.endpoint.account

    async def answer(self) -> Response:
        """What the account says."""
        return await self.ask(self.clock_off)

    def possible(self, rule: Rule) -> bool:
        """Whether a rule that is due can strike."""
        match rule.fault:
            case Fault.VANISHED_MARKER:
                return "marker" in self.call.query and self.account.is_deletable(self.call.query["marker"])
            case Fault.REPEATED_PAGE:
                return "marker" in self.call.query and self.page is not None
            case _:
                return True


async def _http_error(rule: Rule, _context: _FaultContext) -> Response:
    return _gateway(rule.status or 503)


async def _result_code(rule: Rule, context: _FaultContext) -> Response:
    return context.endpoint.failure(context.asked, rule.code)


async def _too_many_requests(rule: Rule, _context: _FaultContext) -> Response:
    seconds = max(0, round(rule.retry_after.total_seconds()))
    return _gateway(429, {"Retry-After": str(seconds)})


async def _foreign_body(rule: Rule, _context: _FaultContext) -> Response:
    return _gateway(rule.status or 200)


def _gateway(status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(_GATEWAY.format(status), status, headers, media_type="text/html")


async def _cut_off_body(_rule: Rule, context: _FaultContext) -> Response:
    return FaultyResponse(await context.answer(), part=0.5)


async def _dropped_connection(_rule: Rule, _context: _FaultContext) -> Response:
    return FaultyResponse(Response(), part=0)


async def _dead_token(_rule: Rule, context: _FaultContext) -> Response:
    context.account.revoke_tokens()
    return await context.answer()


async def _vanished_marker(_rule: Rule, context: _FaultContext) -> Response:
    with suppress(Refusal):
        context.account.delete_image(context.call.query["marker"])
    return await context.answer()


async def _repeated_page(_rule: Rule, context: _FaultContext) -> Response:
    if context.page is None:
        return await context.answer()
    return Response(context.page.body, media_type=context.page.media_type)


async def _empty_list(_rule: Rule, context: _FaultContext) -> Response:
    nothing = context.endpoint.nothing
    return nothing(context.asked) if nothing else await context.answer()


async def _down_cell(_rule: Rule, context: _FaultContext) -> Response:
    return await context.ask(context.clock_off, cell_down=True)


async def _unreadable_reference(rule: Rule, _context: _FaultContext) -> Response:
    return Response(_LOGIN, media_type="text/html") if rule.status == 200 else _gateway(rule.status or 503)


async def _deletion_not_done(_rule: Rule, context: _FaultContext) -> Response:
    with context.account.undoing(context.call.image or ""):
        return await context.answer()


async def _deletion_unacknowledged(_rule: Rule, context: _FaultContext) -> Response:
    return FaultyResponse(await context.answer(), part=0)


_STRIKES: Mapping[Fault, Callable[[Rule, _FaultContext], Awaitable[Response]]] = {
    Fault.HTTP_ERROR: _http_error,
    Fault.RESULT_CODE: _result_code,
    Fault.TOO_MANY_REQUESTS: _too_many_requests,
    Fault.CUT_OFF_BODY: _cut_off_body,
    Fault.FOREIGN_BODY: _foreign_body,
    Fault.DROPPED_CONNECTION: _dropped_connection,
    Fault.DEAD_TOKEN: _dead_token,
    Fault.VANISHED_MARKER: _vanished_marker,
    Fault.REPEATED_PAGE: _repeated_page,
    Fault.TRUNCATED_LIST: _empty_list,
    Fault.EMPTY_INSTANCES: _empty_list,
    Fault.EMPTY_VOLUMES: _empty_list,
    Fault.EMPTY_CLUSTERS: _empty_list,
    Fault.EMPTY_STACKS: _empty_list,
    Fault.DOWN_CELL: _down_cell,
    Fault.UNREADABLE_REFERENCE: _unreadable_reference,
    Fault.DELETION_NOT_DONE: _deletion_not_done,
    Fault.DELETION_UNACKNOWLEDGED: _deletion_unacknowledged,
}
