"""The outbox: reports stay in the database until their channel has accepted them, as far as it can be used."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from janitor.errors import DeliveryError, StoreError
from janitor.store import NewReport, Store, inspect

_log = logging.getLogger("janitor.notify.outbox")
_T = TypeVar("_T")

_MERGED = "not sent: replaced by a report that also tells what owners could not be told"


@contextmanager
def outbox_in(database: Path, *, doubtful: bool) -> Iterator[Outbox]:
    """The reports kept in a database. A doubtful database is checked first: nothing is written to a damaged file."""
    try:
        if doubtful:
            inspect(database)
        store = Store.open(database)
    except StoreError as error:
        _log.warning("report-not-kept: %s", error)
        yield Outbox(None)
        return
    with store:
        yield Outbox(store)


@dataclass(frozen=True, slots=True)
class Outbox:
    """The kept reports, as far as the database can be used: a failure is logged, and does not stop the delivery."""

    store: Store | None

    def read(self, question: Callable[[Store], _T], otherwise: _T) -> _T:
        """The answer to a query; `otherwise` if the database fails."""
        try:
            return otherwise if self.store is None else question(self.store)
        except StoreError as error:
            _log.warning("reports-not-readable: %s", error)
            return otherwise

    def keep(self, run: int | None, given: Sequence[NewReport], at: datetime) -> Sequence[int | None]:
        """Keep all reports of a run, so that it no longer owes any; returns their numbers."""
        if run is None and not given:
            return []
        return self._write(lambda store: store.add_reports(run, given, at)) or [None] * len(given)

    def merge(
        self, report: int, run: int | None, merged: NewReport, others: Mapping[int, str], at: datetime
    ) -> int | None:
        """Keep a report that holds `others`, too, instead of all of these; returns its number.

        If the database fails, the others stay as they are.
        """
        dropped = {report: _MERGED, **others}
        return self._write(lambda store: store.merge_reports(run, merged, dropped, at))

    def note_accepted(self, report: int | None, accepted: int, place_json: str) -> None:
        """Record how far the delivery of a report has got."""
        if report is not None:
            self._write(lambda store: store.mark_accepted(report, accepted, place_json))

    def settle(self, report: int | None, error: DeliveryError | None, at: datetime, channel: str | None = None) -> None:
        """Record whether a report was delivered, and to which `channel` if not to its own."""
        if report is None:
            return
        if error is None:
            self._write(lambda store: store.mark_delivered(report, at, channel))
        else:
            self._write(lambda store: store.mark_undelivered(report, str(error), at))

    def drop(self, report: int, why: str, at: datetime) -> None:
        """Record that a report will not be sent, and why."""
        self._write(lambda store: store.mark_superfluous(report, why, at))

    def _write(self, act: Callable[[Store], _T]) -> _T | None:
        try:
            return None if self.store is None else act(self.store)
        except StoreError as error:
            _log.warning("delivery-not-recorded: %s", error)
            return None
