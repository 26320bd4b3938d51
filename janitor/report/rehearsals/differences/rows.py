"""What changed between two runs, for programs: as JSON, and as rows for a spreadsheet."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from janitor.core.decision import Decision, Verdict
from janitor.core.image import Image
from janitor.core.replay.amounts import Amount, amount_of
from janitor.core.replay.differences.between import (
    ChangedDecision,
    ChangedUses,
    Difference,
    Gone,
    Side,
    Uncompared,
    Use,
)
from janitor.core.replay.differences.facts import ChangedImage
from janitor.core.result import Cost
from janitor.core.units import iso, iso_or_none
from janitor.report.figures import amount_facts
from janitor.report.json_pieces import json_pieces
from janitor.report.listing import csv_lines, facts_of
from janitor.report.rehearsals.differences.text import Found, remarks


def differences_json(found: Found, cost: Cost | None) -> Iterator[str]:
    """What changed, as one JSON object; times in UTC."""
    compared = [one for one in found if isinstance(one, Difference)]
    return json_pieces(
        {
            "totals": _totals(compared, cost),
            "targets": [_target(one, cost) for one in compared],
            "not_compared": [{"target": one.target, "why": one.why} for one in found if isinstance(one, Uncompared)],
        }
    )


def _totals(some: Iterable[Difference], cost: Cost | None) -> dict[str, Any]:
    some = list(some)
    new = [each for one in some for each in one.compared.new]
    gone = [each for one in some for each in one.compared.gone]
    causes = Counter(each.cause for one in some for each in one.decisions)
    return {
        "before": _sum((one.compared.before for one in some), cost),
        "new": _amount((each.image for each in new if not each.seen_before), cost),
        "listed_again": _amount((each.image for each in new if each.seen_before), cost),
        "gone": {by.value: _amount((each.image for each in gone if each.by is by), cost) for by in Gone},
        "after": _sum((one.compared.after for one in some), cost),
        "changed": dict(Counter(name for one in some for each in one.compared.changed for name in each.fields)),
        "uses_begun": sum(len(one.compared.uses.begun) for one in some),
        "uses_ended": sum(len(one.compared.uses.ended) for one in some),
        "uses_first_read": sum(len(one.compared.uses.first_read) for one in some),
        "uses_no_longer_read": sum(len(one.compared.uses.no_longer_read) for one in some),
        "newly_to_be_deleted": _newly(Verdict.DELETE, some),
        "newly_waiting": _newly(Verdict.WAIT, some),
        "announced": sum(one.announced for one in some),
        "decisions": {cause.value: count for cause, count in causes.most_common()},
    }


def _newly(verdict: Verdict, some: Sequence[Difference]) -> int | None:
    """On how many images this is the verdict only now; None where a run decided nothing, so that it is not known."""
    if not some or not all(one.compared.decisions_compared for one in some):
        return None
    count = sum(each.is_newly(verdict) for one in some for each in one.decisions)
    new = (each.decision for one in some for each in one.compared.new)
    count += sum(decision is not None and decision.verdict is verdict for decision in new)
    return count + (sum(len(one.compared.told_first) for one in some) if verdict is Verdict.WAIT else 0)


def _amount(images: Iterable[Image], cost: Cost | None) -> dict[str, Any]:
    return amount_facts(amount_of(image.size for image in images), cost)


def _sum(sides: Iterable[Side], cost: Cost | None) -> dict[str, Any]:
    return amount_facts(sum((side.amount for side in sides), Amount()), cost)


def _target(one: Difference, cost: Cost | None) -> dict[str, Any]:
    compared = one.compared
    return {
        "target": compared.target,
        "before": _side(compared.before),
        "after": _side(compared.after),
        "remarks": list(remarks(one)),
        "totals": _totals([one], cost),
        "new": (
            {**_image(each.image), "listed_again": each.seen_before, "decision": facts_of(each.decision)}
            for each in compared.new
        ),
        "gone": (
            {**_image(each.image), "by": each.by.value, "decision": facts_of(each.decision)} for each in compared.gone
        ),
        "changed": (_changed(each) for each in compared.changed),
        "uses_begun": map(_use, compared.uses.begun),
        "uses_ended": map(_use, compared.uses.ended),
        "uses_first_read": map(_use, compared.uses.first_read),
        "uses_no_longer_read": map(_use, compared.uses.no_longer_read),
        "told_first": ({**_image(each.image), "decision": facts_of(each)} for each in compared.told_first),
        "decisions": map(_decided, one.decisions),
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "run": side.run,
        "mode": side.mode.value,
        "seen_at": iso(side.seen_at),
        "accepted": side.accepted,
        **asdict(side.amount),
    }


def _image(image: Image) -> dict[str, Any]:
    return {"image": image.id, "name": image.name, "size": image.size}


def _changed(each: ChangedImage) -> dict[str, Any]:
    facts = {name: [_value(each.before, name), _value(each.after, name)] for name in each.fields}
    return {**_image(each.after), "facts": facts, "untold": list(each.untold)}


def _value(image: Image, name: str) -> object:
    value = getattr(image, name)
    if name in ("created_at", "updated_at"):
        return iso_or_none(value)
    return list(value) if isinstance(value, tuple) else value


def _use(use: Use) -> dict[str, Any]:
    unless = {} if use.unless is None else {"why": use.unless.value}
    return {
        "image": use.image,
        "image_name": use.name,
        "user": use.user.id,
        "name": use.user.name,
        "kind": use.user.kind.value,
        **unless,
    }


def _decided(each: ChangedDecision) -> dict[str, Any]:
    return {
        **_image(each.after.image),
        "cause": each.cause.value,
        "candidates": [one.value for one in each.candidates],
        "before": facts_of(each.before),
        "after": facts_of(each.after),
    }


_COLUMNS = ("target", "from_run", "to_run", "change", "image", "name", "size", "what", "before", "after")


def differences_csv(found: Found) -> Iterator[str]:
    """What changed, a row for each change; sizes are bytes. A target that was not compared has a row that says so."""
    return csv_lines(_COLUMNS, (row for one in found for row in _rows(one)))


def _rows(one: Difference | Uncompared) -> Iterator[tuple[object, ...]]:
    if isinstance(one, Uncompared):
        yield (one.target, None, None, "not-compared", None, None, None, one.why, None, None)
        return
    compared = one.compared
    where = (compared.target, compared.before.run, compared.after.run)
    for new in compared.new:
        change = "listed-again" if new.seen_before else "new"
        yield (*where, change, *_named(new.image), None, None, _short(new.decision))
    for gone in compared.gone:
        yield (*where, "gone", *_named(gone.image), gone.by.value, _short(gone.decision), None)
    for changed in compared.changed:
        for name in changed.fields:
            values = (_text(_value(image, name)) for image in (changed.before, changed.after))
            yield (*where, "fact", *_named(changed.after), name, *values)
    yield from _uses(where, compared.uses)
    for told in compared.told_first:
        yield (*where, "told-first", *_named(told.image), None, _short(told), _short(told))
    for each in one.decisions:
        cause = each.cause.value if not each.candidates else " or ".join(one.value for one in each.candidates)
        yield (*where, "decision", *_named(each.after.image), cause, _short(each.before), _short(each.after))


def _uses(where: tuple[object, ...], uses: ChangedUses) -> Iterator[tuple[object, ...]]:
    """The rows for uses; one that could not be read in a run has there why."""
    told = {"use-begun": uses.begun, "use-ended": uses.ended, "use-first-read": uses.first_read}
    for change, some in (*told.items(), ("use-no-longer-read", uses.no_longer_read)):
        for use in some:
            why = (use.unless, None) if change == "use-first-read" else (None, use.unless)
            user = f"{use.user.kind} {use.user.name or use.user.id}"
            yield (*where, change, use.image, use.name, None, user, *why)


def _named(image: Image) -> tuple[object, ...]:
    return (image.id, image.name, image.size)


def _short(decision: Decision | None) -> str | None:
    if decision is None:
        return None
    return f"{decision.verdict}{f', {decision.policy}' if decision.policy else ''} [{decision.reason}]"


def _text(value: object) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case list():
            return ", ".join(map(str, value))
        case dict():
            return ", ".join(f"{key}={value[key]}" for key in sorted(value))
        case _:
            return str(value)
