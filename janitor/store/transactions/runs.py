"""Runs, what each was based on, and how it ended."""

from datetime import datetime

from janitor.core.basis import Basis
from janitor.core.result import Mode, Outcome, RunResult, RunSummary, TargetResult
from janitor.store import runs
from janitor.store.basis import policies_at, record_basis
from janitor.store.surveys import timekeeping
from janitor.store.transactions import OnFile


class Runs(OnFile):
    """Begins, ends and lists runs."""

    def begin_run(
        self,
        mode: Mode,
        started_at: datetime,
        *,
        owes_report: bool = False,
        unposted: bool = False,
        begun_by: str | None = None,
    ) -> int:
        """Begin a run, which owes a report until that is kept, or is `unposted`: reported to no channel.

        `begun_by` is who or what begins it, in words. Returns its number.
        """
        with self._file.writing() as db:
            return runs.begin_run(db, mode, started_at, owes_report=owes_report, unposted=unposted, begun_by=begun_by)

    def record_basis(self, run: int, basis: Basis) -> None:
        """Record what a run is based on: its policies, the exemptions of policy files, its zone and its limits."""
        with self._file.writing() as db:
            record_basis(db, run, basis)

    def policies(self, run: int) -> dict[str, str]:
        """The texts of the policies of a run, by name, in their order."""
        with self._file.reading() as db:
            return policies_at(db, run)

    def record_clock(self, run: int, at: datetime) -> None:
        """Record the time of a run's clock when an answer of an API confirmed it."""
        with self._file.writing() as db:
            timekeeping.record_clock(db, run, at)

    def last_clock(self, before: int) -> tuple[int, datetime] | None:
        """The latest run before this one whose clock an answer confirmed, and its time."""
        with self._file.reading() as db:
            return timekeeping.last_clock(db, before)

    def finish_target(self, run: int, result: TargetResult) -> None:
        """Record how a target ended, surveyed or not, with the confirmed outcomes of its deletions."""
        with self._file.writing() as db:
            runs.finish_target(db, run, result)

    def finish_run(self, result: RunResult) -> RunResult:
        """Record how a run ended, and end the notices of images that a live run spared or reported as gone.

        Returns the result with the targets that are `unseen`.
        """
        with self._file.writing() as db:
            return runs.finish_run(db, result)

    def latest_run(self) -> int | None:
        """The number of the latest run, if any."""
        with self._file.reading() as db:
            return runs.latest_run(db)

    def mode_of(self, run: int) -> Mode:
        """The mode of a run that is known."""
        with self._file.reading() as db:
            return runs.mode_of(db, run)

    def outcome_before(self, run: int) -> Outcome | None:
        """How the run before this one ended, or the latest without a number; None where there was none."""
        with self._file.reading() as db:
            return runs.outcome_before(db, run)

    def runs(self, limit: int | None = 20) -> list[RunSummary]:
        """The latest runs, newest first."""
        with self._file.reading() as db:
            return runs.list_runs(db, limit)

    def load_run(self, run: int) -> RunResult:
        """A run exactly as it was reported; one that never finished has failed.

        Raises UsageError for an unknown one.
        """
        with self._file.reading() as db:
            return runs.load_run(db, run)

    def said(self, mode: Mode) -> set[str]:
        """The remarks on policy files of all runs of this mode."""
        with self._file.reading() as db:
            return runs.said(db, mode)
