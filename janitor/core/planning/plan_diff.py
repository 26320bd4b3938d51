"""Applying what was reviewed: only what a plan named, and only while nothing about it has changed."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass

from janitor.core.decision import Change, Decision, Verdict
from janitor.core.policy import Policy
from janitor.core.units import iso_or_none


def policy_text(policy: Policy) -> str:
    """A policy as one line of text that changes whenever its meaning does."""
    return repr(_ordered(policy))


def _ordered(value: object) -> object:
    """The same with every set in order: a set's own order differs between processes."""
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    if isinstance(value, tuple):
        return tuple(map(_ordered, value))
    if is_dataclass(value) and not isinstance(value, type):
        return [(field.name, _ordered(getattr(value, field.name))) for field in fields(value) if field.repr]
    return value


def plan_digest(planned: Iterable[tuple[str, Decision]], policies: Iterable[Policy]) -> str:
    """A digest of exactly this plan: its targets, images, their facts, and the policies that chose them."""
    named = sorted((target, *_facts(decision).values(), decision.image.id) for target, decision in planned)
    chosen = {line[1] for line in named}
    texts = sorted(policy_text(policy) for policy in policies if policy.name in chosen)
    return hashlib.sha256(repr((named, texts)).encode("utf-8", "backslashreplace")).hexdigest()[:12]


def _facts(decision: Decision) -> dict[str, str]:
    """What must not have changed since the plan."""
    image = decision.image
    return {
        "policy": decision.policy or "none",
        "status": image.status,
        "protected": "true" if image.protected else "false",
        "updated": iso_or_none(image.updated_at) or "unknown",
    }


_SHOWN = frozenset({"status", "protected", "updated_at"})
"""The fields of an image that `_facts` shows, before and after."""


def changes_since(
    planned: Iterable[Decision], decisions: Iterable[Decision], deleted: Collection[str] = ()
) -> tuple[Mapping[str, Decision], tuple[Change, ...]]:
    """The decisions that are still as planned, by image id; and, for the rest of the plan, what changed.

    `deleted` are images that the janitor is known to have deleted.
    """
    now = {decision.image.identity: decision for decision in decisions}
    same: dict[str, Decision] = {}
    changed: list[Change] = []
    for before in planned:
        after = now.get(before.image.identity)
        difference = _difference(before, after)
        if after is not None and difference is None:
            same[before.image.id] = after
        else:
            ours = ", as the janitor deleted it" if after is None and before.image.id in deleted else ""
            changed.append(Change(after or before, f"changed since the plan: {difference}{ours}"))
    return same, tuple(changed)


def _difference(before: Decision, after: Decision | None) -> str | None:
    if after is None:
        return "no longer listed"
    old, new = _facts(before), _facts(after)
    different = [f"{key} {old[key]} -> {new[key]}" for key in old if old[key] != new[key]]
    different += [f"{name} differs" for name in before.image.differences(after.image) if name not in _SHOWN]
    if after.verdict is not Verdict.DELETE:
        different.append(f"now {after.verdict} [{after.reason}] {after.detail}")
    return ", ".join(different) or None
