"""The report of a run for Slack: complete, as Block Kit messages, in which no foreign text is interpreted."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import tzinfo

from janitor.commands import command
from janitor.core.memory import Backlog
from janitor.core.result import Cost, RunResult, TargetResult
from janitor.core.units import counted, format_size
from janitor.notify.slack.addressed import elsewhere, scope_of
from janitor.notify.slack.message import Message
from janitor.notify.slack.mrkdwn import code, escaped, fitted
from janitor.notify.slack.offering import Offering
from janitor.notify.slack.packing import Paragraph, Row, packed
from janitor.report.by_policy import PolicyPart, about, figures_of, policy_parts
from janitor.report.figures import kept_by_reason, totals_of
from janitor.report.headline import advice, headline
from janitor.report.outline import Entry, Group, expiring, groups_of, upcoming
from janitor.report.routing import Share
from janitor.report.since import since_line
from janitor.report.wording import local_minute, run_name, run_times

# The size that each part of a row may have on the wire; together they stay below the limit of a row.
_NAME = 500
_ID = 250
_POLICY = 250
_SENTENCE = 700
_ERROR = 2_000
_NOTE = 250
_CHANGES = 340

_NOTHING_WAITS = Backlog()
_DESCRIPTION = 400
_MOST_IN_FIRST = 10
_REPEATED = "Listed in the first message of this report"
_NO_MENU = "To keep images, use the commands above."
_NOTHING = Offering()
_NOTHING_YET = "Nothing yet: a later report announces these images."


def slack_messages(
    share: Share,
    cost: Cost | None,
    zone: tzinfo,
    *,
    threaded: bool = False,
    undelivered: Backlog = _NOTHING_WAITS,
    offering: Offering = _NOTHING,
) -> list[Message]:
    """The whole report of a share, in as many messages as needed. Every image of the plan is named with its id.

    The first message says what is asked of its reader, and lists the first images of each policy; all of them follow,
    for a bot (`threaded`) in the thread of the first message. `undelivered` are earlier reports that are still
    undelivered. What is in the `offering` has buttons: those of the first message, and a menu of all of a policy.
    """
    result, parts = share.totals, policy_parts(share.listed)
    opening = [
        *_to_do(share, zone, buttons=bool(offering.announced)),
        *_opening(share, undelivered, zone),
        *_since(share),
        *_policies(share, cost, zone),
    ]
    first = [paragraph for part in parts for paragraph in _first_of(part, offering, threaded=threaded)]
    totals = [Paragraph(_heading(target), tuple(_totals(target, result, cost, zone))) for target in result.targets]
    others = [paragraph for target in share.listed.targets for paragraph in _others(target, share.listed, zone)]
    every = [paragraph for part in parts for paragraph in (*_all_of(part), *_menus(part, offering))]
    if threaded:
        pages = [[*opening, *first, *totals], [*every, *others]]
    elif any(part.count > _MOST_IN_FIRST for part in parts):
        pages = [[*opening, *first, *totals, *others], every]
    else:
        pages = [[*opening, *first, *totals, *others]]
    title, late = (headline(result, zone, late=late) for late in (False, True))
    return packed(title, _context(share, zone), *pages, late=late)


def listed_images(share: Share) -> int:
    """How many images the report of a share lists."""
    return sum(len(group.entries) for target in share.listed.targets for group in groups_of(target, share.listed.mode))


def notice(text: str) -> Message:
    """A message of one sentence."""
    return Message(escaped(text), [{"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}])


def mention(user: str) -> Message:
    """A message that mentions a person by an id of Slack's, which must not come from an image."""
    text = f"<@{user}>, the images of this report are yours."
    return Message(text, [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}])


def _context(share: Share, zone: tzinfo) -> str:
    context = f"{run_name(share.totals)}, {_times(share.totals, zone)}. Outcome: {share.totals.outcome}."
    return context + scope_of(share)


def _to_do(share: Share, zone: tzinfo, *, buttons: bool) -> Iterator[Paragraph]:
    """What to do, who and until when."""
    here = any(target.notices.announced or target.notices.reminded for target in share.listed.targets)
    sentences = advice(share.totals, zone, buttons=buttons, here=here)
    announced = len(sentences) > len(advice(share.totals, zone, late=True))
    rows = [Row(sentence, late=_NOTHING_YET if announced and not n else None) for n, sentence in enumerate(sentences)]
    if rows:
        yield Paragraph("*What to do*", tuple(rows))


def _opening(share: Share, undelivered: Backlog, zone: tzinfo) -> Iterator[Paragraph]:
    """What went wrong, what is undelivered, and notes."""
    if share.totals.error is not None:
        yield Paragraph("*The run failed*", tuple(_error_rows(share.totals.error)))
    for target in share.totals.targets:
        if target.error is not None and target.error != share.totals.error:
            yield Paragraph(f"*Error* in {_named(target)}", tuple(_error_rows(target.error)))
    if undelivered.reports:
        since = f" since {local_minute(undelivered.since, zone)}" if undelivered.since is not None else ""
        waiting = f"{counted(undelivered.reports, 'earlier report')} undelivered{since}"
        yield Paragraph(f"*{waiting}*: the next run tries again, or `{command('resend')}` does.", ())
    if share.totals.remarks and share.channel is None:
        yield Paragraph("*Notes*", tuple(Row(fitted(remark, _ERROR)) for remark in share.totals.remarks))


def _since(share: Share) -> Iterator[Paragraph]:
    """What changed since the run before; of the part of a run there is none."""
    changed = since_line(share.totals)
    if changed is not None:
        yield Paragraph(fitted(changed, _CHANGES), ())


