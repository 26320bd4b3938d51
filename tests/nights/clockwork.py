"""Simulated time: nothing really waits, each step of a run takes a second, and something may happen at any step.

A step is the instant before and after a request or a write. They are counted where all of them pass, in the transport
and in the connections to the database, so that new requests and writes of a run are steps, too.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest import mock

import httpx

from janitor.shutdown import Stop
from janitor.transport import deadline

_TICK = timedelta(seconds=1)
_ID = re.compile(r"[0-9a-f-]{32,36}|(?<=appkeys/)[^/]+")
_WRITTEN = re.compile(r"\s*(?:INSERT (?:OR REPLACE )?INTO|UPDATE|DELETE FROM) (\w+)")


class Crash(BaseException):
    """The process has died here."""


@dataclass(frozen=True)
class Happening:
    """Something that happens in a run at the step of this number."""

    step: int
    act: Callable[[], None]


class Clockwork:
    """The time of a simulation. `steps` counts those of the latest run; `died_at` is where that crashed, if it did."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.steps = 0
        self.died_at: str | None = None
        self._goes = False
        self._happening: Happening | None = None

    @contextmanager
    def running(self, happening: Happening | None) -> Iterator[None]:
        """A run is in progress within the block."""
        self.steps, self.died_at, self._goes, self._happening = 0, None, True, happening
        try:
            yield
        finally:
            self._goes = False

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What another program does within the block is not a step of the run."""
        goes, self._goes = self._goes, False
        try:
            yield
        finally:
            self._goes = goes

    def step(self, place: str) -> None:
        """A run reaches a step; it may die there."""
        if not self._goes:
            return
        if self.died_at is not None:
            raise Crash
        self.steps += 1
        self.now += _TICK
        if self._happening is not None and self._happening.step == self.steps:
            happening, self._happening = self._happening, None
            self._act(happening, place)

    def _act(self, happening: Happening, place: str) -> None:
        self._goes = False  # what a person does meanwhile is not a step of the run
        try:
            happening.act()
        except Crash:
            self.died_at = place
            raise
        finally:
            self._goes = True

    @contextmanager
    def governing(self) -> Iterator[None]:
        """Within the block, databases count their writes as steps, and waits end at once."""
        connect = partial(sqlite3.connect, factory=partial(_Connection, self))
        with (
            mock.patch("sqlite3.connect", connect),
            mock.patch.object(Stop, "wait", _has_waited),
            mock.patch.object(deadline, "time", SimpleNamespace(monotonic=lambda: self.now.timestamp())),
        ):
            yield


class _Connection(sqlite3.Connection):
    """A connection whose transactions that may write are steps."""

    def __init__(self, clockwork: Clockwork, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._clockwork = clockwork
        self._written: str | None = None

    def execute(self, sql: str, *words: Any) -> sqlite3.Cursor:
        if sql == "BEGIN IMMEDIATE":
            self._clockwork.step("before a write")
            self._written = "nothing"
        self._note(sql)
        # There are no power failures here: what a crash leaves does not depend on the disk.
        cursor = super().execute(sql.replace("synchronous = FULL", "synchronous = OFF"), *words)
        if sql == "COMMIT" and self._written is not None:
            written, self._written = self._written, None
            self._clockwork.step(f"after a write to {written}")
        return cursor

    def executemany(self, sql: str, rows: Iterable[Any]) -> sqlite3.Cursor:
        self._note(sql)
        return super().executemany(sql, rows)

    def _note(self, sql: str) -> None:
        if found := _WRITTEN.match(sql):
            self._written = found[1]


class Carrier(httpx.BaseTransport):
    """Carries the requests of a client by way of the clockwork."""

    def __init__(self, clockwork: Clockwork, http_transport: httpx.BaseTransport) -> None:
        self._clockwork = clockwork
        self._http_transport = http_transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        place = f"{request.method} {_ID.sub('{id}', request.url.path)}"
        self._clockwork.step(f"before {place}")
        try:
            return self._http_transport.handle_request(request)
        finally:
            self._clockwork.step(f"after {place}")


def _has_waited(stop: Stop, _timeout: float | None = None) -> bool:
    return stop.is_set()
