"""The heartbeat: tells a healthchecks service when a run begins, and whether it ended well.

The URL is a secret, since anyone who knows it can report success. It is pinged as such services expect: a GET of the
URL itself on success, of `/start` below it at the start and of `/fail` on failure.
"""

import logging
import threading
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

from janitor.errors import CloudError
from janitor.redaction import Redaction, secrets_of_webhook
from janitor.shutdown import within
from janitor.transport import Call, HttpOptions, Transient
from janitor.transport.http import Transport
from janitor.transport.route import Route

_log = logging.getLogger("janitor.monitoring.heartbeat")

_PATIENCE = HttpOptions(timeout=timedelta(seconds=5), attempts=3, give_up_after=timedelta(seconds=12))
_LARGEST_ANSWER = 2**20
_TIME_WHEN_STOPPED = timedelta(seconds=1)  # what remains of the ten seconds that a container has to end
_START, _SUCCESS, _FAIL = "start", "success", "fail"
_BENEATH = {_START: "/start", _SUCCESS: "", _FAIL: "/fail"}


class Heartbeat:
    """Pings one URL, or nothing without one. A failed ping is logged, and has no other effect.

    Setting `stop` ends retries, and abandons a ping that hangs.
    """

    def __init__(
        self, url: str | None, stop: threading.Event, patience: HttpOptions = _PATIENCE, route: Route | None = None
    ) -> None:
        self._url = url
        self._stop = stop
        self._patience = patience if route is None else replace(patience, route=route)

    def start(self) -> None:
        """A run begins."""
        self._ping(_START)

    def success(self) -> None:
        """A run ended, and nothing is wrong."""
        self._ping(_SUCCESS)

    def failure(self) -> None:
        """A run ended otherwise, or could not begin."""
        self._ping(_FAIL)

    def _ping(self, event: str) -> None:
        if self._url is None:
            return
        address = _address(self._url, _BENEATH[event])
        failed = within(lambda: self._failure(event, address), self._stop, _TIME_WHEN_STOPPED)
        if failed is None:
            _log.warning("heartbeat-failed event=%s: no answer before the program had to stop", event)
        elif failed:
            _log.warning("heartbeat-failed event=%s: %s", event, failed)

    def _failure(self, event: str, address: str) -> str:
        """Why the ping failed, without the URL; empty if it did not."""
        redact = Redaction(address, *secrets_of_webhook(self._url or ""))
        transport = Transport(self._patience, redact, self._stop, largest=_LARGEST_ANSWER)
        call = Call(f"heartbeat {event}", "GET", address)
        try:
            transport.persist(call.label, lambda seconds: _send(transport, call, seconds))
        except CloudError as error:
            return str(error)
        finally:
            transport.close()
        return ""


def _send(transport: Transport, call: Call, seconds: float) -> None:
    reply = transport.request(call, seconds)
    if reply.passes:
        raise Transient(f"HTTP {reply.status}")
    if not 200 <= reply.status < 300:
        raise CloudError(f"{call.label}: {reply.status_words}")


def _address(url: str, below: str) -> str:
    """The URL of an event: below the path, before the query, and without a fragment, which is never sent."""
    scheme, place, path, query, _ = urlsplit(url)
    return urlunsplit((scheme, place, path.rstrip("/") + below if below else path, query, ""))
