"""What changed between two runs, for people: by target, what came and went, what changed, and why."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from itertools import groupby

from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.replay.amounts import Amount, amount_of
from janitor.core.replay.differences.between import (
    CAUSES,
    Cause,
    ChangedDecision,
    ChangedImage,
    Compared,
    Difference,
    Gone,
    Side,
    Uncompared,
    Use,
)
from janitor.core.result import Cost, Mode
from janitor.core.units import counted
from janitor.report.figures import size_of
from janitor.report.layout import BOLD, DIM, WARNING, Line, Page, image_columns, line, paragraph, rule
from janitor.report.tables import user_name
from janitor.report.wording import local_minute, money_a_month, shortened

Found = Sequence[Difference | Uncompared]

_LONGEST_NAME = 255
_LONGEST_SENTENCE = 2_000
_LONGEST_VALUE = 80

GONE = {Gone.BY_US: "deleted by the janitor", Gone.BY_OTHERS: "gone by others", Gone.UNKNOWN: "gone, not known by whom"}
"""Who made images disappear, in words."""

FACTS = {
    "id": "spelling of the id",
    "owned": "owned by the project",
    "os_hidden": "hidden",
    "properties": "properties",
    "unreadable": "could not be read",
}
"""What facts are called, where that is not the name of the field."""


def differences_page(found: Found, cost: Cost | None, zone: tzinfo) -> Page:
    """What changed, for people; times in `zone`."""
    return Page(lambda width: _lines(found, cost, zone, width))


def _lines(found: Found, cost: Cost | None, zone: tzinfo, width: int) -> Iterator[Line]:
    compared = [one for one in found if isinstance(one, Difference)]
    if not compared:
        yield line("Nothing was compared", BOLD)
    elif len(compared) > 1:
        yield from paragraph(f"In all: {in_short(compared, cost)}", width, style=BOLD)
    for one in found:
        yield from [line()] if one is not found[0] or len(compared) != 1 else []
        name = shortened(one.target if isinstance(one, Uncompared) else one.compared.target, _LONGEST_NAME)
        if isinstance(one, Uncompared):
            yield rule(name, "not compared", width, WARNING)
            yield from paragraph(f"not compared: {one.why}", width, 2, WARNING)
        else:
            yield rule(name, _runs(one.compared), width, BOLD)
            yield from _target(one, cost, zone, width)


def _runs(compared: Compared) -> str:
    return f"run {compared.before.run} to run {compared.after.run}"


def in_short(some: Sequence[Difference], cost: Cost | None) -> str:
    """What changed in targets, in counts."""
    new = [image for one in some for image in one.compared.new]
    fresh = [each.image for each in new if not each.seen_before]
    gone = [each for one in some for each in one.compared.gone]
    parts = [f"{len(fresh):,} new ({worth(fresh, cost)})"] if fresh else []
    parts += [f"{len(new) - len(fresh):,} listed again"] if len(new) > len(fresh) else []
    for by, words in GONE.items():
        taken = [each.image for each in gone if each.by is by]
        parts += [f"{len(taken):,} {words} ({worth(taken, cost)})"] if taken else []
    changed, decided = sum(len(one.compared.changed) for one in some), sum(len(one.decisions) for one in some)
    parts += [f"{changed:,} with other facts"] if changed else []
    for word in ("begun", "ended"):
        uses = sum(len(getattr(one.compared.uses, word)) for one in some)
        parts += [f"{counted(uses, 'use')} {word}"] if uses else []
    parts += [f"{decided:,} decided otherwise"] if decided else []
    return ", ".join(parts) or "nothing changed"


def worth(images: Iterable[Image], cost: Cost | None) -> str:
    """The size of images, and what they cost a month where a price is configured."""
    amount = amount_of(image.size for image in images)
    return _worth(amount, cost)


def _worth(amount: Amount, cost: Cost | None) -> str:
    money = None if 0 < amount.images == amount.unknown_sizes else money_a_month(amount.size, cost)
    return f"{size_of(amount)}{f', {money}' if money else ''}"


def _target(one: Difference, cost: Cost | None, zone: tzinfo, width: int) -> Iterator[Line]:
    compared = one.compared
    for word, side in (("from", compared.before), ("to", compared.after)):
        yield from paragraph(f"{word:<5}{_side(side, cost, zone)}", width, 2, DIM)
    for remark in remarks(compared):
        yield from paragraph(shortened(remark, _LONGEST_SENTENCE), width, 2, WARNING)
    yield from paragraph(in_short([one], cost), width, 2, BOLD)
    fresh = [(each.image, each.decision) for each in compared.new if not each.seen_before]
    again = [(each.image, each.decision) for each in compared.new if each.seen_before]
    yield from _images("New", fresh, cost, width)
    yield from _images("Listed again, seen before", again, cost, width)
    for by, words in GONE.items():
        gone = [(each.image, each.decision) for each in compared.gone if each.by is by]
        yield from _images(words[0].upper() + words[1:], gone, cost, width)
    yield from _changed(compared.changed, zone, width)
    yield from _uses("Uses begun", compared.uses.begun, width)
    yield from _uses("Uses ended", compared.uses.ended, width)
    yield from _decisions(one.decisions, width)


def _side(side: Side, cost: Cost | None, zone: tzinfo) -> str:
    kind = "a dry run" if side.mode is Mode.DRY_RUN else "a live run"
    seen = f"run {side.run}, {kind}, as of {local_minute(side.seen_at, zone)}"
    return f"{seen}: {counted(side.amount.images)}, {_worth(side.amount, cost)}"


def remarks(compared: Compared) -> Iterator[str]:
    """What is not known, as sentences without a full stop."""
    for side in (compared.before, compared.after):
        if side.accepted is not True:
            why = "was not accepted" if side.accepted is False else "was recorded before surveys were checked"
            lacks = "new images may be older" if side is compared.before else "images may only be missing in its list"
            yield f"the survey of run {side.run} {why}: {lacks}"
        if not side.decided:
            yield f"run {side.run} decided nothing on these images, so decisions are not compared"
        if side.usage_problem is not None:
            yield f"run {side.run} could not read what is in use: {side.usage_problem}"
        elif side.unread:
            yield f"run {side.run} could not read all that uses images: {', '.join(side.unread)}"
        if side.basis is None and side.decided:
            yield f"run {side.run} did not record what it decided by, so some causes are unknown"


def remarks_by_target(found: Found) -> Iterator[str]:
    """What is not known, with the names of the targets, for beside a format that has no place for it."""
    for one in found:
        if isinstance(one, Difference):
            name = shortened(one.compared.target, _LONGEST_NAME)
            yield from (f"{name}: {shortened(remark, _LONGEST_SENTENCE)}" for remark in remarks(one.compared))


def _title(words: str, count: str, width: int) -> Iterator[Line]:
    yield line()
    yield from paragraph(f"{words}: {count}", width, 2, BOLD)


def _images(words: str, some: Sequence[tuple[Image, Decision | None]], cost: Cost | None, width: int) -> Iterator[Line]:
    if not some:
        return
    yield from _title(words, f"{counted(len(some))}, {worth((image for image, _ in some), cost)}", width)
    for image, decision in some:
        yield from _image(image, width)
        if decision is not None:
            yield from paragraph(shortened(said(decision), _LONGEST_SENTENCE), width, 6, DIM)


def _image(image: Image, width: int) -> Iterator[Line]:
    yield from image_columns(image, width, 4)


def said(decision: Decision) -> str:
    """A decision in short: `wait, ci-images [notice]: expired …`."""
    policy = f", {decision.policy}" if decision.policy else ""
    return f"{decision.verdict}{policy} [{decision.reason}]: {decision.detail}"


def _changed(some: Sequence[ChangedImage], zone: tzinfo, width: int) -> Iterator[Line]:
    if not some:
        return
    counts = Counter(name for each in some for name in each.fields)
    yield from _title("Changed facts", counted(len(some)), width)
    yield from paragraph(", ".join(f"{count:,} {_fact(name)}" for name, count in counts.most_common()), width, 4)
    for each in some:
        yield from _image(each.after, width)
        for name in each.fields:
            old, new = (_value(getattr(image, name), zone) for image in (each.before, each.after))
            yield from paragraph(f"{_fact(name)}: {old} -> {new}", width, 6, DIM)


def _fact(name: str) -> str:
    return FACTS.get(name, name.replace("_", " "))


def _value(value: object, zone: tzinfo) -> str:
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return local_minute(value, zone)
        case tuple():
            return shortened(", ".join(map(str, value)), _LONGEST_VALUE) or "none"
        case dict():
            return shortened(", ".join(f"{key}={value[key]}" for key in sorted(value)), _LONGEST_VALUE) or "none"
        case _:
            return shortened(str(value), _LONGEST_VALUE) or "empty"


def _uses(words: str, uses: Sequence[Use], width: int) -> Iterator[Line]:
    if uses:
        yield from _title(words, f"{len(uses):,}", width)
    for image, some in groupby(uses, key=lambda use: use.image):
        names = ", ".join(shortened(user_name(use.user), _LONGEST_VALUE) for use in some)
        yield from paragraph(shortened(f"{image}: {names}", _LONGEST_SENTENCE), width, 4)


def _decisions(some: Sequence[ChangedDecision], width: int) -> Iterator[Line]:
    if not some:
        return
    yield from _title("Decided otherwise", counted(len(some)), width)
    order = list(Cause)
    for cause, alike in groupby(sorted(some, key=lambda each: order.index(each.cause)), key=lambda each: each.cause):
        changes = list(alike)
        yield from paragraph(f"{CAUSES[cause][0].upper()}{CAUSES[cause][1:]}: {len(changes):,}", width, 2)
        for each in changes:
            yield from _image(each.after.image, width)
            yield from paragraph(shortened(f"was {said(each.before)}", _LONGEST_SENTENCE), width, 6, DIM)
            yield from paragraph(shortened(f"now {said(each.after)}", _LONGEST_SENTENCE), width, 6, DIM)
            if each.candidates:
                may_be = "either" if len(each.candidates) > 1 else "perhaps"
                causes = " or ".join(CAUSES[one] for one in each.candidates)
                yield from paragraph(f"{may_be} {causes}", width, 6, DIM)
