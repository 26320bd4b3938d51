"""The policies in their order, and what each decides on by the latest snapshots, as `janitor policies` prints them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.explaining.waiting import Snapshot, State, waiting_in
from janitor.core.replay.amounts import amount_of
from janitor.core.result import Cost
from janitor.core.units import counted, format_size, iso, iso_or_none
from janitor.report.answers.waiting import source_of
from janitor.report.figures import amount_facts
from janitor.report.json_pieces import json_pieces
from janitor.report.layout import BOLD, DIM, Line, Page, Segment, cells, line, paragraph, sized
from janitor.report.listing import csv_lines
from janitor.report.wording import local_minute, money_a_month, shortened

_LONGEST_NAME = 255
_NOBODY = "(guards, or none)"
_NAME = 19
_NARROW = 79


@dataclass(frozen=True, slots=True)
class Owned:
    """What one policy decides on, None for the images that guards keep and those that no policy matches.

    `next_due` is the first announced date.
    """

    policy: str | None
    images: tuple[Decision, ...]
    planned: int
    waiting: int
    next_due: datetime | None


def owned_by(policies: Sequence[str], snapshots: Sequence[Snapshot]) -> list[Owned]:
    """What each of these policies decides on and the rest; a policy that only snapshots know comes last."""
    decided = [decision for snapshot in snapshots for decision in _there(snapshot)]
    waiting = [one for snapshot in snapshots for one in waiting_in(snapshot) if one.state is not State.UNLISTED]
    others = dict.fromkeys(decision.policy for decision in decided if decision.policy not in (None, *policies))
    found = []
    for policy in (*policies, *others, None):
        images = tuple(decision for decision in decided if decision.policy == policy)
        due = [one.due for one in waiting if one.policy == policy and one.state is State.ANNOUNCED and one.due]
        planned = sum(decision.verdict is Verdict.DELETE for decision in images)
        waits = sum(decision.verdict is Verdict.WAIT for decision in images)
        found.append(Owned(policy, images, planned, waits, min(due, default=None)))
    return found


def _there(snapshot: Snapshot) -> Iterator[Decision]:
    """The images that were not deleted by the run that saw them, as far as that is known."""
    return (decision for decision in snapshot.decisions if decision.image.id not in snapshot.asked)


def policies_page(owned: Sequence[Owned], snapshots: Sequence[Snapshot], cost: Cost | None, zone: tzinfo) -> Page:
    """For people; times in `zone`."""
    return Page(lambda width: _lines(owned, snapshots, cost, zone, width))


def _lines(
    owned: Sequence[Owned], snapshots: Sequence[Snapshot], cost: Cost | None, zone: tzinfo, width: int
) -> Iterator[Line]:
    for snapshot in snapshots:
        yield from paragraph(f"{shortened(snapshot.target, _LONGEST_NAME)}: {source_of(snapshot, zone)}", width)
    yield line()
    if width >= _NARROW:
        yield line(f"{'Policy':<{_NAME}}{'Images':>8}{'Size':>11}{'Planned':>9}{'Waiting':>9}  Next due", BOLD)
    for each in owned:
        yield from _row(each, cost, zone, width)
    if kept := sum(
        image.reason is not Reason.UNMATCHED for each in owned if each.policy is None for image in each.images
    ):
        words = f"guards keep {kept:,} of the last row, whichever policy owns {'it' if kept == 1 else 'them'}"
        yield from paragraph(words, width, style=DIM)


def _row(each: Owned, cost: Cost | None, zone: tzinfo, width: int) -> Iterator[Line]:
    name = shortened(each.policy or _NOBODY, _LONGEST_NAME)
    sizes = [decision.image.size for decision in each.images]
    known = sum(size for size in sizes if size is not None)
    due = "–" if each.next_due is None else local_minute(each.next_due, zone)
    if width < _NARROW or cells(name) >= _NAME:
        yield from paragraph(name, width, style=BOLD)
        name = ""
    if width < _NARROW:
        facts = f"{counted(len(sizes))}, {format_size(known)}, planned {each.planned:,}, waiting {each.waiting:,}"
        yield from paragraph(f"{facts}, next due {due}", width, 2)
    else:
        size = format_size(known) if sizes else "–"
        figures = f"{len(sizes):>8,}{size:>11}{each.planned:>9,}{each.waiting:>9,}  {due}"
        yield [Segment(sized(name, _NAME), BOLD), Segment(figures)]
    if more := ", ".join(_more(sizes, known, cost)):
        yield from paragraph(more, width, 2, DIM)


def _more(sizes: Sequence[int | None], known: int, cost: Cost | None) -> Iterator[str]:
    if sizes.count(None):
        yield f"{sizes.count(None):,} of unknown size"
    if sizes and (money := money_a_month(known, cost)):
        yield money


def policies_json(owned: Sequence[Owned], snapshots: Sequence[Snapshot], cost: Cost | None) -> Iterator[str]:
    """For programs: times in UTC, sizes in bytes."""
    runs = [{"target": each.target, "run": each.run, "seen_at": iso(each.seen_at)} for each in snapshots]
    rows = (dict(zip(_COLUMNS, _values(each, cost), strict=True)) for each in owned)
    return json_pieces({"snapshots": runs, "policies": rows})


_COLUMNS = ("policy", "images", "size", "unknown_sizes", "cost_per_month", "planned", "waiting", "next_due")


def _values(each: Owned, cost: Cost | None) -> tuple[object, ...]:
    amount = amount_facts(amount_of(decision.image.size for decision in each.images), cost)
    return (each.policy, *amount.values(), each.planned, each.waiting, iso_or_none(each.next_due))


def policies_csv(owned: Sequence[Owned], cost: Cost | None) -> Iterator[str]:
    """A row for each policy, and one without a name for the images that no policy decides on."""
    return csv_lines(_COLUMNS, (_values(each, cost) for each in owned))
