"""The janitor's memory: runs, snapshots, decisions, deletions and reports, in one SQLite file.

`Store` is all that the rest of the program sees of it. Each of its methods is one transaction; it may be used from
several threads at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from janitor.core.basis import Basis, Grounds
from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.memory import Exemption, History, Memory, Notice
from janitor.core.planning.deletion import Answered
from janitor.core.planning.reconciling import Settlement, Unsettled
from janitor.core.result import Event, Mode, Outcome, RunResult, RunSummary, TargetResult
from janitor.core.survey import Survey
from janitor.core.survey.binding import Binding
from janitor.core.survey.mark import Mark
from janitor.core.survey.plausibility import Measure
from janitor.core.usage import EarlierUsage
from janitor.store import chronicle, journal, reports, runs
from janitor.store.basis import policies_at, record_basis
from janitor.store.database import DatabaseFile, inspect
from janitor.store.lock import exclusive, holder
from janitor.store.replay import Inputs, inputs_at
from janitor.store.reports import KeptReport, NewReport
from janitor.store.surveys import measures, snapshots, timekeeping, uses
from janitor.store.surveys.decisions import record_decisions
from janitor.store.trust import bindings, exemptions, marks, notices, outcomes
from janitor.store.trust.exemptions import ExemptionRecord
from janitor.store.trust.grounds import notice_at, record_grounds
from janitor.store.trust.hearing import hearing
from janitor.store.trust.marks import read_mark, write_mark
from janitor.store.trust.notices import announce, remind

__all__ = [
    "ExemptionRecord",
    "Inputs",
    "KeptReport",
    "NewReport",
    "Store",
    "exclusive",
    "holder",
    "inspect",
    "read_mark",
    "write_mark",
]


class Store:
    """One open database. Every method raises StoreError, with what to do, when the file cannot be read or written."""

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the database to write to it; a new one is for the owner only. The folder must exist."""
        return cls(DatabaseFile.open(path, create=True))

    @classmethod
    def open_existing(cls, path: Path) -> Self:
        """Open the database to read from it. Raises UsageError where there is none yet."""
        return cls(DatabaseFile.open(path, create=False))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def begin_run(self, mode: Mode, started_at: datetime, *, owes_report: bool = False, unposted: bool = False) -> int:
        """Open a run, which owes a report until that is kept; or `unposted`, nobody hears of it. Returns its number."""
        with self._file.writing() as db:
            return runs.begin_run(db, mode, started_at, owes_report=owes_report, unposted=unposted)

    def record_survey(
        self, run: int, target: str, survey: Survey, also_named: Sequence[str] = ()
    ) -> dict[str, History]:
        """Record what a survey saw; returns the history of each of its images by id, this survey included.

        `also_named` are other names that policies may know the target by.
        """
        with self._file.writing() as db:
            return snapshots.record_survey(db, run, target, survey, also_named)

    def record_decisions(
        self, run: int, target: str, decisions: Sequence[Decision], grounds: Grounds | None = None
    ) -> None:
        """Record one decision for each image of the run's survey, and what they went by."""
        with self._file.writing() as db:
            record_decisions(db, run, target, decisions)
            if grounds is not None:
                record_grounds(db, run, target, grounds)

    def journal_request(self, run: int, target: str, decision: Decision, at: datetime) -> int:
        """Write down a deletion that is about to be asked for: on disk when this returns. Returns its entry."""
        with self._file.writing() as db:
            return journal.add_request(db, run, target, decision.image.id, at)

    def withdraw_request(self, entry: int) -> None:
        """Take back a request that was not sent after all."""
        with self._file.writing() as db:
            journal.remove_request(db, entry)

    def journal_answer(self, entry: int, said: Answered, at: datetime) -> None:
        """Write down what the API answered."""
        with self._file.writing() as db:
            journal.add_answer(db, entry, said, at)

    def known(self, target: str) -> list[str]:
        """The ids of the target's own images, in its last snapshot or good survey, that we did not surely delete."""
        with self._file.reading() as db:
            return snapshots.known(db, target)

    def last_seen(self, target: str, ids: Iterable[str]) -> list[Image]:
        """Those of these images that the target's last snapshot holds, as it holds them."""
        with self._file.reading() as db:
            return snapshots.last_seen(db, target, ids)

    def earlier_usage(self, target: str, since: datetime) -> EarlierUsage:
        """What earlier surveys of a target knew of its usage; of servers, those seen using an image since that time."""
        with self._file.reading() as db:
            return uses.earlier_usage(db.conn, target, since)

    def bound(self, target: str) -> Binding | None:
        """The account that a target is bound to."""
        with self._file.reading() as db:
            return bindings.bound(db, target)

    def bound_targets(self) -> list[str]:
        """The names of all targets that are bound to an account."""
        with self._file.reading() as db:
            return bindings.bound_targets(db)

    def bind(self, run: int, target: str, binding: Binding) -> None:
        """Bind a target to the account that a run reached."""
        with self._file.writing() as db:
            bindings.bind(db, run, target, binding)

    def rebind(self, target: str, who: str, at: datetime) -> None:
        """Let what is known of a target count no more: the next run binds it to what it then reaches.

        It stays as it is to be read. Exemptions go on, and the notices that run there end.
        """
        with self._file.writing() as db:
            bindings.rebind(db, target, who, at)

    def counts_after(self, target: str) -> int:
        """The last run whose knowledge of a target counts no more; 0 where all counts."""
        with self._file.reading() as db:
            return bindings.counts_after(db.conn, target)

    def recent_targets(self) -> list[str]:
        """The names of all targets that any run surveyed, the latest surveyed first, and of equals by name."""
        with self._file.reading() as db:
            return snapshots.recent_targets(db)

    def unsettled(self, target: str) -> list[Unsettled]:
        """The requests of earlier runs to a target of which no survey has told yet what became, oldest first."""
        with self._file.reading() as db:
            return journal.unsettled(db, target)

    def record_settlements(self, run: int, settlements: Sequence[Settlement]) -> None:
        """Record what a run's survey found to have become of requests of earlier runs."""
        with self._file.writing() as db:
            journal.add_settlements(db, run, settlements)

    def record_basis(self, run: int, basis: Basis) -> None:
        """Record what a run goes by: its policies, the exemptions of policy files, its zone and its limits."""
        with self._file.writing() as db:
            record_basis(db, run, basis)

    def policies(self, run: int) -> dict[str, str]:
        """The texts of the policies that a run decided by, by name, in their order."""
        with self._file.reading() as db:
            return policies_at(db, run)

    def memory(self, target: str) -> Memory:
        """What is recorded of a target's notices, of what was heard since they were given, and of refusals."""
        with self._file.reading() as db:
            return Memory(
                notices=notices.standing_notices(db, target),
                refusals=outcomes.refusals(db, target),
                hearing=hearing(db, target),
            )

    def notice_at(self, run: int, target: str, image_id: str) -> Notice | None:
        """The notice of an image as the decisions of a run counted it, if one ran."""
        with self._file.reading() as db:
            return notice_at(db, run, target, image_id)

    def last_good(self, target: str, before: int) -> tuple[int, Measure] | None:
        """The latest run before this one whose survey was good, and what it measured."""
        with self._file.reading() as db:
            return measures.last_good(db, target, before)

    def own_images(self, target: str, run: int) -> set[str]:
        """The ids of the target's own images in the survey of a run."""
        with self._file.reading() as db:
            return measures.own_images(db, target, run)

    def asked_since(self, target: str, run: int) -> set[str]:
        """The ids of the images of a target whose deletion was asked for in this run or later."""
        with self._file.reading() as db:
            return outcomes.asked_since(db, target, run)

    def deleted(self, target: str) -> set[str]:
        """The ids of the images of a target that we are known to have deleted."""
        with self._file.reading() as db:
            return outcomes.deleted(db, target)

    def record_clock(self, run: int, at: datetime) -> None:
        """Record what the clock of a run said when an answer of an API bore it out."""
        with self._file.writing() as db:
            timekeeping.record_clock(db, run, at)

    def last_clock(self, before: int) -> tuple[int, datetime] | None:
        """The latest run before this one whose clock an answer bore out, and what it said."""
        with self._file.reading() as db:
            return timekeeping.last_clock(db, before)

    def mark_run(self, run: int) -> Mark:
        """Make the mark that a run leaves beside the database once it has ended; known of when this returns."""
        with self._file.writing() as db:
            return marks.mark_run(db, run)

    def mark_exemption(self) -> Mark:
        """Make the mark of the exemption that was given last."""
        with self._file.writing() as db:
            return marks.mark_exemption(db)

    def knows(self, mark: Mark) -> bool:
        """Whether this database left that mark: a copy of before it did not."""
        with self._file.reading() as db:
            return marks.knows(db, mark)

    def note_behind(self, run: int, mark: Mark, at: datetime) -> None:
        """Record that a run found the database behind this mark, and end all notices: later ones may be lost."""
        with self._file.writing() as db:
            marks.note_behind(db, run, mark, at)

    def behind_in(self, run: int, target: str, mode: Mode) -> int | None:
        """The run whose mark was not known, where a run may delete nothing in a target because of that."""
        with self._file.reading() as db:
            return marks.behind_in(db, run, target, mode)

    def record_measure(self, run: int, target: str, seen: Measure, *, good: bool) -> None:
        """Record how much a survey saw, and whether it is believed."""
        with self._file.writing() as db:
            measures.record_measure(db, run, target, seen, good=good)

    def announce(
        self, run: int, notices: Mapping[tuple[str, str], Notice], reminded: Iterable[tuple[str, str]], at: datetime
    ) -> None:
        """A channel has accepted the report of a run: start these notices, and record that of these images it reminded.

        Images are named by target and id. A notice replaces one that runs. A reminder that comes too late moves the
        date of the deletion.
        """
        images: dict[str, list[str]] = {}
        for target, image in reminded:
            images.setdefault(target, []).append(image)
        with self._file.writing() as db:
            for (target, image), notice in notices.items():
                announce(db, run, target, image, notice)
            for target, told in images.items():
                remind(db, run, target, told, at)

    def end_notices_of_gone(self, target: str, unlisted: Iterable[str], at: datetime) -> None:
        """End the notices that run for these images, which this survey did not list, where they are surely gone.

        That are those that we deleted, and those that no survey has listed for a week: one list may have a hole in it.
        """
        with self._file.writing() as db:
            notices.end_notices_of_gone(db, target, unlisted, at)

    def finish_target(self, run: int, result: TargetResult) -> None:
        """Record how a target ended, surveyed or not, with the confirmed outcomes of its deletions."""
        with self._file.writing() as db:
            runs.finish_target(db, run, result)

    def finish_run(self, result: RunResult) -> None:
        """Record how a run ended, and withdraw the notices of what a live one spared."""
        with self._file.writing() as db:
            runs.finish_run(db, result)

    def latest_run(self) -> int | None:
        """The number of the latest run, if there was one."""
        with self._file.reading() as db:
            return runs.latest_run(db)

    def targets(self) -> list[str]:
        """The names of all targets that any run surveyed."""
        with self._file.reading() as db:
            return snapshots.targets(db)

    def latest_survey(self, target: str) -> int | None:
        """The number of the latest run that surveyed a target, if one has."""
        with self._file.reading() as db:
            return snapshots.latest_survey(db, target)

    def runs(self, limit: int | None = 20) -> list[RunSummary]:
        """The latest runs, newest first."""
        with self._file.reading() as db:
            return runs.list_runs(db, limit)

    def load_run(self, run: int) -> RunResult:
        """A run exactly as it was reported; one that never finished has failed. UsageError for an unknown one."""
        with self._file.reading() as db:
            return runs.load_run(db, run)

    def surveys(self, run: int) -> dict[str, Survey]:
        """Exactly what a run saw in each target that it could survey. UsageError for an unknown run.

        Images come oldest first, undated ones before all, ties by id; the instances of an image by name and id.
        """
        with self._file.reading() as db:
            runs.check_known(db, run)
            return snapshots.surveys_at(db, run)

    def inputs(self, run: int) -> dict[str, Inputs]:
        """What a run had before it when it decided, by target: of each that it could survey.

        It is enough to decide that night again exactly as it was. UsageError for an unknown run.
        """
        with self._file.reading() as db:
            runs.check_known(db, run)
            return inputs_at(db, run)

    def find_image(self, prefix: str) -> list[tuple[str, str]]:
        """The target and id of each image ever seen whose id starts so, latest seen first; a whole id beats all."""
        with self._file.reading() as db:
            return chronicle.find_image(db, prefix)

    def find_named(self, name: str) -> list[tuple[str, str, bool]]:
        """The target and id of each image whose latest name is this, and whether it is still listed; those first."""
        with self._file.reading() as db:
            return chronicle.find_named(db, name)

    def image_history(self, target: str, image_id: str) -> list[Event]:
        """Everything that is known to have happened to an image, in order; nothing for an unknown one."""
        with self._file.reading() as db:
            return chronicle.image_history(db, target, image_id)

    def history_of(self, target: str, image_id: str) -> History | None:
        """The history of an image up to the latest survey, or None for an unknown one."""
        with self._file.reading() as db:
            return snapshots.history_of(db, target, image_id)

    def outcome_before(self, run: int) -> Outcome | None:
        """How the run before this one ended, or the latest where this is none; None where there was none."""
        with self._file.reading() as db:
            return runs.outcome_before(db, run)

    def said(self, mode: Mode) -> set[str]:
        """The remarks on policy files of all runs of this mode."""
        with self._file.reading() as db:
            return runs.said(db, mode)

    def add_exemptions(self, given: Iterable[tuple[str, Exemption]], at: datetime) -> None:
        """Write down exemptions by command, each with its target: all of them or none."""
        with self._file.writing() as db:
            for target, exemption in given:
                exemptions.add_exemption(db, target, exemption, at)

    def end_exemptions(self, images: Iterable[tuple[str, str]], by: str, at: datetime) -> None:
        """End all exemptions that hold for images, each named by its target and id; they stay in the history."""
        with self._file.writing() as db:
            for target, image_id in images:
                exemptions.end_exemptions(db, target, image_id, by, at)

    def exemptions(self, at: datetime) -> list[Exemption]:
        """The exemptions by command that hold at an instant, oldest first.

        Those of all targets: an image is meant, and its target may have got another name since.
        """
        return [record.exemption for record in self.exemption_records() if record.active(at)]

    def exemption_records(self, target: str | None = None, image_id: str | None = None) -> list[ExemptionRecord]:
        """All exemptions ever given by command, oldest first; where asked for, those of a target and of an image."""
        with self._file.reading() as db:
            return exemptions.exemption_records(db, target, image_id)

    def owed_reports(self, except_of: int) -> list[int]:
        """The other runs that finished and died before their report was kept, oldest first."""
        with self._file.reading() as db:
            return runs.owed_reports(db, except_of)

    def add_reports(self, run: int | None, given: Iterable[NewReport], at: datetime) -> list[int]:
        """Keep all reports of a run, which then owes none any more, or none; of no run, of what kept one from starting.

        Returns their numbers.
        """
        with self._file.writing() as db:
            if run is not None:
                runs.settle_report(db, run)
            return [reports.add_report(db, run, report, at) for report in given]

    def mark_accepted(self, report: int, accepted: int, place_json: str) -> None:
        """The channel has accepted so many messages of a report, and this is where they stand."""
        with self._file.writing() as db:
            reports.mark_accepted(db, report, accepted, place_json)

    def mark_delivered(self, report: int, at: datetime) -> None:
        """The channel has accepted all of a report."""
        with self._file.writing() as db:
            reports.mark_delivered(db, report, at)

    def mark_undelivered(self, report: int, error: str, at: datetime) -> None:
        """The channel has not accepted a report, or not all of it."""
        with self._file.writing() as db:
            reports.mark_undelivered(db, report, error, at)

    def undelivered(self) -> list[KeptReport]:
        """The reports that are still to be delivered, oldest first."""
        with self._file.reading() as db:
            return reports.undelivered(db)
