"""The report of a run for Slack: complete, as Block Kit messages, in which no foreign text is interpreted."""

from collections.abc import Iterator
from datetime import tzinfo
from itertools import chain

from janitor.core.result import Cost, RunResult, TargetResult
from janitor.core.units import counted, format_size
from janitor.notify.slack.message import Message
from janitor.notify.slack.mrkdwn import code, escaped, fitted
from janitor.notify.slack.packing import Paragraph, Row, packed
from janitor.report.figures import kept_by_reason, summary, tells_of_images, totals_of
from janitor.report.outline import Entry, Group, expiring, groups_of, upcoming
from janitor.report.routing import Share
from janitor.report.wording import MODES, OUTCOMES, in_one_line, local_minute, run_name, run_times

# The size that each part of a row may have on the wire; together they stay below the limit of a row.
_NAME = 500
_ID = 250
_POLICY = 250
_SENTENCE = 700
_ERROR = 2_000
_NOTE = 250

_ANNOUNCED = "announced by the messages that name them"  # some of which may not be accepted


def slack_messages(
    share: Share, cost: Cost | None, zone: tzinfo, *, threaded: bool = False, undelivered: int = 0
) -> list[Message]:
    """The whole report of a share, in as many messages as needed. Every image of the plan is named with its id.

    `threaded`: the first message is a summary, and the details begin in a new message. `undelivered` counts earlier
    reports that are still undelivered.
    """
    result = share.totals
    opening = list(_opening(share, cost, undelivered))
    totals = [Paragraph(_heading(target), tuple(_totals(target, result, cost, zone))) for target in result.targets]
    details = [list(_details(target, share.listed, zone)) for target in share.listed.targets]
    if threaded:
        parts = [[*opening, *totals], list(chain(*details))]
    else:
        parts = [[*opening, *chain(*([total, *detail] for total, detail in zip(totals, details, strict=True)))]]
    title = f"{MODES[result.mode]} · {run_name(result)}"
    sentence, late = (_sentence(result, cost, announced) for announced in (_ANNOUNCED, None))
    return packed(title, sentence, _context(share, zone), *parts, late=late)


def listed_images(share: Share) -> int:
    """How many images the report of a share lists."""
    return sum(len(group.entries) for target in share.listed.targets for group in groups_of(target, share.listed.mode))


def notice(text: str) -> Message:
    """A message of one sentence."""
    return Message(escaped(text), [{"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}])


def _sentence(result: RunResult, cost: Cost | None, announced: str | None) -> str:
    words = f" {escaped(summary(result, cost, announced=announced))}" if tells_of_images(result) else ""
    if result.error is not None:
        failed = " failed" if result.run else ""
        error = fitted(in_one_line(result.error), _SENTENCE)
        return f"{MODES[result.mode]}. {run_name(result)}{failed}: {error}.{words}"
    return f"{MODES[result.mode]}. {run_name(result)}:{words}"


def _context(share: Share, zone: tzinfo) -> str:
    context = f"{run_times(share.totals, zone)}. Outcome: {OUTCOMES[share.totals.outcome]}."
    if not share.policies:
        return context
    return f"{context} Only images of these policies: {fitted(', '.join(share.policies), _NOTE)}."


def _opening(share: Share, cost: Cost | None, undelivered: int) -> Iterator[Paragraph]:
    if share.totals.error is not None:
        yield Paragraph("*The run failed*", tuple(_error_rows(share.totals.error)))
    if tells_of_images(share.totals):
        words, late = (escaped(summary(share.totals, cost, announced=word)) for word in (_ANNOUNCED, None))
        yield Paragraph(f"*{words}*", (), late=f"*{late}*")
    if undelivered:
        waiting = f"{counted(undelivered, 'earlier report')} could not be delivered yet"
        yield Paragraph(f"*{waiting}*: the next run tries again, or `janitor resend` does.", ())
    if share.totals.remarks and not share.policies:
        yield Paragraph("*Notes*", tuple(Row(fitted(remark, _ERROR)) for remark in share.totals.remarks))
    rows = tuple(_elsewhere(share))
    if rows:
        yield Paragraph("*Listed in other channels*", rows)


def _elsewhere(share: Share) -> Iterator[Row]:
    for other in share.elsewhere:
        images = listed_images(other)
        if images:
            yield Row(f"{fitted(other.channel or '', _ID, code)}: {counted(images)}")


def _error_rows(error: str) -> Iterator[Row]:
    return (Row(f"Error: {fitted(row, _ERROR)}") for row in error.splitlines() if row.strip())


def _heading(target: TargetResult) -> str:
    return f"*Target* {_named(target)}: *{target.outcome}*"


def _named(target: TargetResult) -> str:
    return fitted(target.target, _ID, code)


def _totals(target: TargetResult, result: RunResult, cost: Cost | None, zone: tzinfo) -> Iterator[Row]:
    if target.error is not None:
        yield from _error_rows(target.error)
    for label, figures in totals_of(target, result.mode, cost, zone, sent=False):
        yield Row(escaped(f"{label}: {figures}"))
    reasons = kept_by_reason(target)
    if reasons:
        yield Row(f"Kept because: {', '.join(f'{count:,} {reason}' for reason, count in reasons)}")


def _details(target: TargetResult, result: RunResult, zone: tzinfo) -> Iterator[Paragraph]:
    for group in groups_of(target, result.mode):
        yield _group(group, target)
    others = (
        (f"*Next to expire* in {_named(target)}", tuple(_upcoming(target, zone))),
        (f"*Exemptions that expire within a week* in {_named(target)}", tuple(_expiring(target, result))),
    )
    yield from (Paragraph(heading, rows) for heading, rows in others if rows)


def _group(group: Group, target: TargetResult) -> Paragraph:
    rows = tuple(Row(_row(entry), (target.target, entry.decision.image.id)) for entry in group.entries)
    words = f": {counted(len(group.entries))}* in {_named(target)}"
    return Paragraph(f"*{group.title}{words}", rows, late=f"*{group.late or group.title}{words}")


def _row(entry: Entry) -> str:
    decision = entry.decision
    remark = f"\n    {fitted(entry.remark, _SENTENCE)}" if entry.remark else ""
    way_out = f"\n    to keep it: {fitted(entry.way_out, _NOTE)}" if entry.way_out else ""
    return f"{_image(entry)}{remark}\n    {_policy(decision.policy)}{fitted(decision.detail, _SENTENCE)}{way_out}"


def _image(entry: Entry) -> str:
    image = entry.decision.image
    name = fitted(image.name, _NAME, code) if image.name and image.name.strip() else "(no name)"
    return f"• {name} {fitted(image.id, _ID, code)} {format_size(image.size)}"


def _policy(policy: str | None) -> str:
    return f"{fitted(policy, _POLICY)}: " if policy else ""


def _upcoming(target: TargetResult, zone: tzinfo) -> Iterator[Row]:
    for decision in upcoming(target):
        assert decision.due is not None
        due = local_minute(decision.due, zone)
        yield Row(f"{_image(Entry(decision))}\n    {_policy(decision.policy)}expires {due}")


def _expiring(target: TargetResult, result: RunResult) -> Iterator[Row]:
    return (Row(_row(Entry(decision))) for decision in expiring(target, result.finished_at))
