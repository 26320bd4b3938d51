"""A preview for programs: times in UTC, sizes in bytes."""

from collections.abc import Iterator, Mapping

from janitor.core.replay.amounts import Planned
from janitor.core.replay.changes import Changed, Kind
from janitor.core.result import Cost
from janitor.core.units import iso
from janitor.report.figures import amount_facts
from janitor.report.json_pieces import json_pieces
from janitor.report.listing import DECIDED, csv_lines, facts_of, values_of
from janitor.report.rehearsals.previews.preview import Expires, Preview, Previewed, Source


def preview_json(made: Preview, cost: Cost | None) -> Iterator[str]:
    """Each target with its figures and every changed image; `failed_on` are the conditions that hold."""
    targets = [_target(each, cost) for each in made.targets]
    before = None if made.before is None else _planned(made.before, cost)
    totals = {"before": before, "after": _planned(made.after, cost), "counts": _counts(made.counts)}
    head = {"exit_code": int(made.code), "failed_on": list(made.failed_on), "totals": totals}
    return json_pieces({**head, "targets": targets})


def _counts(counts: Mapping[Kind, int]) -> dict[str, int]:
    return {kind.value: counts.get(kind, 0) for kind in Kind}


def _target(each: Previewed, cost: Cost | None) -> dict[str, object]:
    return {
        "target": each.target,
        **_source(each.source),
        "undecided": each.undecided,
        "remarks": list(each.remarks),
        "over_limit": list(each.excess),
        "images": each.images,
        "sharing_unknown": len(each.sharing_unknown),
        "before": None if each.before is None else _planned(each.before, cost),
        "after": None if each.source is None else _planned(each.after, cost),
        "policies": iter(_policies(each, cost)),
        "policies_removed": list(each.removed),
        "policies_new": list(each.added),
        "unowned": dict(each.owned.by_none),
        "owner_unknown": dict(each.owned.in_doubt),
        "counts": _counts(each.counts),
        "expiring": list(each.expiring.by_image),
        "expiring_images": (_expires(one) for one in each.expiring.images),
        "over_limit_then": list(each.expiring.excess),
        "changes": (_changed(changed, each) for changed in each.changes),
    }


def _source(source: Source | None) -> dict[str, object]:
    if source is None:
        return {"run": None, "seen_at": None, "decided_at": None, "against": None, "against_mode": None}
    seen_at, decided_at = iso(source.seen_at), iso(source.decided_at)
    beside = {"against": source.against, "against_mode": None if source.mode is None else source.mode.value}
    return {"run": source.run, "seen_at": seen_at, "decided_at": decided_at, **beside}


def _policies(each: Previewed, cost: Cost | None) -> list[dict[str, object]]:
    compared = each.before is not None
    return [
        {
            "policy": name,
            "before": _planned(before, cost) if compared else None,
            "after": _planned(after, cost),
            "owns": dict(each.owned.by_policy.get(name, {})),
            "guarded": dict(each.owned.guarded.get(name, {})),
        }
        for name, (before, after) in each.policies.items()
    ]


def _planned(planned: Planned, cost: Cost | None) -> dict[str, object]:
    return {"delete": amount_facts(planned.delete, cost), "wait": amount_facts(planned.wait, cost)}


def _changed(changed: Changed, each: Previewed) -> dict[str, object]:
    return {
        "image": changed.image.id,
        "name": changed.image.name,
        "size": changed.image.size,
        "change": changed.kind.value,
        "sharing_unknown": changed.image.id in each.sharing_unknown,
        "before": facts_of(changed.before),
        "after": facts_of(changed.after),
    }


def _expires(one: Expires) -> dict[str, object]:
    return {
        "image": one.after.image.id,
        "name": one.after.image.name,
        "size": one.after.image.size,
        "change": one.code.value,
        "policy": one.policy,
        "sharing_unknown": one.sharing_unknown,
        "before": facts_of(one.before),
        "after": facts_of(one.after),
    }


_SIDES = tuple(f"{side}_{key}" for side in ("before", "after") for key in DECIDED)
_COLUMNS = ("target", "image", "name", "size", "change", "sharing_unknown", *_SIDES, "expires_by")


def preview_csv(made: Preview) -> Iterator[str]:
    """A row for each changed image, and behind those of its target one for each that expires later, with its policy."""
    return csv_lines(_COLUMNS, (row for each in made.targets for row in _rows(each)))


def _rows(each: Previewed) -> Iterator[tuple[object, ...]]:
    for changed in each.changes:
        facts = (each.target, changed.image.id, changed.image.name, changed.image.size, changed.kind.value)
        unknown = str(changed.image.id in each.sharing_unknown).lower()
        yield (*facts, unknown, *values_of(changed.before), *values_of(changed.after), None)
    for one in each.expiring.images:
        image = one.after.image
        unknown = str(one.sharing_unknown).lower()
        facts = (each.target, image.id, image.name, image.size, one.code.value)
        yield (*facts, unknown, *values_of(one.before), *values_of(one.after), one.policy)
