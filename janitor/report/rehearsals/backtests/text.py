"""A backtest for people at a terminal."""

from collections.abc import Iterator
from datetime import tzinfo

from janitor.core.replay.replayed import ReplayedNight
from janitor.core.result import Cost
from janitor.core.units import counted, format_size
from janitor.report.layout import BOLD, DIM, WARNING, Line, Page, Segment, labelled, line, paragraph, rule
from janitor.report.rehearsals.backtests.backtest import (
    Backtest,
    TargetBacktest,
    amount,
    day_of,
    evidence_of,
    money,
    quiet,
    remarks_of,
    span,
    when,
)
from janitor.report.rehearsals.backtests.doubts import CANNOT_TELL, doubts
from janitor.report.rehearsals.backtests.regrets import LEGEND, answer_words
from janitor.report.rehearsals.backtests.regrets_text import regret_lines
from janitor.report.wording import shortened

_LONGEST_NAME = 255
_LONGEST_SENTENCE = 2_000


def backtest_page(made: Backtest, cost: Cost | None, zone: tzinfo) -> Page:
    """For people; days of runs in their own zone, others in `zone`."""
    return Page(lambda width: _lines(made, cost, zone, width))


def _lines(made: Backtest, cost: Cost | None, zone: tzinfo, width: int) -> Iterator[Line]:
    yield from paragraph(in_short(made, cost), width, style=BOLD)
    found = evidence_of(made.targets)
    yield from paragraph(answer_words(found), width, style=WARNING if found.regretted else None)
    if found.regretted:
        yield from paragraph(LEGEND, width, style=DIM)
    for each in made.targets:
        yield line()
        counting = sum(night.can_delete for night in each.nights)
        yield rule(shortened(each.target, _LONGEST_NAME), counted(counting, "night"), width, BOLD)
        yield from _target(each, cost, zone, width)
    if made.without:
        yield line()
        yield from paragraph("Left out:", width, style=BOLD)
    for sentence in made.without:
        yield from labelled(Segment("- "), Segment(shortened(sentence, _LONGEST_SENTENCE)), width, 2)


def in_short(made: Backtest, cost: Cost | None) -> str:
    """What the policies would have deleted and saved in all, in a sentence or two."""
    nights = when(night for each in made.targets for night in each.nights)
    saved = f" Saved: {worth}." if (worth := money(made.savings, cost)) and made.savings.deleted.images else ""
    policies = "The configured policies" if made.configured else shortened(made.policies, _LONGEST_NAME)
    return f"{policies} would have deleted {amount(made.savings)} in {nights}.{saved}"


def _target(each: TargetBacktest, cost: Cost | None, zone: tzinfo, width: int) -> Iterator[Line]:
    yield from paragraph(span(each, zone), width, 2, DIM)
    yield from regret_lines(each.hindsight, zone, width)
    yield line()
    yield from _nights(each, width)
    yield line()
    for policy, savings, waiting in each.policies:
        yield from paragraph(shortened(policy, _LONGEST_NAME), width, 2, BOLD)
        worth = money(savings, cost) if savings.deleted.images else None
        yield from paragraph("; ".join(filter(None, (amount(savings, waiting), worth))), width, 4)
    yield from paragraph(CANNOT_TELL, width, 2, BOLD)
    for sentence in doubts(each):
        yield from labelled(Segment("- "), Segment(shortened(sentence, _LONGEST_SENTENCE)), width, 2)


def _nights(each: TargetBacktest, width: int) -> Iterator[Line]:
    """A table of the nights of which something is to be said."""
    special = [night for night in each.nights if not quiet(night)]
    if special:
        yield line(f"  {'Run':>7}  {'Day':<10}{'Deleted':>9}{'Size':>11}{'Waiting':>9}", BOLD)
    for night in special:
        yield from _night(night, width)
    if calm := sum(night.counts and quiet(night) for night in each.nights):
        other = "other night" if special else "night"
        yield from paragraph(f"nothing to delete in {counted(calm, other)}", width, 2, DIM)


def _night(night: ReplayedNight, width: int) -> Iterator[Line]:
    sizes = [deletion.decision.image.size for deletion in night.deletions]
    size = format_size(sum(size for size in sizes if size is not None)) if sizes else "–"
    waiting = f"{len(night.waiting):,}" if night.undecided is None and night.counts else "–"
    row = f"  {night.run:>7}  {day_of(night):<10}{len(sizes):>9,}{size:>11}{waiting:>9}"
    unknown = [f"{sizes.count(None):,} of unknown size"] if None in sizes else []
    remarks = ", ".join([*remarks_of(night), *unknown])
    if not remarks or len(row) + 2 + len(remarks) <= width:
        yield [Segment(row), Segment(f"  {remarks}" if remarks else "", WARNING)]
        return
    yield line(row)
    yield from paragraph(remarks, width, 11, WARNING)
