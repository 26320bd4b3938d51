"""Deciding a past night again, from what the database holds of it and nothing else."""

from janitor.cloud.apis import wire_keys
from janitor.core.decide import decide
from janitor.core.decision import Decision
from janitor.core.sharing import apply_sharing, in_question
from janitor.store import Inputs


def decided_again(inputs: Inputs) -> tuple[Decision, ...]:
    """The decisions that follow from what a run had before it; it asked of exactly the images in question."""
    assert inputs.basis is not None
    assert inputs.history is not None
    assert inputs.grounds is not None
    decisions = decide(
        inputs.survey.images,
        inputs.basis.policies,
        inputs.survey.usage,
        inputs.history,
        inputs.survey.finished_at,
        target=inputs.target,
        also_named=inputs.also_named,
        zone=inputs.basis.zone,
        memory=inputs.grounds.memory,
        wire_keys=wire_keys(inputs.api),
    )
    assert {each.id for each in in_question(decisions)} == set(inputs.grounds.sharing)
    return tuple(apply_sharing(decisions, inputs.grounds.sharing))
