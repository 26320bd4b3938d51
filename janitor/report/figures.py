"""The figures of a run that every report gives: totals of each target, and the whole run in a sentence or two."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from datetime import tzinfo

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.planning.refusal import Refusal, in_words, refusal_of, refusals_in
from janitor.core.replay.amounts import Amount
from janitor.core.result import Cost, DeletionOutcome, Mode, Outcome, RunResult, TargetResult
from janitor.core.units import counted, format_size
from janitor.report.outline import unasked, why_refused
from janitor.report.wording import local_minute, money_a_month, shortened

_LONGEST_REMARK = 400

_UNTROUBLED = {Outcome.OK, Outcome.PARTIAL}


def totals_of(
    target: TargetResult, mode: Mode, cost: Cost | None, zone: tzinfo, *, sent: bool = True
) -> list[tuple[str, str]]:
    """The figures of one target, each with its label; times in `zone`. Only images confirmed gone count as reclaimed.

    Not `sent`: it is not known yet, or no longer true, that this report announces anything.
    """
    if not _surveyed(target):
        return [("Images", _unread(target))]
    verdicts = Counter(decision.verdict for decision in target.decisions)
    rows = [
        ("Images", f"{target.survey.images:,}, of which {target.survey.owned:,} owned"),
        ("Kept", f"{verdicts[Verdict.KEEP]:,}"),
    ]
    if verdicts[Verdict.WAIT]:
        rows.append(("Waiting", _waiting(target, mode, zone, sent=sent)))
    if target.earlier.settled:
        rows.append(("Settled", _settled_by_outcome([target])))
    if target.review.approved is not None:
        unchanged = len(target.review.approved)
        rows.append(("Reviewed plan", f"{unchanged:,} images of it are unchanged; no limit applies"))
    rows += [("Note", shortened(remark, _LONGEST_REMARK)) for remark in target.survey.remarks]
    return rows + _plan(target, mode, cost)


def _unread(target: TargetResult) -> str:
    if target.outcome is not Outcome.REFUSED:
        return "not surveyed"
    return "implausible survey" if refusal_of(target) is Refusal.IMPLAUSIBLE else f"none, as {why_refused(target)}"


def _plan(target: TargetResult, mode: Mode, cost: Cost | None) -> list[tuple[str, str]]:
    """The figures of the plan: what it would delete, or what it did delete."""
    planned = len(target.to_delete)
    if mode is not Mode.DRY_RUN:
        reclaimed = [("Reclaimed", worth(confirmed([target]), cost))] if planned else []
        return [("Deleted", _deleted_of_planned(target) if planned else "none"), *reclaimed]
    if target.outcome is Outcome.REFUSED or not planned:
        return [("Would delete", f"none of {planned:,} planned, as {why_refused(target)}" if planned else "none")]
    return [("Would delete", f"{planned:,}"), ("Would reclaim", worth(target.to_delete, cost))]


def _waiting(target: TargetResult, mode: Mode, zone: tzinfo, *, sent: bool) -> str:
    """How many images wait for what, and when the first of them is due."""
    reasons = Counter(decision.reason for decision in target.decisions if decision.verdict is Verdict.WAIT)
    noticed = reasons.pop(Reason.NOTICE, 0)
    words = {Reason.REFUSED: "rejected before, retried later"}
    others = [f"{count:,} {words.get(reason, reason)}" for reason, count in reasons.most_common()]
    return "; ".join([*(_noticed(target, mode, zone, sent=sent) if noticed else ()), *others])


def _noticed(target: TargetResult, mode: Mode, zone: tzinfo, *, sent: bool) -> list[str]:
    noticed = [decision for decision in target.decisions if decision.reason is Reason.NOTICE]
    notices = target.notices
    if target.outcome is Outcome.REFUSED and not (notices.announced or notices.reminded):
        return [f"{len(noticed):,} announced or to be announced"]  # such a run may not have looked which
    announcing = {decision.image.id for decision in notices.announced}
    sent = sent and mode is Mode.DELETE
    untold = announcing & notices.undelivered if sent else announcing
    told = [decision for decision in noticed if decision.image.id not in untold]
    dates = [d.due for d in told if d.due is not None and d.image.id not in notices.undelivered]
    first = f", the first due {local_minute(min(dates), zone)}" if dates else ""
    words = [f"{len(told):,} announced{first}"] if told else []
    rest = "not announced" if sent else "to be announced"
    return words + ([f"{len(noticed) - len(told):,} {rest}"] if len(told) < len(noticed) else [])


def _settled_by_outcome(targets: Iterable[TargetResult]) -> str:
    outcomes = Counter(settled.outcome for target in targets for settled in target.earlier.last_settled)
    return ", ".join(f"{outcomes[outcome]:,} {outcome}" for outcome in DeletionOutcome if outcomes[outcome])


def _surveyed(target: TargetResult) -> bool:
    """Whether the target's list was read; without decisions, a failed target has no figures."""
    return bool(target.decisions or target.survey.images) or target.outcome in _UNTROUBLED


