"""The database: runs, snapshots, decisions, deletions and reports, in one SQLite file.

The rest of the program uses `Store` only. Each of its methods is one transaction; it may be used from several threads
at once.
"""

from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from janitor.store.database import DatabaseFile
from janitor.store.inspecting import inspect, size_of
from janitor.store.lock import exclusive, holder
from janitor.store.reports import KeptReport, NewReport
from janitor.store.surveys.recorded import SeenImages
from janitor.store.transactions.backtests import Backtests
from janitor.store.transactions.clicks import Clicks
from janitor.store.transactions.comparing import Comparing
from janitor.store.transactions.copying import Copying
from janitor.store.transactions.deletions import Deletions
from janitor.store.transactions.previews import Previews
from janitor.store.transactions.reports import Reports
from janitor.store.transactions.runs import Runs
from janitor.store.transactions.surveys import Surveys
from janitor.store.transactions.trust import Trust
from janitor.store.transactions.upkeep import Upkeep
from janitor.store.trust.announcements import NewOffer, Offer, Offered
from janitor.store.trust.clicks import AnsweredClick
from janitor.store.trust.exemptions import ExemptionRecord
from janitor.store.trust.marks import read_mark, write_mark

__all__ = [
    "AnsweredClick",
    "ExemptionRecord",
    "KeptReport",
    "NewOffer",
    "NewReport",
    "Offer",
    "Offered",
    "SeenImages",
    "Store",
    "exclusive",
    "holder",
    "inspect",
    "read_mark",
    "size_of",
    "write_mark",
]


class Store(Runs, Surveys, Deletions, Trust, Clicks, Reports, Previews, Backtests, Upkeep, Copying, Comparing):
    """One open database. Every method raises StoreError, with what to do, when the file cannot be read or written."""

    @classmethod
    def open(cls, path: Path, patience: timedelta | None = None) -> Self:
        """Open the database for writing; a new one is readable by its owner only. The folder must exist.

        `patience`: how long each transaction waits while another process writes; without it ten seconds.
        """
        return cls(DatabaseFile.open(path, create=True, patience=patience))

    @classmethod
    def open_existing(cls, path: Path) -> Self:
        """Open the database for reading. Raises UsageError where none exists yet."""
        return cls(DatabaseFile.open(path, create=False))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
