"""One entry of `references:`: a glob of files or a URL whose text names images."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from janitor.redaction import credentials_in


class Names(StrEnum):
    """Which images a name in a text keeps: all that have it, none (ids only), or the newest of them."""

    ALL = "all"
    NONE = "none"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Reference:
    """One declared text: either `files`, an absolute glob, or a `url`.

    `what` is its name in messages: the glob as written, or the URL without user information, query and fragment.
    `token` is sent as `Authorization: Bearer`. If one that is not `required` cannot be read, the report says so, and
    other images are not kept.
    """

    what: str
    files: str | None = None
    url: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    names: Names = Names.ALL
    required: bool = True

    @property
    def secrets(self) -> frozenset[str]:
        """What no output may show: the token, and the parts of the URL that `what` leaves out."""
        written = {one for one in (self.token, urlsplit(self.url or "").query, *credentials_in(self.url or "")) if one}
        whole = {self.url} if self.url and self.url != self.what else set()
        return frozenset(written | {unquote(one) for one in written} | whole)


def without_secrets(url: str) -> str:
    """A URL without user information, query and fragment: the part that may be shown."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@dataclass(frozen=True, slots=True)
class Text:
    """One text that was read; `shown` is the name of its file or URL in messages."""

    shown: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that should have been read but was not, and why, in words without a secret."""

    why: str
