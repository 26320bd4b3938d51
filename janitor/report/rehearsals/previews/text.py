"""A preview for people at a terminal."""

from collections.abc import Iterator
from datetime import tzinfo

from janitor.core.replay.amounts import Planned
from janitor.core.replay.changes import KINDS, Changed, Kind
from janitor.core.result import Cost, Mode
from janitor.core.units import counted
from janitor.report.figures import amount_in_words
from janitor.report.layout import (
    BOLD,
    DIM,
    WARNING,
    Line,
    Page,
    Segment,
    image_columns,
    labelled,
    line,
    paragraph,
    rule,
)
from janitor.report.rehearsals.previews.preview import Preview, Previewed, of_kind, split, words_of, worth_of_changes
from janitor.report.wording import local_minute, shortened

_MODES = {Mode.DRY_RUN: "dry run", Mode.DELETE: "live run"}
_LONGEST_NAME = 255
_LONGEST_SENTENCE = 2_000


def preview_page(made: Preview, cost: Cost | None, zone: tzinfo) -> Page:
    """For people; times in `zone`."""
    return Page(lambda width: _lines(made, cost, zone, width))


def _lines(made: Preview, cost: Cost | None, zone: tzinfo, width: int) -> Iterator[Line]:
    yield from paragraph(in_short(made, cost), width, style=BOLD)
    for each in made.targets:
        yield line()
        count = counted(each.images) if each.source is not None else "not decided"
        yield rule(shortened(each.target, _LONGEST_NAME), count, width, BOLD)
        yield from _target(each, cost, zone, width)


def in_short(made: Preview, cost: Cost | None) -> str:
    """What would change, and what is to be deleted in all, in a sentence or two."""
    words = [f"{count:,} {KINDS[kind]}" for kind, count in made.counts.items()]
    delete, wait = made.after.delete.images, made.after.wait.images
    figures = f"{amount_in_words(made.after.both, cost)}, {split(delete, wait)}"
    now = f"{figures}, to be deleted" if delete + wait else "nothing to be deleted"
    undecided = sum(each.undecided is not None for each in made.targets)
    shortfall = f" {counted(undecided, 'target')} could not be decided on." if undecided else ""
    return f"Changes: {', '.join(words) or 'none'}. In all now: {now}.{shortfall}"


def source_of(each: Previewed, zone: tzinfo) -> str:
    """Which snapshot was decided on, as of when, and with which decisions that is compared."""
    source = each.source
    if source is None:
        return "no snapshot"
    at = "" if source.decided_at == source.seen_at else f", decided as of {local_minute(source.decided_at, zone)}"
    mode = f", a {_MODES[source.mode]}," if source.mode is not None else ""
    against = "" if source.against is None else f", compared with what run {source.against}{mode} decided"
    return f"on what run {source.run} saw, {local_minute(source.seen_at, zone)}{at}{against}"


def warnings_of(each: Previewed) -> Iterator[str]:
    """What people must know before they believe the figures, a sentence each."""
    if each.undecided is not None:
        yield f"not decided: {each.undecided}"
    if each.excess:
        yield f"over the limit, so a run would delete nothing: {'; '.join(each.excess)}"
    if each.sharing_unknown:
        planned = each.after.images
        yield (
            f"{len(each.sharing_unknown):,} of the {planned:,} to be deleted: not known whether another project uses "
            "them; a run asks, and keeps those that are used"
        )


def said_of(made: Preview) -> Iterator[str]:
    """All remarks and warnings, each with its target: for a table, which has no room for them."""
    for each in made.targets:
        yield from (f"{each.target}: {sentence}" for sentence in (*each.remarks, *warnings_of(each)))


def _target(each: Previewed, cost: Cost | None, zone: tzinfo, width: int) -> Iterator[Line]:
    if each.source is not None:
        yield from paragraph(source_of(each, zone), width, 2, DIM)
    for remark in each.remarks:
        yield from paragraph(shortened(remark, _LONGEST_SENTENCE), width, 2, DIM)
    for warning in warnings_of(each):
        yield from paragraph(shortened(warning, _LONGEST_SENTENCE), width, 2, WARNING)
    if each.source is None:
        return
    yield line()
    yield from _policies(each, cost, width)
    for kind in Kind:
        if some := of_kind(each.changes, kind):
            yield from _changes(kind, some, cost, width)


def _policies(each: Previewed, cost: Cost | None, width: int) -> Iterator[Line]:
    yield from _planned("all policies", each.before, each.after, cost, width)
    idle = []
    for policy, (before, after) in each.policies.items():
        if before.images or after.images:
            yield from _planned(policy, before if each.before is not None else None, after, cost, width)
        else:
            idle.append(shortened(policy, _LONGEST_NAME))
    if idle:
        yield from paragraph(f"to delete nothing: {', '.join(idle)}", width, 2, DIM)
    if others := each.counts.get(Kind.OTHER_REASON):
        yield from paragraph(f"{counted(others)} {KINDS[Kind.OTHER_REASON]}", width, 2, DIM)


def _planned(name: str, before: Planned | None, after: Planned, cost: Cost | None, width: int) -> Iterator[Line]:
    yield from paragraph(shortened(name, _LONGEST_NAME), width, 2, BOLD)
    for label, planned in (("before", before), ("now", after)):
        words = "not decided" if planned is None else _figures(planned, cost)
        yield from labelled(Segment(f"{label:<8}", DIM), Segment(words), width, 4)


def _figures(planned: Planned, cost: Cost | None) -> str:
    return f"delete {amount_in_words(planned.delete, cost)}; wait {amount_in_words(planned.wait, cost)}"


def _changes(kind: Kind, some: list[Changed], cost: Cost | None, width: int) -> Iterator[Line]:
    yield line()
    title = KINDS[kind][0].upper() + KINDS[kind][1:]
    yield from paragraph(f"{title}: {counted(len(some))}, {worth_of_changes(some, cost)}", width, 2, BOLD)
    for changed in some:
        image = changed.image
        yield from image_columns(image, width, 4)
        for label, decision in (("before", changed.before), ("now", changed.after)):
            words = shortened(words_of(decision), _LONGEST_SENTENCE)
            yield from labelled(Segment(f"{label:<8}", DIM), Segment(words), width, 6)
