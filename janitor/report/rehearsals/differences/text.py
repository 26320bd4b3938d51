"""What changed between two runs, for people: by target, what came and went, what changed, and why."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from itertools import groupby

from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.replay.differences.between import (
    CAUSES,
    Cause,
    ChangedDecision,
    Compared,
    Difference,
    Side,
    Uncompared,
    Use,
)
from janitor.core.replay.differences.facts import ChangedImage
from janitor.core.result import Cost, Mode
from janitor.core.units import counted
from janitor.report.layout import BOLD, DIM, WARNING, Line, Page, image_columns, line, paragraph, rule
from janitor.report.rehearsals.differences.short import (
    GONE,
    TOLD_FIRST,
    TURNS,
    USES,
    Turn,
    in_short,
    turn_of,
    worth,
    worth_of,
)
from janitor.report.tables import user_name
from janitor.report.wording import local_minute, shortened

Found = Sequence[Difference | Uncompared]

_LONGEST_NAME = 255
_LONGEST_SENTENCE = 2_000
_LONGEST_VALUE = 80

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
        if several := _of_several(compared):
            words = (
                f"{counted(several)} of these changed in several targets, and {'counts' if several == 1 else 'count'}"
            )
            yield from paragraph(f"{words} in each", width, 2, WARNING)
    for one in found:
        yield from [line()] if one is not found[0] or len(compared) != 1 else []
        name = shortened(one.target if isinstance(one, Uncompared) else one.compared.target, _LONGEST_NAME)
        if isinstance(one, Uncompared):
            yield rule(name, "not compared", width, WARNING)
            yield from paragraph(f"not compared: {one.why}", width, 2, WARNING)
        else:
            yield rule(name, _runs(one.compared), width, BOLD)
            yield from _target(one, cost, zone, width)


def _of_several(some: Sequence[Difference]) -> int:
    """How many images changed in several targets that list them, of those that are counted for all targets."""
    changed = Counter(
        identity
        for one in some
        for identity in {
            *(each.image.identity for each in one.compared.new),
            *(each.image.identity for each in one.compared.gone),
            *(each.after.identity for each in one.compared.changed),
            *(each.after.image.identity for each in one.decisions),
            *(each.image.identity for each in one.compared.told_first),
        }
    )
    return sum(count > 1 for count in changed.values())


def _runs(compared: Compared) -> str:
    return f"run {compared.before.run} to run {compared.after.run}"


def _target(one: Difference, cost: Cost | None, zone: tzinfo, width: int) -> Iterator[Line]:
    compared = one.compared
    yield from paragraph(in_short([one], cost), width, 2, BOLD)
    for word, side in (("from", compared.before), ("to", compared.after)):
        yield from paragraph(f"{word:<5}{_side(side, cost, zone)}", width, 2, DIM)
    for remark in remarks(one):
        yield from paragraph(shortened(remark, _LONGEST_SENTENCE), width, 2, WARNING)
    alike = {turn: [each for each in one.decisions if turn_of(each) is turn] for turn in Turn}
    for turn in (each for each in Turn if each is not Turn.KEPT):
        yield from _decisions(_sentence(TURNS[turn]), alike[turn], cost, width)
        if turn is Turn.WAITING:
            told = [(each.image, each) for each in compared.told_first]
            yield from _images(_sentence(TOLD_FIRST), told, cost, width)
    fresh = [(each.image, each.decision) for each in compared.new if not each.seen_before]
    again = [(each.image, each.decision) for each in compared.new if each.seen_before]
    yield from _images("New", fresh, cost, width)
    yield from _images("Listed again, seen before", again, cost, width)
    for by, words in GONE.items():
        gone = [(each.image, each.decision) for each in compared.gone if each.by is by]
        yield from _images(_sentence(words), gone, cost, width)
    yield from _changed(compared.changed, zone, width)
    for name, words in USES.items():
        yield from _uses(f"Uses {words}", getattr(compared.uses, name), width)
    yield from _kept(alike[Turn.KEPT], width)


def _side(side: Side, cost: Cost | None, zone: tzinfo) -> str:
    kind = "a dry run" if side.mode is Mode.DRY_RUN else "a live run"
    seen = f"run {side.run}, {kind}, as of {local_minute(side.seen_at, zone)}"
    return f"{seen}: {counted(side.amount.images)}, {worth_of(side.amount, cost)}"


def remarks(one: Difference) -> Iterator[str]:
    """What is not known, as sentences without a full stop."""
    compared = one.compared
    if one.unseen_by is not None:
        yield f"run {one.unseen_by}, the latest, has no survey of it, so that one is not compared"
    for side in (compared.before, compared.after):
        if side.accepted is not True:
            why = "was not accepted" if side.accepted is False else "was recorded before surveys were checked"
            lacks = "new images may be older" if side is compared.before else "images may only be missing in its list"
            yield f"the survey of run {side.run} {why}: {lacks}"
        if not side.decided:
            yield f"run {side.run} decided nothing on these images, so decisions are not compared"
        if side.usage_problem is not None:
            yield f"run {side.run}: {side.usage_problem}"
        elif side.unread:
            yield f"run {side.run} could not read all that uses images: {', '.join(side.unread)}"
        if side.basis is None and side.decided:
            yield f"run {side.run} did not record what it decided by, so some causes are unknown"


def remarks_by_target(found: Found) -> Iterator[str]:
    """What is not known, with the names of the targets, for beside a format that has no place for it."""
    for one in found:
        if isinstance(one, Difference):
            name = shortened(one.compared.target, _LONGEST_NAME)
            yield from (f"{name}: {shortened(remark, _LONGEST_SENTENCE)}" for remark in remarks(one))


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
    yield from _title("Changed facts", counted(sum(bool(each.fields) for each in some)), width)
    if counts:
        yield from paragraph(", ".join(f"{count:,} {_fact(name)}" for name, count in counts.most_common()), width, 4)
    for each in some:
        yield from _image(each.after, width)
        for name in each.fields:
            old, new = (_value(getattr(image, name), zone) for image in (each.before, each.after))
            yield from paragraph(f"{_fact(name)}: {old} -> {new}", width, 6, DIM)
        if each.untold:
            names = ", ".join(map(_fact, each.untold))
            yield from paragraph(f"told in one of the surveys only: {names}", width, 6, DIM)


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
        users = list(some)
        names = ", ".join(shortened(user_name(use.user), _LONGEST_VALUE) for use in users)
        called = shortened(users[0].name or "", _LONGEST_VALUE)
        which = f"{called} ({image})" if called else image
        yield from paragraph(shortened(f"{which}: {names}", _LONGEST_SENTENCE), width, 4)
        for unless in sorted({use.unless for use in users if use.unless is not None}):
            yield from paragraph(CAUSES[unless], width, 6, DIM)


def _decisions(words: str, some: Sequence[ChangedDecision], cost: Cost | None, width: int) -> Iterator[Line]:
    if not some:
        return
    yield from _title(words, f"{counted(len(some))}, {worth((each.after.image for each in some), cost)}", width)
    for cause, changes in _by_cause(some):
        yield from paragraph(f"{_sentence(CAUSES[cause])}: {len(changes):,}", width, 2)
        for each in changes:
            yield from _image(each.after.image, width)
            yield from paragraph(shortened(f"was {said(each.before)}", _LONGEST_SENTENCE), width, 6, DIM)
            yield from paragraph(shortened(f"now {said(each.after)}", _LONGEST_SENTENCE), width, 6, DIM)
            if each.candidates:
                may_be = "either" if len(each.candidates) > 1 else "perhaps"
                causes = " or ".join(CAUSES[one] for one in each.candidates)
                yield from paragraph(f"{may_be} {causes}", width, 6, DIM)


def _kept(some: Sequence[ChangedDecision], width: int) -> Iterator[Line]:
    """How many images were kept before, and are kept now for another reason, which are too many to be named."""
    if not some:
        return
    yield from _title(_sentence(TURNS[Turn.KEPT]), counted(len(some)), width)
    for cause, changes in _by_cause(some):
        yield from paragraph(f"{_sentence(CAUSES[cause])}: {len(changes):,}", width, 4)
    yield from paragraph("`--format csv` or json names them.", width, 4, DIM)


def _by_cause(some: Sequence[ChangedDecision]) -> Iterator[tuple[Cause, list[ChangedDecision]]]:
    order = list(Cause)
    for cause, alike in groupby(sorted(some, key=lambda each: order.index(each.cause)), key=lambda each: each.cause):
        yield cause, list(alike)


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]
