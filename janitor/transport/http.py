"""One HTTP request, bounded in time and size, and retried within the given patience."""

import logging
import ssl
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TypeVar

from janitor import __version__
from janitor.errors import CloudError, RetryLater, Unavailable
from janitor.redaction import Redaction
from janitor.transport.bodies import LARGEST_BODY, Unusable, body_of
from janitor.transport.connections import STREAM, Connections
from janitor.transport.deadline import Deadline, Grace, deadline
from janitor.transport.lean_httpx import httpx
from janitor.transport.messages import Call, Reply
from janitor.transport.patience import HttpOptions, Transient, Tries
from janitor.transport.route import Route
from janitor.transport.switched import Switched

T = TypeVar("T")

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": f"image-janitor/{__version__}",
}
_LONGEST_WORDS = 300
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_OUR_FAULT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError)

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # their lines contain URLs, and an appkey is part of a URL


class Transport:
    """Sends requests. Safe to use from several threads at once; `close` when done.

    An answer may have `largest` bytes. Redirects are never followed: the next host would get the token. Nothing is read
    from the environment or ~/.netrc, and no cookie is kept. Setting `stop` ends waits and retries at once; requests in
    flight then have five more seconds, and afterwards nothing is sent.
    """

    def __init__(
        self,
        options: HttpOptions,
        redact: Redaction,
        stop: threading.Event | None = None,
        http_transport: httpx.BaseTransport | None = None,
        verify: ssl.SSLContext | bool = True,
        largest: int = LARGEST_BODY,
    ) -> None:
        self._options = options
        self._redact = redact
        redact.add(*options.route.secrets)
        self._stop = stop or threading.Event()
        self._grace = Grace(self._stop)
        self._largest = largest
        self._route = options.route if http_transport is None else Route()
        self._http_transport = http_transport or Connections(options.route, verify)

    def request(self, call: Call, seconds: float) -> Reply:
        """Send once; the whole answer must have arrived within `seconds`.

        Raises Transient if it has not, and CloudError for an answer that is too large or in an encoding that was not
        requested, and for a request that cannot be made.
        """
        with self._translated(call, seconds), deadline(seconds, self._grace) as until:
            response = self._http_transport.handle_request(_request(call, until.left()))
            reply = _whole(response, until, self._largest)
        if reply.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            raise CloudError(
                f"{call.label}: HTTP 407, the proxy does not accept its user name or password{self._way(call)}"
            )
        return reply

    def switch(self, call: Call, seconds: float) -> tuple[Reply, Switched | None]:
        """The answer to a request to switch the connection to another protocol, and the connection, if it was switched.

        Raises as `request` does.
        """
        with self._translated(call, seconds), deadline(seconds, self._grace) as until:
            response = self._http_transport.handle_request(_request(call, until.left()))
            if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
                return _whole(response, until, self._largest), None
            switched = Switched(response.extensions[STREAM], self._grace, response.close)
            return Reply(response.status_code, response.headers, b""), switched

    @contextmanager
    def _translated(self, call: Call, seconds: float) -> Iterator[None]:
        """Raises what can go wrong with one request as our errors; nothing is sent after the grace of a stop."""
        if self._grace.left() <= 0:
            raise Transient("not sent", lost=False)
        try:
            yield
        except httpx.TimeoutException as error:
            within = f"within {round(seconds, 1):g} s" if self._grace.left() > 0 else "before the program had to stop"
            raise Transient(
                f"no complete answer {within}{self._way(call)}", lost=not isinstance(error, _NOT_SENT)
            ) from error
        except _OUR_FAULT as error:
            raise CloudError(f"{call.label}: cannot be sent: {self._words(error)}") from error
        except httpx.RequestError as error:
            raise Transient(f"{self._words(error)}{self._way(call)}", lost=not isinstance(error, _NOT_SENT)) from error
        except Unusable as error:
            raise CloudError(f"{call.label}: {self._redact(str(error))}") from error

    def _way(self, call: Call) -> str:
        """The proxy through which something failed, as appended to a message."""
        proxy = self._route.proxy_for(call.url)
        return f", through the proxy {proxy} ({proxy.origin})" if proxy is not None else ""

    def _words(self, error: Exception) -> str:
        said = self._redact(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        return said if len(said) <= _LONGEST_WORDS else f"{said[:_LONGEST_WORDS]}…"  # h11 quotes a whole header

    @property
    def patience(self) -> float:
        """For how many seconds one call is retried."""
        return self._options.give_up_after.total_seconds()

    def persist(self, label: str, attempt: Callable[[float], T]) -> T:
        """The result of `attempt`, retried for as long as it raises Transient and patience lasts.

        `attempt` is given the seconds that it may take. Raises Unavailable, with the last cause, when patience ends,
        and RetryLater if the server asked for a wait longer than that.
        """
        tries = Tries(label, self._options, self._stop)
        try:
            return attempt(tries.next(0.0))
        except Transient as error:
            first = error
        from janitor.transport.retries import retried  # whose library takes its time to load, and few calls fail

        try:
            return retried(attempt, tries, self._options, first)
        except Transient as error:
            kind = RetryLater if (error.retry_after or 0) > self.patience else Unavailable
            raise kind(tries.summary(error)) from error

    def close(self) -> None:
        """Close the connections."""
        self._http_transport.close()


def _whole(response: httpx.Response, until: Deadline, largest: int) -> Reply:
    """The answer with its body. Raises Unusable."""
    try:
        body = body_of(response, until, largest)
    finally:
        response.close()
    return Reply(response.status_code, response.headers, body)


def _request(call: Call, seconds: float) -> httpx.Request:
    request = httpx.Request(
        call.method,
        call.url,
        params=dict(call.params) or None,
        headers={**_HEADERS, **call.headers},
        content=call.body,
        extensions={"timeout": httpx.Timeout(seconds).as_dict()},
    )
    url = request.url
    if (url.username or url.password) and "Authorization" not in request.headers:
        credentials = f"{url.username}:{url.password}".encode()
        request.headers["Authorization"] = f"Basic {b64encode(credentials).decode()}"
    return request