def _deleted_of_planned(target: TargetResult) -> str:
    fates = Counter(deletion.outcome for deletion in target.deletions if not deletion.unknown)
    deleted = fates.pop(DeletionOutcome.DELETED, 0)
    again = f" of which {len(target.earlier.refused_again):,} as before" if target.earlier.refused_again else ""
    words = {outcome: outcome.value for outcome in DeletionOutcome} | {DeletionOutcome.REFUSED: f"rejected{again}"}
    others = [f"{fates[outcome]:,} {words[outcome]}" for outcome in DeletionOutcome if fates[outcome]]
    unknown, left = sum(deletion.unknown for deletion in target.deletions), len(unasked(target))
    others += [f"{unknown:,} not known yet"] if unknown else []
    others += [f"{left:,} not attempted"] if left else []
    aside = f" ({', '.join(others)})" if others else ""
    return f"{deleted:,} of {len(target.to_delete):,} planned{aside}"


def confirmed(targets: Iterable[TargetResult]) -> list[Decision]:
    """The images that are confirmed gone."""
    return [
        deletion.decision
        for target in targets
        for deletion in target.deletions
        if deletion.outcome is DeletionOutcome.DELETED
    ]


def worth(decisions: Iterable[Decision], cost: Cost | None) -> str:
    """The size of these images, and its cost per month; images of unknown size are counted, not estimated."""
    return worth_of((decision.image.size for decision in decisions), cost)


def worth_of(images: Iterable[int | None], cost: Cost | None) -> str:
    """The same for the sizes of images, None for unknown ones."""
    sizes = list(images)
    known = sum(size for size in sizes if size is not None)
    unknown = sizes.count(None)
    aside = f" and {unknown:,} of unknown size" if unknown else ""
    money = money_a_month(known, cost)
    return f"{format_size(known)}{aside}{f' ({money})' if money else ''}"


def size_of(amount: Amount) -> str:
    """The size of some images; those of unknown size are counted, not estimated."""
    if amount.images and amount.unknown_sizes == amount.images:
        return "of unknown size"
    unknown = f" and {amount.unknown_sizes:,} of unknown size" if amount.unknown_sizes else ""
    return f"{format_size(amount.size)}{unknown}"


def amount_in_words(amount: Amount, cost: Cost | None = None, *, none: str = "none") -> str:
    """How many images, their size and cost: `3 images, 29.3 GiB, 1.46 USD a month`; `none` for no image."""
    if not amount.images:
        return none
    if amount.unknown_sizes == amount.images:
        return f"{counted(amount.images)} of unknown size"
    parts = [counted(amount.images), format_size(amount.size)]
    parts += [f"{amount.unknown_sizes:,} of unknown size"] if amount.unknown_sizes else []
    money = money_a_month(amount.size, cost)
    return ", ".join([*parts, money] if money else parts)


def amount_facts(amount: Amount, cost: Cost | None) -> dict[str, object]:
    """The same for programs: bytes, and the cost of a month, None where no cost is configured or no size is known."""
    unknown = cost is None or 0 < amount.images == amount.unknown_sizes
    return {**asdict(amount), "cost_per_month": None if unknown or cost is None else cost.of(amount.size)}


