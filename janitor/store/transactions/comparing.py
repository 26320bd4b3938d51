"""What changed between two surveys of a target."""

from collections.abc import Sequence

from janitor.core.replay.differences.between import Compared, Uncompared
from janitor.core.replay.differences.since import Since
from janitor.store import runs
from janitor.store.history.differences import between
from janitor.store.history.differences.since import compared_with, since_before
from janitor.store.history.forgetting import check_kept, is_kept
from janitor.store.surveys.recorded import latest_survey, survey_before, targets_of, whole_before
from janitor.store.transactions import OnFile


class Comparing(OnFile):
    """Compares surveys of one target as they are recorded."""

    def compared(self, target: str, before: int, after: int) -> Compared | Uncompared:
        """Two surveys of a target, by the numbers of their runs, the earlier one first; or why they are not compared.

        Raises UsageError for an unknown run.
        """
        with self._file.reading() as db:
            for run in (before, after):
                runs.check_known(db, run)
            if gone := [run for run in (before, after) if not is_kept(db, run, target)]:
                return Uncompared(target, f"{_these(gone)}, as `keep_history` says")
            return between.compared(db, target, before, after)

    def latest_pair(self, target: str) -> tuple[int, int] | Uncompared:
        """The runs of a target's latest survey, second, and of the one that its report compares with, or else before.

        Or why there are none. The one before is the latest that is whole.
        """
        with self._file.reading() as db:
            latest = latest_survey(db, target)
            if latest is None:
                return Uncompared(target, "no run has surveyed it")
            before = compared_with(db, latest, target) or whole_before(db, target, latest)
            if before is not None:
                return before, latest
            if survey_before(db, target, latest) is None:
                return Uncompared(target, f"only run {latest} has surveyed it")
            return Uncompared(target, f"the details of all before run {latest} were dropped, as `keep_history` says")

    def latest_survey(self, target: str) -> int | None:
        """The run of a target's latest survey; None where there is none."""
        with self._file.reading() as db:
            return latest_survey(db, target)

    def check_whole(self, numbers: Sequence[int]) -> None:
        """Raises UsageError for unknown runs, with all of them, and for one of whose targets none has its details."""
        with self._file.reading() as db:
            runs.check_all_known(db, numbers)
            for run in numbers:
                if not any(is_kept(db, run, target) for target in targets_of(db, run)):
                    check_kept(db, run)

    def targets_of(self, run: int) -> list[str]:
        """The targets that a run surveyed, in the order of its report. Raises UsageError for an unknown run."""
        with self._file.reading() as db:
            runs.check_known(db, run)
            return targets_of(db, run)

    def since(self, run: int, target: str) -> Since | None:
        """What changed in a target by a run's survey, since the one that its report compares it with; None for none."""
        with self._file.reading() as db:
            return since_before(db, run, target)


def _these(dropped: Sequence[int]) -> str:
    return f"the details of run{'s' if len(dropped) > 1 else ''} {' and '.join(map(str, dropped))} were dropped"
