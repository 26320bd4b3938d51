"""What each fault does to the answer of a call."""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from email.utils import format_datetime
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from janitor.sandbox import wire
from janitor.sandbox.account import Account
from janitor.sandbox.faults import Fault, Faults, Rule, Turns
from janitor.sandbox.record import Call
from janitor.sandbox.refusals import Refusal

JSON = "application/json;charset=UTF-8"
_GATEWAY = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>gateway</body></html>"

Answer = Callable[[], Awaitable[Response]]


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


class Mischief:
    """Lets faults strike calls. May be used from any thread; `faults` can be set at any time, and begin then anew."""

    def __init__(self, account: Account, username: str, faults: Faults) -> None:
        self._account = account
        self._username = username
        self._page: Response | None = None
        self.faults = faults

    @property
    def faults(self) -> Faults:
        """What goes wrong from now on."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults = faults
        self._turns = Turns(faults) if faults.rules else None

    async def answer(self, call: Call, answer: Answer) -> tuple[Response, tuple[str, ...]]:
        """The answer as it leaves the sandbox, and the faults that struck it."""
        turns = self._turns
        if turns is None:
            return await answer(), ()
        struck = turns.due(call, self._account.clock(), lambda rule: self._possible(rule, call))
        response = await self._struck(struck, call, answer) if struck else await answer()
        if call.name == "list-images" and not isinstance(response, FaultyResponse):
            self._page = response if bytes(response.body).startswith(wire.OPENING) else self._page
        return response, tuple(rule.fault.value for rule in struck)

    def _possible(self, rule: Rule, call: Call) -> bool:
        match rule.fault:
            case Fault.VANISHED_MARKER:
                return "marker" in call.query and self._account.is_deletable(call.query["marker"])
            case Fault.REPEATED_PAGE:
                return "marker" in call.query and self._page is not None
            case _:
                return True

    async def _struck(self, rules: tuple[Rule, ...], call: Call, answer: Answer) -> Response:
        offset = sum((rule.offset for rule in rules if rule.fault is Fault.CLOCK_OFF), timedelta())
        delay = sum((rule.delay for rule in rules if rule.fault is Fault.DELAY), timedelta())

        async def by_this_clock() -> Response:
            response = await answer()
            return self._shifted(response, offset) if offset and call.name.endswith("-token") else response

        response = await self._main(rules, call, by_this_clock)
        if offset:
            now = (self._account.clock() + offset).astimezone(UTC)
            response.headers["date"] = format_datetime(now, usegmt=True)
        return FaultyResponse(response, delay=delay) if delay else response

    async def _main(self, rules: tuple[Rule, ...], call: Call, answer: Answer) -> Response:
        for rule in rules:
            if rule.fault in _STRIKES:
                return await _STRIKES[rule.fault](_Blow(rule, call, answer, self._account, self._page))
        return await answer()

    def _shifted(self, response: Response, offset: timedelta) -> Response:
        """The answer that tells of a token, its times moved."""
        try:
            token = self._account.token(json.loads(bytes(response.body))["access"]["token"]["id"])
        except (KeyError, Refusal):
            return response  # it tells of none
        token = replace(token, issued_at=token.issued_at + offset, expires_at=token.expires_at + offset)
        return _json(wire.body(access=wire.access(token, self._username)))


@dataclass(frozen=True, slots=True)
class _Blow:
    """One rule that strikes one call."""

    rule: Rule
    call: Call
    answer: Answer
    account: Account
    page: Response | None


def _json(body: bytes) -> Response:
    return Response(body, media_type=JSON)


async def _http_error(blow: _Blow) -> Response:
    return _gateway(blow.rule.status or 503)


async def _result_code(blow: _Blow) -> Response:
    return _json(wire.failure_body(blow.rule.code, "a fault of the sandbox"))


async def _too_many_requests(blow: _Blow) -> Response:
    seconds = max(0, round(blow.rule.retry_after.total_seconds()))
    return _gateway(429, {"Retry-After": str(seconds)})


async def _foreign_body(blow: _Blow) -> Response:
    return _gateway(blow.rule.status or 200)


def _gateway(status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(_GATEWAY.format(status), status, headers, media_type="text/html")


async def _cut_off_body(blow: _Blow) -> Response:
    return FaultyResponse(await blow.answer(), part=0.5)


async def _dropped_connection(_blow: _Blow) -> Response:
    return FaultyResponse(Response(), part=0)


async def _dead_token(blow: _Blow) -> Response:
    blow.account.revoke_tokens()
    return await blow.answer()


async def _vanished_marker(blow: _Blow) -> Response:
    with suppress(Refusal):
        blow.account.delete_image(blow.call.query["marker"])
    return await blow.answer()


async def _repeated_page(blow: _Blow) -> Response:
    return await blow.answer() if blow.page is None else _json(bytes(blow.page.body))


async def _truncated_list(_blow: _Blow) -> Response:
    return _json(wire.body(images=[]))


async def _empty_instances(_blow: _Blow) -> Response:
    return _json(wire.body(instances=[]))


async def _deletion_not_done(blow: _Blow) -> Response:
    with blow.account.undoing(blow.call.image or ""):
        return await blow.answer()


async def _deletion_unacknowledged(blow: _Blow) -> Response:
    return FaultyResponse(await blow.answer(), part=0)


_STRIKES: Mapping[Fault, Callable[[_Blow], Awaitable[Response]]] = {
    Fault.HTTP_ERROR: _http_error,
    Fault.RESULT_CODE: _result_code,
    Fault.TOO_MANY_REQUESTS: _too_many_requests,
    Fault.CUT_OFF_BODY: _cut_off_body,
    Fault.FOREIGN_BODY: _foreign_body,
    Fault.DROPPED_CONNECTION: _dropped_connection,
    Fault.DEAD_TOKEN: _dead_token,
    Fault.VANISHED_MARKER: _vanished_marker,
    Fault.REPEATED_PAGE: _repeated_page,
    Fault.TRUNCATED_LIST: _truncated_list,
    Fault.EMPTY_INSTANCES: _empty_instances,
    Fault.DELETION_NOT_DONE: _deletion_not_done,
    Fault.DELETION_UNACKNOWLEDGED: _deletion_unacknowledged,
}
