"""The images of a long report as a CSV file, in which no foreign text is a formula."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from janitor.core.decision import Decision
from janitor.core.result import Mode, RunResult, TargetResult
from janitor.core.units import iso_or_none
from janitor.escaping import visible
from janitor.report import Listing
from janitor.report.outline import groups_of

DECIDED = ("verdict", "policy", "reason", "detail", "due")
"""The columns of `values_of`, and the keys of `facts_of`."""

COLUMNS = (
    "target",
    "image",
    "name",
    "status",
    "size",
    "created",
    *DECIDED,
    "outcome",
)

# After these a spreadsheet takes text for a formula, in either width. In some locales a semicolon ends a cell.
_FORMULA = re.compile(r"(^|;)(?=\s*[=+@\uff1d\uff0b\uff0d\uff20-])")


def listing(result: RunResult, *, late: bool = False) -> Listing:
    """Every image that the report of this result lists, target by target; sizes are bytes, times UTC.

    What a spreadsheet would take for a formula has an apostrophe before it. A late listing announces nothing, contains
    no reminders and gives no dates for them.
    """
    rows = (row for target in result.targets for row in _rows(target, result.mode, late=late))
    number = f"run-{result.run}" if result.run else "run"
    return Listing(f"image-janitor-{number}.csv", "".join(csv_lines(COLUMNS, rows)))


def decisions_csv(result: RunResult) -> Iterator[str]:
    """Every decision of a run, those on kept images too, target by target, as a CSV file line by line."""
    return csv_lines(COLUMNS, (row for target in result.targets for row in _decided(target, result.mode)))


def _decided(target: TargetResult, mode: Mode) -> Iterator[tuple[object, ...]]:
    outcomes = _outcomes(target, mode, late=False)
    undated = target.notices.undelivered.intersection(decision.image.id for decision in target.notices.announced)
    for decision in (*target.decisions, *target.notices.gone):
        dated = decision.replace(due=None) if decision.image.id in undated else decision
        yield _row(target.target, dated, outcomes.get(decision.image.id))


def csv_lines(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """A CSV file line by line: its columns, then rows of values, in which no foreign text is a formula."""
    for row in chain([columns], rows):
        written = io.StringIO(newline="")
        csv.writer(written).writerow([_cell(value) for value in row])
        yield written.getvalue()


def _rows(target: TargetResult, mode: Mode, *, late: bool) -> Iterator[tuple[object, ...]]:
    warned = (*target.notices.announced, *target.notices.reminded) if late else target.notices.announced
    undated = {decision.image.id for decision in warned if late or decision.image.id in target.notices.undelivered}
    outcomes = _outcomes(target, mode, late=late)
    for group in groups_of(target, mode):
        for entry in group.entries:
            decision = entry.decision.replace(due=None) if entry.decision.image.id in undated else entry.decision
            yield _row(target.target, decision, outcomes.get(decision.image.id))


def _outcomes(target: TargetResult, mode: Mode, *, late: bool) -> dict[str, str]:
    """The outcome for each image, by its id; if the report announces, also announcements and reminders."""
    live = mode is not Mode.DRY_RUN
    outcomes = {saved.decision.image.id: "spared" for saved in target.notices.spared if live}
    outcomes |= {decision.image.id: "gone" for decision in target.notices.gone}
    told = ((target.notices.reminded, "reminded"), (target.notices.announced, "announced")) if live and not late else ()
    for decisions, word in told:
        outcomes |= {d.image.id: word for d in decisions if d.image.id not in target.notices.undelivered}
    deletions = (*target.earlier.last_settled, *target.deletions)
    return outcomes | {deletion.decision.image.id: deletion.outcome.value for deletion in deletions}


def _row(target: str, decision: Decision, outcome: str | None) -> tuple[object, ...]:
    image = decision.image
    return (
        target,
        image.id,
        image.name,
        image.status,
        image.size,
        iso_or_none(image.created_at),
        *values_of(decision),
        outcome,
    )


def values_of(decision: Decision | None) -> tuple[object, ...]:
    """A decision for a row, its date in UTC; nothing in any of its cells where there is none."""
    if decision is None:
        return (None,) * len(DECIDED)
    due = iso_or_none(decision.due)
    return (decision.verdict.value, decision.policy, decision.reason.value, decision.detail, due)


def facts_of(decision: Decision | None) -> dict[str, object] | None:
    """The same as an object, None where there is no decision."""
    return None if decision is None else dict(zip(DECIDED, values_of(decision), strict=True))


def _cell(value: object) -> str:
    return "" if value is None else _FORMULA.sub(r"\1'", visible(str(value)))
