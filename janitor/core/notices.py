"""Notices: an expired image is announced, and then stays for as long as its policy says.

In the last day of a long notice people are reminded, and the deletion waits for that reminder: a late one moves it to a
day after the reminder was accepted. And a notice counts only while reports arrive: after a silence longer than the
notice, the image is announced again, as it is when its name has changed, or its owner where reports go to owners, or
the place where it is reported: who is told of a deletion was told before that it was coming.

A silence is the time between two of these moments, in the place that an image is reported to (or in the main channel,
if it was told of there because its owner could not be reached): the notice was accepted, a live run of the target ended
with nothing to report there, or its report was accepted there. A dry run, one that died, one that was not to be posted,
and one of other targets are not such moments; nor is the end of a run with nothing new to report while an earlier
report is still undelivered.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from janitor.core.decision import Decision, Reason, Spared, Verdict
from janitor.core.image import Image
from janitor.core.memory import Hearing, Memory, Notice
from janitor.core.names.spelling import normal
from janitor.core.policy import Policy
from janitor.core.recipients.destinations import Destinations
from janitor.core.recipients.recipients import same_owner

MAIN_CHANNEL = "slack"
"""The name in the database of the main channel, to which all images are reported whose policy names no other."""

REMIND_BEFORE = timedelta(hours=24, minutes=15)
"""How long before the end of a long notice the reminder is sent: in its last day.

