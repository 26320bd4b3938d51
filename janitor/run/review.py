"""Whether the plan of an earlier run may still be applied: it is recent and, like the policies, unchanged."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from janitor.commands import command
from janitor.core.decision import Decision
from janitor.core.planning.plan_diff import plan_digest, policy_text
from janitor.core.policy import Policy
from janitor.core.result import RunResult
from janitor.core.units import format_duration, format_minute
from janitor.errors import UsageError
from janitor.store import Store


def reviewed_plan(
    store: Store,
    number: int,
    policies: Sequence[Policy],
    validity: timedelta,
    now: datetime,
    targets: Collection[str] = (),
    zone: tzinfo = UTC,
) -> dict[str, tuple[Decision, ...]]:
    """The decisions of the plan of a run, by target; only of these `targets`, if any are given.

    Raises UsageError, with times in `zone`, where it may not be applied, and for a target in which it planned nothing.
    """
    run = store.load_run(number)
    if run.digest is None:
        raise UsageError(f"run {number} left no finished plan: make a new one with `{_dry_run()}`")
    planned = {target.target: target.to_delete for target in run.targets if target.to_delete}
    if not planned:
        raise UsageError(f"run {number} planned no deletion: there is nothing to apply")
    rebound = [target for target in planned if store.counts_after(target) >= number]
    if rebound:
        raise UsageError(
            f"{', '.join(rebound)} was bound to another account after run {number}: make a new plan with `{_dry_run()}`"
        )
    if now - run.finished_at > validity:
        raise UsageError(
            f"the plan of run {number} is of {format_minute(run.finished_at, zone)} and was valid for "
            f"{format_duration(validity)}: make a new one with `{_dry_run()}`"
        )
    _check_policies(store, run, planned, policies)
    every = ((target, decision) for target, decisions in planned.items() for decision in decisions)
    if run.digest != plan_digest(every, policies):
        raise UsageError(f"the plan of run {number} is not what that run recorded: make a new one")
    if unplanned := [name for name in targets if name not in planned]:
        raise UsageError(f"run {number} planned no deletion in {', '.join(unplanned)}; it did in {', '.join(planned)}")
    return {name: decisions for name, decisions in planned.items() if not targets or name in targets}


def _dry_run() -> str:
    """The command that makes a new plan."""
    return command("run --dry-run")


def _check_policies(
    store: Store, run: RunResult, planned: dict[str, tuple[Decision, ...]], policies: Sequence[Policy]
) -> None:
    then = store.policies(run.run)
    now = {policy.name: policy_text(policy) for policy in policies}
    used = sorted({decision.policy or "" for decisions in planned.values() for decision in decisions})
    changed = [name for name in used if then.get(name) != now.get(name)]
    if changed:
        raise UsageError(
            f"policy {', '.join(changed)} has changed since run {run.run}: make a new plan with `{_dry_run()}`"
        )
