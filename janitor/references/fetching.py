"""Fetches the URLs of references, each once."""

import re
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from janitor.errors import CloudError
from janitor.redaction import Redaction
from janitor.references.entries import Reference, Text, Unreadable
from janitor.references.texts import readable
from janitor.transport import Call, HttpOptions, Reply, Transient
from janitor.transport.http import Transport

if TYPE_CHECKING:
    import httpx

_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|form)[\s/>]")
_CODINGS = ("", "identity")
_WHOLE = (200, 203)
_FAR_ENOUGH = 64 * 1024


class Pages:
    """The texts of URLs, kept as long as this object. Safe to use from several threads at once."""

    def __init__(
        self, options: HttpOptions, stop: threading.Event, http_transport: "httpx.BaseTransport | None" = None
    ) -> None:
        self._options = options
        self._stop = stop
        self._http_transport = http_transport
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str | None], Text | Unreadable] = {}

    def text(self, reference: Reference) -> Text | Unreadable:
        """The text at a reference's URL, or why there is none, without any secret of it. Redirects are not followed."""
        url = reference.url or ""
        with self._lock:
            if (url, reference.token) not in self._kept:
                self._kept[url, reference.token] = self._fetched(reference, url)
            return self._kept[url, reference.token]

    def _fetched(self, reference: Reference, url: str) -> Text | Unreadable:
        redact = Redaction(*_secrets(reference))
        transport = Transport(self._options, redact, self._stop, self._http_transport)
        # Compressed texts are not requested: one that ends early would look complete.
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if reference.token is not None:
            headers["Authorization"] = f"Bearer {reference.token}"
        call = Call(reference.what, "GET", url, headers=headers)
        try:
            reply = transport.persist(call.label, lambda seconds: _reply(transport, call, seconds))
        except CloudError as error:
            return Unreadable(redact(str(error).removeprefix(f"{call.label}: ")))
        finally:
            transport.close()
        why = _unusable(reply)
        return Unreadable(why) if why else readable(Text(reference.what, reply.body))


def _reply(transport: Transport, call: Call, seconds: float) -> Reply:
    reply = transport.request(call, seconds)
    if reply.passes:
        raise Transient(f"HTTP {reply.status}")
    return reply


def _unusable(reply: Reply) -> str:
    """Why this answer is not the requested text; empty if it is."""
    beginning = reply.body[:_FAR_ENOUGH].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if reply.status not in _WHOLE:
        return reply.status_words
    if not beginning:
        return "the answer is empty"
    if reply.headers.get("content-encoding", "").strip().lower() not in _CODINGS:
        return "the answer is compressed in a way that was not requested"
    if "content-length" not in reply.headers and "transfer-encoding" not in reply.headers:
        return "the answer does not say where it ends"
    marked_up = beginning.startswith(b"<") and _HTML.search(beginning) is not None
    if marked_up or "html" in reply.headers.get("content-type", "").lower():
        return "the answer is a page of HTML, as those for signing in are"
    return ""


def _secrets(reference: Reference) -> list[str]:
    """What no message about this one may show, including the single values of the query."""
    pairs = urlsplit(reference.url or "").query.split("&")
    values = (one for pair in pairs for one in (pair, pair.partition("=")[2]))
    # Shorter ones, as of page=1, are not secrets.
    return [one for one in (*reference.secrets, *values) if len(one) > 2]
