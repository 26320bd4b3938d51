"""Sends the requests of libraries that use `requests` by our own transport, with all of its bounds."""

import io
import time
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from janitor.clock import utc_now
from janitor.errors import CloudError
from janitor.transport import Call, Reply, Transient
from janitor.transport.http import Transport
from janitor.transport.json_body import parse_body, unreadable_in

_OURS = frozenset({"accept-encoding", "connection", "content-length", "user-agent"})


def session_over(transport: Transport, seconds: float, label: str, *, secure: bool) -> requests.Session:
    """A session whose requests `transport` sends, all of them together within `seconds`; `label` names them.

    A `secure` one never sends anything unencrypted, whatever URL an answer names next.
    """
    session = requests.Session()
    session.trust_env = False  # no password from ~/.netrc; and proxies are chosen by the transport
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(transport, time.monotonic() + seconds, label, secure=secure))
    return session


class _Adapter(BaseAdapter):
    """Sends for a session, until a time of the monotonic clock."""

    def __init__(self, transport: Transport, until: float, label: str, *, secure: bool) -> None:
        super().__init__()
        self._transport = transport
        self._until = until
        self._label = label
        self._secure = secure

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """The whole answer.

        Raises Transient for a failure that may pass, and CloudError for a redirect except in discovery.
        """
        if self._secure and (request.url or "").lower().startswith("http:"):
            raise CloudError(
                f"{self._label}: a redirect from https to http is not followed: credentials are never sent over http"
            )
        reply = self._transport.request(self._call(request), max(self._until - time.monotonic(), 0.001))
        if reply.passes:
            raise Transient(f"HTTP {reply.status}", retry_after=reply.retry_after(utc_now()))
        self._stay(request, reply)
        if reply.status < 400:
            _check_keys(reply)
        return _response(request, reply)

    def close(self) -> None:
        """Leave the transport open: it belongs to the caller."""

    def _call(self, request: requests.PreparedRequest) -> Call:
        headers = {name: _text(value) for name, value in request.headers.items() if name.lower() not in _OURS}
        body = request.body.encode() if isinstance(request.body, str) else request.body
        return Call(
            self._label,
            request.method or "GET",
            request.url or "",
            headers=headers,
            body=body if isinstance(body, bytes) else None,
        )

    def _stay(self, request: requests.PreparedRequest, reply: Reply) -> None:
        """Raise CloudError for a redirect, unless it is one of version discovery to the same scheme, host and port."""
        if not 300 < reply.status < 400:
            return
        here = request.url or ""
        there = urljoin(here, reply.headers.get("location", here))
        if request.method != "GET" or "X-Auth-Token" in request.headers or "Authorization" in request.headers:
            raise CloudError(f"{self._label}: {reply.status_words}")
        if _origin(there) != _origin(here):
            parts = urlsplit(there)
            to = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
            raise CloudError(f"{self._label}: {reply.status_words}: {to}")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """The scheme, host and port of a URL; port -1 for an invalid one."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}.get(parts.scheme)


def _check_keys(reply: Reply) -> None:
    """Raise Transient for an answer in JSON that has a key twice: the library would take the last value."""
    try:
        unreadable = next(unreadable_in(parse_body(reply.body)), None)
    except (ValueError, RecursionError):
        return
    if unreadable is not None:
        raise Transient(f"HTTP {reply.status}, and {unreadable} is given twice, or is not JSON")


def _response(request: requests.PreparedRequest, reply: Reply) -> requests.Response:
    response = requests.Response()
    response.status_code = reply.status
    response.headers = CaseInsensitiveDict(reply.headers)
    response.encoding = get_encoding_from_headers(response.headers)
    response.raw = io.BytesIO(reply.body)
    response.url = request.url or ""
    response.request = request
    return response


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
