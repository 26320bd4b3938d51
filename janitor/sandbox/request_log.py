"""The log of every request that a sandbox received, and the account's answer."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Call:
    """One request before it is answered; `ordinal` counts the calls of that name, from 1.

    `name` is such as `list-images`. `path` is without the appkey: `/images`. `image` is the id that a deletion names.
    """

    name: str
    ordinal: int
    method: str
    path: str
    query: Mapping[str, str]
    image: str | None

    def answered(self, code: int | None, at: datetime, faults: tuple[str, ...] = ()) -> "RecordedRequest":
        """The record of this call, once it is answered."""
        return RecordedRequest(
            self.name, self.ordinal, self.method, self.path, self.query, self.image, code, at, faults
        )


@dataclass(frozen=True, slots=True)
class RecordedRequest(Call):
    """One request afterwards: `code` is the account's answer, 0 for success, or None if it was never asked.

    `faults` are the names of those applied; the client may have read another answer than the account's.
    """

    code: int | None
    at: datetime
    faults: tuple[str, ...] = ()


class RequestLog:
    """Every request so far, or the last so many. Safe to read from other threads."""

    def __init__(self, most: int | None = None) -> None:
        self._lock = threading.Lock()
        self._requests: deque[RecordedRequest] = deque(maxlen=most)
        self._counts: dict[str, int] = {}

    def ordinal(self, name: str) -> int:
        """Count one more call of that name."""
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + 1
            return self._counts[name]

    def add(self, request: RecordedRequest) -> None:
        """Keep a request."""
        with self._lock:
            self._requests.append(request)

    def all(self) -> tuple[RecordedRequest, ...]:
        """The requests, in the order in which they were answered."""
        with self._lock:
            return tuple(self._requests)