A bit more, since a notice begins when its message is delivered, which is later in the day than the next runs check.
"""

REMINDED_FOR = timedelta(hours=24)
"""How long an image stays after a reminder that was late."""

_LONG = timedelta(days=3)
_USUAL_PAUSE = timedelta(hours=25)  # from one night to the next, even when the clocks go back
_LATEST_RUN = timedelta(hours=6)  # how long after its scheduled time a run may check


def due_under(policy: Policy, notice: Notice | None, now: datetime) -> datetime:
    """When the notice of an expired image ends, or would end if it were announced now.

    An announcement by the same policy stands even if the file has a shorter notice since. Another policy, or a longer
    notice in the file, starts a new notice, as a silence or another name of the image does; none ends before a date
    that was announced.
    """
    if notice is None:
        return now + policy.notice
    if holds(policy, notice):
        return notice.due if notice.waits_until is None else max(notice.due, notice.waits_until)
    return max(now + policy.notice, notice.due)


def holds(policy: Policy, notice: Notice) -> bool:
    """Whether an announcement still stands under the present policy."""
    return notice.counts and notice.policy == policy.name and notice.length >= policy.notice


def counted(
    notices: Mapping[str, Notice],
    hearing: Hearing,
    now: datetime,
    *,
    names: Mapping[str, str],
    places: Mapping[str, str],
    owners: Mapping[str, str] | None = None,
    next_run: Callable[[datetime], datetime] | None = None,
) -> dict[str, Notice]:
    """The notices as they count now: which ones a silence or another name has ended, and which wait for their reminder.

    `names` are the present names of the listed images, "" for none or an unreadable one. `places` are where they are
    reported now, as far as their policies are there, and `owners` are their owners, where one is found and reports go
    to owners. `next_run` says when the next run after an instant is due, if a schedule is configured.
    """
    owned = owners or {}

    def counts(image: str, notice: Notice) -> Notice:
        place = MAIN_CHANNEL if notice.instead else places.get(image, MAIN_CHANNEL)
        heard = hearing.moments.get(place, hearing.quiet)
        lapsed = silent_since(notice, heard, now, next_run)
        missed = notice.reminded_at is None and notice.length > _LONG
        missed = missed and (now >= notice.due or image in hearing.unreminded)
        renamed = notice.name is not None and normal(names.get(image, notice.name)) != normal(notice.name)
        reowned = notice.owner is not None and same_owner(owned.get(image, notice.owner)) != same_owner(notice.owner)
        elsewhere = notice.place is not None and places.get(image, notice.place) != notice.place
        waits_until = max(notice.due, now + REMINDED_FOR) if missed else None
        return replace(
            notice, lapsed=lapsed, renamed=renamed, reowned=reowned, elsewhere=elsewhere, waits_until=waits_until
        )

    return {image: counts(image, notice) for image, notice in notices.items()}


def counted_among(
    images: Iterable[Image],
    notices: Mapping[str, Notice],
    hearing: Hearing,
    now: datetime,
    destinations: Destinations,
    next_run: Callable[[datetime], datetime] | None = None,
) -> dict[str, Notice]:
    """The same as `counted`, for these listed images as they are reported now."""
    listed = {image.id: image for image in images if image.id in notices}
    under = {image: notices[image].policy for image in listed}
    known = [image for image in listed if under[image] in destinations.policies]
    places = {image: place_of(destinations, under[image], listed[image]) for image in known}
    owners = {image: destinations.owner_of(under[image], listed[image]) for image in listed}
    return counted(
        notices,
        hearing,
        now,
        names={image: each.name or "" for image, each in listed.items()},
        places=places,
        owners={image: owner for image, owner in owners.items() if owner},
        next_run=next_run,
    )


def place_of(destinations: Destinations, policy: str | None, image: Image) -> str:
    """Where an image is reported under a policy, by its name in the database, whether that can be reached or not."""
    return destinations.of(policy, image).place or MAIN_CHANNEL


def silent_since(
    notice: Notice, heard: Sequence[datetime], now: datetime, next_run: Callable[[datetime], datetime] | None = None
) -> datetime | None:
    """When the last silence began that was longer than a notice, and longer than from one night to the next.

    `heard` are the moments in the order of the runs. If a schedule is configured, it is not a silence before a run was
    missed. None where there was no such silence since the notice was accepted.
    """
    moments = [now]
    for moment in reversed(heard):
        # Runs follow each other: a clock that was ahead then must not make a silence look shorter.
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
    """The notice whose reminder was accepted: due a day later if the reminder was late, or was `missed` before.

    It is never due before the date that was announced.
    """
    late = missed or at >= notice.due
    return replace(notice, reminded_at=at, due=max(notice.due, at + REMINDED_FOR) if late else notice.due)


def to_announce(decisions: Iterable[Decision], notices: Mapping[str, Notice]) -> tuple[Decision, ...]:
    """The images that wait for a notice that was not announced, or was announced with another date."""
    return tuple(d for d in decisions if d.reason is Reason.NOTICE and not _told(d, notices))


def _told(decision: Decision, notices: Mapping[str, Notice]) -> bool:
    notice = notices.get(decision.image.id)
    return known(notice, decision.policy, decision.due) or awaits_reminder(notice, decision.policy, decision.due)


def known(notice: Notice | None, policy: str | None, due: datetime | None) -> bool:
    """Whether people know this date, from an announcement under this policy that still counts."""
    return notice is not None and notice.counts and (notice.policy, notice.due) == (policy, due)


def awaits_reminder(notice: Notice | None, policy: str | None, due: datetime | None) -> bool:
    """Whether the deletion was announced under this policy, and has this date for lack of a reminder."""
    return notice is not None and notice.counts and (notice.policy, notice.waits_until) == (policy, due)


def to_remind(decisions: Iterable[Decision], notices: Mapping[str, Notice], now: datetime) -> tuple[Decision, ...]:
    """The images whose notice is longer than three days, ends within a day, and has had no reminder yet."""
    waiting = (d for d in decisions if d.reason is Reason.NOTICE and _told(d, notices))
    return tuple(d for d in waiting if _wants_reminder(notices[d.image.id], now))


def _wants_reminder(notice: Notice, now: datetime) -> bool:
    return notice.length > _LONG and notice.reminded_at is None and now >= notice.due - REMIND_BEFORE


def overdue(reminders: Iterable[Decision], notices: Mapping[str, Notice]) -> frozenset[str]:
    """Of the images that need a reminder, those whose deletion waits for it."""
    ids = (decision.image.id for decision in reminders if decision.due != notices[decision.image.id].due)
    return frozenset(ids)


def spared(decisions: Iterable[Decision], memory: Memory) -> tuple[Spared, ...]:
    """The announced images that something keeps now.

    Unreadable usage, and images that cannot be read, are kept for the moment only and not spared.
    """
    if not memory.notices:
        return ()
    return tuple(
        Spared(decision, memory.notices[decision.image.id].policy)
        for decision in decisions
        if decision.image.id in memory.notices
        and decision.verdict is Verdict.KEEP
        and decision.reason not in (Reason.USAGE_UNKNOWN, Reason.UNSETTLED_RECORD)
    )
