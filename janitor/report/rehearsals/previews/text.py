"""A preview for people at a terminal."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from janitor.core.decision import Decision
from janitor.core.replay.amounts import Planned
from janitor.core.replay.changes import Changed
from janitor.core.result import Cost
from janitor.core.units import counted, some_of
from janitor.report.figures import amount_in_words, worth_of
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
from janitor.report.rehearsals.previews.preview import Preview, Previewed, before_of, words_of
from janitor.report.rehearsals.previews.sentences import (
    ALL_IN_CSV,
    ONLY_POLICIES,
    grouped,
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
from janitor.report.wording import shortened

_LONGEST_NAME = 255
_LONGEST_SENTENCE = 2_000
_SHOWN = 20


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
    yield line()
    yield from paragraph(ONLY_POLICIES, width, style=DIM)


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
    for title, some in grouped(each):
        yield from _changes(title, some, each, cost, width)
    for title, unclear in unclear_of(each):
        yield from _unclear(title, unclear, width)


def _policies(each: Previewed, cost: Cost | None, width: int) -> Iterator[Line]:
    yield from _planned("all policies", each.before, each.after, cost, width)
    for policy, (before, after) in each.policies.items():
        if before.images or after.images:
            yield from _planned(policy, before if each.before is not None else None, after, cost, width)
        elif policy in each.owned.by_policy:
            yield from paragraph(shortened(policy, _LONGEST_NAME), width, 2, BOLD)
            words = "deletes nothing" if each.before is None or policy in each.added else "deletes nothing, as before"
            yield from labelled(Segment(f"{'now':<8}", DIM), Segment(words), width, 4)
        else:
            continue
        if policy not in each.removed:
            yield from labelled(Segment(f"{'owns':<8}", DIM), Segment(owns_of(each, policy)), width, 4)
    for label, names in (("removed", each.removed), ("new", each.added)):
        if names:
            yield from paragraph(f"{label}: {_named(names)}", width, 2, DIM)
    if idle := idle_of(each):
        verb = "owns" if len(idle) == 1 else "own"
        yield from paragraph(f"{_named(idle)} {verb} no image", width, 2, DIM)
    for sentence in (*of_no_policy(each), *others_of(each)):
        yield from paragraph(sentence, width, 2, DIM)


def _named(policies: Sequence[str]) -> str:
    return some_of([shortened(policy, _LONGEST_NAME) for policy in policies], _SHOWN)


def _planned(name: str, before: Planned | None, after: Planned, cost: Cost | None, width: int) -> Iterator[Line]:
    yield from paragraph(shortened(name, _LONGEST_NAME), width, 2, BOLD)
    for label, planned in (("before", before), ("now", after)):
        words = "not decided" if planned is None else _figures(planned, cost)
        yield from labelled(Segment(f"{label:<8}", DIM), Segment(words), width, 4)


def _figures(planned: Planned, cost: Cost | None) -> str:
    return f"delete {amount_in_words(planned.delete, cost)}; wait {amount_in_words(planned.wait, cost)}"


def _changes(title: str, some: list[Changed], each: Previewed, cost: Cost | None, width: int) -> Iterator[Line]:
    yield line()
    worth = worth_of((changed.image.size for changed in some), cost)
    again = starts_again([changed.image.id for changed in some], each.anew)
    words = f"{title[0].upper()}{title[1:]}: {counted(len(some))}, {worth}{again}"
    yield from paragraph(words, width, 2, BOLD)
    for changed in some:
        yield from image_columns(changed.image, width, 4)
        yield from _decided("before", before_of(changed), width)
        yield from _decided("now", words_of(changed.after), width)


def _unclear(title: str, some: list[Decision], width: int) -> Iterator[Line]:
    yield line()
    yield from paragraph(f"{title}: {counted(len(some))}", width, 2, BOLD)
    for decision in some[:_SHOWN]:
        yield from image_columns(decision.image, width, 4)
        yield from _decided("now", words_of(decision), width)
    if len(some) > _SHOWN:
        yield from paragraph(f"and {len(some) - _SHOWN:,} more: {ALL_IN_CSV}", width, 4, DIM)


def _decided(label: str, words: str, width: int) -> Iterator[Line]:
    yield from labelled(Segment(f"{label:<8}", DIM), Segment(shortened(words, _LONGEST_SENTENCE)), width, 6)
