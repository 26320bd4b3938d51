"""Deciding a past night again, from what the database holds of it and nothing else."""

from dataclasses import replace

from janitor.cloud.apis import wire_keys
from janitor.core.decision import Decision
from janitor.core.replay.inputs import Inputs, decided, night_of
from janitor.core.sharing import in_question


def decided_again(inputs: Inputs) -> tuple[Decision, ...]:
    """The decisions that follow from what a run had before it; it asked of exactly the images in question."""
    assert inputs.basis is not None
    assert inputs.history is not None
    assert inputs.grounds is not None
    night = night_of(inputs, inputs.basis, inputs.grounds, wire_keys(inputs.api))
    by_themselves = decided(replace(night, sharing={}), inputs.basis.policies)
    assert {each.id for each in in_question(by_themselves)} == set(inputs.grounds.sharing)
    return tuple(decided(night, inputs.basis.policies))
