"""Judging an answer of an OpenStack service: its HTTP status is the verdict, and its body says why, as JSON or HTML."""

import html
import re
from datetime import datetime
from typing import Any

from janitor.cloud.common import wire
from janitor.cloud.common.answers import Declined, Unauthorized, passing, quoted, redirected, undocumented
from janitor.redaction import Redaction
from janitor.transport import Reply

_PARTIAL = 206
_ABSENT = 404
_ERROR = "error"  # what OpenStack's services call an error; no document of theirs has such a key
_MARKER_GONE = frozenset({400, 404})
_BUSY = frozenset(
    {413, 429}
)  # older Compute says "over limit" by 413, which differs from "too large" by its Retry-After
_BREAK = re.compile(r"<br */?>", re.IGNORECASE)
_TAG = re.compile(r"<(?:head|style|script)\b.*?</(?:head|style|script)>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_MOST_OF_A_BODY = 20_000


def judge(reply: Reply, label: str, redact: Redaction, now: datetime) -> dict[str, Any]:
    """The document of a successful answer; an empty one for an answer without a body.

    Raises Transient, Unauthorized or Declined for any other; `label` and `redact` make the message.
    """
    status = reply.status
    if status == _PARTIAL:
        raise undocumented(f"HTTP {status}, a partial answer")
    if 200 <= status < 300:
        return _document(reply)
    if 300 <= status < 400:
        raise redirected(label, status)
    words = f"HTTP {status} {quoted(_said(reply.body), redact)}"
    busy = status in _BUSY and reply.retry_after(now) is not None
    if reply.passes or busy:
        raise passing(reply, words, now, busy=busy or status in _BUSY)
    raise _declined(f"{label}: {words}", status)


def _document(reply: Reply) -> dict[str, Any]:
    if not reply.body.strip():
        return {}
    document = wire.document(reply.body)
    if document is None:
        raise undocumented(f"HTTP {reply.status} with a body that is not a JSON object")
    if document.get(_ERROR):
        raise undocumented(f"HTTP {reply.status} with an error in its body")
    return document


def _declined(words: str, status: int) -> Declined:
    return (Unauthorized if status == 401 else Declined)(
        words,
        code=status,
        absent=status == _ABSENT,
        forbidden=status in (401, 403),
        marker_gone=status in _MARKER_GONE,
    )


def _said(body: bytes) -> str:
    """What an error says: `message` at the top of its JSON or one level below, or else its text without markup."""
    document = wire.document(body)
    if document is None:
        return html.unescape(_TAG.sub(" ", body[:_MOST_OF_A_BODY].decode("utf-8", "replace")))
    inner = [value for value in document.values() if isinstance(value, dict)]
    listed = document.get("errors")  # as the container service has them
    inner += [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    messages = (wire.text(place.get("message") or place.get("detail")) for place in (document, *inner))
    return _BREAK.sub(" ", next((message for message in messages if message), ""))
