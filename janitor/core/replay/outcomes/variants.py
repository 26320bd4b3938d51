"""One policy at several lengths of `expire.after` and counts of `keep.newest`: what each would have come to. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from janitor.core.policy import Policy
from janitor.core.replay.amounts import Amount, amount_of
from janitor.core.replay.outcomes.answers import Answer, Evidence, answer_of
from janitor.core.replay.regrets import Hindsight, is_near_miss
from janitor.core.units import format_duration

AFTER = tuple(timedelta(days=days) for days in (7, 14, 30, 60, 90, 180))
NEWEST = (1, 2, 3, 5, 10)
"""What is tried, beside what the policy says now."""


class Key(StrEnum):
    """What of a policy is varied."""

    AFTER = "expire.after"
    NEWEST = "keep.newest"


@dataclass(frozen=True, slots=True)
class Variant:
    """A policy with one key at another value, in words, and everything else as written; `present`: as it is now."""

    key: Key
    value: str
    policy: Policy
    present: bool


def variants_of(policy: Policy) -> list[Variant]:
    """The variants of a policy that expires, each key by its values from the smallest to the largest."""
    found = []
    if policy.expire is not None:
        for after in sorted({*AFTER, policy.expire.after}):
            made = replace(policy, expire=replace(policy.expire, after=after))
            found.append(Variant(Key.AFTER, format_duration(after), made, made == policy))
    if policy.keep is not None:
        for newest in sorted({*NEWEST, policy.keep.newest}):
            made = replace(policy, keep=replace(policy.keep, newest=newest))
            found.append(Variant(Key.NEWEST, str(newest) if newest else "none", made, made == policy))
    return found


@dataclass(slots=True)
class Trial:
    """What one variant would have come to, in all targets: deletions, and how many of them are regretted.

    `perhaps` are those of which only a value that cannot be read may be a regret, `near` the near misses, `unwatched`
    those whose images were never seen afterwards, and `blind` those of which some later nights could not read all uses.
    """

    variant: Variant
    deleted: Amount = field(default_factory=Amount)
    regretted: int = 0
    perhaps: int = 0
    near: int = 0
    unwatched: int = 0
    blind: int = 0
    found: Evidence = field(default_factory=Evidence)

    @property
    def is_open(self) -> bool:
        """Whether there may be more regrets: a backtest would not say that there are none, or all."""
        if self.regretted:
            return bool(self.perhaps or self.blind)
        return bool(self.deleted.images) and answer_of(self.found) is not Answer.NO_REGRETS

    def add(self, hindsight: Hindsight) -> None:
        """Count the deletions by the policy in one target."""
        name = self.variant.policy.name
        regretted = {each.key for each in hindsight.regretted}
        doubtful = {each.deletion.key for each in hindsight.doubts} - regretted
        for watched in hindsight.watched:
            decision = watched.deletion.decision
            if decision.policy == name:
                self.deleted += amount_of([decision.image.size])
                self.regretted += watched.deletion.key in regretted
                self.perhaps += watched.deletion.key in doubtful
                self.near += is_near_miss(watched.deletion)
                self.unwatched += not watched.nights
                self.blind += watched.uses_seen < watched.nights


def with_variant(policies: Iterable[Policy], variant: Variant) -> tuple[Policy, ...]:
    """All policies in their order, with one as a variant has it."""
    return tuple(variant.policy if each.name == variant.policy.name else each for each in policies)


def by_key(trials: Sequence[Trial]) -> Iterator[tuple[Key, list[Trial]]]:
    """The trials of each key that was varied."""
    for key in Key:
        if some := [each for each in trials if each.variant.key is key]:
            yield key, some
