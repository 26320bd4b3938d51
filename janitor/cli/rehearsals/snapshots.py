"""Recorded snapshots as the database knows them, and in words what it does not know of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from janitor.cli.configuration import basis_of, next_run_of
from janitor.cloud.apis import shareable, wire_keys
from janitor.config import Settings
from janitor.config.policy_files import Rules
from janitor.core.basis import Basis, Grounds
from janitor.core.decision import Decision
from janitor.core.memory import Exemption, Memory
from janitor.core.replay.inputs import Inputs
from janitor.core.replay.preview import Known, Replayed, Told, Tried, kept_shared, replayed
from janitor.store import Store

_NO_BASIS = (
    "run {run} did not record what it was based on: time zone, usage_memory and limits are those of the configuration, "
    "and which exemptions of policy files were in force is not known"
)
_NO_HISTORY = (
    "run {run} did not record the history of its images: as far as later runs do not tell, it is not known since when "
    "an image has been watched or has had its status, and no clock that needs it applies"
)
_NO_GROUNDS = (
    "run {run} recorded no grounds of its decisions: how earlier notices counted then, which deletions the API had "
    "rejected, and whether another project uses an image is not known"
)


@dataclass(frozen=True, slots=True)
class RecordedSnapshot:
    """What one run saw in one target and what it decided there, which may be nothing; and what is not known of that."""

    run: int
    inputs: Inputs
    basis: Basis
    grounds: Grounds
    known: Known
    decisions: Sequence[Decision]
    unknown: Sequence[str]

    def replayed(self, tried: Tried) -> Replayed:
        """What these policies decide on it."""
        found = replayed(self.inputs, self.basis, self.grounds, tried, self.known)
        return found if self.inputs.grounds is not None else kept_shared(found, self.decisions)

    def without(self, images: Collection[str]) -> "RecordedSnapshot":
        """The same without these images, by their ids."""
        if not images:
            return self
        survey = self.inputs.survey
        left = tuple(image for image in survey.images if image.id not in images)
        decisions = [decision for decision in self.decisions if decision.image.id not in images]
        return replace(self, inputs=replace(self.inputs, survey=replace(survey, images=left)), decisions=decisions)


def snapshot_of(
    settings: Settings, store: Store, run: int, inputs: Inputs, exempted_at: datetime | None = None
) -> RecordedSnapshot:
    """What a run saw and decided in one target; what it did not record is rebuilt where that is possible.

    Exemptions by command count as they stand at `exempted_at`; as they stood then, where that is None.
    """
    then, target = inputs.survey.finished_at, inputs.target
    known = _known(settings, store, inputs, exempted_at)
    basis = inputs.basis or basis_of(settings, Rules(()))
    unknown = [sentence for part, sentence in _parts(inputs) if part is None]
    grounds = inputs.grounds
    if inputs.history is None or grounds is None:
        history, notices = store.rebuilt(run, target, then)
        inputs = replace(inputs, history=history if inputs.history is None else inputs.history)
        grounds = grounds or Grounds(Memory(notices, usage_memory=basis.usage_memory))
    decisions = store.decisions_on(run, target, inputs.survey.images)
    sentences = [sentence.format(run=run) for sentence in unknown]
    return RecordedSnapshot(run, inputs, basis, grounds, known, decisions, sentences)


def _parts(inputs: Inputs) -> list[tuple[object, str]]:
    """What may not have been recorded, each with a sentence that says so."""
    return [(inputs.basis, _NO_BASIS), (inputs.history, _NO_HISTORY), (inputs.grounds, _NO_GROUNDS)]


def _known(settings: Settings, store: Store, inputs: Inputs, exempted_at: datetime | None) -> Known:
    records = store.exemption_records()

    def granted(at: datetime) -> list[Exemption]:
        return [record.exemption for record in records if _in_force(record.created_at, record.ended_at, at)]

    return Known(
        granted(inputs.survey.finished_at),
        settings.destinations,
        shareable(inputs.api, settings.target_of(inputs.target)),
        wire_keys(inputs.api),
        lambda at: _told(settings, store, inputs, at),
        None if exempted_at is None else granted(exempted_at),
    )


def _told(settings: Settings, store: Store, inputs: Inputs, at: datetime) -> Told:
    """What people were told until an instant: as recorded until the latest run ended, and then as if all went well."""
    seen_at = inputs.survey.finished_at
    notices, hearing = store.told_until(inputs.target, seen_at, at)
    until = min(at, max(seen_at, store.latest_end() or seen_at))
    return Told(notices, hearing, until, next_run_of(settings))


def _in_force(created_at: datetime, ended_at: datetime | None, then: datetime) -> bool:
    """Whether an exemption had been granted and not revoked; whether it had expired is for the rules to say."""
    return created_at <= then and (ended_at is None or then < ended_at)
