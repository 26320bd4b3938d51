"""What every report says about single images, in any format: groups of them, and what is next."""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from janitor.commands import command
from janitor.core.decision import Decision, Reason, Spared
from janitor.core.exemptions import expires_soon
from janitor.core.planning.refusal import REFUSALS, refusal_of
from janitor.core.result import Deletion, DeletionOutcome, Mode, Outcome, TargetResult

_UPCOMING = 5
_LAST_YEAR = 9999

_Fate = DeletionOutcome | Literal["unknown"] | None

_FATES: Mapping[_Fate, tuple[str, str]] = {
    DeletionOutcome.REFUSED: ("Rejected by the API, not deleted", "rejected"),
    DeletionOutcome.FAILED: ("Failed, not confirmed gone", "failed"),
    "unknown": ("Outcome not known yet, the next run finds out", "not known yet"),
    None: ("Not attempted, not deleted", "not attempted"),
    DeletionOutcome.ACCEPTED: ("Accepted by the API, not confirmed gone", "accepted, not confirmed gone"),
    DeletionOutcome.ALREADY_GONE: ("Already gone, not counted as reclaimed", "already gone"),
    DeletionOutcome.DELETED: ("Deleted, confirmed gone", "deleted"),
}
"""What happened to planned images in a live run, in the order in which it is reported: a title, and in short.

None: no deletion was sent.
"""

_TROUBLE: frozenset[_Fate] = frozenset({DeletionOutcome.REFUSED, DeletionOutcome.FAILED, "unknown", None})

_NOT_ANNOUNCED = "Not announced, as this report is late"
_NO_REMINDER = "Reminder not sent, as this report is late"


@dataclass(frozen=True, slots=True)
class Entry:
    """One image as a report lists it: its decision, further details, and the command that keeps it.

    `policy` is the one under which it is listed, and `owner` whom that names as the owner of the image.
    """

    decision: Decision
    remark: str | None = None
    way_out: str | None = None
    announced_by: str | None = None
    owner: str | None = None

    @property
    def policy(self) -> str | None:
        """The policy under which it is listed: the one that announced it, where something keeps it now."""
        return self.announced_by or self.decision.policy


@dataclass(frozen=True, slots=True)
class Group:
    """Images of one target with the same outcome, under a title, which `word` says in short after their number.

    `trouble` needs a person's attention. `dated`: the images are due for deletion at the date of their decision. `late`
    is the title in a late report, if it differs: such a report announces nothing.
    """

    title: str
    word: str
    entries: tuple[Entry, ...]
    trouble: bool = False
    dated: bool = False
    late: str | None = None


def groups_of(target: TargetResult, mode: Mode) -> list[Group]:
    """Every image that a person may want to see: each planned image once, by its outcome, and news about others."""
    return [*_settled(target), *_planned(target, mode), *_changed(target), *_noticed(target, mode)]


def _changed(target: TargetResult) -> Iterator[Group]:
    if target.review.changed:
        entries = tuple(Entry(change.decision, change.detail) for change in target.review.changed)
        yield Group("Changed since planned, not attempted", "changed since planned", entries)


def _noticed(target: TargetResult, mode: Mode) -> Iterator[Group]:
    told, missed = _parted(target.notices.announced, target.notices.undelivered)
    in_time = [decision for decision in target.notices.reminded if decision.image.id not in target.notices.overdue]
    too_late = [decision for decision in target.notices.reminded if decision.image.id in target.notices.overdue]
    (reminded, forgotten), (late, again) = (_parted(part, target.notices.undelivered) for part in (in_time, too_late))
    saved = tuple(Entry(one.decision, _announcer(one), announced_by=one.policy) for one in target.notices.spared)
    gone = tuple(map(Entry, target.notices.gone))
    if mode is Mode.DRY_RUN:
        would = "would be in a reminder"
        return _filled(
            Group("Would be announced", "would be announced", told + missed, dated=True),
            Group("Would be in a reminder, due within a day", would, reminded + forgotten, dated=True),
            Group("Would be in a late reminder, due a day after it", would, late + again, dated=True),
            Group("Would be spared, announced before and now kept", "would be spared", saved),
        )
    not_announced = "Not announced, notice period not started; the next run tries again"
    not_reminded = "Reminder not delivered, due a day after its delivery"
    return _filled(
        Group("Announced, to be deleted when due", "announced", told, dated=True, late=_NOT_ANNOUNCED),
        Group(not_announced, "not announced", missed, trouble=True),
        Group("Reminder, due within a day", "due within a day", reminded, dated=True, late=_NO_REMINDER),
        Group("Late reminder, due a day after it", "due a day after this", late, dated=True, late=_NO_REMINDER),
        Group(not_reminded, "without their reminder", forgotten + again, trouble=True),
        Group("Spared, announced before and now kept", "spared", saved),
        Group("Announced before, deleted by somebody else", "deleted by somebody else", gone),
    )


