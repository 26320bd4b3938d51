"""The part of a run's result that a person asked for: some of its targets and images, in an order."""

from collections.abc import Iterable
from dataclasses import replace

from janitor.core.decision import Decision
from janitor.core.explaining.selection import Selection
from janitor.core.planning.plan import owns
from janitor.core.result import Mode, RunResult, TargetResult
from janitor.core.units import counted
from janitor.expressions import Budget


def selected(result: RunResult, chosen: Selection) -> RunResult:
    """The same result with only what is asked for; its images are counted anew, its outcome and errors are not."""
    budget = Budget()
    targets = [target for target in result.targets if not chosen.targets or target.target in chosen.targets]
    return replace(result, targets=tuple(_part(target, chosen, budget) for target in targets))


def heading_of(result: RunResult, part: RunResult) -> str:
    """That a report is about a part of a run: how many of its images that are."""
    seen, shown = (sum(len(target.decisions) for target in one.targets) for one in (result, part))
    mode = "dry run" if result.mode is Mode.DRY_RUN else "live run"
    return f"A part of this {mode}: {shown:,} of {counted(seen)}"


def _part(target: TargetResult, chosen: Selection, budget: Budget) -> TargetResult:
    def takes(decision: Decision) -> bool:
        return chosen.takes(target.target, decision.image, decision, budget)

    def some(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
        return tuple(chosen.ordered(filter(takes, decisions), lambda decision: (decision.image, decision)))

    decisions, notices = some(target.decisions), target.notices
    told = replace(
        notices,
        announced=some(notices.announced),
        reminded=some(notices.reminded),
        spared=tuple(saved for saved in notices.spared if takes(saved.decision)),
        gone=some(notices.gone),
    )
    deletions = (deletion for deletion in target.deletions if takes(deletion.decision))
    owned = sum(owns(decision.image) for decision in decisions)
    changed = tuple(change for change in target.review.changed if takes(change.decision))
    settled = tuple(deletion for deletion in target.earlier.settled if takes(deletion.decision))
    return replace(
        target,
        survey=replace(target.survey, images=len(decisions), owned=owned) if chosen.chooses else target.survey,
        decisions=decisions,
        deletions=tuple(chosen.ordered(deletions, lambda each: (each.decision.image, each.decision))),
        notices=told,
        review=replace(target.review, changed=changed),
        earlier=replace(target.earlier, settled=settled),
        since=None if chosen.chooses else target.since,
    )
