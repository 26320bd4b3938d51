"""What changed between two surveys of a target."""

from janitor.core.replay.differences.between import Compared, Uncompared
from janitor.core.replay.differences.since import Since
from janitor.store import runs
from janitor.store.history.differences import between
from janitor.store.history.differences.since import since_before
from janitor.store.history.forgetting import check_kept
from janitor.store.surveys.recorded import latest_survey, survey_before, targets_of
from janitor.store.transactions import OnFile


class Comparing(OnFile):
    """Compares surveys of one target as they are recorded."""

    def compared(self, target: str, before: int, after: int) -> Compared | Uncompared:
        """Two surveys of a target, by the numbers of their runs, the earlier one first; or why they are not compared.

        Raises UsageError for an unknown run, and for one whose details were dropped.
        """
        with self._file.reading() as db:
            for run in (before, after):
                runs.check_known(db, run)
                check_kept(db, run)
            return between.compared(db, target, before, after)

    def last_surveys(self, target: str) -> tuple[int | None, int | None]:
        """The runs of a target's latest survey but one, and of its latest; None for either that there is not."""
        with self._file.reading() as db:
            latest = latest_survey(db, target)
            return (None if latest is None else survey_before(db, target, latest)), latest

    def targets_of(self, run: int) -> list[str]:
        """The targets that a run surveyed, in the order of its report. Raises UsageError for an unknown run."""
        with self._file.reading() as db:
            runs.check_known(db, run)
            return targets_of(db, run)

    def since(self, run: int, target: str) -> Since | None:
        """What changed in a target since its last accepted survey before a run, by that run's; None for none."""
        with self._file.reading() as db:
            return since_before(db, run, target)
