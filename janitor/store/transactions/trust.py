"""What later runs depend on besides surveys: notices, exemptions, accounts, and marks of the database."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, tzinfo

from janitor.core.decision import Decision
from janitor.core.explaining.records import Given
from janitor.core.explaining.waiting import Snapshot
from janitor.core.memory import Exemption, LastExemption, Memory, Notice, WaitingImages
from janitor.core.result import Mode
from janitor.core.survey.binding import Binding
from janitor.core.survey.mark import Behind, Mark
from janitor.core.survey.one_account import AccountPair
from janitor.store.surveys import pairs
from janitor.store.transactions import OnFile
from janitor.store.trust import bindings, clicks, exemptions, marks, notice_history, notices, outcomes, standing
from janitor.store.trust.exemptions import ExemptionRecord
from janitor.store.trust.grounds import notice_at
from janitor.store.trust.hearing import hearing
from janitor.store.trust.notices import announce, remind
from janitor.store.trust.waiting import waiting_images


class Trust(OnFile):
    """Keeps what later runs depend on, besides surveys."""

    def memory(self, target: str) -> Memory:
        """What is recorded about a target's notices, the reports accepted since they were given, and rejections."""
        with self._file.reading() as db:
            return Memory(
                notices=notices.standing_notices(db, target),
                refusals=outcomes.refusals(db, target),
                hearing=hearing(db, target),
            )

    def waiting_images(self, target: str) -> WaitingImages | None:
        """The images of a target that wait for the end of their notice; None where that is not known."""
        with self._file.reading() as db:
            return waiting_images(db, target)

    def notice_at(self, run: int, target: str, image_id: str) -> Notice | None:
        """The notice of an image as the decisions of a run counted it, if it had one."""
        with self._file.reading() as db:
            return notice_at(db, run, target, image_id)

    def notices_given(self, target: str, image_id: str) -> list[Given]:
        """All notices that were ever given of an image, oldest first, with the reports by which they were."""
        with self._file.reading() as db:
            return notice_history.notices_given(db, target, image_id)

    def latest_snapshot(self, target: str, only: str | None = None) -> Snapshot | None:
        """The latest snapshot of a target on which a run has decided, and what people were told of its images.

        With the id of an image, the decision on it alone.
        """
        with self._file.reading() as db:
            return standing.latest_snapshot(db, target, only)

    def announce(
        self,
        run: int,
        notices: Mapping[tuple[str, str], Notice],
        reminded: Iterable[tuple[str, str]],
        at: datetime,
        instead: Collection[tuple[str, str]] = (),
    ) -> None:
        """Start these notices, and record these reminders, as a channel has accepted the report of a run.

        Images are named by target and id. A notice replaces an earlier one. A late reminder moves the date of the
        deletion. Of the reminders, those `instead` were sent to the main channel, as the owner could not be reached.
        """
        images: dict[str, list[str]] = {}
        for target, image in reminded:
            images.setdefault(target, []).append(image)
        with self._file.writing() as db:
            for (target, image), notice in notices.items():
                announce(db, run, target, image, notice)
            for target, told in images.items():
                remind(db, run, target, told, at, {image for name, image in instead if name == target})

    def end_notices_of_gone(
        self, target: str, unlisted: Iterable[str], at: datetime, zone: tzinfo = UTC
    ) -> list[Decision]:
        """End the notices of those of these images, which this survey did not list, that the janitor deleted.

        Returns those that somebody else deleted, as no survey has listed them for a week (one list may be incomplete)
        and the janitor did not delete them: their notices end when the run that reports them does. Their sentences give
        times in `zone`.
        """
        with self._file.writing() as db:
            return notices.end_notices_of_gone(db, target, unlisted, at, zone)

    def add_exemptions(self, given: Iterable[tuple[str, Exemption]], at: datetime) -> None:
        """Record exemptions by command, each with its target: all of them or none."""
        with self._file.writing() as db:
            for target, exemption in given:
                exemptions.add_exemption(db, target, exemption, at)

    def end_exemptions(self, images: Iterable[tuple[str, str]], by: str, at: datetime) -> None:
        """Revoke all exemptions in force for images, each named by its target and id; they stay in the history."""
        with self._file.writing() as db:
            for target, image_id in images:
                exemptions.end_exemptions(db, target, image_id, by, at)
                clicks.end_through_clicks(db, target, image_id)

    def exemptions(self, at: datetime) -> list[Exemption]:
        """The exemptions by command that are in force at an instant, oldest first.

        Those of all targets, since they are for an image, whose target may have another name by now.
        """
        return [record.exemption for record in self.exemption_records() if record.active(at)]

    def exemption_records(self, target: str | None = None, image_id: str | None = None) -> list[ExemptionRecord]:
        """All exemptions ever granted by command, oldest first; on request, only those of a target or of an image."""
        with self._file.reading() as db:
            return exemptions.exemption_records(db, target, image_id)

    def bound(self, target: str) -> Binding | None:
        """The account to which a target is bound."""
        with self._file.reading() as db:
            return bindings.bound(db, target)

    def bound_targets(self) -> list[str]:
        """The names of all targets that are bound to an account."""
        with self._file.reading() as db:
            return bindings.bound_targets(db)

    def bind(self, run: int, target: str, binding: Binding) -> None:
        """Bind a target to the account that a run has reached."""
        with self._file.writing() as db:
            bindings.bind(db, run, target, binding)

    def rebind(self, target: str, who: str, at: datetime) -> None:
        """Start a new history of a target: the next run binds it to the account that it then reaches.

        What was recorded no longer counts, but can still be read. Exemptions stay, and notices end.
        """
        with self._file.writing() as db:
            bindings.rebind(db, target, who, at)

    def counts_after(self, target: str) -> int:
        """The last run whose knowledge of a target no longer counts; 0 if all counts."""
        with self._file.reading() as db:
            return bindings.counts_after(db, target)

    def note_one_account(self, pair: AccountPair) -> None:
        """Record that two targets are one account. What a person said of them stays."""
        with self._file.writing() as db:
            pairs.note_one_account(db, pair)

    def account_pairs(self) -> list[AccountPair]:
        """The pairs of targets that were found to be one account, the accounts to which they are bound now."""
        with self._file.reading() as db:
            return pairs.account_pairs(db)

    def tell_apart(self, names: tuple[str, str], who: str, at: datetime) -> None:
        """Record a person's word that two targets which were found to be one account are two."""
        with self._file.writing() as db:
            pairs.tell_apart(db, names, who, at)

    def mark_run(self, run: int) -> Mark:
        """Make the mark that a run leaves beside the database once it has ended; recorded when this returns."""
        with self._file.writing() as db:
            return marks.mark_run(db, run)

    def mark_exemption(self) -> Mark:
        """Make the mark of the exemption granted last."""
        with self._file.writing() as db:
            return marks.mark_exemption(db)

    def leave_mark(self) -> None:
        """Write the mark of the exemption granted last beside the database; that of a later copy of it stays there."""
        mark = marks.read_mark(self._file.path)
        if mark is None or self.knows(mark):
            marks.write_mark(self._file.path, self.mark_exemption())

    def knows(self, mark: Mark) -> bool:
        """Whether this database made that mark; an older copy did not."""
        with self._file.reading() as db:
            return marks.knows(db, mark)

    def unknown_mark(self) -> Mark | None:
        """The mark beside this database, if it did not make that; for a copy that no run has noted, the original's.

        Raises StoreError for a mark that cannot be read.
        """
        mark = marks.read_mark(self._file.path)
        if mark is not None and not self.knows(mark):
            return mark
        with self._file.reading() as db:
            return marks.unnoted_copy(db)

    def note_behind(self, run: int, mark: Mark, at: datetime) -> None:
        """Record that a run found the database older than this mark, and end all notices: later ones may be lost."""
        with self._file.writing() as db:
            marks.note_behind(db, run, mark, at)

    def epoch(self) -> int:
        """The latest epoch in which a process of a fleet has begun to own the account of this database; 0 for none."""
        with self._file.reading() as db:
            return marks.epoch(db)

    def record_epoch(self, epoch: int) -> None:
        """Record an epoch: on disk when this returns."""
        with self._file.writing() as db:
            marks.record_epoch(db, epoch)

    def last_exemption(self) -> LastExemption | None:
        """The exemption that was granted last, whether or not it is in force; None where none ever was."""
        with self._file.reading() as db:
            return exemptions.last_exemption(db)

    def knows_exemption(self, granted: LastExemption) -> bool:
        """Whether this exemption was granted in this database, or in one that this is a copy of."""
        with self._file.reading() as db:
            return exemptions.knows_exemption(db, granted)

    def leave_doubt(self, mark: Mark) -> None:
        """Leave a mark beside the database that it does not know, so that the next run finds it older, whoever dies."""
        marks.write_mark(self._file.path, mark)

    def behind_in(self, run: int, target: str, mode: Mode) -> Behind | None:
        """What the database may not know, if a run may not delete anything in a target because of that."""
        with self._file.reading() as db:
            return marks.behind_in(db, run, target, mode)
