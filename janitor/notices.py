"""Notices: an expired image is announced, and then left alone for as long as its policy says."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from janitor.model import Decision, Memory, Notice, Reason, Spared, Verdict
from janitor.policy import Policy

REMIND_BEFORE = timedelta(hours=24, minutes=15)
"""How long before the end of a long notice people are reminded of it: in its last day.

A bit more, for a notice begins when its message was delivered, which is later in the day than the next runs look.
"""

_LONG = timedelta(days=3)


def due_under(policy: Policy, notice: Notice | None, now: datetime) -> datetime:
    """When the notice that runs for an expired image ends, or would end if it were announced now.

    An announcement by the same policy holds, whatever shorter wait the file says since. Another policy, or a longer
    notice in the file, starts a new wait; none ends before a date that was announced.
    """
    if notice is None:
        return now + policy.notice
    if holds(policy, notice):
        return notice.due
    return max(now + policy.notice, notice.due)


def holds(policy: Policy, notice: Notice) -> bool:
    """Whether an announcement still stands for what the policy asks now."""
    return notice.policy == policy.name and notice.length >= policy.notice


def to_announce(decisions: Iterable[Decision], notices: Mapping[str, Notice]) -> tuple[Decision, ...]:
    """The images that wait for a notice which nobody has been told of, or which says another date than people know."""
    return tuple(d for d in decisions if d.reason is Reason.NOTICE and not _told(d, notices))


def _told(decision: Decision, notices: Mapping[str, Notice]) -> bool:
    return known(notices.get(decision.image.id), decision.policy, decision.due)


def known(notice: Notice | None, policy: str | None, due: datetime | None) -> bool:
    """Whether people know of this date, by an announcement of this policy."""
    return notice is not None and (notice.policy, notice.due) == (policy, due)


def to_remind(decisions: Iterable[Decision], notices: Mapping[str, Notice], now: datetime) -> tuple[Decision, ...]:
    """The images whose notice is longer than three days, ends within a day, and has not been reminded of yet."""
    waiting = (d for d in decisions if d.reason is Reason.NOTICE and _told(d, notices))
    return tuple(d for d in waiting if _wants_reminder(notices[d.image.id], now))


def _wants_reminder(notice: Notice, now: datetime) -> bool:
    return notice.length > _LONG and notice.reminded_at is None and now >= notice.due - REMIND_BEFORE


def spared(decisions: Iterable[Decision], memory: Memory) -> tuple[Spared, ...]:
    """The announced images that something keeps now.

    Unreadable usage, and what cannot be seen, keep for the moment only and spare none.
    """
    return tuple(
        Spared(decision, memory.notices[decision.image.id].policy)
        for decision in decisions
        if decision.image.id in memory.notices
        and decision.verdict is Verdict.KEEP
        and decision.reason not in (Reason.USAGE_UNKNOWN, Reason.UNSETTLED_RECORD)
    )
