"""Requests with a token: their answers judged, retried as long as patience lasts, and the server's clock compared."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from janitor.cloud.common.answers import Declined, Unauthorized, undocumented
from janitor.cloud.common.backoffs import Backoffs
from janitor.cloud.common.raw_entries import split
from janitor.cloud.common.tokens import Token, Tokens
from janitor.cloud.service import Permit, always
from janitor.core.planning.deletion import Answer
from janitor.errors import Denied, NotSent, Refused, RetryLater, Unavailable
from janitor.transport import Call, Reply, Transient
from janitor.transport.http import Transport

T = TypeVar("T")
Part = TypeVar("Part")
_READING = "GET"
_WHOLE = 200
Headers = Mapping[str, str]
Judge = Callable[[Reply, str], dict[str, Any]]
"""Gives the document of a successful answer, and raises Transient, Unauthorized or Declined for any other."""


class Unread(Generic[Part, T]):
    """An answer of which a part was taken as soon as it came. Calling this reads that part, and raises as `read` does.

    So what takes its time to read can be read while the next answer is under way.
    """

    def __init__(self, part: Part, read: Callable[[Part], T]) -> None:
        self.part = part
        self._read = read

    def __call__(self) -> T:
        """What was read."""
        return self._read(self.part)


class Session:
    """The requests to one account. Safe to use from several threads at once."""

    def __init__(self, transport: Transport, tokens: Tokens, judge: Judge, clock: Callable[[], datetime]) -> None:
        self._transport = transport
        self._tokens = tokens
        self._judge = judge
        self._clock = clock
        self._backoffs = Backoffs(transport.patience)
        self._throttled = 0
        self._by_answers: timedelta | None = None
        self._by_tokens: timedelta | None = None

    @property
    def throttled(self) -> int:
        """How often the service answered that it gets too many requests; of two such answers at once, one may count."""
        return self._throttled

    @property
    def clock_offset(self) -> timedelta | None:
        """How far the server's clock is ahead of ours, the largest difference so far, by the Date of its answers.

        Without any, by when its tokens were issued; None where that is unknown, too.
        """
        return self._by_tokens if self._by_answers is None else self._by_answers

    def ask(self, call: Call, read: Callable[[dict[str, Any]], T]) -> T:
        """What `read` makes of the answer.

        Raises Declined for a rejection, and another CloudError for no usable answer.
        """
        return self.answered(call, lambda document, _headers: read(document))

    def answered(self, call: Call, read: Callable[[dict[str, Any], Headers], T]) -> T:
        """The same, where `read` is also given the headers of the answer, by their names in lower case."""
        return self._transport.persist(call.label, lambda seconds: read(*self._with_token(call, seconds)))

    def unread(self, call: Call, take: Callable[[dict[str, Any]], Part], read: Callable[[Part], T]) -> Unread[Part, T]:
        """The answer with the part that `take` takes, which is to be read later. Raises as `ask` does.

        An answer that turns out not to be readable then is asked for again, as `ask` does at once.
        """

        def read_later(part: Part) -> T:
            try:
                return read(part)
            except Transient:
                return self.ask(call, lambda document: read(take(document)))

        return Unread(self.ask(call, take), read_later)

    def delete(self, call: Call, permit: Permit) -> Answer:
        """Request a deletion. What is absent after a try whose answer was lost counts as accepted: that try deleted it.

        `permit` is called right before each try is sent. Raises as `ask` does; NotSent only where no try was sent; and
        Unavailable for a rejection after such a try, as that try may have deleted it.
        """
        sent = lost = False

        def permitted() -> None:
            nonlocal sent
            permit()
            sent = True

        def attempt(seconds: float) -> Answer:
            nonlocal lost
            try:
                self._with_token(call, seconds, permitted)
            except Transient as failure:
                lost = lost or failure.lost
                raise
            except NotSent as rest:
                if sent:
                    came = "the answer to an earlier try was lost" if lost else "an earlier try was turned down"
                    raise RetryLater(f"{rest}; {came}") from rest
                raise
            except Refused as error:
                if isinstance(error, Declined) and error.absent:
                    return Answer.ACCEPTED if lost else Answer.ABSENT
                if lost:
                    raise Unavailable(f"{error}; the answer to an earlier try was lost") from error
                raise
            return Answer.ACCEPTED

        return self._transport.persist(call.label, attempt)

    def _with_token(self, call: Call, seconds: float, permit: Permit = always) -> tuple[dict[str, Any], Headers]:
        token = self._tokens.current()
        try:
            return self._send(call, token, seconds, permit)
        except Unauthorized as error:
            token = self._tokens.after(token, denied(error, "the token is not accepted"))
        try:
            return self._send(call, token, seconds, permit)
        except Unauthorized as error:
            raise denied(error, "the token is not accepted, and neither is a new one") from error

    def _send(self, call: Call, token: Token, seconds: float, permit: Permit) -> tuple[dict[str, Any], Headers]:
        self._backoffs.check(call)
        permit()
        asked_at = self._clock()
        reply = self._transport.request(call.carrying({**call.headers, "X-Auth-Token": token.id}), seconds)
        self.note_clock(reply, asked_at)
        try:
            document = self._document(reply, call)
            _check_status(call, reply)
        except Transient as failure:
            self._backoffs.note(call, failure.retry_after)
            if not failure.lost:
                self._throttled += 1
            raise
        except Unauthorized:
            raise
        except Declined:
            self._tokens.proven(token)
            raise
        self._tokens.proven(token)
        return document, {name.lower(): value for name, value in reply.headers.items()}

    def _document(self, reply: Reply, call: Call) -> dict[str, Any]:
        """The document of a successful answer, in which the entries of the call's list are texts where that can be."""
        parts = None if call.entries is None else split(reply.body, call.entries)
        if parts is None or call.entries is None:
            return self._judge(reply, call.label)
        document = self._judge(replace(reply, body=parts[0]), call.label)
        if document.get(call.entries) != []:
            return self._judge(reply, call.label)
        document[call.entries] = parts[1]
        return document

    def note_clock(self, reply: Reply, asked_at: datetime) -> None:
        """Take note of the time in an answer to a request that was sent at this time by our clock.

        It is right anywhere between the request and the end of the answer: that may take long, or the process was
        stopped.
        """
        now = self._clock()
        for told in reply.told_times():
            off = told - asked_at if told < asked_at else max(told - now, timedelta())
            self._by_answers = _worse(self._by_answers, off)

    def note_token(self, issued_at: datetime | None, asked_at: datetime) -> None:
        """Take note of when a token was issued that was requested at this time by our clock."""
        if issued_at is not None:
            self._by_tokens = _worse(self._by_tokens, issued_at - asked_at)


def _check_status(call: Call, reply: Reply) -> None:
    """Raise Transient for a read with another success status than 200: it may be a part of the list, or a copy of it.

    Source: RFC 9110 for 203 and 206. Every list and record that we read has 200 as its documented answer.
    """
    if call.method == _READING and reply.status != _WHOLE:
        raise undocumented(f"HTTP {reply.status}")


def _worse(one: timedelta | None, other: timedelta) -> timedelta:
    return other if one is None or abs(other) > abs(one) else one


def denied(error: Declined, why: str) -> Denied:
    """The same rejection, as one of the credentials."""
    return Denied(f"{error}: {why}", code=error.code)
