"""Notices: an expired image is announced, and then stays for as long as its policy says.

Of a long notice people are reminded in its last day, and the deletion waits for that reminder: one that was not given
when it should have been moves it to a day after its acceptance. And a notice counts only while people hear of the
janitor: after a silence that was longer than the notice, it is given again, as it is where the image got another name.

Silence is what lies between two moments at which people heard, by the channel that an image is reported to: when the
notice was accepted, when a live run of the target ended with nothing due there, and when what was due there was
accepted. A dry run, one that died, one that was not to be posted, and one of other targets are no such moments; nor is
the end of a run with nothing new to tell as long as the report before it waits for its channel.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from janitor.core.decision import Decision, Reason, Spared, Verdict
from janitor.core.memory import Hearing, Memory, Notice
from janitor.core.names.spelling import normal
from janitor.core.policy import Policy

MAIN_CHANNEL = "slack"
"""What the database calls the channel of the configuration, which is told of all images whose policy names none."""

REMIND_BEFORE = timedelta(hours=24, minutes=15)
"""How long before the end of a long notice people are reminded of it: in its last day.

A bit more, for a notice begins when its message was delivered, which is later in the day than the next runs look.
"""

REMINDED_FOR = timedelta(hours=24)
"""How long an image stays after a reminder that came too late."""

_LONG = timedelta(days=3)
_USUAL_PAUSE = timedelta(hours=25)  # from one night to the next, also when the clocks go back
_LATEST_RUN = timedelta(hours=6)  # how long after the time in its schedule a run may look


def due_under(policy: Policy, notice: Notice | None, now: datetime) -> datetime:
    """When the notice that runs for an expired image ends, or would end if it were announced now.

    An announcement by the same policy holds, whatever shorter wait the file says since. Another policy, or a longer
    notice in the file, starts a new wait, as a silence or another name of the image does; none ends before a date that
    was announced.
    """
    if notice is None:
        return now + policy.notice
    if holds(policy, notice):
        return notice.due if notice.waits_until is None else max(notice.due, notice.waits_until)
    return max(now + policy.notice, notice.due)


def holds(policy: Policy, notice: Notice) -> bool:
    """Whether an announcement still stands for what the policy asks now."""
    return notice.counts and notice.policy == policy.name and notice.length >= policy.notice


def counted(
    notices: Mapping[str, Notice],
    hearing: Hearing,
    now: datetime,
    *,
    names: Mapping[str, str],
    channels: Mapping[str, str],
    next_run: Callable[[datetime], datetime] | None = None,
) -> dict[str, Notice]:
    """The notices as they count now: which a silence or another name has ended, and which wait for their reminder.

    `names` are those of the listed images now, "" for what has none that can be read. `channels` are those of the
    policies that have one of their own. `next_run` says when a run is due after an instant, where a schedule is
    configured.
    """

    def counts(image: str, notice: Notice) -> Notice:
        heard = hearing.moments.get(channels.get(notice.policy, MAIN_CHANNEL), hearing.quiet)
        lapsed = silent_since(notice, heard, now, next_run)
        missed = notice.reminded_at is None and notice.length > _LONG
        missed = missed and (now >= notice.due or image in hearing.unreminded)
        renamed = notice.name is not None and normal(names.get(image, notice.name)) != normal(notice.name)
        waits_until = max(notice.due, now + REMINDED_FOR) if missed else None
        return replace(notice, lapsed=lapsed, renamed=renamed, waits_until=waits_until)

    return {image: counts(image, notice) for image, notice in notices.items()}


def silent_since(
    notice: Notice, heard: Sequence[datetime], now: datetime, next_run: Callable[[datetime], datetime] | None = None
) -> datetime | None:
    """When the last silence began that was longer than a notice, and longer than between one night and the next.

    `heard` are the moments in the order of the runs. Where a schedule is configured, it is no silence before a run was
    missed. None where there was no such silence since the notice was accepted.
    """
    moments = [now]
    for moment in reversed(heard):
        # A run comes before the next: a clock that was ahead then must not make a silence look shorter.
        moments.append(min(moment, moments[-1]))
    times = [notice.announced_at, *(moment for moment in reversed(moments) if moment > notice.announced_at)]
    longest = max(notice.length, _USUAL_PAUSE)
    silences = [
        since
        for since, until in pairwise(times)
        if until - since > longest and (next_run is None or next_run(since) + _LATEST_RUN < until)
    ]
    return silences[-1] if silences else None


def reminded(notice: Notice, at: datetime, *, missed: bool) -> Notice:
    """The notice whose reminder was accepted: due a day later where that came when it was due, or was `missed` before.

    It is never due before the date that was announced.
    """
    late = missed or at >= notice.due
    return replace(notice, reminded_at=at, due=max(notice.due, at + REMINDED_FOR) if late else notice.due)


def to_announce(decisions: Iterable[Decision], notices: Mapping[str, Notice]) -> tuple[Decision, ...]:
    """The images that wait for a notice which nobody has been told of, or which says another date than people know."""
    return tuple(d for d in decisions if d.reason is Reason.NOTICE and not _told(d, notices))


def _told(decision: Decision, notices: Mapping[str, Notice]) -> bool:
    notice = notices.get(decision.image.id)
    return known(notice, decision.policy, decision.due) or awaits_reminder(notice, decision.policy, decision.due)


def known(notice: Notice | None, policy: str | None, due: datetime | None) -> bool:
    """Whether people know of this date, by an announcement of this policy that still counts."""
    return notice is not None and notice.counts and (notice.policy, notice.due) == (policy, due)


def awaits_reminder(notice: Notice | None, policy: str | None, due: datetime | None) -> bool:
    """Whether people know of the deletion, by an announcement of this policy, and it has got this date for want of a
    reminder."""
    return notice is not None and notice.counts and (notice.policy, notice.waits_until) == (policy, due)


def to_remind(decisions: Iterable[Decision], notices: Mapping[str, Notice], now: datetime) -> tuple[Decision, ...]:
    """The images whose notice is longer than three days, ends within a day, and has not been reminded of yet."""
    waiting = (d for d in decisions if d.reason is Reason.NOTICE and _told(d, notices))
    return tuple(d for d in waiting if _wants_reminder(notices[d.image.id], now))


def _wants_reminder(notice: Notice, now: datetime) -> bool:
    return notice.length > _LONG and notice.reminded_at is None and now >= notice.due - REMIND_BEFORE


def overdue(reminders: Iterable[Decision], notices: Mapping[str, Notice]) -> frozenset[str]:
    """Of the images to be reminded of, those whose deletion waits for that."""
    ids = (decision.image.id for decision in reminders if decision.due != notices[decision.image.id].due)
    return frozenset(ids)


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
