"""Recording what a channel has accepted: only that starts notices, and only that counts as announced."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from janitor.core.decision import Decision
from janitor.core.memory import Notice
from janitor.core.notices import place_of
from janitor.core.policy import Policy
from janitor.core.recipients.destinations import Destinations
from janitor.core.result import Mode, RunResult, TargetResult
from janitor.core.survey.clock import may_start
from janitor.report import Name
from janitor.store import Store


def untimed(result: RunResult, accepted: Collection[Name], offsets: Mapping[Name, timedelta]) -> frozenset[Name]:
    """Of the images that accepted messages announce, or send a reminder for, those for which that may not count.

    A notice depends on our clock: an answer of the API or of the channel must have confirmed it, and the channel's must
    not contradict it, unless a person accepted the survey. `offsets` is how far the channel's clock was ahead of ours.
    """
    checks = {name: target.survey.clock for target in result.targets for name in _told_of(target)}
    return frozenset(
        name for name, check in checks.items() if name in accepted and not may_start(check, offsets.get(name))
    )


def start_notices(
    store: Store,
    result: RunResult,
    policies: Sequence[Policy],
    accepted: Collection[Name],
    at: datetime,
    *,
    destinations: Destinations | None = None,
    instead: Collection[Name] = (),
) -> None:
    """Start the notices, and record the reminders, of the images that an accepted message named: all, or none.

    A dry run starts none. A notice runs in full from the moment its message was accepted, and never ends before the
    date that the message gave. `instead` are those of the images that were told of in the main channel, as their owners
    could not be reached. Raises StoreError, and then none has started.
    """
    if result.mode is Mode.DRY_RUN:
        return
    lengths = {policy.name: policy.notice for policy in policies}
    announced = ((target.target, decision) for target in result.targets for decision in target.notices.announced)
    reminded = ((target.target, decision.image.id) for target in result.targets for decision in target.notices.reminded)
    owner_of = (destinations or Destinations()).owner_of
    place_in = None if destinations is None else partial(place_of, destinations)
    notices = {
        (target, one.image.id): replace(
            _notice(one, lengths, at),
            owner=owner_of(one.policy, one.image),
            instead=(target, one.image.id) in instead,
            place=None if place_in is None else place_in(one.policy, one.image),
        )
        for target, one in announced
    }
    store.announce(
        result.run,
        {name: notice for name, notice in notices.items() if name in accepted},
        [name for name in reminded if name in accepted],
        at,
        instead,
    )


def _notice(decision: Decision, lengths: Mapping[str, timedelta], at: datetime) -> Notice:
    assert decision.policy is not None
    length = lengths[decision.policy]
    return Notice(decision.policy, length, at, max(at + length, decision.due or at), name=decision.image.name or "")


def as_told(result: RunResult, told: Collection[Name]) -> RunResult:
    """The result after its delivery: it no longer claims to announce images that no accepted message names."""
    if result.mode is Mode.DRY_RUN:
        return result
    return replace(result, targets=tuple(_told_as(target, told) for target in result.targets))


def _told_as(target: TargetResult, told: Collection[Name]) -> TargetResult:
    notices = replace(target.notices, undelivered=frozenset(_missed(target, told)))
    return replace(target, notices=notices)


def _missed(target: TargetResult, told: Collection[Name]) -> Iterator[str]:
    return (image for name, image in _told_of(target) if (name, image) not in told)


def _told_of(target: TargetResult) -> Iterator[Name]:
    return ((target.target, decision.image.id) for decision in (*target.notices.announced, *target.notices.reminded))
