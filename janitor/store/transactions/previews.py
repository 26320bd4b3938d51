"""What a run decided, read for comparing it with what other policies decide."""

from collections.abc import Sequence
from datetime import datetime

from janitor.core.basis import Basis
from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.memory import Hearing, History, Notice
from janitor.core.replay.inputs import Inputs
from janitor.store import runs
from janitor.store.basis import basis_at
from janitor.store.history import decided, later
from janitor.store.history.forgetting import check_kept
from janitor.store.history.inputs import inputs_of
from janitor.store.surveys.decisions import decisions_at
from janitor.store.transactions import OnFile


class Previews(OnFile):
    """Reads what runs decided, also of those that recorded less than present ones."""

    def endings(self, run: int) -> dict[str, decided.Ending]:
        """How each target of a run ended. Raises UsageError for an unknown run, and for one that was dropped."""
        with self._file.reading() as db:
            runs.check_known(db, run)
            check_kept(db, run)
            return decided.endings_at(db, run)

    def inputs_of(self, run: int, target: str) -> Inputs | None:
        """The inputs of a run's decisions on one target; None where it could not survey it.

        Raises UsageError for a run whose details were dropped.
        """
        with self._file.reading() as db:
            check_kept(db, run)
            return inputs_of(db, run, target)

    def decisions_on(self, run: int, target: str, images: Sequence[Image]) -> list[Decision]:
        """What a run decided on these images of its survey, in their order; nothing where it decided nothing."""
        with self._file.reading() as db:
            return decided.decisions_on(db, run, target, images)

    def decisions(self, run: int, target: str) -> tuple[Decision, ...]:
        """What a run decided in a target, oldest image first; nothing where it decided nothing."""
        with self._file.reading() as db:
            return decisions_at(db, run, target)

    def latest_decided(self, target: str) -> int | None:
        """The latest run that decided on a target's present account, if its details are kept."""
        with self._file.reading() as db:
            return decided.latest_decided(db, target)

    def latest_carried_out(self, target: str, until: int | None = None) -> tuple[int | None, bool]:
        """The latest live run that carried out its plan in a target, up to a run, and whether its details are kept."""
        with self._file.reading() as db:
            return decided.latest_carried_out(db, target, until)

    def decided_by_others(self, target: str, run: int) -> int | None:
        """The latest run before this one that decided by other policies or exemptions of files, as far as recorded."""
        with self._file.reading() as db:
            return decided.decided_by_others(db, target, run)

    def basis(self, run: int) -> Basis | None:
        """What a run that is known was based on; None where that was not recorded."""
        with self._file.reading() as db:
            return basis_at(db, run)

    def latest_failures(self) -> dict[str, later.Failure]:
        """The latest run that could not survey a target, for each that one could not, by its name."""
        with self._file.reading() as db:
            return later.latest_failures(db)

    def surveyed_at(self, run: int, target: str) -> datetime | None:
        """When the survey of a run ended; None where it has none."""
        with self._file.reading() as db:
            return later.surveyed_at(db, run, target)

    def announced_by(self, run: int, target: str) -> set[str]:
        """The ids of the images whose notice began with the report of a run."""
        with self._file.reading() as db:
            return later.announced_by(db, run, target)

    def removed_since(self, target: str, run: int, before: int | None = None) -> later.Removed:
        """The images of a target that this run and later ones deleted, until the run `before`, as far as is known."""
        with self._file.reading() as db:
            return later.removed_since(db, target, run, before)

    def rebuilt(self, run: int, target: str, then: datetime) -> tuple[dict[str, History], dict[str, Notice]]:
        """Histories and the notices at an instant, for a run that recorded neither, as far as they are known."""
        with self._file.reading() as db:
            return decided.history_rebuilt(db, run, target), decided.notices_rebuilt(db, run, target, then)

    def told_until(self, target: str, seen_at: datetime, at: datetime) -> tuple[dict[str, Notice], Hearing]:
        """The notices of a target as they stand at an instant after a snapshot, and what was reported since then."""
        with self._file.reading() as db:
            return decided.told_until(db, target, seen_at, at)

    def latest_end(self) -> datetime | None:
        """When the latest of the runs that ended did."""
        with self._file.reading() as db:
            return decided.latest_end(db)
