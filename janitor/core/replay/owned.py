"""What tried policies own of a snapshot, by the reasons of its decisions: also of the images that a guard keeps."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from janitor.core.decision import Decision, Reason
from janitor.core.matching import Matched


@dataclass(frozen=True, slots=True)
class Owners:
    """The name of the policy that owns each image, by id, None for none; of those `in_doubt` the owner is not known."""

    by_image: Mapping[str, str | None] = field(default_factory=dict)
    in_doubt: frozenset[str] = frozenset()


def owners_of(decisions: Iterable[Decision], matched: Matched) -> Owners:
    """The owners of the images that were decided on by the policies of `matched`.

    Only of an image that a guard keeps the decision does not say that already.
    """
    found: dict[str, str | None] = {}
    doubts = set()
    for decision in decisions:
        name, in_doubt = decision.policy, decision.in_doubt
        if name is None and decision.reason is not Reason.UNMATCHED:
            owner = matched.owner_of(decision.image)
            name, in_doubt = None if owner.policy is None else owner.policy.name, owner.doubtful is not None
        found[decision.image.id] = None if in_doubt else name
        if in_doubt:
            doubts.add(decision.image.id)
    return Owners(found, frozenset(doubts))


@dataclass(frozen=True, slots=True)
class Owned:
    """How many images each policy owns, no policy owns, and it is not known which policy owns, by reason.

    A policy owns what it is the first to match, also what a guard keeps: those are in `guarded`, too.
    """

    by_policy: Mapping[str, Mapping[Reason, int]] = field(default_factory=dict)
    by_none: Mapping[Reason, int] = field(default_factory=dict)
    in_doubt: Mapping[Reason, int] = field(default_factory=dict)
    guarded: Mapping[str, Mapping[Reason, int]] = field(default_factory=dict)

    def count(self, reason: Reason) -> int:
        """How many images there are with this reason, whoever owns them."""
        return sum(each.get(reason, 0) for each in (*self.by_policy.values(), self.by_none, self.in_doubt))


def owned(decisions: Iterable[Decision], owners: Owners) -> Owned:
    """How many images each of these owners has, for which reasons they are decided on as they are."""
    by_policy: dict[str, Counter[Reason]] = {}
    guarded: dict[str, Counter[Reason]] = {}
    by_none: Counter[Reason] = Counter()
    in_doubt: Counter[Reason] = Counter()
    for decision in decisions:
        image, reason = decision.image.id, decision.reason
        owner = owners.by_image.get(image)
        if image in owners.in_doubt:
            in_doubt[reason] += 1
        elif owner is None:
            by_none[reason] += 1
        else:
            by_policy.setdefault(owner, Counter())[reason] += 1
            if decision.policy is None:
                guarded.setdefault(owner, Counter())[reason] += 1
    return Owned(by_policy, by_none, in_doubt, guarded)


def newly_unclear(before: Iterable[Decision], after: Sequence[Decision]) -> Iterator[Decision]:
    """The decisions that keep an image as its family, or whether a policy matches it, is not known, and did not before.

    Those are what an expression or a condition that is not meant so comes to.
    """
    earlier = {decision.image.identity: decision for decision in before if decision.unclear}
    for decision in after:
        if decision.unclear:
            then = earlier.get(decision.image.identity)
            if then is None or not then.is_like(decision):
                yield decision
