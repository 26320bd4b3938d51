"""Two lists of decisions beside each other: what changed from one to the other, image by image."""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

from janitor.core.decision import Decision, Verdict
from janitor.core.image import Image
from janitor.core.value import Value


class Kind(StrEnum):
    """How the decision on an image differs from an earlier one; what matters most comes first.

    `newly-deleted` also counts an image that waited, and now is deleted at once. `later` also counts one that was
    deleted at once, and now waits. `other-reason` leaves the image kept, or waiting until the same date.
    """

    NEWLY_DELETED = "newly-deleted"
    NEWLY_WAITING = "newly-waiting"
    NO_LONGER_DELETED = "no-longer-deleted"
    NO_LONGER_WAITING = "no-longer-waiting"
    OTHER_POLICY = "other-policy"
    SOONER = "sooner"
    LATER = "later"
    ONLY_AFTER = "only-after"
    ONLY_BEFORE = "only-before"
    OTHER_REASON = "other-reason"


KINDS: Mapping[Kind, str] = {
    Kind.NEWLY_DELETED: "newly deleted",
    Kind.NEWLY_WAITING: "newly waiting",
    Kind.NO_LONGER_DELETED: "no longer deleted",
    Kind.NO_LONGER_WAITING: "no longer waiting",
    Kind.OTHER_POLICY: "deleted at once under another policy",
    Kind.SOONER: "waiting, but due sooner",
    Kind.LATER: "deleted later",
    Kind.ONLY_AFTER: "not decided on before",
    Kind.ONLY_BEFORE: "decided on before only",
    Kind.OTHER_REASON: "kept or waiting as before, but for another reason, by another policy or until another date",
}
"""The kinds in words."""


class Changed(Value, frozen=True):
    """An image on which two decisions differ; one of them is None where only the other list has the image."""

    image: Image
    before: Decision | None
    after: Decision | None
    kind: Kind

    @property
    def is_new(self) -> bool:
        """Whether it is to be deleted, at once or after a notice, and was not before, as far as that is known."""
        if self.kind is Kind.ONLY_AFTER:
            return self.after is not None and self.after.verdict is not Verdict.KEEP
        return self.kind in (Kind.NEWLY_DELETED, Kind.NEWLY_WAITING)


def changes_between(before: Iterable[Decision], after: Iterable[Decision]) -> list[Changed]:
    """The images on which the decisions differ in verdict, policy, reason or date, and those that only one list has.

    They come in the order of `after`; those that only `before` has come last, in its order. That a match is in doubt
    differs from no match. Facts of the images, and the sentences of the decisions, are not compared otherwise.
    """
    earlier = {decision.image.identity: decision for decision in before}
    found = [each for decision in after if (each := _changed(earlier.pop(decision.image.identity, None), decision))]
    return found + [Changed(decision.image, decision, None, Kind.ONLY_BEFORE) for decision in earlier.values()]


def first_deletions(after: Iterable[Decision], unclear: Iterable[Decision]) -> list[Changed]:
    """All that is to be deleted as new, where nothing ever was; and these that are kept as something is not known."""
    kinds = {Verdict.DELETE: Kind.NEWLY_DELETED, Verdict.WAIT: Kind.NEWLY_WAITING, Verdict.KEEP: Kind.OTHER_REASON}
    named = {decision.image.id for decision in unclear}
    return [
        Changed(each.image, None, each, kinds[each.verdict])
        for each in after
        if each.verdict is not Verdict.KEEP or each.image.id in named
    ]


def _changed(before: Decision | None, after: Decision) -> Changed | None:
    kind = Kind.ONLY_AFTER if before is None else _kind(before, after)
    return None if kind is None else Changed(after.image, before, after, kind)


def _kind(before: Decision, after: Decision) -> Kind | None:
    if before.verdict is not after.verdict:
        return _TURNS[before.verdict, after.verdict]
    if after.verdict is not Verdict.KEEP and before.policy != after.policy:
        return Kind.OTHER_POLICY
    if after.verdict is Verdict.WAIT and before.due != after.due and before.due and after.due:
        return Kind.SOONER if after.due < before.due else Kind.LATER
    alike = before.is_like(after) and before.due == after.due and before.in_doubt == after.in_doubt
    return None if alike else Kind.OTHER_REASON


_TURNS = {
    (Verdict.KEEP, Verdict.DELETE): Kind.NEWLY_DELETED,
    (Verdict.WAIT, Verdict.DELETE): Kind.NEWLY_DELETED,
    (Verdict.KEEP, Verdict.WAIT): Kind.NEWLY_WAITING,
    (Verdict.DELETE, Verdict.WAIT): Kind.LATER,
    (Verdict.DELETE, Verdict.KEEP): Kind.NO_LONGER_DELETED,
    (Verdict.WAIT, Verdict.KEEP): Kind.NO_LONGER_WAITING,
}


def counts_of(changes: Iterable[Changed]) -> dict[Kind, int]:
    """How many changes of each kind there are, in the order of the kinds; kinds without any are left out."""
    counts = Counter(changed.kind for changed in changes)
    return {kind: counts[kind] for kind in Kind if counts[kind]}
