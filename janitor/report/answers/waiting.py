"""The images that wait, as `janitor waiting` prints them: by state and due date, and why some are not announced."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from itertools import groupby
from typing import Any

from janitor.core.explaining.waiting import STATES, Cause, Snapshot, State, Waiting
from janitor.core.replay.amounts import amount_of
from janitor.core.result import Cost, Mode
from janitor.core.units import counted, format_minute, format_size, iso, iso_or_none
from janitor.escaping import visible
from janitor.report.figures import amount_facts, worth_of
from janitor.report.json_pieces import json_pieces
from janitor.report.layout import BOLD, DIM, WARNING, Line, Page, columns, line, paragraph, rule
from janitor.report.listing import csv_lines
from janitor.report.wording import label_of, local_minute, shortened

_LONGEST_NAME = 255
_LONGEST_SENTENCE = 2_000
_DATED = frozenset({State.ANNOUNCED})
"""The states in which people know the date."""

Times = Callable[[datetime], str]


@dataclass(frozen=True, slots=True)
class WaitingList:
    """The images of one target that wait, as far as they were asked for, and the snapshot that says so."""

    snapshot: Snapshot
    images: Sequence[Waiting]


def waiting_page(lists: Sequence[WaitingList], cost: Cost | None, zone: tzinfo) -> Page:
    """What waits, for people; times in `zone`."""
    return Page(lambda width: _lines(lists, cost, zone, width))


def _lines(lists: Sequence[WaitingList], cost: Cost | None, zone: tzinfo, width: int) -> Iterator[Line]:
    every = [one for each in lists for one in each.images]
    yield from paragraph(f"Waiting: {_in_short(every, zone)}", width, style=BOLD)
    if every:
        yield from paragraph(_worth(every, cost), width)
    for each in lists:
        yield line()
        yield rule(shortened(each.snapshot.target, _LONGEST_NAME), counted(len(each.images)), width, BOLD)
        yield from paragraph(source_of(each.snapshot, zone), width, 2, DIM)
        for state, images in groupby(each.images, key=lambda one: one.state):
            yield from _state(state, list(images), each.snapshot, cost, zone, width)


def _in_short(every: Sequence[Waiting], zone: tzinfo) -> str:
    if not every:
        return "nothing"
    parts = []
    for state in State:
        some = [one for one in every if one.state is state]
        dates = [one.due for one in some if one.due is not None]
        first = f", the first due {local_minute(min(dates), zone)}" if dates and state in _DATED else ""
        parts += [f"{len(some):,} {_SHORT[state]}{first}"] if some else []
    return "; ".join(parts)


_SHORT = {
    State.ANNOUNCED: "announced",
    State.AWAITS_REMINDER: "without the reminder that is due",
    State.NOT_ANNOUNCED: "not announced",
    State.REFUSED: "rejected before, retried later",
    State.HELD: "announced and kept",
    State.UNLISTED: "announced and no longer listed",
}


def _worth(images: Iterable[Waiting], cost: Cost | None) -> str:
    return worth_of((one.image.size for one in images), cost)


def source_of(snapshot: Snapshot, zone: tzinfo) -> str:
    """Which run saw this, and when."""
    kind = "a dry run" if snapshot.mode is Mode.DRY_RUN else "a live run"
    going = "" if snapshot.ended else ", which has not ended"
    return f"as of {local_minute(snapshot.seen_at, zone)}, run {snapshot.run}, {kind}{going}"


def _state(
    state: State, images: Sequence[Waiting], snapshot: Snapshot, cost: Cost | None, zone: tzinfo, width: int
) -> Iterator[Line]:
    yield line()
    style = None if state in _DATED else WARNING
    title = STATES[state][0].upper() + STATES[state][1:]
    yield from paragraph(f"{title}: {counted(len(images))}, {_worth(images, cost)}", width, 2, BOLD)
    time = partial(local_minute, zone=zone)
    for (why, due), alike in groupby(images, key=lambda one: (words_of(one, snapshot, time), _due(one, time))):
        some = list(alike)
        if why:
            yield from paragraph(shortened(why, _LONGEST_SENTENCE), width, 4, style)
        yield from paragraph(f"{due}: {counted(len(some))}", width, 4)
        for image in (one.image for one in some):
            yield from columns(
                label_of(image.name, _LONGEST_NAME), visible(image.id), format_size(image.size), width, 6
            )


def _due(one: Waiting, time: Times) -> str:
    policy = f", {shortened(one.policy, _LONGEST_NAME)}" if one.policy else ""
    if one.due is None:
        return f"due date unknown{policy}"
    words = {State.ANNOUNCED: "due", State.REFUSED: "retried from", State.HELD: "announced for"}
    words |= {State.UNLISTED: "announced for"}
    return f"{words.get(one.state, 'no earlier than')} {time(one.due)}{policy}"


def words_of(one: Waiting, snapshot: Snapshot, time: Times) -> str:
    """Why an image is not announced, or what its state is due to, as a sentence without a full stop; empty if plain."""
    match one.state:
        case State.NOT_ANNOUNCED:
            return f"{_cause_of(one, snapshot, time)}; the next live run announces it"
        case State.REFUSED | State.HELD:
            return f"{one.said or ''}{'' if one.since is None else f', until {time(one.since)}'}"
        case State.UNLISTED if one.since is not None:
            return f"no survey since {time(one.since)} lists it"
        case _:
            return ""


def _cause_of(one: Waiting, snapshot: Snapshot, time: Times) -> str:
    since = "an unknown time" if one.since is None else time(one.since)
    match one.cause:
        case Cause.IN_PROGRESS:
            return f"run {snapshot.run} has not ended, or was killed"
        case Cause.DRY_RUN:
            return f"run {snapshot.run} was a dry run"
        case Cause.NOT_POSTED:
            return f"the report of run {snapshot.told_by} was not to be posted"
        case Cause.UNDELIVERED:
            return f"the report of run {snapshot.told_by} is undelivered ({one.said})"
        case Cause.NOT_STARTED:
            return f"no message of run {snapshot.told_by} that was accepted in time names it, or no clock was confirmed"
        case Cause.SILENCE:
            return f"a silence since {since} ended its announcement"
        case Cause.RENAMED:
            return f"it was announced as {one.said or 'an image without a name'}"
        case Cause.OTHER_POLICY | Cause.OTHER_OWNER | Cause.OTHER_PLACE:
            return f"it was announced {_otherwise(one)}"
        case Cause.OTHER_DATE:
            return f"it was announced for {since}, and its notice is longer now"
        case _:
            return "it is not announced yet"


def _otherwise(one: Waiting) -> str:
    if one.cause is Cause.OTHER_POLICY:
        return f"under policy {one.said}"
    if one.cause is Cause.OTHER_PLACE:
        return f"while it was reported in {one.said}"
    return f"for its owner {one.said}" if one.said else "while it had no owner"


def waiting_json(lists: Sequence[WaitingList], cost: Cost | None) -> Iterator[str]:
    """What waits, for programs: times in UTC. Only for announced images is there a `due`; others have an `earliest`."""
    every = [one for each in lists for one in each.images]
    return json_pieces({"totals": _totals(every, cost), "targets": [_target(each, cost) for each in lists]})


def _target(each: WaitingList, cost: Cost | None) -> dict[str, Any]:
    snapshot = each.snapshot
    return {
        "target": snapshot.target,
        "run": snapshot.run,
        "mode": snapshot.mode,
        "ended": snapshot.ended,
        "seen_at": iso(snapshot.seen_at),
        "totals": _totals(each.images, cost),
        "images": (_facts(one, snapshot) for one in each.images),
    }


def _totals(images: Sequence[Waiting], cost: Cost | None) -> list[dict[str, Any]]:
    totals = []
    for state in State:
        some = [one for one in images if one.state is state]
        if some:
            totals.append({"state": state, **amount_facts(amount_of(one.image.size for one in some), cost)})
    return totals


def _facts(one: Waiting, snapshot: Snapshot) -> dict[str, Any]:
    return dict(zip(_COLUMNS[2:], _values(one, snapshot), strict=True))


_COLUMNS = (
    "target",
    "run",
    "image",
    "name",
    "size",
    "policy",
    "state",
    "due",
    "earliest",
    "cause",
    "detail",
)


def _values(one: Waiting, snapshot: Snapshot) -> tuple[object, ...]:
    dated = one.state in _DATED
    return (
        one.image.id,
        one.image.name,
        one.image.size,
        one.policy,
        one.state.value,
        iso_or_none(one.due) if dated else None,
        None if dated else iso_or_none(one.due),
        None if one.cause is None else one.cause.value,
        words_of(one, snapshot, format_minute),
    )


def waiting_csv(lists: Sequence[WaitingList]) -> Iterator[str]:
    """What waits, a row for each image; sizes are bytes, times UTC."""
    rows = (
        (each.snapshot.target, each.snapshot.run, *_values(one, each.snapshot)) for each in lists for one in each.images
    )
    return csv_lines(_COLUMNS, rows)
