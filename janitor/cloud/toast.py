"""The Compute API v1.0 of NHN Cloud (TOAST): the appkey API, whose answers are judged by their header.

Source of its paths and fields: the vendor's image page. Nothing here relies on what that page leaves open.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import quote

import httpx

from janitor.cloud import Answer, HttpOptions
from janitor.cloud.paging import MarkerGone, ahead, pages
from janitor.cloud.redaction import Redaction
from janitor.cloud.toast_answers import Declined, Unauthorized, judge
from janitor.cloud.toast_records import Entry, identified, read_entries, read_image, read_token, read_usage
from janitor.cloud.tokens import Token, Tokens
from janitor.cloud.transport import Call, Reply, Transient, Transport
from janitor.errors import Denied
from janitor.model import Image, Usage
from janitor.units import parse_instant

T = TypeVar("T")

_NO_OPTIONS = HttpOptions()


def utc_now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


class ToastClient:
    """The images of one appkey. Safe to use from several threads at once; `close` when done.

    Keeps every promise of `ImageService`. `clock` dates the token; a set `stop` ends waiting between tries. A `carrier`
    takes requests elsewhere than to a socket.
    """

    def __init__(
        self,
        endpoint: str,
        appkey: str,
        username: str,
        password: str,
        options: HttpOptions = _NO_OPTIONS,
        clock: Callable[[], datetime] = utc_now,
        stop: threading.Event | None = None,
        carrier: httpx.BaseTransport | None = None,
    ) -> None:
        self._root = f"{endpoint.rstrip('/')}/v1.0/appkeys/{_path_segment(appkey)}"
        self._credentials = {"auth": {"username": username, "password": password}}
        self._options = options
        self._clock = clock
        self._redact = Redaction(appkey, username, password)
        self._transport = Transport(options, self._redact, stop, carrier)
        self._tokens = Tokens(self._issue_token, clock)
        self._clock_offset: timedelta | None = None
        self._contradictions: dict[str, str] = {}

    def images(self) -> Iterator[Image]:
        """Every image of the appkey, each once, the next page being fetched while this one is read."""
        walk = pages(self._page, self._identify(), self._options.page_size)
        with closing(walk), closing(ahead(walk)) as batches:
            for batch in batches:
                yield from map(read_image, batch)

    def usage(self) -> Usage:
        """Which images instances use, from the one list of all instances; any doubt about it is an error."""
        call = self._call("GET", "/instances-detail")
        return read_usage(self._ask(call, lambda document: read_entries(document, "instances")), call.label)

    def delete(self, image_id: str) -> Answer:
        """Ask for the deletion of one image.

        An image that is absent after a try whose answer was lost counts as accepted: that try deleted it.
        """
        call = self._call("DELETE", "/images", {"id": image_id})
        lost = False

        def attempt(seconds: float) -> Answer:
            nonlocal lost
            try:
                self._with_token(call, seconds)
            except Transient as failure:
                lost = lost or failure.lost
                raise
            except Declined as error:
                if not error.absent:
                    raise
                return Answer.ACCEPTED if lost else Answer.ABSENT
            return Answer.ACCEPTED

        return self._transport.persist(call.label, attempt)

    def probe(self) -> str:
        """Get a token and one page, and say so."""
        count = len(self._page(None))
        return f"token accepted, {count} image{'' if count == 1 else 's'} on the first page"

    def close(self) -> None:
        """Let go of connections."""
        self._transport.close()

    def clock_offset(self) -> timedelta | None:
        """How far the server's clock is ahead of ours, at its worst so far, by the Date of its answers."""
        return self._clock_offset

    def irregularities(self) -> list[str]:
        """The images that were listed twice with two different creation dates."""
        return list(self._contradictions.values())

    def _identify(self) -> Callable[[Entry], str]:
        """How a walk tells images apart; it notices one that comes again with another creation date."""
        created: dict[str, object] = {}

        def identify(entry: Entry) -> str:
            image_id: str = entry["id"]
            date = entry.get("createdAt")
            before = created.setdefault(image_id, date)
            if before != date and _instant(before) != _instant(date):
                self._contradictions[image_id] = f"image {image_id} is listed with two different creation dates"
            return image_id

        return identify

    def _page(self, marker: str | None) -> list[Entry]:
        params = {"limit": str(self._options.page_size)} | ({} if marker is None else {"marker": marker})
        try:
            entries = self._ask(self._call("GET", "/images", params), lambda document: read_entries(document, "images"))
        except Declined as error:
            if marker is not None and error.marker_gone:
                raise MarkerGone from error
            raise
        return identified(entries)

    def _call(self, method: str, path: str, params: dict[str, str] | None = None) -> Call:
        return Call(f"{method} {path}", method, self._root + path, params or {})

    def _ask(self, call: Call, read: Callable[[Entry], T]) -> T:
        return self._transport.persist(call.label, lambda seconds: read(self._with_token(call, seconds)))

    def _with_token(self, call: Call, seconds: float) -> Entry:
        token = self._tokens.current()
        try:
            return self._send(call, token, seconds)
        except Unauthorized as error:
            token = self._tokens.after(token, _denied(error, "the token is not accepted"))
        try:
            return self._send(call, token, seconds)
        except Unauthorized as error:
            raise _denied(error, "the token is not accepted, nor is a new one") from error

    def _send(self, call: Call, token: Token, seconds: float) -> Entry:
        reply = self._transport.request(call.carrying({"X-Auth-Token": token.id}), seconds)
        self._note_clock(reply)
        try:
            document = judge(reply, call.label, self._redact, self._clock())
        except Unauthorized:
            raise
        except Declined:
            self._tokens.proven(token)
            raise
        self._tokens.proven(token)
        return document

    def _note_clock(self, reply: Reply) -> None:
        date = reply.date()
        if date is None:
            return
        offset = date - self._clock()
        if self._clock_offset is None or abs(offset) > abs(self._clock_offset):
            self._clock_offset = offset

    def _issue_token(self) -> Token:
        body = json.dumps(self._credentials).encode()
        plain = self._call("POST", "/tokens").carrying({"Content-Type": "application/json;charset=UTF-8"}, body)

        def attempt(seconds: float) -> Token:
            asked_at = self._clock()
            reply = self._transport.request(plain, seconds)
            return read_token(judge(reply, plain.label, self._redact, asked_at), asked_at)

        try:
            token = self._transport.persist(plain.label, attempt)
        except Declined as error:
            if error.forbidden:
                raise _denied(error, "the credentials are not accepted") from error
            raise
        self._redact.add(token.id)
        return token


def _denied(error: Declined, why: str) -> Denied:
    return Denied(f"{error}: {why}", code=error.code)


def _instant(value: object) -> datetime | None:
    return parse_instant(value) if isinstance(value, str) else None


def _path_segment(name: str) -> str:
    # quote leaves dots alone, and a segment of dots alone means another place.
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")
