"""Which images are reported in which channel: those of a policy with its own channel there, all others in the main one.

The main channel's totals count everything. An image whose decision names no policy (a guard keeps it, say) is reported
in the main channel; but an image that is spared is reported where it was announced.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from janitor.core.decision import Decision
from janitor.core.planning.plan import owns
from janitor.core.result import Outcome, RunResult, TargetResult

_RANKING = (Outcome.OK, Outcome.PARTIAL, Outcome.FAILED, Outcome.REFUSED)


@dataclass(frozen=True, slots=True)
class Share:
    """What is reported of a run in one channel; `channel` is None for the main one.

    `totals` is counted; `listed` is the part of it whose images are named, target by target. `policies` are those to
    which the share is limited; `elsewhere` the shares of other channels, where this is the main one.
    """

    channel: str | None
    totals: RunResult
    listed: RunResult
    policies: tuple[str, ...] = ()
    elsewhere: tuple["Share", ...] = ()


def shares_of(result: RunResult, channels: Mapping[str, str]) -> list[Share]:
    """The shares of the main channel and then of each of `channels`, which maps names of policies to channels."""
    policies_of: dict[str, list[str]] = {}
    for policy, channel in channels.items():
        policies_of.setdefault(channel, []).append(policy)
    others = tuple(_share(result, channel, tuple(policies)) for channel, policies in policies_of.items())
    rest = tuple(_part(target, lambda policy: policy not in channels) for target in result.targets)
    return [Share(None, result, replace(result, targets=rest), elsewhere=others), *others]


def _share(result: RunResult, channel: str, policies: tuple[str, ...]) -> Share:
    parts = (_part(target, lambda policy: policy in policies) for target in result.targets)
    targets = tuple(_judged(part) for part in parts if _tells_something(part))
    outcome = max((target.outcome for target in targets), key=_RANKING.index, default=Outcome.OK)
    part = replace(result, targets=targets, outcome=outcome, error=None)
    return Share(channel, part, part, policies)


def _part(target: TargetResult, wanted: Callable[[str | None], bool]) -> TargetResult:
    """A target with only the decisions of these policies, their consequences, and what they had announced."""

    def decided(decision: Decision) -> bool:
        return wanted(decision.policy)

    notices = replace(
        target.notices,
        announced=tuple(filter(decided, target.notices.announced)),
        reminded=tuple(filter(decided, target.notices.reminded)),
        spared=tuple(saved for saved in target.notices.spared if wanted(saved.policy)),
        gone=tuple(filter(decided, target.notices.gone)),
    )
    settled = tuple(deletion for deletion in target.earlier.settled if decided(deletion.decision))
    changed = tuple(change for change in target.review.changed if decided(change.decision))
    return replace(
        target,
        decisions=tuple(filter(decided, target.decisions)),
        deletions=tuple(deletion for deletion in target.deletions if decided(deletion.decision)),
        notices=notices,
        review=replace(target.review, changed=changed),
        earlier=replace(target.earlier, settled=settled),
    )


def _tells_something(part: TargetResult) -> bool:
    notices = part.notices
    warned = notices.announced or notices.reminded or notices.spared or notices.gone
    return bool(part.decisions or part.deletions or warned or part.earlier.settled or part.review.changed)


def _judged(part: TargetResult) -> TargetResult:
    """A part of a target, with its own counts; problems with other images of the target do not concern it."""
    troubled = any(deletion.outcome.unsuccessful for deletion in part.deletions)
    concerned = troubled if part.outcome is Outcome.PARTIAL else bool(part.to_delete)
    owned = sum(owns(decision.image) for decision in part.decisions)
    return replace(
        part,
        survey=replace(part.survey, images=len(part.decisions), owned=owned),
        outcome=part.outcome if concerned else Outcome.OK,
        error=part.error if concerned else None,
    )
