"""Reports that are kept until their channel has accepted them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from janitor.core.memory import Backlog
from janitor.store import reports, runs
from janitor.store.reports import FoundPerson, KeptReport, NewReport
from janitor.store.transactions import OnFile


class Reports(OnFile):
    """Keeps reports until their channel has accepted them."""

    def owed_reports(self, except_of: int) -> list[int]:
        """The other runs that finished and died before their report was kept, oldest first."""
        with self._file.reading() as db:
            return runs.owed_reports(db, except_of)

    def add_reports(self, run: int | None, given: Iterable[NewReport], at: datetime) -> list[int]:
        """Keep all reports of a run, which then owes none; without a run, the reports of one that could not begin.

        Returns their numbers.
        """
        with self._file.writing() as db:
            if run is not None:
                runs.settle_report(db, run)
            return [reports.add_report(db, run, report, at) for report in given]

    def merge_reports(self, run: int | None, merged: NewReport, others: Mapping[int, str], at: datetime) -> int:
        """Keep a report of a run that replaces others, which will not be sent, each with the reason; its number."""
        with self._file.writing() as db:
            for other, why in others.items():
                reports.mark_superfluous(db, other, why, at)
            return reports.add_report(db, run, merged, at)

    def person(self, service: str, address: str) -> FoundPerson | None:
        """Whom a service had for an e-mail address when it was last asked; None if it was not, or not recently."""
        with self._file.reading() as db:
            return reports.person(db, service, address)

    def record_person(self, service: str, address: str, user: str | None, at: datetime) -> None:
        """Record whom a service has for an e-mail address; None is nobody."""
        with self._file.writing() as db:
            reports.record_person(db, service, address, user, at)

    def forget_person(self, service: str, address: str) -> None:
        """Forget whom a service had for an e-mail address."""
        with self._file.writing() as db:
            reports.forget_person(db, service, address)

    def mark_accepted(self, report: int, accepted: int, place_json: str) -> None:
        """Record that the channel has accepted so many messages of a report, which are at this place."""
        with self._file.writing() as db:
            reports.mark_accepted(db, report, accepted, place_json)

    def mark_delivered(self, report: int, at: datetime, channel: str | None = None) -> None:
        """Record that the channel has accepted all of a report, or that another `channel` has instead."""
        with self._file.writing() as db:
            reports.mark_delivered(db, report, at, channel)

    def mark_superfluous(self, report: int, why: str, at: datetime) -> None:
        """Record that a report will not be sent, and why. Its own channel has not accepted it."""
        with self._file.writing() as db:
            reports.mark_superfluous(db, report, why, at)

    def channels_of(self, kept: KeptReport) -> dict[str, bool]:
        """The channels for which the same report of the same run was kept, each with whether it has accepted it."""
        with self._file.reading() as db:
            return reports.channels_of(db, kept)

    def mark_undelivered(self, report: int, error: str, at: datetime) -> None:
        """Record that the channel has not accepted a report, or not all of it."""
        with self._file.writing() as db:
            reports.mark_undelivered(db, report, error, at)

    def undelivered(self) -> list[KeptReport]:
        """The reports that are still to be delivered, oldest first."""
        with self._file.reading() as db:
            return reports.undelivered(db)

    def backlog(self) -> Backlog:
        """How many reports are still to be delivered, those included that runs which died owe, and since when."""
        with self._file.reading() as db:
            return reports.backlog(db)
