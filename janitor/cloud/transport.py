"""One HTTP request, bounded in time and size; and trying again, bounded in count and time."""

import logging
import math
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpcore
import httpx
import stamina
from stamina.instrumentation import set_on_retry_hooks

from janitor import __version__
from janitor.cloud import HttpOptions
from janitor.cloud.redaction import Redaction
from janitor.errors import CloudError, Unavailable
from janitor.units import format_duration

T = TypeVar("T")

LARGEST_BODY = 64 * 2**20
_CONNECT_WITHIN = 10.0
_FIRST_WAIT, _LONGEST_WAIT, _JITTER = 0.3, 8.0, 0.5
_GRACE = 5.0
_LOOK_EVERY = 0.25
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_OUR_FAULT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError)

_log = logging.getLogger("janitor.cloud")
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # their lines name URLs, and an appkey is part of a URL
set_on_retry_hooks(())  # `Transport.persist` logs each retry itself, with what was asked and why it failed


class Transient(Exception):
    """A try failed in a way that may pass. `lost`: the request may have been carried out all the same."""

    def __init__(self, cause: str, *, retry_after: float | None = None, lost: bool = True) -> None:
        super().__init__(cause)
        self.retry_after = retry_after
        self.lost = lost


def path_segment(name: str) -> str:
    """A foreign name as one segment of a URL's path, whatever it holds."""
    # quote leaves dots alone, and a segment of dots alone means another place.
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")


