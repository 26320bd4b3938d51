"""Judging an answer of the Compute API v1.0: its header is the verdict, and only without one the HTTP status.

The codes are those of the vendor's page; from 10000 on, the last three digits of a code are an HTTP status.
"""

from datetime import datetime
from typing import Any

from janitor.cloud import wire
from janitor.cloud.redaction import Redaction
from janitor.cloud.transport import Reply, Transient
from janitor.errors import Refused

_PASSING_CODES = frozenset({-1, -2, -6})
_PERMISSION_DENIED = -3
_ABSENT = frozenset({-5, 404, 30404})
_MARKER_GONE = _ABSENT | {-4, 400, 30400}
_FIRST_STATUS_CODE = 10_000
_LONGEST_MESSAGE = 300


class Declined(Refused):
    """A permanent no, with the HTTP status that it came with."""

    def __init__(self, message: str, *, code: int, status: int) -> None:
        super().__init__(message, code=code)
        self.status = status

    @property
    def absent(self) -> bool:
        """Whether it says that there is no such thing."""
        return not _ABSENT.isdisjoint((self.code, self.status))

    @property
    def forbidden(self) -> bool:
        """Whether it is a matter of who asks."""
        return self.code == _PERMISSION_DENIED or not {401, 403}.isdisjoint((self.status, _status_in(self.code)))

    @property
    def marker_gone(self) -> bool:
        """Whether, said to a page with a marker, it may mean that there is no such marker."""
        return not _MARKER_GONE.isdisjoint((self.code, self.status))


class Unauthorized(Declined):
    """The token or the credentials are not accepted."""


def judge(reply: Reply, label: str, redact: Redaction, now: datetime) -> dict[str, Any]:
    """The document of a successful answer.

    Raises Transient, Unauthorized or Declined for any other; `label` and `redact` make the message.
    """
    document = wire.document(reply.body) or {}
    header = document.get("header")
    verdict = wire.boolean(header.get("isSuccessful")) if isinstance(header, dict) else None
    if verdict:
        return document
    if verdict is None or not isinstance(header, dict):
        raise _without_verdict(reply, label, now)
    raise _unsuccessful(reply, header, label, redact, now)


def undocumented(what: str) -> Transient:
    """An answer that said it was successful and does not hold what it should."""
    return Transient(f"the answer is not the documented one: {what}")


def _without_verdict(reply: Reply, label: str, now: datetime) -> Exception:
    status = reply.status
    if _passes(status):
        return _transient(reply, f"HTTP {status}", now, busy=status == 429)
    if 200 <= status < 300:
        return undocumented(f"HTTP {status} without a readable header.isSuccessful")
    if 300 <= status < 400:
        return Declined(f"{label}: HTTP {status}, a redirect, which is not followed", code=status, status=status)
    return _declined(label, f"HTTP {status}", status, status)


def _unsuccessful(reply: Reply, header: dict[str, Any], label: str, redact: Redaction, now: datetime) -> Exception:
    code = wire.integer(header.get("resultCode"))
    said = _words(header.get("resultMessage"), redact)
    http = "" if reply.status == 200 else f" (HTTP {reply.status})"
    words = f"{'no code' if code is None else code} {said}{http}"
    if _passes(reply.status) or (code is not None and (code in _PASSING_CODES or _passes(_status_in(code)))):
        return _transient(reply, words, now, busy=429 in (reply.status, _status_in(code or 0)))
    return _declined(label, words, reply.status if code is None else code, reply.status)


def _words(message: object, redact: Redaction) -> str:
    said = " ".join(redact(message).split()) if isinstance(message, str) else ""
    return f'"{said[:_LONGEST_MESSAGE]}"' if said else "without a message"


def _declined(label: str, words: str, code: int, status: int) -> Declined:
    unauthorized = code == _PERMISSION_DENIED or 401 in (status, _status_in(code))
    return (Unauthorized if unauthorized else Declined)(f"{label}: {words}", code=code, status=status)


def _transient(reply: Reply, words: str, now: datetime, *, busy: bool) -> Transient:
    # "Too many requests" is the one failure that says the request was not carried out.
    return Transient(words, retry_after=reply.retry_after(now), lost=not busy)


def _status_in(code: int) -> int:
    return code % 1000 if code >= _FIRST_STATUS_CODE else 0


def _passes(status: int) -> bool:
    return status in (408, 429) or status >= 500
