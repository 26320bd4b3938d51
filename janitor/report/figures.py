"""The figures of a run that every report gives: totals of each target, and the whole run in a sentence or two."""

from collections import Counter
from collections.abc import Iterable

from janitor.model import Cost, Decision, DeletionOutcome, Mode, Outcome, Reason, RunResult, TargetResult, Verdict
from janitor.report.outline import unasked
from janitor.report.wording import counted, money_a_month
from janitor.units import format_size


def totals_of(target: TargetResult, mode: Mode, cost: Cost | None) -> list[tuple[str, str]]:
    """The figures of one target, each with its label. Only what is confirmed gone counts as reclaimed."""
    if not surveyed(target):
        return [("Images", "not surveyed")]
    verdicts = Counter(decision.verdict for decision in target.decisions)
    rows = [("Images", f"{target.images:,}, of which {target.owned:,} owned"), ("Kept", f"{verdicts[Verdict.KEEP]:,}")]
    if verdicts[Verdict.WAIT]:
        rows.append(("Waiting", _waiting(target)))
    if target.settled:
        rows.append(("Settled", _settled_by_outcome([target])))
    if mode is Mode.DRY_RUN:
        rows.append(("Would delete", f"{len(target.doomed):,}"))
        rows.append(("Would reclaim", _worth(target.doomed, cost)))
    else:
        rows.append(("Deleted", _deleted_of_planned(target)))
        rows.append(("Reclaimed", _worth(_confirmed([target]), cost)))
    return rows


def _waiting(target: TargetResult) -> str:
    reasons = Counter(decision.reason for decision in target.decisions if decision.verdict is Verdict.WAIT)
    words = {Reason.NOTICE: "announced or to be", Reason.REFUSED: "refused before, tried again later"}
    return ", ".join(f"{count:,} {words.get(reason, reason)}" for reason, count in reasons.most_common())


def _settled_by_outcome(targets: Iterable[TargetResult]) -> str:
    outcomes = Counter(outcome for target in targets for outcome in _last_words(target).values())
    return ", ".join(f"{outcomes[outcome]:,} {outcome}" for outcome in DeletionOutcome if outcomes[outcome])


def _last_words(target: TargetResult) -> dict[str, DeletionOutcome]:
    """What became of each image whose deletion was settled: by its last request, where there were several."""
    return {settled.decision.image.id: settled.outcome for settled in target.settled}


def surveyed(target: TargetResult) -> bool:
    """Whether the target's list was read; a failed target without decisions has no figures to show."""
    return bool(target.decisions or target.images) or target.outcome is not Outcome.FAILED


def _deleted_of_planned(target: TargetResult) -> str:
    fates = Counter(deletion.outcome for deletion in target.deletions)
    deleted = fates.pop(DeletionOutcome.DELETED, 0)
    others = [f"{fates[outcome]:,} {outcome}" for outcome in DeletionOutcome if fates[outcome]]
    left = len(unasked(target))
    if target.refused_again:
        others.append(f"{len(target.refused_again):,} refused for the same reason as before")
    if left:
        others.append(f"{left:,} not asked for")
    aside = f" ({', '.join(others)})" if others else ""
    return f"{deleted:,} of {len(target.doomed):,} planned{aside}"


def _confirmed(targets: Iterable[TargetResult]) -> list[Decision]:
    return [
        deletion.decision
        for target in targets
        for deletion in target.deletions
        if deletion.outcome is DeletionOutcome.DELETED
    ]


def _worth(decisions: Iterable[Decision], cost: Cost | None) -> str:
    """The size of these images, and what it costs a month; images of unknown size are counted, not guessed."""
    sizes = [decision.image.size for decision in decisions]
    known = sum(size for size in sizes if size is not None)
    unknown = sizes.count(None)
    aside = f" and {unknown:,} of unknown size" if unknown else ""
    money = money_a_month(known, cost)
    return f"{format_size(known)}{aside}{f' ({money})' if money else ''}"


def kept_by_reason(target: TargetResult) -> list[tuple[Reason, int]]:
    """How many images each reason keeps, most first."""
    return Counter(decision.reason for decision in target.decisions if decision.verdict is Verdict.KEEP).most_common()


def summary(result: RunResult, cost: Cost | None, *, announced: str | None = "announced") -> str:
    """The whole run in one sentence or two. `announced` is the word for what a live run did announce; without it, that
    is left out."""
    planned = [decision for target in result.targets for decision in target.doomed]
    return f"{_done(result, planned, cost)}.{_settled(result)}{_news(result, announced)}{_shortfall(result)}"


def _settled(result: RunResult) -> str:
    count = sum(len(_last_words(target)) for target in result.targets)
    if not count:
        return ""
    return f" Settled {counted(count, 'deletion')} of earlier runs: {_settled_by_outcome(result.targets)}."


def _news(result: RunResult, announced: str | None) -> str:
    told = [d.image.id not in target.undelivered for target in result.targets for d in target.announced]
    counts = {
        "would be announced" if result.mode is Mode.DRY_RUN else announced: told.count(True),
        "not announced": told.count(False),
        "spared": sum(len(target.spared) for target in result.targets),
    }
    words = ", ".join(f"{counted(count)} {what}" for what, count in counts.items() if what and count)
    return f" {words}." if words else ""


def _done(result: RunResult, planned: list[Decision], cost: Cost | None) -> str:
    if not planned:
        return "There was nothing to delete"
    if result.mode is Mode.DRY_RUN:
        return (
            f"{counted(len(planned))} would be deleted, reclaiming {_worth(planned, cost)}; a dry run deletes nothing"
        )
    deleted = _confirmed(result.targets)
    reclaimed = f", reclaiming {_worth(deleted, cost)}" if deleted else ""
    return f"{len(deleted):,} of {counted(len(planned), 'planned image')} deleted{reclaimed}"


def _shortfall(result: RunResult) -> str:
    refused = sum(target.outcome is Outcome.REFUSED for target in result.targets)
    failed = sum(target.outcome is Outcome.FAILED for target in result.targets)
    words = []
    if refused:
        words.append(f"nothing was deleted in {counted(refused, 'target')}, as a limit or the survey gate refused")
    if failed:
        words.append(f"{counted(failed, 'target')} failed")
    return f" {'; '.join(words).capitalize()}." if words else ""
