"""Deciding a past night again, from what the database holds of it and nothing else."""

from collections.abc import Sequence
from dataclasses import replace

from janitor.cloud.apis import wire_keys
from janitor.core.decision import Decision
from janitor.core.memory import Exemption
from janitor.core.replay.changes import changes_between
from janitor.core.replay.inputs import Inputs, decided, night_of
from janitor.core.replay.nights import RecordedNight
from janitor.core.replay.preview import Known, Tried, replayed
from janitor.core.sharing import in_question


def decided_again(inputs: Inputs) -> tuple[Decision, ...]:
    """The decisions that follow from what a run had before it; it asked of exactly the images in question."""
    assert inputs.basis is not None
    assert inputs.history is not None
    assert inputs.grounds is not None
    night = night_of(inputs, inputs.basis, inputs.grounds, wire_keys(inputs.api))
    by_themselves = decided(replace(night, sharing={}), inputs.basis.policies)
    assert {each.id for each in in_question(by_themselves)} == set(inputs.grounds.sharing)
    found = tuple(decided(night, inputs.basis.policies))
    assert previewed_again(inputs) == found
    return found


def previewed_again(inputs: Inputs, by_command: Sequence[Exemption] = ()) -> tuple[Decision, ...]:
    """The same as a preview of the policies and exemptions that ruled, where every image may be shared."""
    assert inputs.basis is not None
    assert inputs.grounds is not None
    tried = Tried(inputs.basis.policies, inputs.basis.exemptions)
    known = Known(by_command, lambda _policies: None, lambda _image: True, wire_keys(inputs.api))
    found = replayed(inputs, inputs.basis, inputs.grounds, tried, known)
    unasked = {image for image, answer in inputs.grounds.sharing.items() if answer.unasked}
    assert found.sharing_unknown == unasked & {each.id for each in in_question(found.decisions)}
    assert changes_between(found.decisions, found.decisions) == []
    return tuple(found.decisions)


def is_whole(night: RecordedNight, inputs: Inputs) -> bool:
    """Whether a night, read as what changed since the one before, is the same as its run's inputs read whole."""
    grounds = inputs.grounds
    known = None if grounds is None else (grounds.memory.exemptions, grounds.memory.refusals, grounds.sharing)
    read = None if night.exemptions is None else (night.exemptions, night.refusals, night.sharing)
    return (
        night.at == inputs.survey.finished_at
        and night.names == (inputs.target, *inputs.also_named)
        and night.api == inputs.api
        and night.images == {image.id: image for image in inputs.survey.images}
        and night.usage == inputs.survey.usage
        and {image: night.history[image] for image in night.images} == inputs.history
        and read == known
        and night.basis == inputs.basis
    )
