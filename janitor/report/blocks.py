"""The report of a run for Slack: Block Kit messages, complete, in which no foreign text can act."""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Literal

from janitor.model import Cost, Outcome, RunResult, TargetResult
from janitor.report import Message
from janitor.report.mrkdwn import code, escaped, fitted
from janitor.report.outline import Entry, Group, groups_of, kept_by_reason, summary, totals_of, upcoming
from janitor.report.packing import Paragraph, packed
from janitor.report.wording import MODES, OUTCOMES, counted, local_minute, run_name, run_times
from janitor.units import format_size

# What each part of a row may take on the wire; together they stay below the limit of a row.
_NAME = 500
_ID = 250
_POLICY = 250
_SENTENCE = 700
_ERROR = 2_000


def worth_posting(result: RunResult, post: Literal["always", "changes", "problems"]) -> bool:
    """Whether a result is to be posted: `changes` when something was deleted, is to be, was refused or failed."""
    if post == "always" or result.outcome is not Outcome.OK or result.error is not None:
        return True
    return post == "changes" and any(target.doomed or target.deletions or target.settled for target in result.targets)


def slack_messages(result: RunResult, cost: Cost | None, zone: tzinfo) -> list[Message]:
    """The whole report, in as many messages as it takes. Every image of the plan is named with its id."""
    sentence = _sentence(result, cost)
    context = f"{run_times(result, zone)}. Outcome: {OUTCOMES[result.outcome]}."
    return packed(
        f"{MODES[result.mode]} · {run_name(result)}", sentence, context, list(_paragraphs(result, cost, zone))
    )


def _sentence(result: RunResult, cost: Cost | None) -> str:
    if result.error is not None:
        failed = " failed" if result.run else ""
        return f"{MODES[result.mode]}. {run_name(result)}{failed}: {fitted(result.error, _SENTENCE)}"
    return f"{MODES[result.mode]}. {run_name(result)}: {escaped(summary(result, cost))}"


def _paragraphs(result: RunResult, cost: Cost | None, zone: tzinfo) -> Iterator[Paragraph]:
    if result.error is not None:
        yield Paragraph("*The run failed*", tuple(_error_rows(result.error)))
    else:
        yield Paragraph(f"*{escaped(summary(result, cost))}*", ())
    for target in result.targets:
        yield from _target(target, result, cost, zone)


def _error_rows(error: str) -> Iterator[str]:
    return (f"Error: {fitted(row, _ERROR)}" for row in error.splitlines() if row.strip())


def _target(target: TargetResult, result: RunResult, cost: Cost | None, zone: tzinfo) -> Iterator[Paragraph]:
    name = fitted(target.target, _ID, code)
    yield Paragraph(f"*Target* {name}: *{target.outcome}*", tuple(_totals(target, result, cost)))
    for group in groups_of(target, result.mode):
        yield _group(group, name)
    rows = tuple(_upcoming(target, zone))
    if rows:
        yield Paragraph(f"*Next to expire* in {name}", rows)


def _totals(target: TargetResult, result: RunResult, cost: Cost | None) -> Iterator[str]:
    if target.error is not None:
        yield from _error_rows(target.error)
    for label, figures in totals_of(target, result.mode, cost):
        yield escaped(f"{label}: {figures}")
    reasons = kept_by_reason(target)
    if reasons:
        yield f"Kept because: {', '.join(f'{count:,} {reason}' for reason, count in reasons)}"


def _group(group: Group, target: str) -> Paragraph:
    heading = f"*{group.title}: {counted(len(group.entries))}* in {target}"
    return Paragraph(heading, tuple(_row(entry) for entry in group.entries))


def _row(entry: Entry) -> str:
    decision = entry.decision
    remark = f"\n    {fitted(entry.remark, _SENTENCE)}" if entry.remark else ""
    return f"{_image(entry)}{remark}\n    {_policy(decision.policy)}{fitted(decision.detail, _SENTENCE)}"


def _image(entry: Entry) -> str:
    image = entry.decision.image
    name = fitted(image.name, _NAME, code) if image.name and image.name.strip() else "(no name)"
    return f"• {name} {fitted(image.id, _ID, code)} {format_size(image.size)}"


def _policy(policy: str | None) -> str:
    return f"{fitted(policy, _POLICY)}: " if policy else ""


def _upcoming(target: TargetResult, zone: tzinfo) -> Iterator[str]:
    for decision in upcoming(target):
        assert decision.due is not None
        due = local_minute(decision.due, zone)
        yield f"{_image(Entry(decision))}\n    {_policy(decision.policy)}expires {due}"
