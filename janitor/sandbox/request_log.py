"""The log of every request that a sandbox received, and the account's answer."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

DELETION = "delete-image"
_SECRET = frozenset({"authorization", "cookie", "proxy-authorization", "x-auth-token", "x-subject-token"})
_MOST_DELETIONS = 1_000_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a request came, by the real clock whatever the sandbox's own says, and from which port of its client.

    Names of `headers` are in lower case; those that carry something secret are left out.
    """

    at: datetime
    port: int
    headers: Mapping[str, str]


def shown_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """These headers without those that carry something secret; names are in lower case."""
    return _kept_once(tuple((name, value) for name, value in headers.items() if name not in _SECRET))


@lru_cache(maxsize=1024)
def _kept_once(headers: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """All requests of one client have the same: so they cost memory once."""
    return MappingProxyType(dict(headers))


@dataclass(frozen=True, slots=True)
class Call:
    """One request before it is answered; `ordinal` counts the account's calls of that name, from 1.

    `account` is the name of the account. `name` is such as `list-images`. `path` is without the appkey: `/images`.
    `image` is the id that a deletion names.
    """

    account: str
    name: str
    ordinal: int
    method: str
    path: str
    query: Mapping[str, str]
    image: str | None
    arrival: Arrival

    def answered(
        self, code: int | None, status: int | None, at: datetime, answered_at: datetime, faults: tuple[str, ...] = ()
    ) -> "RecordedRequest":
        """The record of this call, once it is answered."""
        said = (self.account, self.name, self.ordinal, self.method, self.path, self.query, self.image, self.arrival)
        return RecordedRequest(*said, code, status, at, answered_at, faults)


@dataclass(frozen=True, slots=True)
class RecordedRequest(Call):
    """One request afterwards: `code` is the account's answer, 0 for success, or None if it was never asked.

    `status` is that of the answer as it was sent, None where none was. `at` is by the sandbox's clock, `answered_at`
    by the real one. `faults` are the names of those applied; the client may have read another answer than the
    account's.
    """

    code: int | None
    status: int | None
    at: datetime
    answered_at: datetime
    faults: tuple[str, ...] = ()


class RequestLog:
    """Every request so far, or the last `most` of them, and every deletion. Safe to read from other threads."""

    def __init__(self, most: int | None = None, whole: "RequestLog | None" = None) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._requests: deque[RecordedRequest] = deque(maxlen=most)
        self._deletions: deque[RecordedRequest] = deque(maxlen=None if most is None else _MOST_DELETIONS)
        self._counts: dict[str, int] = {}
        self._whole = whole

    def part(self) -> "RequestLog":
        """A log of some of the requests, which are in this one, too. Where this one forgets, it has deletions only."""
        return RequestLog(None if self._most is None else 0, self)

    def ordinal(self, name: str) -> int:
        """Count one more call of that name."""
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + 1
            return self._counts[name]

    def add(self, request: RecordedRequest) -> None:
        """Keep a request."""
        with self._lock:
            self._requests.append(request)
            if request.name == DELETION:
                self._deletions.append(request)
        if self._whole is not None:
            self._whole.add(request)

    def all(self) -> tuple[RecordedRequest, ...]:
        """The requests, in the order in which they were answered."""
        with self._lock:
            return tuple(self._requests)

    def deletions(self) -> tuple[RecordedRequest, ...]:
        """Those that ask to delete an image, in the order in which they were answered."""
        with self._lock:
            return tuple(self._deletions)