def kept_by_reason(target: TargetResult) -> list[tuple[Reason, int]]:
    """How many images each reason keeps, the largest number first."""
    return Counter(decision.reason for decision in target.decisions if decision.verdict is Verdict.KEEP).most_common()


def tells_of_images(result: RunResult) -> bool:
    """Whether there is anything to sum up: a failed run may have deleted images before, or not have begun at all."""
    return result.error is None or any(map(_surveyed, result.targets))


def summary(result: RunResult, cost: Cost | None) -> str:
    """The whole run in one sentence or two."""
    done = _would_do(result, cost) if result.mode is Mode.DRY_RUN else _done(result, cost)
    return f"{done}.{_settled(result)}{_news(result)}{_shortfall(result)}"


def _settled(result: RunResult) -> str:
    count = sum(len(target.earlier.last_settled) for target in result.targets)
    if not count:
        return ""
    return f" Settled {counted(count, 'deletion')} of earlier runs: {_settled_by_outcome(result.targets)}."


def _news(result: RunResult) -> str:
    told = [d.image.id not in target.notices.undelivered for target in result.targets for d in target.notices.announced]
    dry = result.mode is Mode.DRY_RUN
    in_time = sum(map(len, map(_reminded_in_time, result.targets)))
    counts = {
        "would be announced" if dry else "announced": told.count(True),
        "not announced": told.count(False),
        "due within a day": in_time,
        "due a day after their reminder": sum(len(target.notices.reminded) for target in result.targets) - in_time,
        "would be spared" if dry else "spared": sum(len(target.notices.spared) for target in result.targets),
        "deleted by somebody else": sum(len(target.notices.gone) for target in result.targets),
        "changed since planned": sum(len(target.review.changed) for target in result.targets),
    }
    words = ", ".join(f"{counted(count)} {what}" for what, count in counts.items() if count)
    return f" {words}." if words else ""


def _reminded_in_time(target: TargetResult) -> frozenset[str]:
    return frozenset(d.image.id for d in target.notices.reminded) - target.notices.overdue - target.notices.undelivered


def _done(result: RunResult, cost: Cost | None) -> str:
    planned = sum(len(target.to_delete) for target in result.targets)
    if not planned and any(t.outcome is Outcome.FAILED and not _surveyed(t) for t in result.targets):
        return "No deletion is confirmed"  # one that was abandoned may have requested a deletion
    if not planned:
        return "There was nothing to delete" if _untroubled(result) else "Nothing was deleted"
    deleted = confirmed(result.targets)
    reclaimed = f", reclaiming {worth(deleted, cost)}" if deleted else ""
    unknown = sum(deletion.unsettled for target in result.targets for deletion in target.deletions)
    unsettled = f"; {unknown:,} not confirmed yet" if unknown else ""
    return f"{len(deleted):,} of {counted(planned, 'planned image')} deleted{reclaimed}{unsettled}"


def _would_do(result: RunResult, cost: Cost | None) -> str:
    planned = sum(len(target.to_delete) for target in result.targets)
    allowed = [d for target in result.targets if target.outcome is not Outcome.REFUSED for d in target.to_delete]
    if not planned:
        return "There was nothing to delete" if _untroubled(result) else "Nothing would be deleted"
    if not allowed:
        return f"None of {counted(planned, 'planned image')} would be deleted"
    images = counted(planned) if len(allowed) == planned else f"{len(allowed):,} of {counted(planned, 'planned image')}"
    return f"{images} would be deleted, reclaiming {worth(allowed, cost)}; a dry run deletes nothing"


def _untroubled(result: RunResult) -> bool:
    """Whether everything was surveyed, so that an empty plan means that there is nothing to delete."""
    return all(target.outcome in _UNTROUBLED for target in result.targets)


def _shortfall(result: RunResult) -> str:
    refused = sum(target.outcome is Outcome.REFUSED for target in result.targets)
    why = in_words(refusals_in(result.targets))
    failed = sum(target.outcome is Outcome.FAILED for target in result.targets)
    words = [f"{counted(refused, 'target')} with nothing deleted, as {why}"] if refused else []
    words += [f"{counted(failed, 'target')} failed"] if failed else []
    return f" {'; '.join(words)}." if words else ""