def _filled(*groups: Group) -> Iterator[Group]:
    return (group for group in groups if group.entries)


def _parted(decisions: Iterable[Decision], undelivered: Collection[str]) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """The images that were announced, and the others."""
    parts: dict[bool, list[Entry]] = {True: [], False: []}
    for decision in decisions:
        parts[decision.image.id not in undelivered].append(Entry(decision, way_out=_way_out(decision)))
    return tuple(parts[True]), tuple(parts[False])


def _way_out(decision: Decision) -> str:
    return command(f'keep {decision.image.id} --for 30d --why "…"')


def _announcer(saved: Spared) -> str | None:
    return None if saved.decision.policy == saved.policy else f"announced under policy {saved.policy}"


def _settled(target: TargetResult) -> Iterator[Group]:
    if settled := target.earlier.last_settled:
        entries = tuple(Entry(deletion.decision, f"{deletion.outcome}: {deletion.detail}") for deletion in settled)
        yield Group("Settled, requested in an earlier run", "settled", entries)


def _planned(target: TargetResult, mode: Mode) -> list[Group]:
    if mode is Mode.DRY_RUN or target.outcome is Outcome.REFUSED:
        planned = tuple(Entry(decision) for decision in target.to_delete)
        return [Group(*_planned_words(target, mode), planned)] if planned else []
    return list(_fates(target))


def _planned_words(target: TargetResult, mode: Mode) -> tuple[str, str]:
    if target.outcome is not Outcome.REFUSED:
        return "Would be deleted", "would be deleted"
    why = why_refused(target)
    if mode is Mode.DRY_RUN:
        return f"Would be deleted, but {why}", f"would not be deleted, as {why}"
    return f"Not deleted, as {why}", f"not deleted, as {why}"


def why_refused(target: TargetResult) -> str:
    """Why nothing of the plan of a target was deleted, in short."""
    return REFUSALS[refusal_of(target)]


def _fates(target: TargetResult) -> Iterator[Group]:
    fates: dict[_Fate, list[Entry]] = {fate: [] for fate in _FATES}
    for deletion in target.deletions:
        if deletion.decision.image.id not in target.earlier.refused_again:
            fate: _Fate = "unknown" if deletion.unknown else deletion.outcome
            fates[fate].append(Entry(deletion.decision, _remark(deletion)))
    fates[None] = [Entry(decision) for decision in unasked(target)]
    for fate, entries in fates.items():
        if entries:
            yield Group(*_FATES[fate], tuple(entries), trouble=fate in _TROUBLE)


def _remark(deletion: Deletion) -> str | None:
    return None if deletion.detail == "confirmed gone" else deletion.detail


def unasked(target: TargetResult) -> list[Decision]:
    """The planned images whose deletion was not requested, although nothing about them had changed."""
    asked = {deletion.decision.image.id for deletion in target.deletions}
    asked |= {change.decision.image.id for change in target.review.changed}
    return [decision for decision in target.to_delete if decision.image.id not in asked]


def upcoming(target: TargetResult) -> list[Decision]:
    """The kept images that expire soonest, soonest first, five at most."""
    # The last possible year stands for a term whose end is unknown.
    dated = (
        (decision.due, decision.image.id, index)
        for index, decision in enumerate(target.decisions)
        if decision.due is not None and decision.reason is Reason.TOO_YOUNG and decision.due.year < _LAST_YEAR
    )
    return [target.decisions[index] for *_, index in heapq.nsmallest(_UPCOMING, dated)]


def expiring(target: TargetResult, now: datetime) -> list[Decision]:
    """The images whose exemption expires within a week, soonest first."""
    dated = [
        (decision.due, decision.image.id, index)
        for index, decision in enumerate(target.decisions)
        if decision.reason is Reason.EXEMPT and decision.due is not None and expires_soon(decision.due, now)
    ]
    return [target.decisions[index] for *_, index in sorted(dated)]
