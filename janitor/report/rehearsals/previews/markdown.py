"""A preview as a comment on a pull request: what changes by policy, the first changed images, and the rest folded."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.replay.amounts import Amount, Planned
from janitor.core.replay.changes import Changed, Kind
from janitor.core.result import Cost
from janitor.core.units import counted, format_size, some_of
from janitor.report.figures import amount_in_words
from janitor.report.rehearsals.markdown import Sheet, code, head, prose, row
from janitor.report.rehearsals.previews.preview import Preview, Previewed, before_of, is_listed
from janitor.report.rehearsals.previews.sentences import (
    ALL_IN_CSV,
    ONLY_POLICIES,
    change_of,
    idle_of,
    in_short,
    of_no_policy,
    others_of,
    owns_of,
    source_of,
    starts_again,
    unclear_of,
    warnings_of,
)

_SHOWN = 20
_NAMED = 10
_FOR_IMAGES = 35_000  # room that is kept for them below the policies
_FOR_CHANGES = 20_000  # and for those of them that are decided on otherwise
_FOR_CLOSING = 1_000


def preview_markdown(made: Preview, cost: Cost | None, zone: tzinfo) -> str:
    """The whole comment; times in `zone`. What has no room is left out, and counted."""
    sheet = Sheet()
    sheet.add("### Preview of policies", "", prose(in_short(made, cost)))
    for sentence in made.failed_on:
        condition, _, words = sentence.partition(": ")
        sheet.add("", f"**Failed** on `{condition}`: {words}.")
    unnamed = sum(not _add_target(sheet, each, cost, zone) for each in made.targets)
    if unnamed:
        sheet.add("", f"{counted(unnamed, 'target')} more, for which there is no room here.")
    _add_unclear(sheet, made.targets)
    _add_images(sheet, made.targets)
    sheet.add("", ONLY_POLICIES)
    return str(sheet)


def _add_target(sheet: Sheet, each: Previewed, cost: Cost | None, zone: tzinfo) -> bool:
    lines = ["", f"#### {code(each.target)}", ""]
    if each.source is not None:
        lines.append(prose(source_of(each, zone)))
    lines += [f"- {prose(remark)}" for remark in each.remarks]
    lines += [f"- **{prose(warning)}**" for warning in warnings_of(each)]
    if not sheet.add(*lines, spare=_FOR_IMAGES):
        return False
    if each.source is not None:
        _add_policies(sheet, each, cost)
    return True


def _add_policies(sheet: Sheet, each: Previewed, cost: Cost | None) -> None:
    compared = each.before is not None
    titles = ("Policy", "Delete before", "Delete now", "Wait before", "Wait now", "Owns now")
    if not sheet.add("", *head(*titles), _planned_row("**all**", each.before, each.after, "", cost), spare=_FOR_IMAGES):
        sheet.add("", "Its policies have no room here.")
        return
    idle = idle_of(each)
    shown = [name for name in each.policies if name not in set(idle)]
    left_out = 0
    for name in sorted(shown, key=lambda name: not sum(each.images for each in each.policies[name])):
        before, after = each.policies[name]
        cells = _planned_row(code(name), before if compared else None, after, owns_of(each, name), cost)
        left_out += not sheet.add(cells, spare=_FOR_IMAGES)
    if left_out:
        more = "1 more policy has" if left_out == 1 else f"{left_out:,} more policies have"
        sheet.add("", f"{more} no room here.")
    named = [f"{label}: {_named(names)}" for label, names in (("removed", each.removed), ("new", each.added)) if names]
    lines = [*named, *map(prose, of_no_policy(each))]
    if idle:
        lines.append(f"{_named(idle)} {'owns' if len(idle) == 1 else 'own'} no image")
    lines += others_of(each)
    if lines:
        sheet.add("", *(f"- {one}" for one in lines), spare=_FOR_CHANGES)


def _named(policies: Sequence[str]) -> str:
    return some_of(list(map(code, policies)), _NAMED)


def _planned_row(name: str, before: Planned | None, after: Planned, owns: str, cost: Cost | None) -> str:
    then = (None, None) if before is None else (before.delete, before.wait)
    return row(name, *(_amount(each, cost) for each in (then[0], after.delete, then[1], after.wait)), prose(owns))


def _amount(amount: Amount | None, cost: Cost | None) -> str:
    return prose("not decided" if amount is None else amount_in_words(amount, cost))


def _add_unclear(sheet: Sheet, targets: Sequence[Previewed]) -> None:
    """The images that are kept as something about them is not known, by title, with the target of each."""
    found: dict[str, list[tuple[Previewed, Decision]]] = {}
    for each in targets:
        for title, some in unclear_of(each):
            found.setdefault(title, []).extend((each, decision) for decision in some)
    several = len(targets) > 1
    titles = ("Image", "Size", *(("Target",) if several else ()), "Now")
    for title, rows in found.items():
        if not sheet.add("", f"{title}: {counted(len(rows))}", "", *head(*titles), spare=_FOR_CHANGES):
            continue
        shown = [row(*_facts(each, one.image, several=several), _decision(one)) for each, one in rows[:_SHOWN]]
        added = sum(sheet.add(one, spare=_FOR_CHANGES) for one in shown)
        if added < len(rows):
            sheet.add("", f"{len(rows) - added:,} more, not listed here: {ALL_IN_CSV}.")


def _add_images(sheet: Sheet, targets: Sequence[Previewed]) -> None:
    rows = list(_listed(targets))
    if not rows:
        return
    several = len(targets) > 1
    top = head(*_titles(several=several))
    shown, rest = rows[:_SHOWN], rows[_SHOWN:]
    sheet.add("", f"{counted(len(rows), 'changed image')}:", "", *top)
    left_out = sum(not sheet.add(_image_row(*one, several=several), spare=_FOR_CLOSING) for one in shown)
    if rest and not left_out:
        sheet.add("", "<details>", f"<summary>{counted(len(rest), 'more changed image')}</summary>", "", *top)
        for number, one in enumerate(rest):
            if not sheet.add(_image_row(*one, several=several), spare=_FOR_CLOSING):
                left_out = len(rest) - number
                break
        sheet.add("", "</details>")
    elif rest:
        left_out += len(rest)
    if left_out:
        sheet.add("", f"{counted(left_out)} left out for lack of room: `janitor preview --format csv` has all of them.")


def _listed(targets: Sequence[Previewed]) -> Iterator[tuple[Previewed, Changed]]:
    """The changed images of all targets, what matters most first."""
    every = [(each, changed) for each in targets for changed in each.changes if is_listed(changed)]
    order = {kind: place for place, kind in enumerate(Kind)}
    return iter(sorted(every, key=lambda one: order[one[1].kind]))


def _titles(*, several: bool) -> tuple[str, ...]:
    return ("Image", "Size", *(("Target",) if several else ()), "Change", "Before", "Now")


def _image_row(each: Previewed, changed: Changed, *, several: bool) -> str:
    change = f"{change_of(changed)}{starts_again([changed.image.id], each.anew)}"
    facts = _facts(each, changed.image, several=several)
    before = prose(before_of(changed)) if changed.before is None else _decision(changed.before)
    return row(*facts, change, before, _decision(changed.after))


def _facts(each: Previewed, image: Image, *, several: bool) -> list[str]:
    name = code(image.name) if image.name and image.name.strip() else "(no name)"
    facts = [f"{name}<br>{code(image.id)}", format_size(image.size)]
    return [*facts, code(each.target)] if several else facts


def _decision(decision: Decision | None) -> str:
    if decision is None:
        return "not decided on"
    policy = f" by {code(decision.policy)}" if decision.policy else ""
    return f"**{decision.verdict.value}**{policy}: {prose(decision.detail)}"
