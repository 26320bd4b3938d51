"""Writing down what a channel has accepted: only from then on do notices run."""

from collections.abc import Collection, Sequence
from datetime import datetime

from janitor.model import Decision, Mode, Notice, RunResult
from janitor.policy import Policy
from janitor.store import Store


def start_notices(
    store: Store,
    result: RunResult,
    policies: Sequence[Policy],
    accepted: Collection[tuple[str, str]],
    at: datetime,
) -> None:
    """Start the notices, and record the reminders, of those images (target, id) which an accepted message named.

    A dry run starts nothing. A notice runs in full from the moment its message was accepted, and never ends before the
    date that the message gave.
    """
    if result.mode is Mode.DRY_RUN:
        return
    lengths = {policy.name: policy.notice for policy in policies}
    for target in result.targets:
        for decision in target.announced:
            if (target.target, decision.image.id) in accepted:
                assert decision.policy is not None
                length = lengths[decision.policy]
                due = max(at + length, decision.due or at)
                notice = Notice(decision.policy, length, at, due)
                store.announce(result.run, target.target, decision.image.id, notice)
        store.remind(target.target, _reminded(target.target, target.reminded, accepted), at)


def _reminded(target: str, decisions: Sequence[Decision], accepted: Collection[tuple[str, str]]) -> list[str]:
    return [decision.image.id for decision in decisions if (target, decision.image.id) in accepted]
