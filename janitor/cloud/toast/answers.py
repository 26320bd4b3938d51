"""Judging an answer of the Compute API v1.0: its header is the verdict, and only without one the HTTP status.

Every documented answer is HTTP 200: a success with another status contradicts itself, and does not count.

Success is `isSuccessful` true and `resultCode` 0, both of them: a header in which they disagree is not a usable answer.

The codes are those of the vendor's page; from 10000 on, the last three digits of a code are an HTTP status.
"""

from datetime import datetime
from typing import Any

from janitor.cloud.common import wire
from janitor.cloud.common.answers import (
    Declined,
    Unauthorized,
    check_envelope,
    passing,
    quoted,
    redirected,
    undocumented,
)
from janitor.core.image import MISSING
from janitor.redaction import Redaction
from janitor.transport import Reply
from janitor.transport.messages import passes

_PASSING_CODES = frozenset({-1, -2, -6})
_PERMISSION_DENIED = -3
_ABSENT = frozenset({-5, 404, 30404})
_MARKER_GONE = _ABSENT | {-4, 400, 30400}
_FIRST_STATUS_CODE = 10_000
_SUCCESS = 200


def judge(reply: Reply, label: str, redact: Redaction, now: datetime) -> dict[str, Any]:
    """The document of a successful answer.

    Raises Transient, Unauthorized or Declined for any other; `label` and `redact` make the message.
    """
    document = wire.document(reply.body) or {}
    header = document.get("header")
    if 200 <= reply.status < 300:
        for part in (document, header) if isinstance(header, dict) else (document,):
            check_envelope(part)
    verdict = wire.boolean(header.get("isSuccessful")) if isinstance(header, dict) else None
    if verdict is None or not isinstance(header, dict):
        raise _without_verdict(reply, label, now)
    if verdict is not _is_success(header.get("resultCode")):
        raise _contradictory(reply, header, now)
    if verdict and 300 <= reply.status < 400:
        raise redirected(label, reply.status)
    if verdict and reply.status != _SUCCESS:
        raise passing(reply, f"HTTP {reply.status}, and header.isSuccessful is true", now, busy=False)
    if verdict:
        return document
    raise _unsuccessful(reply, header, label, redact, now)


def _without_verdict(reply: Reply, label: str, now: datetime) -> Exception:
    status = reply.status
    if reply.passes:
        return passing(reply, f"HTTP {status}", now, busy=status == 429)
    if 200 <= status < 300:
        return undocumented(f"HTTP {status} without a readable header.isSuccessful")
    if 300 <= status < 400:
        return redirected(label, status)
    return _declined(label, f"HTTP {status}", status, status)


def _is_success(code: object) -> bool:
    return (type(code) is int and code == 0) or code == "0"


def _contradictory(reply: Reply, header: dict[str, Any], now: datetime) -> Exception:
    """A header that says both that it was done and that it was not: it is unknown which."""
    code = wire.shown(header["resultCode"]) if "resultCode" in header else MISSING
    words = f"header.isSuccessful is {wire.shown(header['isSuccessful'])}, and resultCode is {code}"
    if reply.passes:
        return passing(reply, f"HTTP {reply.status}, {words}", now, busy=False)
    return undocumented(words)


def _unsuccessful(reply: Reply, header: dict[str, Any], label: str, redact: Redaction, now: datetime) -> Exception:
    code = wire.integer(header.get("resultCode"))
    said = quoted(header.get("resultMessage"), redact)
    http = "" if reply.status == 200 else f" (HTTP {reply.status})"
    words = f"{'no code' if code is None else code} {said}{http}"
    if reply.passes or (code is not None and (code in _PASSING_CODES or passes(_status_in(code)))):
        return passing(reply, words, now, busy=429 in (reply.status, _status_in(code or 0)))
    return _declined(label, words, reply.status if code is None else code, reply.status)


def _declined(label: str, words: str, code: int, status: int) -> Declined:
    who_asks = {401, 403} & {status, _status_in(code)}
    return (Unauthorized if code == _PERMISSION_DENIED or 401 in who_asks else Declined)(
        f"{label}: {words}",
        code=code,
        absent=not _ABSENT.isdisjoint((code, status)),
        forbidden=code == _PERMISSION_DENIED or bool(who_asks),
        marker_gone=not _MARKER_GONE.isdisjoint((code, status)),
    )


def _status_in(code: int) -> int:
    return code % 1000 if code >= _FIRST_STATUS_CODE else 0