def _policies(share: Share, cost: Cost | None, zone: tzinfo) -> Iterator[Paragraph]:
    """One line for each policy, with what it is for and whom to ask; and which channels list other images."""
    now = share.totals.finished_at
    rows = []
    for part in policy_parts(share.totals):
        figures, late = (escaped(figures_of(part, cost, zone, now, late=late)) for late in (False, True))
        words = "".join(f"\n    {fitted(text, _DESCRIPTION)}" for text in about(part))
        rows.append(Row(f"{_label(part)}: {figures}{words}", late=f"{_label(part)}: {late}{words}"))
    if rows:
        yield Paragraph("*By policy*", tuple(rows))
    yield from elsewhere(share, listed_images)


def _label(part: PolicyPart) -> str:
    return fitted(part.name, _POLICY, code) if part.name else "(no policy)"


def _first_of(part: PolicyPart, offering: Offering, *, threaded: bool) -> Iterator[Paragraph]:
    """The first images of a policy, and how many follow."""
    for (target, group), (_, whole) in zip(part.first(_MOST_IN_FIRST).groups, part.groups, strict=False):
        listed = _group(part, target, group, len(whole.entries))
        yield _with_buttons(listed, offering) if group.late else listed
    if part.count > _MOST_IN_FIRST:
        where = "in this thread" if threaded else "in the messages after this one"
        yield Paragraph(f"The first {_MOST_IN_FIRST} of {part.count:,} of {_label(part)}; all are {where}.", ())


def _with_buttons(paragraph: Paragraph, offering: Offering) -> Paragraph:
    """The images that are announced here, or reminded of; what else is said of an image has no buttons."""
    rows = tuple(replace(row, buttons=offering.buttons(row.name)) for row in paragraph.rows)
    return replace(paragraph, rows=rows)


def _menus(part: PolicyPart, offering: Offering) -> Iterator[Paragraph]:
    """The menus of a policy's images; in a late message that there are none."""
    for menu in offering.menus(part.name):
        yield Paragraph("", (Row(f"Keep images of {_label(part)}:", late=_NO_MENU, buttons=menu),))


def _all_of(part: PolicyPart) -> Iterator[Paragraph]:
    """All images of a policy. Those in the first message are named by it alone, which may have announced them."""
    left = _MOST_IN_FIRST
    for target, group in part.groups:
        listed, of = min(left, len(group.entries)), len(group.entries)
        left -= listed
        whole = _group(part, target, group, of)
        rows = (*(replace(row, name=None) for row in whole.rows[:listed]), *whole.rows[listed:])
        if not (group.late and listed):
            yield replace(whole, rows=rows)
            continue
        for which, late, some in (("first", _REPEATED, rows[:listed]), ("other", group.late, rows[listed:])):
            if some:
                told, too_late = (_titled(part, target, words, len(some), of, which) for words in (group.title, late))
                yield Paragraph(told, some, late=too_late)


def _times(result: RunResult, zone: tzinfo) -> str:
    return fitted(run_times(result, zone), _NOTE)


def _error_rows(error: str) -> Iterator[Row]:
    return (Row(fitted(row, _ERROR)) for row in error.splitlines() if row.strip())


def _heading(target: TargetResult) -> str:
    return f"*Target* {_named(target)}: *{target.outcome}*"


def _named(target: TargetResult) -> str:
    return fitted(target.target, _ID, code)


def _totals(target: TargetResult, result: RunResult, cost: Cost | None, zone: tzinfo) -> Iterator[Row]:
    # Whoever reads this in time reads the announcement with it.
    in_time, late = (totals_of(target, result.mode, cost, zone, sent=sent) for sent in (True, False))
    for (label, figures), (_, too_late) in zip(in_time, late, strict=True):
        yield Row(escaped(f"{label}: {figures}"), late=escaped(f"{label}: {too_late}"))
    reasons = kept_by_reason(target)
    if reasons:
        yield Row(f"Kept because: {', '.join(f'{count:,} {reason}' for reason, count in reasons)}")


def _others(target: TargetResult, result: RunResult, zone: tzinfo) -> Iterator[Paragraph]:
    """What is not about to happen, but soon may be."""
    others = (
        (f"*Next to expire* in {_named(target)}", tuple(_upcoming(target, zone))),
        (f"*Exemptions that expire within a week* in {_named(target)}", tuple(_expiring(target, result))),
    )
    yield from (Paragraph(heading, rows) for heading, rows in others if rows)


def _group(part: PolicyPart, target: str, group: Group, of: int) -> Paragraph:
    """Images of one policy in one target with the same outcome; `of` is how many of them there are in all."""
    rows = tuple(Row(_row(entry, part.name), (target, entry.decision.image.id)) for entry in group.entries)
    title, late = (_titled(part, target, text, len(rows), of) for text in (group.title, group.late or group.title))
    return Paragraph(title, rows, late=late)


def _titled(part: PolicyPart, target: str, title: str, shown: int, of: int, which: str = "first") -> str:
    count = f"the {which} {shown:,} of {counted(of)}" if shown < of else counted(of)
    return f"{_label(part)} *{title}: {count}* in {fitted(target, _ID, code)}"


def _row(entry: Entry, listed_under: str | None = None) -> str:
    decision = entry.decision
    remark = f"\n    {fitted(entry.remark, _SENTENCE)}" if entry.remark else ""
    way_out = f"\n    to keep it: {fitted(entry.way_out, _NOTE)}" if entry.way_out else ""
    policy = "" if decision.policy == listed_under else _policy(decision.policy)
    owner = f"; owner: {fitted(entry.owner, _POLICY, code)}" if entry.owner else ""
    return f"{_image(entry)}{remark}\n    {policy}{fitted(decision.detail, _SENTENCE)}{owner}{way_out}"


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
