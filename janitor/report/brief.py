"""A run in brief: the images of each policy by outcome, and then the first images of every group."""

from collections.abc import Iterator, Sequence
from datetime import UTC

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.result import Mode, RunResult, TargetResult
from janitor.core.units import counted, format_size
from janitor.escaping import visible
from janitor.report.figures import confirmed, kept_by_reason, summary, worth
from janitor.report.headline import headline
from janitor.report.layout import BOLD, DIM, Line, Page, Segment, columns, labelled, line, paragraph
from janitor.report.outline import Entry, Group, groups_of
from janitor.report.wording import label_of, shortened

_MOST_IMAGES = 4
_LONGEST_NAME = 26
_LONGEST_SENTENCE = 140
_NO_POLICY = "(no policy)"


def brief_report(result: RunResult, policies: Sequence[str]) -> Page:
    """The summary of a run, a row for each policy, and the first images of every group, with the number of others."""
    return Page(lambda width: _lines(result, policies, width))


def _lines(result: RunResult, policies: Sequence[str], width: int) -> Iterator[Line]:
    yield from paragraph(headline(result, UTC), width, 2, BOLD)
    yield from paragraph(summary(result, None), width, 2)
    for target in result.targets:
        yield line()
        yield line(f"  {'Policy':<16}{'Kept':>6}{'Announced':>11}{'Waiting':>9}{'Deleted':>9}  Reclaimed", BOLD)
        for policy in (*policies, None):
            yield from _policy(target, policy, width)
        kept = ", ".join(f"{count:,} {reason}" for reason, count in kept_by_reason(target))
        yield from paragraph(f"Kept, by reason: {kept or 'none'}", width, 2, DIM)
        for group in (*groups_of(target, result.mode), *_waiting(target, result.mode)):
            yield from _group(group, width)


def _policy(target: TargetResult, policy: str | None, width: int) -> Iterator[Line]:
    """A row of the summary; a policy that owns no image has none."""
    owned = [decision for decision in target.decisions if decision.policy == policy]
    if not owned:
        return
    kept = sum(decision.verdict is Verdict.KEEP for decision in owned)
    announced = sum(decision.policy == policy for decision in _announced(target))
    waiting = sum(decision.verdict is Verdict.WAIT for decision in owned) - announced
    deleted = [decision for decision in confirmed([target]) if decision.policy == policy]
    label = shortened(policy or _NO_POLICY, 15)
    figures = f"{label:<16}{kept:>6,}{announced:>11,}{waiting:>9,}{len(deleted):>9,}  "
    yield from labelled(Segment(figures), Segment(worth(deleted, None) if deleted else "–"), width, 2)


def _announced(target: TargetResult) -> list[Decision]:
    missed = target.notices.undelivered
    return [decision for decision in target.notices.announced if decision.image.id not in missed]


def _waiting(target: TargetResult, mode: Mode) -> Iterator[Group]:
    """The images whose notice has not ended; the full report only gives their number."""
    told = {decision.image.id for decision in (*target.notices.announced, *target.notices.reminded)}
    waiting = [d for d in target.decisions if d.reason is Reason.NOTICE and d.image.id not in told]
    if waiting and mode is Mode.DELETE:
        yield Group("Waiting, announced before", "waiting", tuple(map(Entry, waiting)))


def _group(group: Group, width: int) -> Iterator[Line]:
    yield line()
    yield line(f"  {group.title}: {counted(len(group.entries))}", BOLD)
    for entry in group.entries[:_MOST_IMAGES]:
        decision = entry.decision
        image = decision.image
        yield from columns(label_of(image.name, _LONGEST_NAME), visible(image.id), format_size(image.size), width, 4)
        yield from paragraph(shortened(f"{decision.policy}: {decision.detail}", _LONGEST_SENTENCE), width, 6, DIM)
    if len(group.entries) > _MOST_IMAGES:
        yield line(f"    and {len(group.entries) - _MOST_IMAGES:,} more", DIM)
