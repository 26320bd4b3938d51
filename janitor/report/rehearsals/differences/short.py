"""What changed between two runs in a sentence: what is to be deleted first, as people may want to act on that."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from janitor.core.decision import Reason, Verdict
from janitor.core.image import Image
from janitor.core.replay.amounts import Amount, amount_of
from janitor.core.replay.differences.between import ChangedDecision, Difference, Gone
from janitor.core.result import Cost
from janitor.core.units import counted
from janitor.report.figures import size_of
from janitor.report.since import NEWLY_DELETED, NEWLY_WAITING
from janitor.report.wording import money_a_month

GONE = {Gone.BY_US: "deleted by the janitor", Gone.BY_OTHERS: "gone by others", Gone.UNKNOWN: "gone, not known by whom"}
"""Who made images disappear, in words."""


class Turn(StrEnum):
    """What another decision comes to, the most important first."""

    DELETED = "deleted"
    WAITING = "waiting"
    SPARED = "spared"
    OTHERWISE = "otherwise"
    KEPT = "kept"


TURNS: Mapping[Turn, str] = {
    Turn.DELETED: NEWLY_DELETED,
    Turn.WAITING: NEWLY_WAITING,
    Turn.SPARED: "no longer to be deleted",
    Turn.OTHERWISE: "still to be deleted, otherwise than before",
    Turn.KEPT: "kept for another reason",
}
"""What other decisions come to, in words that follow a number."""

TOLD_FIRST = "announced for the first time"
"""What becomes of images that waited in a dry run already, which announces nothing."""

ANNOUNCED = "announced in between"
"""Said of images that wait as before, and of whose date people were told after the earlier run."""

USES = {
    "begun": "begun",
    "ended": "ended",
    "first_read": "first read, which may be older",
    "no_longer_read": "no longer read, which may go on",
}
"""What is known of uses that only one of the surveys saw, by the field of `ChangedUses`."""


def turn_of(each: ChangedDecision) -> Turn:
    """What another decision comes to."""
    before, after = each.before.verdict, each.after.verdict
    if after is Verdict.KEEP:
        return Turn.KEPT if before is Verdict.KEEP else Turn.SPARED
    if after is before:
        return Turn.OTHERWISE
    return Turn.DELETED if after is Verdict.DELETE else Turn.WAITING


def in_short(some: Sequence[Difference], cost: Cost | None) -> str:
    """What changed in targets, in counts."""
    new = [image for one in some for image in one.compared.new]
    fresh = [each.image for each in new if not each.seen_before]
    gone = [each for one in some for each in one.compared.gone]
    parts = list(_decided(some))
    announced = sum(one.announced for one in some)
    parts += [f"{announced:,} {ANNOUNCED}"] if announced else []
    uncompared = [one for one in some if not one.compared.decisions_compared]
    which = f" of {counted(len(uncompared), 'target')}" if len(some) > 1 else ""
    parts += [f"decisions{which} not compared"] if uncompared else []
    parts += [f"{len(fresh):,} new ({worth(fresh, cost)})"] if fresh else []
    parts += [f"{len(new) - len(fresh):,} listed again"] if len(new) > len(fresh) else []
    for by, words in GONE.items():
        taken = [each.image for each in gone if each.by is by]
        parts += [f"{len(taken):,} {words} ({worth(taken, cost)})"] if taken else []
    changed = sum(bool(each.fields) for one in some for each in one.compared.changed)
    parts += [f"{changed:,} with other facts"] if changed else []
    for name, words in USES.items():
        uses = sum(len(getattr(one.compared.uses, name)) for one in some)
        parts += [f"{counted(uses, 'use')} {words}"] if uses else []
    return "; ".join(parts) or "nothing changed"


def _decided(some: Sequence[Difference]) -> Iterable[str]:
    """What other decisions come to; the new images are counted with those that are to be deleted or wait."""
    changed: dict[Turn, list[ChangedDecision]] = {turn: [] for turn in Turn}
    for one in some:
        for each in one.decisions:
            changed[turn_of(each)].append(each)
    counts = {turn: len(alike) for turn, alike in changed.items()}
    new = [each.decision.verdict for one in some for each in one.compared.new if each.decision is not None]
    counts[Turn.DELETED] += new.count(Verdict.DELETE)
    counts[Turn.WAITING] += new.count(Verdict.WAIT) + sum(len(one.compared.told_first) for one in some)
    exempted = sum(each.after.reason is Reason.EXEMPT for each in changed[Turn.SPARED])
    for turn, count in counts.items():
        besides = f" ({exempted:,} exempted)" if turn is Turn.SPARED and exempted else ""
        if count:
            yield f"{count:,} {TURNS[turn]}{besides}"


def worth(images: Iterable[Image], cost: Cost | None) -> str:
    """The size of images, and what they cost a month where a price is configured."""
    return worth_of(amount_of(image.size for image in images), cost)


def worth_of(amount: Amount, cost: Cost | None) -> str:
    """The same of an amount; what has no known size costs nothing that is known."""
    money = None if 0 < amount.images == amount.unknown_sizes else money_a_month(amount.size, cost)
    return f"{size_of(amount)}{f', {money}' if money else ''}"
