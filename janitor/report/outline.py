"""What every report says of a run, before it is dressed as text or blocks: totals, groups of images, what is next."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from janitor.exemptions import lapses_soon
from janitor.model import (
    Cost,
    Decision,
    Deletion,
    DeletionOutcome,
    Mode,
    Outcome,
    Reason,
    RunResult,
    TargetResult,
    Verdict,
)
from janitor.report.wording import counted, money_a_month
from janitor.units import format_size

_UPCOMING = 5
_LAST_YEAR = 9999

_TITLES = {
    DeletionOutcome.REFUSED: "Refused by the API, not deleted",
    DeletionOutcome.FAILED: "Failed, not known to be deleted",
    None: "Not asked for, not deleted",
    DeletionOutcome.ACCEPTED: "Accepted by the API, not confirmed gone",
    DeletionOutcome.ALREADY_GONE: "Already gone, not counted as reclaimed",
    DeletionOutcome.DELETED: "Deleted, confirmed gone",
}
"""The fates of planned images in a live run, in the order in which they are reported; None: no deletion was sent."""

_TROUBLES = {DeletionOutcome.REFUSED, DeletionOutcome.FAILED, None}


@dataclass(frozen=True, slots=True)
class Entry:
    """One image as a report lists it: its decision, and what became of its deletion where that is to be said."""

    decision: Decision
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Images of one target that share a fate, under a title; `trouble` asks for a person's eye."""

    title: str
    entries: tuple[Entry, ...]
    trouble: bool = False


def groups_of(target: TargetResult, mode: Mode) -> list[Group]:
    """Every image that a person may want to see: of the plan each once, by its fate, and whatever is news of others."""
    return [*_settled(target), *_planned(target, mode), *_changed(target), *_noticed(target, mode)]


def _changed(target: TargetResult) -> Iterator[Group]:
    if target.changed:
        entries = tuple(Entry(change.decision, change.detail) for change in target.changed)
        yield Group("Not deleted, changed meanwhile", entries)


def _noticed(target: TargetResult, mode: Mode) -> Iterator[Group]:
    announced = "Would be announced" if mode is Mode.DRY_RUN else "Announced, to be deleted when due"
    told = ((announced, target.announced), ("Reminder, due within a day", target.reminded))
    for title, decisions in told:
        if decisions:
            yield Group(title, tuple(Entry(decision, _way_out(decision)) for decision in decisions))
    if target.spared:
        yield Group("Spared, announced before", tuple(Entry(decision) for decision in target.spared))


def _way_out(decision: Decision) -> str:
    return f'to keep it: janitor keep {decision.image.id} --for 30d --why "…"'


def _settled(target: TargetResult) -> Iterator[Group]:
    if target.settled:
        entries = tuple(Entry(settled.decision, f"{settled.outcome}: {settled.detail}") for settled in target.settled)
        yield Group("Settled, asked for in an earlier run", entries)


def _planned(target: TargetResult, mode: Mode) -> list[Group]:
    if mode is Mode.DRY_RUN or target.outcome is Outcome.REFUSED:
        planned = tuple(Entry(decision) for decision in target.doomed)
        return [Group(_planned_title(target, mode), planned)] if planned else []
    return list(_fates(target))


def _planned_title(target: TargetResult, mode: Mode) -> str:
    if target.outcome is not Outcome.REFUSED:
        return "Would be deleted"
    return "Would be deleted, but is refused" if mode is Mode.DRY_RUN else "Not deleted, refused"


def _fates(target: TargetResult) -> Iterator[Group]:
    fates: dict[DeletionOutcome | None, list[Entry]] = {fate: [] for fate in _TITLES}
    for deletion in target.deletions:
        if deletion.decision.image.id not in target.refused_again:
            fates[deletion.outcome].append(Entry(deletion.decision, _remark(deletion)))
    fates[None] = [Entry(decision) for decision in _unasked(target)]
    for fate, entries in fates.items():
        if entries:
            yield Group(_TITLES[fate], tuple(entries), trouble=fate in _TROUBLES)


def _remark(deletion: Deletion) -> str | None:
    return None if deletion.detail == "confirmed gone" else deletion.detail


def _unasked(target: TargetResult) -> list[Decision]:
    asked = {deletion.decision.image.id for deletion in target.deletions}
    asked |= {change.decision.image.id for change in target.changed}
    return [decision for decision in target.doomed if decision.image.id not in asked]


def totals_of(target: TargetResult, mode: Mode, cost: Cost | None) -> list[tuple[str, str]]:
    """The figures of one target, each with its label. Only what is confirmed gone counts as reclaimed."""
    if not surveyed(target):
        return [("Images", "not surveyed")]
    verdicts = Counter(decision.verdict for decision in target.decisions)
    rows = [("Images", f"{target.images:,}, of which {target.owned:,} owned"), ("Kept", f"{verdicts[Verdict.KEEP]:,}")]
    if verdicts[Verdict.WAIT]:
        rows.append(("Waiting", _waiting(target)))
    if target.settled:
        rows.append(("Settled", _settled_by_outcome(target)))
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


def _settled_by_outcome(target: TargetResult) -> str:
    outcomes = Counter(settled.outcome for settled in target.settled)
    return ", ".join(f"{outcomes[outcome]:,} {outcome}" for outcome in DeletionOutcome if outcomes[outcome])


def surveyed(target: TargetResult) -> bool:
    """Whether the target's list was read; a failed target without decisions has no figures to show."""
    return bool(target.decisions or target.images) or target.outcome is not Outcome.FAILED


def _deleted_of_planned(target: TargetResult) -> str:
    fates = Counter(deletion.outcome for deletion in target.deletions)
    deleted = fates.pop(DeletionOutcome.DELETED, 0)
    others = [f"{fates[outcome]:,} {outcome}" for outcome in DeletionOutcome if fates[outcome]]
    unasked = len(_unasked(target))
    if target.refused_again:
        others.append(f"{len(target.refused_again):,} refused for the same reason as before")
    if unasked:
        others.append(f"{unasked:,} not asked for")
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


def upcoming(target: TargetResult) -> list[Decision]:
    """The kept images that expire soonest, soonest first, five at most."""
    # The last year there is stands for a term whose end cannot be told.
    dated = [
        (decision.due, decision.image.id, index)
        for index, decision in enumerate(target.decisions)
        if decision.due is not None and decision.reason is Reason.TOO_YOUNG and decision.due.year < _LAST_YEAR
    ]
    return [target.decisions[index] for *_, index in heapq.nsmallest(_UPCOMING, dated)]


def lapsing(target: TargetResult, now: datetime) -> list[Decision]:
    """The images whose exemption lapses within a week, soonest first."""
    dated = [
        (decision.due, decision.image.id, index)
        for index, decision in enumerate(target.decisions)
        if decision.reason is Reason.EXEMPT and decision.due is not None and lapses_soon(decision.due, now)
    ]
    return [target.decisions[index] for *_, index in sorted(dated)]


def summary(result: RunResult, cost: Cost | None) -> str:
    """The whole run in one sentence or two."""
    planned = [decision for target in result.targets for decision in target.doomed]
    return f"{_done(result, planned, cost)}.{_news(result)}{_shortfall(result)}"


def _news(result: RunResult) -> str:
    announced = sum(len(target.announced) for target in result.targets)
    saved = sum(len(target.spared) for target in result.targets)
    would = "would be " if result.mode is Mode.DRY_RUN else ""
    words = [f"{counted(announced)} {would}announced"] if announced else []
    words += [f"{counted(saved)} spared"] if saved else []
    return f" {', '.join(words)}." if words else ""


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
