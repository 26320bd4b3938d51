"""The report of a run for a terminal, complete and readable at 80 columns."""

from collections.abc import Iterator
from datetime import tzinfo

from janitor.core.decision import REASONS
from janitor.core.memory import Backlog
from janitor.core.result import Cost, Mode, Outcome, RunResult, TargetResult
from janitor.core.units import counted, format_size
from janitor.escaping import visible
from janitor.report.figures import kept_by_reason, summary, tells_of_images, totals_of
from janitor.report.layout import (
    BOLD,
    DIM,
    GOOD,
    TROUBLE,
    WARNING,
    Line,
    Page,
    Segment,
    columns,
    labelled,
    line,
    paragraph,
    rule,
)
from janitor.report.outline import Entry, Group, expiring, groups_of, upcoming
from janitor.report.wording import (
    MODES,
    OUTCOMES,
    label_of,
    local_minute,
    run_name,
    run_times,
    shortened,
    undelivered_reports,
)

_LONGEST_NAME = 255
_LONGEST_SENTENCE = 2_000

_NOTHING_WAITS = Backlog()
_STYLES = {Outcome.OK: GOOD, Outcome.PARTIAL: WARNING, Outcome.REFUSED: WARNING, Outcome.FAILED: TROUBLE}


def text_report(
    result: RunResult, cost: Cost | None, *, zone: tzinfo, backlog: Backlog | None = _NOTHING_WAITS
) -> Page:
    """The whole report as a rich renderable, with every image of the plan. Times are given in `zone`.

    `backlog` are the reports that are undelivered now, whichever run they are of; None if that is not known.
    """
    waiting = undelivered_reports(backlog, zone)
    return Page(lambda width: _lines(result, cost, zone, waiting, width))


def _lines(result: RunResult, cost: Cost | None, zone: tzinfo, waiting: str, width: int) -> Iterator[Line]:
    yield line(MODES[result.mode], WARNING if result.mode is Mode.DRY_RUN else BOLD)
    yield from paragraph(f"{run_name(result)}, {run_times(result, zone)}", width)
    for remark in result.remarks:
        yield from paragraph(f"Note: {shortened(remark, _LONGEST_SENTENCE)}", width, style=WARNING)
    for target in result.targets:
        yield line()
        yield from _target(target, result, cost, zone, width)
    yield line()
    yield from _closing(result, cost, waiting, width)


def _closing(result: RunResult, cost: Cost | None, waiting: str, width: int) -> Iterator[Line]:
    yield rule("", "", width, DIM)
    if result.error is not None:
        yield from _error(result.error, width, 0)
    if tells_of_images(result):
        yield from paragraph(summary(result, cost), width, style=BOLD)
    last = f"Outcome: {OUTCOMES[result.outcome]}"
    if waiting:
        last = f"{last}. {waiting}"
    style = WARNING if waiting and result.outcome is Outcome.OK else _STYLES[result.outcome]
    yield from paragraph(last, width, style=style)


def _error(error: str, width: int, indent: int) -> Iterator[Line]:
    for row in f"Error: {error}".split("\n"):
        yield from paragraph(shortened(row, _LONGEST_SENTENCE), width, indent, TROUBLE)


def _target(target: TargetResult, result: RunResult, cost: Cost | None, zone: tzinfo, width: int) -> Iterator[Line]:
    yield rule(shortened(target.target, _LONGEST_NAME), target.outcome, width, _STYLES[target.outcome])
    if target.error is not None:
        yield from _error(target.error, width, 2)
    for label, figures in totals_of(target, result.mode, cost, zone):
        yield from labelled(Segment(f"{label:<15}"), Segment(figures), width, 2)
    for group in groups_of(target, result.mode):
        yield from _group(group, width)
    yield from _upcoming(target, zone, width)
    yield from _expiring(target, result, width)
    yield from _kept(target, width)


def _group(group: Group, width: int) -> Iterator[Line]:
    yield line()
    title = f"{group.title}: {counted(len(group.entries))}"
    yield from paragraph(title, width, 2, TROUBLE if group.trouble else BOLD)
    for entry in group.entries:
        yield from _entry(entry, width)


def _entry(entry: Entry, width: int) -> Iterator[Line]:
    decision = entry.decision
    image = decision.image
    yield from columns(label_of(image.name, _LONGEST_NAME), visible(image.id), format_size(image.size), width, indent=4)
    if entry.remark is not None:
        yield from paragraph(shortened(entry.remark, _LONGEST_SENTENCE), width, 6)
    yield from paragraph(_why(decision.policy, decision.detail), width, 6, DIM)
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
        yield from columns(
            label_of(image.name, _LONGEST_NAME), visible(image.id), format_size(image.size), width, indent=4
        )
        yield from paragraph(_why(decision.policy, f"expires {local_minute(decision.due, zone)}"), width, 6, DIM)


def _expiring(target: TargetResult, result: RunResult, width: int) -> Iterator[Line]:
    entries = tuple(Entry(decision) for decision in expiring(target, result.finished_at))
    if entries:
        yield from _group(Group("Exemptions that expire within a week", entries), width)


def _kept(target: TargetResult, width: int) -> Iterator[Line]:
    counts = kept_by_reason(target)
    if not counts:
        return
    yield line()
    yield line("  Kept, by reason", BOLD)
    for reason, count in counts:
        yield from labelled(Segment(f"{count:>7,}  {reason:<15}"), Segment(REASONS[reason], DIM), width, 4)
