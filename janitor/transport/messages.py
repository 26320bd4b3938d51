"""A request, and the whole answer to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

_REDIRECT = "a redirect, which is not followed: configure the URL it leads to"


def status_words(status: int) -> str:
    """An HTTP status in words; for a redirect, that it is not followed: the next host would get the secrets."""
    return f"HTTP {status}, {_REDIRECT}" if 300 <= status < 400 else f"HTTP {status}"


def passes(status: int) -> bool:
    """Whether an HTTP status stands for a failure that may pass."""
    return status in (408, 429) or status >= 500


def path_segment(name: str) -> str:
    """A foreign name as one segment of a URL's path, whatever characters it has."""
    # quote does not escape dots, and a segment of only dots means another path.
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")


_COLONS = 2


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `label` names it in messages and holds no secret.

    `entries` is the key of a list in the answer whose entries are taken as texts, each to be read by itself.
    """

    label: str
    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    entries: str | None = None

    def carrying(self, headers: Mapping[str, str], body: bytes | None = None) -> "Call":
        """The same with these headers and this body."""
        return replace(self, headers=headers, body=body)


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def status_words(self) -> str:
        """The status in words; for a redirect, that it is not followed."""
        return status_words(self.status)

    @property
    def passes(self) -> bool:
        """Whether the status stands for a failure that may pass."""
        return passes(self.status)

    def date(self) -> datetime | None:
        """When the server answered, by its own clock."""
        return _http_date(self.headers.get("date", ""))

    def told_times(self) -> tuple[datetime, ...]:
        """The times in an answer, none if unreadable: when it was made, by the server's own clock.

        An answer from a cache also has the time when that gave it: later by the seconds of its Age.
        """
        made = self.date()
        if made is None:
            return ()
        age = self.headers.get("age", "").strip()
        kept = timedelta(seconds=int(age[:9])) if age.isascii() and age.isdigit() else timedelta()
        return (made, made + kept) if kept else (made,)

    def retry_after(self, now: datetime) -> float | None:
        """How many seconds the server asks to wait, if it does so readably."""
        wanted = self.headers.get("retry-after", "").strip()
        if wanted.isascii() and wanted.isdigit():
            return float(wanted[:9])
        until = _http_date(wanted)
        if until is None:
            return None
        # By the server's own clock if it gives the time: ours may be wrong.
        return max(0.0, (until - (self.date() or now)).total_seconds())


def _http_date(text: str) -> datetime | None:
    if text.count(":") != _COLONS:  # several of them, or something else
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
