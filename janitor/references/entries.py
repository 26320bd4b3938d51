"""What people declare: one entry of `references:`, a glob of files or a URL whose text names images."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from janitor.redaction import credentials_in


class Names(StrEnum):
    """Which images a name in a text keeps: all that bear it, none (ids only), or the newest of them."""

    ALL = "all"
    NONE = "none"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Reference:
    """One declared text: either `files`, an absolute glob, or a `url`.

    `what` is how it is called in messages: the glob as it was written, or the URL without user information, query and
    fragment. `token` is sent as `Authorization: Bearer`. One that is not `required` and cannot be read is said, and
    keeps nothing else.
    """

    what: str
    files: str | None = None
    url: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    names: Names = Names.ALL
    required: bool = True

    @property
    def secrets(self) -> frozenset[str]:
        """What of it no output may show: the token, and of the URL what `what` leaves out."""
        written = {one for one in (self.token, urlsplit(self.url or "").query, *credentials_in(self.url or "")) if one}
        whole = {self.url} if self.url and self.url != self.what else set()
        return frozenset(written | {unquote(one) for one in written} | whole)


def without_secrets(url: str) -> str:
    """A URL without user information, query and fragment: what of it may be shown."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@dataclass(frozen=True, slots=True)
class Text:
    """One text that was read; `shown` is how its file or URL is called in messages."""

    shown: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that should have been read and was not, and why, in words without a secret."""

    why: str
