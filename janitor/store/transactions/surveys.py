"""What surveys saw and what was decided about it: of a run, of a target, and of one image over time."""

from collections.abc import Callable, Container, Iterable, Sequence
from datetime import datetime

from janitor.core.basis import Grounds
from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.memory import History
from janitor.core.replay.inputs import Inputs
from janitor.core.result import Event
from janitor.core.survey import Survey
from janitor.core.survey.one_account import InCommon
from janitor.core.survey.pages import PagesRead
from janitor.core.survey.plausibility import Measure
from janitor.core.units import format_minute
from janitor.core.usage import EarlierUsage
from janitor.store import runs
from janitor.store.history import chronicle
from janitor.store.history.forgetting import check_kept
from janitor.store.history.inputs import inputs_at, latest_inputs
from janitor.store.surveys import in_common, markers, measures, presence, recorded, snapshots, uses
from janitor.store.surveys.decisions import record_decisions, reported_decision
from janitor.store.surveys.staging import NOTHING, Staged
from janitor.store.transactions import OnFile
from janitor.store.transactions.staging import Stage
from janitor.store.trust.grounds import record_grounds
from janitor.store.trust.notices import respell


class Surveys(OnFile):
    """Records surveys and decisions, and reads them back."""

    def record_survey(
        self, run: int, target: str, survey: Survey, also_named: Sequence[str] = (), staged: Staged = NOTHING
    ) -> dict[str, History]:
        """Record what a survey saw; returns the history of each of its images by id, this survey included.

        `also_named` are other names by which policies may know the target. Images that were `staged` while the survey
        went on are recorded from there.
        """
        with self._file.writing() as db:
            markers.record_pages(db, target, survey.pages, survey.finished_at)
            respell(db, target, survey.images, survey.finished_at)
            return snapshots.record_survey(db, run, target, survey, also_named, staged)

    def stage(self, target: str) -> Stage:
        """Takes the images of a survey that begins, and records them; to be closed then."""
        return Stage(self._file, target, self.record_survey)

    def markers(self, target: str, now: datetime) -> list[str] | None:
        """The ids at which the list of a target can be asked, in its order, by its last survey; None before that.

        There are none where it is short, and for a month after its service turned down several requests at a time.
        """
        with self._file.reading() as db:
            return markers.markers(db, target, now)

    def record_turned_down(self, target: str, at: datetime) -> None:
        """Record that the service of a target turned down several requests at a time."""
        with self._file.writing() as db:
            markers.record_pages(db, target, PagesRead(turned_down=True), at)

    def record_decisions(
        self, run: int, target: str, decisions: Sequence[Decision], grounds: Grounds | None = None
    ) -> None:
        """Record one decision for each image of the run's survey, and what they were based on."""
        with self._file.writing() as db:
            record_decisions(db, run, target, decisions)
            if grounds is not None:
                record_grounds(db, run, target, grounds)

    def record_measure(self, run: int, target: str, seen: Measure, *, good: bool) -> None:
        """Record the measure of a survey, and whether it is accepted."""
        with self._file.writing() as db:
            measures.record_measure(db, run, target, seen, good=good)

    def last_accepted(self, target: str, before: int) -> tuple[int, Measure] | None:
        """The latest run before this one whose survey was accepted, and its measure."""
        with self._file.reading() as db:
            return measures.last_accepted(db, target, before)

    def own_images(self, target: str, run: int) -> set[str]:
        """The ids of the target's own images in the survey of a run."""
        with self._file.reading() as db:
            return presence.own_images(db, target, run)

    def known(self, target: str, besides: Container[str] = ()) -> list[str]:
        """The ids of the target's own images, in its last snapshot or accepted survey, without those we deleted.

        Without those, too, that are known `besides`.
        """
        with self._file.reading() as db:
            return presence.known(db, target, besides)

    def listed_elsewhere(self, target: str, images: Iterable[str]) -> dict[str, InCommon]:
        """Which of these images other targets have listed as their own, by the name of the target."""
        with self._file.reading() as db:
            return in_common.listed_elsewhere(db, target, images)

    def last_listed(self, target: str) -> tuple[int, datetime] | None:
        """The latest run that listed images of the target's own, and when; None before three of its present account."""
        with self._file.reading() as db:
            return in_common.last_listed(db, target)

    def is_surveyed(self, target: str) -> bool:
        """Whether any survey of the target's present account is recorded."""
        with self._file.reading() as db:
            return in_common.is_surveyed(db, target)

    def last_seen(self, target: str, ids: Iterable[str]) -> list[Image]:
        """Those of these images that are in the target's last snapshot, as recorded there."""
        with self._file.reading() as db:
            return recorded.last_seen(db, target, ids)

    def earlier_usage(self, target: str, since: datetime) -> EarlierUsage:
        """What earlier surveys of a target knew of its usage; of servers, those seen using an image since that time."""
        with self._file.reading() as db:
            return uses.earlier_usage(db, target, since)

    def targets(self) -> list[str]:
        """The names of all targets that any run surveyed."""
        with self._file.reading() as db:
            return recorded.targets(db)

    def recent_targets(self) -> list[str]:
        """The names of all targets that any run surveyed, the latest surveyed first, and of equals by name."""
        with self._file.reading() as db:
            return recorded.recent_targets(db)

    def latest_survey(self, target: str) -> int | None:
        """The number of the latest run that surveyed a target, if one has."""
        with self._file.reading() as db:
            return recorded.latest_survey(db, target)

    def latest_images(self, target: str) -> recorded.SeenImages:
        """The images of a target's latest snapshot, in no order; none before the first."""
        with self._file.reading() as db:
            return recorded.latest_images(db, target)

    def surveys(self, run: int) -> dict[str, Survey]:
        """Exactly what a run saw in each target that it could survey.

        Raises UsageError for an unknown run, and for one whose details were dropped.
        Images come oldest first, undated ones before all, ties by id; the instances of an image by name and id.
        """
        with self._file.reading() as db:
            runs.check_known(db, run)
            check_kept(db, run)
            return recorded.surveys_at(db, run)

    def survey_of(self, target: str, image_id: str) -> tuple[int, Survey] | None:
        """The latest run that surveyed a target, and what it saw of one image alone; None before the first."""
        with self._file.reading() as db:
            return recorded.survey_of(db, target, image_id)

    def decision_of(self, run: int, target: str, image_id: str) -> Decision | None:
        """What a run reported that it decided about one image of a target, if it did."""
        with self._file.reading() as db:
            return reported_decision(db, run, target, image_id)

    def inputs(self, run: int) -> dict[str, Inputs]:
        """The inputs of a run's decisions, by target: for each that it could survey.

        They are enough to repeat these decisions exactly. Raises UsageError for an unknown run, and for one whose
        details were dropped.
        """
        with self._file.reading() as db:
            runs.check_known(db, run)
            check_kept(db, run)
            return inputs_at(db, run)

    def latest_inputs(self, target: str) -> tuple[int, Inputs] | None:
        """The latest run that surveyed a target, and the inputs of its decisions on it; None before the first."""
        with self._file.reading() as db:
            return latest_inputs(db, target)

    def find_image(self, prefix: str) -> list[tuple[str, str]]:
        """The target and id of each image ever seen whose id starts so, latest seen first; a whole id beats all."""
        with self._file.reading() as db:
            return chronicle.find_image(db, prefix)

    def find_named(self, name: str) -> list[tuple[str, str, bool]]:
        """The target and id of each image whose latest name is this, and whether it is still listed; those first."""
        with self._file.reading() as db:
            return chronicle.find_named(db, name)

    def image_history(
        self, target: str, image_id: str, minute: Callable[[datetime], str] = format_minute
    ) -> list[Event]:
        """Everything that is known to have happened to an image, in order; nothing for an unknown one.

        `minute` writes an instant.
        """
        with self._file.reading() as db:
            return chronicle.image_history(db, target, image_id, minute)

    def history_of(self, target: str, image_id: str) -> History | None:
        """The history of an image up to the latest survey, or None for an unknown one."""
        with self._file.reading() as db:
            return snapshots.history_of(db, target, image_id)
