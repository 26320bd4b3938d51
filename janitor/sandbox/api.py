"""What the APIs of a sandbox have in common: each turns requests into answers of its accounts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from starlette.responses import Response

from janitor.sandbox.account import Account


@dataclass(frozen=True, slots=True)
class Asked:
    """The contents of a request. `pairs` is its query with every repetition; names of `headers` are in lower case.

    `clock_off` is the error of the clock that dates tokens, and `cell_down` says that a part of compute is down.
    """

    method: str
    url_path: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    pairs: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    clock_off: timedelta = timedelta()
    cell_down: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and the account's code for it: 0 for success, otherwise the API's own code."""

    code: int
    response: Response


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of an API: its path, its account, how it answers, and how it fails with a code.

    `image` gives the id of the image that a request names. For a list, `nothing` gives an empty answer, and every
    successful page begins with `opening`.
    """

    name: str
    method: str | None
    path: str
    account: Account
    answer: Callable[[Asked], Reply]
    failure: Callable[[Asked, int], Response]
    image: Callable[[Asked], str | None] = lambda _asked: None
    nothing: Callable[[Asked], Response] | None = None
    opening: bytes | None = None


class ServedApi(Protocol):
    """One API over accounts."""

    @property
    def url(self) -> str:
        """The URL for a client's configuration."""

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """Every call; the last one, without a method, takes all that the API does not know."""

    def shown(self, path: str) -> str:
        """A request's path as recorded, without anything secret."""

    def target(self, name: str) -> str:
        """A target of a janitor.yaml, as an item of its list, with comments for the reader."""
