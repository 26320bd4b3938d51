"""Writing down what a channel has accepted: only from then on do notices run, and only that was announced."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from janitor.model import Decision, Mode, Notice, RunResult, TargetResult
from janitor.policy import Policy
from janitor.report import Name
from janitor.store import Store


def start_notices(
    store: Store, result: RunResult, policies: Sequence[Policy], accepted: Collection[Name], at: datetime
) -> None:
    """Start the notices, and record the reminders, of those images which an accepted message named: all, or none.

    A dry run starts nothing. A notice runs in full from the moment its message was accepted, and never ends before the
    date that the message gave. Raises StoreError, and then none has started.
    """
    if result.mode is Mode.DRY_RUN:
        return
    lengths = {policy.name: policy.notice for policy in policies}
    announced = ((target.target, decision) for target in result.targets for decision in target.announced)
    reminded = ((target.target, decision.image.id) for target in result.targets for decision in target.reminded)
    notices = {(target, decision.image.id): _notice(decision, lengths, at) for target, decision in announced}
    store.announce(
        result.run,
        {name: notice for name, notice in notices.items() if name in accepted},
        [name for name in reminded if name in accepted],
        at,
    )


def _notice(decision: Decision, lengths: Mapping[str, timedelta], at: datetime) -> Notice:
    assert decision.policy is not None
    length = lengths[decision.policy]
    return Notice(decision.policy, length, at, max(at + length, decision.due or at))


def as_told(result: RunResult, told: Collection[Name]) -> RunResult:
    """The result once its report is delivered, or not: it no longer claims to announce what nobody was told of."""
    if result.mode is Mode.DRY_RUN:
        return result
    targets = (replace(target, undelivered=frozenset(_missed(target, told))) for target in result.targets)
    return replace(result, targets=tuple(targets))


def _missed(target: TargetResult, told: Collection[Name]) -> Iterator[str]:
    ids = (decision.image.id for decision in (*target.announced, *target.reminded))
    return (image for image in ids if (target.target, image) not in told)
