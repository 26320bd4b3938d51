"""What an answer of any API can mean, however that API says it."""

from collections.abc import Mapping
from datetime import datetime

from janitor.errors import Refused
from janitor.redaction import Redaction
from janitor.transport import Reply, Transient
from janitor.transport.json_body import Unreadable
from janitor.transport.messages import status_words

_LONGEST_MESSAGE = 300
_SAYS_FAULT = frozenset({"code", "message"})
_FAULTS = ("error", "errors")


class Declined(Refused):
    """A permanent rejection.

    Its kind: `absent`, there is no such thing; `forbidden`, this account may not do that; `marker_gone`, in answer to a
    page with a marker, that the marker may not exist.
    """

    def __init__(
        self, message: str, *, code: int, absent: bool = False, forbidden: bool = False, marker_gone: bool = False
    ) -> None:
        super().__init__(message, code=code)
        self.absent = absent
        self.forbidden = forbidden
        self.marker_gone = marker_gone


class Unauthorized(Declined):
    """The token or the credentials are not accepted."""


def undocumented(what: str) -> Transient:
    """An answer that says it is successful but does not hold what it should."""
    return Transient(f"the answer is not as documented: {what}")


def check_envelope(document: Mapping[str, object]) -> None:
    """Raise Transient for a document that has one of its own keys twice: its content is ambiguous."""
    for key, value in document.items():
        if isinstance(value, Unreadable):
            raise undocumented(f"{key} is given twice, or is not JSON")


def check_faultless(document: Mapping[str, object]) -> None:
    """Raise Transient for a list whose document also reports a fault: the list may have ended there.

    A fault is an object with a code or a message under a name of its own, as `computeFault` and `itemNotFound`; or both
    at the top, as Glance has them; or anything under `error` or `errors`. No documented list has such keys beside it.
    """
    for key, value in document.items():
        if isinstance(value, dict) and not _SAYS_FAULT.isdisjoint(value):
            raise undocumented(f"the list comes with {key}")
    for key in _FAULTS:
        if document.get(key):
            raise undocumented(f"the list comes with {key}")
    if document.get("code") and (document.get("message") or document.get("title")):
        raise undocumented("the list comes with a code and a message")


def passing(reply: Reply, words: str, now: datetime, *, busy: bool) -> Transient:
    """A failure that may pass. Only "too many requests" says that the request was not carried out."""
    return Transient(words, retry_after=reply.retry_after(now), lost=not busy)


def redirected(label: str, status: int) -> Declined:
    """A redirect, which would take the token elsewhere."""
    return Declined(f"{label}: {status_words(status)}", code=status)


def quoted(message: object, redact: Redaction) -> str:
    """An API's own words on one line, without secrets, and cut to a length that people read."""
    said = " ".join(redact(message).split()) if isinstance(message, str) else ""
    return f'"{said[:_LONGEST_MESSAGE]}"' if said else "without a message"
