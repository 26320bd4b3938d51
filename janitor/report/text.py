"""The report of a run for a terminal, complete and readable at 80 columns."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from enum import StrEnum

from janitor.commands import command
from janitor.core.decision import REASONS
from janitor.core.memory import Backlog
from janitor.core.result import Cost, Mode, Outcome, RunResult, TargetResult
from janitor.core.units import counted
from janitor.report.by_policy import PolicyPart, about, figures_of, policy_parts
from janitor.report.figures import kept_by_reason, summary, tells_of_images, totals_of
from janitor.report.headline import advice, headline
from janitor.report.layout import (
    BOLD,
    DIM,
    GOOD,
    TROUBLE,
    WARNING,
    Line,
    Page,
    Segment,
    Style,
    cells,
    image_columns,
    labelled,
    line,
    paragraph,
    rule,
)
from janitor.report.outline import Entry, Group, expiring, upcoming
from janitor.report.since import since_line
from janitor.report.wording import (
    ended,
    local_minute,
    run_name,
    run_times,
    shortened,
    undelivered_reports,
)

_LONGEST_NAME = 255
_LONGEST_LABEL = 60
_LONGEST_BESIDE = 24
_LONGEST_SENTENCE = 2_000

_NOTHING_WAITS = Backlog()
_STYLES = {Outcome.OK: GOOD, Outcome.PARTIAL: WARNING, Outcome.REFUSED: WARNING, Outcome.FAILED: TROUBLE}


class Extent(StrEnum):
    """How much of a report is shown: all of it, all but its images, or only its last line."""

    WHOLE = "whole"
    SUMMARY = "summary"
    LAST_LINE = "last-line"


def text_report(
    result: RunResult,
    cost: Cost | None,
    *,
    zone: tzinfo,
    backlog: Backlog | None = _NOTHING_WAITS,
    extent: Extent = Extent.WHOLE,
    heading: str | None = None,
) -> Page:
    """The report as a rich renderable, with every image of the plan if it is whole. Times are given in `zone`.

    `backlog` are the reports that are undelivered now, whichever run they are of; None if that is not known. With a
    `heading` it is about a part of the run, of which nothing can be summed up.
    """
    waiting = undelivered_reports(backlog, zone)
    if extent is Extent.LAST_LINE:
        return Page(lambda _width: [_last(result, waiting)])
    return Page(
        lambda width: _lines(result, cost, zone, waiting, width, images=extent is Extent.WHOLE, heading=heading)
    )


def _lines(
    result: RunResult,
    cost: Cost | None,
    zone: tzinfo,
    waiting: str,
    width: int,
    *,
    images: bool,
    heading: str | None,
) -> Iterator[Line]:
    yield from paragraph(heading or headline(result, zone), width, style=_style_of_headline(result))
    yield from paragraph(f"{run_name(result)}, {run_times(result, zone)}", width)
    for sentence in advice(result, zone, shown_by=None if images else command(f"show {result.run}")):
        yield from paragraph(sentence, width)
    for remark in result.remarks:
        yield from paragraph(f"Note: {shortened(remark, _LONGEST_SENTENCE)}", width, style=WARNING)
    yield from _errors(result, width)
    if heading is None and (changed := since_line(result)) is not None:
        yield from paragraph(changed, width)
    parts = policy_parts(result)
    yield from _policies(parts, result, cost, zone, width)
    for part in parts if images else ():
        yield from _images(part, width)
    for target in result.targets:
        yield line()
        yield from _target(target, result, cost, zone, width, images=images)
    yield line()
    yield from _closing(result, None if heading else summary(result, cost), waiting, width)


def _style_of_headline(result: RunResult) -> Style:
    return WARNING if result.mode is Mode.DRY_RUN or result.outcome is Outcome.OK else _STYLES[result.outcome]


def _errors(result: RunResult, width: int) -> Iterator[Line]:
    """What went wrong, in the run and in each target, with a line for each line of the error."""
    if result.error is not None:
        yield from _error("Error", result.error, width)
    for target in result.targets:
        if target.error is not None and target.error != result.error:
            yield from _error(f"Error in {shortened(target.target, _LONGEST_NAME)}", target.error, width)


def _error(where: str, error: str, width: int) -> Iterator[Line]:
    for row in f"{where}: {error}".split("\n"):
        yield from paragraph(shortened(row, _LONGEST_SENTENCE), width, 0, TROUBLE)


def _policies(
    parts: Sequence[PolicyPart], result: RunResult, cost: Cost | None, zone: tzinfo, width: int
) -> Iterator[Line]:
    """One line for each policy, with what it is for and whom to ask."""
    if parts:
        yield line()
    for part in parts:
        figures = figures_of(part, cost, zone, result.finished_at)
        yield from _policy(Segment(f"{_label(part)}: ", BOLD), Segment(figures), width)
        for words in about(part):
            yield from paragraph(shortened(words, _LONGEST_SENTENCE), width, 4, DIM)


def _policy(label: Segment, figures: Segment, width: int) -> Iterator[Line]:
    if cells(label.text) <= _LONGEST_BESIDE and width > 2 * _LONGEST_BESIDE:
        yield from labelled(label, figures, width, 2)
        return
    yield from paragraph(label.text, width, 2, label.style)
    yield from paragraph(figures.text, width, 4)


def _label(part: PolicyPart) -> str:
    return shortened(part.name, _LONGEST_LABEL) if part.name else "(no policy)"


def _images(part: PolicyPart, width: int) -> Iterator[Line]:
    """The images of a policy, under its name."""
    if not part.groups:
        return
    yield line()
    yield rule(f"Policy {_label(part)}", "", width)
    for number, (target, group) in enumerate(part.groups):
        yield from [line()] if number else []
        yield from _group(group, shortened(target, _LONGEST_NAME), part.name, width)


def _closing(result: RunResult, summed_up: str | None, waiting: str, width: int) -> Iterator[Line]:
    yield rule("", "", width, DIM)
    if summed_up is not None and tells_of_images(result):
        yield from paragraph(summed_up, width, style=BOLD)
    [last] = _last(result, waiting)
    yield from paragraph(last.text, width, style=last.style)


def _last(result: RunResult, waiting: str) -> Line:
    """How the run ended, and which reports wait, in one line of any length."""
    last = f"Outcome: {ended(result)}"
    style = WARNING if waiting and result.outcome is Outcome.OK else _STYLES[result.outcome]
    return line(f"{last}. {waiting}" if waiting else last, style)


def _target(
    target: TargetResult, result: RunResult, cost: Cost | None, zone: tzinfo, width: int, *, images: bool
) -> Iterator[Line]:
    yield rule(shortened(target.target, _LONGEST_NAME), target.outcome, width, _STYLES[target.outcome])
    for label, figures in totals_of(target, result.mode, cost, zone):
        yield from labelled(Segment(f"{label:<15}"), Segment(figures), width, 2)
    if images:
        yield from _upcoming(target, zone, width)
        yield from _expiring(target, result, width)
    yield from _kept(target, width)


def _group(group: Group, target: str, policy: str | None, width: int) -> Iterator[Line]:
    title = f"{group.title}: {counted(len(group.entries))} in {target}"
    yield from paragraph(title, width, 2, TROUBLE if group.trouble else BOLD)
    for entry in group.entries:
        yield from _entry(entry, policy, width)


def _entry(entry: Entry, policy: str | None, width: int) -> Iterator[Line]:
    """An image, why it is listed, and how to keep it; with its policy, where that is not the one it is listed under."""
    decision = entry.decision
    image = decision.image
    yield from image_columns(image, width, 4)
    if entry.remark is not None:
        yield from paragraph(shortened(entry.remark, _LONGEST_SENTENCE), width, 6)
    owner = f"; owner: {entry.owner}" if entry.owner else ""
    why = f"{decision.detail}{owner}"
    yield from paragraph(_why(None if decision.policy == policy else decision.policy, why), width, 6, DIM)
    if entry.way_out is not None:
        yield from paragraph(shortened(entry.way_out, _LONGEST_SENTENCE), width, 6)


def _why(policy: str | None, detail: str) -> str:
    return shortened(f"{policy}: {detail}" if policy else detail, _LONGEST_SENTENCE)


def _upcoming(target: TargetResult, zone: tzinfo, width: int) -> Iterator[Line]:
    decisions = upcoming(target)
    if not decisions:
        return
    yield line()
    yield line("  Next to expire", BOLD)
    for decision in decisions:
        assert decision.due is not None
        image = decision.image
        yield from image_columns(image, width, 4)
        yield from paragraph(_why(decision.policy, f"expires {local_minute(decision.due, zone)}"), width, 6, DIM)


def _expiring(target: TargetResult, result: RunResult, width: int) -> Iterator[Line]:
    decisions = expiring(target, result.finished_at)
    if not decisions:
        return
    yield line()
    yield line(f"  Exemptions that expire within a week: {counted(len(decisions))}", BOLD)
    for decision in decisions:
        yield from _entry(Entry(decision), None, width)


def _kept(target: TargetResult, width: int) -> Iterator[Line]:
    counts = kept_by_reason(target)
    if not counts:
        return
    yield line()
    yield line("  Kept, by reason", BOLD)
    for reason, count in counts:
        yield from labelled(Segment(f"{count:>7,}  {reason:<15}"), Segment(REASONS[reason], DIM), width, 4)
