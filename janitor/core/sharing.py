"""The guard `shared`: an image that another project has accepted stays. Pure, like `decide`.

It comes last, and only for images that would otherwise be deleted: each image takes one request.
"""

from collections.abc import Iterable, Mapping, Sequence

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.image import Image, Sharing

_UNASKED = "sharing was not checked, as the plan is over the limit"


def in_question(decisions: Iterable[Decision]) -> list[Image]:
    """The images whose sharing matters: those that are not kept anyway."""
    return [decision.image for decision in decisions if decision.verdict is not Verdict.KEEP]


def apply_sharing(decisions: Sequence[Decision], sharing: Mapping[str, Sharing]) -> list[Decision]:
    """The same decisions in the same order, but an image that is shared, or may be, is kept.

    `sharing` is by image id; an image that is not in it is shared with nobody. Projects that an image is offered to,
    and that have not accepted, are named but keep nothing.
    """
    if not sharing:
        return list(decisions)
    return [_with_sharing(decision, sharing.get(decision.image.id)) for decision in decisions]


def _with_sharing(decision: Decision, sharing: Sharing | None) -> Decision:
    if sharing is None or decision.verdict is Verdict.KEEP:
        return decision
    if sharing.unasked:
        return decision.replace(detail=f"{decision.detail}; {_UNASKED}")
    if sharing.problem is not None:
        return _kept(decision, f"whether another project has accepted it could not be read: {sharing.problem}")
    if sharing.accepted:
        return _kept(decision, f"shared with {_projects(sharing.accepted)}, which accepted")
    if sharing.pending:
        return decision.replace(detail=f"{decision.detail}; offered to {_projects(sharing.pending)}, not accepted")
    return decision


def _kept(decision: Decision, detail: str) -> Decision:
    return Decision(decision.image, Verdict.KEEP, None, Reason.SHARED, detail)


def _projects(ids: tuple[str, ...]) -> str:
    return f"project{'' if len(ids) == 1 else 's'} {', '.join(sorted(ids))}"