@dataclass(frozen=True, slots=True)
class Call:
    """One request to be made; `label` names it in messages and holds no secret."""

    label: str
    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def carrying(self, headers: Mapping[str, str], body: bytes | None = None) -> "Call":
        """The same with these headers and this body."""
        return replace(self, headers=headers, body=body)


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def date(self) -> datetime | None:
        """When the server says that it answered, by its own clock."""
        return _http_date(self.headers.get("date", ""))

    def retry_after(self, now: datetime) -> float | None:
        """How many seconds the server asks us to wait, if it does so readably."""
        wanted = self.headers.get("retry-after", "").strip()
        if wanted.isascii() and wanted.isdigit():
            return float(wanted[:9])
        until = _http_date(wanted)
        if until is None:
            return None
        # By the server's own clock where it tells it: ours may be off.
        return max(0.0, (until - (self.date() or now)).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


class Transport:
    """Sends requests. Safe to use from several threads at once; `close` when done.

    Redirects are never followed: the next host would get the token. A set `stop` ends waiting and trying again at once;
    what is in flight then has five more seconds, and after them nothing is sent.
    """

    def __init__(
        self,
        options: HttpOptions,
        redact: Redaction,
        stop: threading.Event | None = None,
        carrier: httpx.BaseTransport | None = None,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        self._options = options
        self._redact = redact
        self._stop = stop or threading.Event()
        self._grace = _Grace(self._stop)
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"image-janitor/{__version__}",
        }
        self._http = httpx.Client(headers=headers, follow_redirects=False, transport=carrier, verify=verify)

    def request(self, call: Call, seconds: float) -> Reply:
        """Send once; the whole answer must be there within `seconds`.

        Raises Transient when it is not, and CloudError for an answer beyond 64 MiB or a request that cannot be made.
        """
        if self._grace.left() <= 0:
            raise Transient("not sent", lost=False)
        try:
            with _deadline(seconds, self._grace) as deadline, self._stream(call, deadline.left()) as response:
                return Reply(response.status_code, response.headers, _read(call, response, deadline))
        except httpx.TimeoutException as error:
            within = f"within {seconds:.3g} s" if self._grace.left() > 0 else "before we had to end"
            raise Transient(f"no complete answer {within}", lost=not isinstance(error, _NOT_SENT)) from error
        except _OUR_FAULT as error:
            raise CloudError(f"{call.label}: cannot be sent: {self._words(error)}") from error
        except httpx.RequestError as error:
            raise Transient(self._words(error), lost=not isinstance(error, _NOT_SENT)) from error

    def _stream(self, call: Call, seconds: float) -> Any:
        return self._http.stream(
            call.method,
            call.url,
            params=dict(call.params) or None,
            headers=dict(call.headers),
            content=call.body,
            timeout=httpx.Timeout(seconds, connect=min(seconds, _CONNECT_WITHIN)),
            extensions={"trace": _hold_to_deadline},
        )

    def _words(self, error: Exception) -> str:
        return self._redact(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)

    def persist(self, label: str, attempt: Callable[[float], T]) -> T:
        """What `attempt` gives, trying again for as long as it raises Transient and patience lasts.

        `attempt` is told how many seconds it may take. Raises Unavailable, with the last cause, when patience ends.
        """
        tries = _Tries(label, self._options, self._stop)
        try:
            for turn in stamina.retry_context(
                on=tries.again,
                attempts=self._options.attempts,
                timeout=self._options.give_up_after,
                wait_initial=_FIRST_WAIT,
                wait_max=_LONGEST_WAIT,
                wait_jitter=_JITTER,
            ):
                with turn:
                    return attempt(tries.next(turn.next_wait))
        except Transient as error:
            raise Unavailable(tries.summary(error)) from error
        raise AssertionError("a retry loop ends by returning or raising")

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()


class _Tries:
    """The patience for one call: how often it was tried, since when, and whether to try again."""

    def __init__(self, label: str, options: HttpOptions, stop: threading.Event) -> None:
        self._label = label
        self._options = options
        self._stop = stop
        self._began = time.monotonic()
        self._count = 0
        self._wait = 0.0
        self._last: Transient | None = None
        self._ended = ""

    @property
    def _left(self) -> float:
        return self._options.give_up_after.total_seconds() - (time.monotonic() - self._began)

    def next(self, wait: float) -> float:
        """Begin a try: how many seconds it may take, and `wait` at least before the next one.

        Raises the last cause when time ran out while waiting.
        """
        if self._last is not None and self._left <= 0:
            raise self._last
        self._count += 1
        self._wait = wait
        return max(min(self._options.timeout.total_seconds(), self._left), 0.001)

    def again(self, error: Exception) -> bool | float:
        """Whether to try again, after a wait that is over by then: a hook for stamina."""
        if not isinstance(error, Transient):
            return False
        self._last = error
        if self._count >= self._options.attempts or self._left <= 0:
            return False
        _log.info("retry call=%r tries=%d cause=%r", self._label, self._count, str(error))
        return self._pause(self._backoff()) if error.retry_after is None else self._honour(error.retry_after)

    def _backoff(self) -> float:
        jitter = random.uniform(0, _JITTER) if self._wait else 0  # noqa: S311 - spreads load, guards nothing
        return min(self._wait + jitter, self._left)

    def _honour(self, seconds: float) -> bool | float:
        if seconds > self._left:
            allowed = format_duration(self._options.give_up_after)
            self._ended = f", and we are to wait {seconds:.0f} s, longer than the {allowed} we may take"
            return False
        return self._pause(seconds)

    def _pause(self, seconds: float) -> bool | float:
        # Waited here and not by stamina, because it may be long and a stop must end it.
        if seconds > 0 and not self._stopped():
            self._stop.wait(seconds)
        return False if self._stopped() else 0.0

    def _stopped(self) -> bool:
        if self._stop.is_set():
            self._ended = ", and we were told to stop"
        return self._stop.is_set()

    def summary(self, error: Transient) -> str:
        """Why there is no answer, in one sentence."""
        times = "once" if self._count == 1 else f"{self._count} times"
        return f"{self._label}: no usable answer (tried {times}{self._ended}): {error}"


def _read(call: Call, response: httpx.Response, deadline: "_Deadline") -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise CloudError(f"{call.label}: the answer is larger than {LARGEST_BODY // 2**20} MiB")
        if deadline.left() <= 0:
            raise httpx.ReadTimeout("")
    return bytes(body)


class _Grace:
    """How long what is in flight may still take once we were told to stop; counted from when that is noticed."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._ends: float | None = None

    def left(self) -> float:
        """Seconds, for ever as long as nobody told us to stop."""
        if not self._stop.is_set():
            return math.inf
        if self._ends is None:
            self._ends = time.monotonic() + _GRACE
        return self._ends - time.monotonic()


class _Deadline:
    """When one request has to be over."""

    def __init__(self, seconds: float, grace: _Grace) -> None:
        self._at = time.monotonic() + seconds
        self._grace = grace

    def left(self) -> float:
        """Seconds; none or fewer when it is past."""
        return min(self._at - time.monotonic(), self._grace.left())


# httpx bounds each read and not their sum: a server that sends a byte now and then would hold us for ever. So every
# read is held to the deadline of the request that its thread is in. It is done in slices, so that a stop is noticed.
_this_thread = threading.local()


@contextmanager
def _deadline(seconds: float, grace: _Grace) -> Iterator[_Deadline]:
    _this_thread.deadline = _Deadline(seconds, grace)
    try:
        yield _this_thread.deadline
    finally:
        del _this_thread.deadline


def _hold_to_deadline(event: str, info: dict[str, Any]) -> None:
    """Trace extension of httpx: shortens the reads of each new connection to what is left of the deadline."""
    if not event.endswith(("connect_tcp.complete", "start_tls.complete")):
        return
    stream = info["return_value"]
    read = stream.read

    def read_in_time(max_bytes: int, timeout: float | None = None) -> bytes:
        until = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            left = min(_this_thread.deadline.left(), until - time.monotonic())
            try:
                received: bytes = read(max_bytes, timeout=min(max(left, 0.001), _LOOK_EVERY))
            except httpcore.ReadTimeout:
                if left <= _LOOK_EVERY:
                    raise
            else:
                return received

    stream.read = read_in_time
