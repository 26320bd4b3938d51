"""What `janitor images` and `janitor runs` print: the images that a run saw, and the runs themselves."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.planning.plan import owns
from janitor.core.result import RunSummary
from janitor.core.survey import Survey
from janitor.core.units import counted, iso, iso_or_none
from janitor.core.usage import Reading, User
from janitor.escaping import visible
from janitor.report.figures import worth_of
from janitor.report.json_pieces import json_pieces
from janitor.report.layout import BOLD, DIM, WARNING, Line, Page, folded, image_columns, line, paragraph, rule, sized
from janitor.report.listing import DECIDED, csv_lines, values_of
from janitor.report.wording import local_minute, shortened

if TYPE_CHECKING:
    from rich.table import Table

_LONGEST_NAME = 255
_LONGEST_FACTS = 2_000
_LONGEST_SOURCE = 22
_FIGURES = f"{'users':>9}{'images':>9}"
_FACTS = Image.fields()
_AS_IT_IS = frozenset({str, int, bool, type(None)})
"""The types of most fields of an image, which JSON holds as they are."""


@dataclass(frozen=True, slots=True)
class ImageList:
    """The images that a run saw, by target, in the order in which they are shown.

    `chosen_of`: they were chosen from so many. `decisions` are by target and image id, where they are shown.
    """

    run: int
    surveys: Sequence[tuple[str, Survey]]
    decisions: Mapping[tuple[str, str], Decision] = field(default_factory=dict)
    chosen_of: int | None = None


def images_table(seen: ImageList, zone: tzinfo) -> Page:
    """The images that a run saw, target by target, as a rich renderable; times in `zone`."""
    return Page(lambda width: _lines(seen, zone, width))


def _lines(seen: ImageList, zone: tzinfo, width: int) -> Iterator[Line]:
    run = f"Run {seen.run}"
    if seen.chosen_of is not None:
        shown = sum(len(survey.images) for _, survey in seen.surveys)
        run += f": {shown:,} of {counted(seen.chosen_of)}"
    yield line(run if seen.surveys or seen.chosen_of is not None else f"{run} saw no target", BOLD)
    for target, survey in seen.surveys:
        yield line()
        yield rule(shortened(target, _LONGEST_NAME), counted(len(survey.images)), width, BOLD)
        yield from _about(survey, zone, width)
        for image in survey.images:
            decision = seen.decisions.get((target, image.id))
            yield from _image(image, users_of(image, survey), decision, zone, width)


def _about(survey: Survey, zone: tzinfo, width: int) -> Iterator[Line]:
    owned = sum(owns(image) for image in survey.images)
    size = worth_of((image.size for image in survey.images), None)
    yield from paragraph(f"seen {local_minute(survey.finished_at, zone)}; {owned:,} owned; {size}", width, 2)
    if survey.usage.problem is not None:
        yield from paragraph(shortened(survey.usage.problem, _LONGEST_FACTS), width, 2, WARNING)
    for remark in survey.usage.remarks:
        yield from paragraph(shortened(remark, _LONGEST_FACTS), width, 2, WARNING)


def _image(
    image: Image, users: tuple[User, ...], decision: Decision | None, zone: tzinfo, width: int
) -> Iterator[Line]:
    yield from image_columns(image, width, 2)
    facts = ", ".join((*_facts(image, users, zone), *_decided(decision, zone)))
    yield from paragraph(shortened(facts, _LONGEST_FACTS), width, 4, DIM)


def _decided(decision: Decision | None, zone: tzinfo) -> Iterator[str]:
    if decision is not None:
        by = f" by {decision.policy}" if decision.policy else ""
        due = f", due {local_minute(decision.due, zone)}" if decision.due is not None else ""
        yield f"{decision.verdict}{by} [{decision.reason}]{due}"


def _facts(image: Image, users: tuple[User, ...], zone: tzinfo) -> Iterator[str]:
    yield image.status or "no status"
    yield f"created {local_minute(image.created_at, zone)}" if image.created_at else "no creation date"
    if image.disk_format:
        yield image.disk_format
    flags = {
        "public": image.public,
        "protected": image.protected,
        "not owned": not image.owned,
        "hidden": image.os_hidden,
    }
    yield from (word for word, holds in flags.items() if holds)
    if users:
        yield f"used by {user_name(users[0])}" + (f" and {len(users) - 1} more" if len(users) > 1 else "")
    if image.unreadable:
        yield f"unreadable: {', '.join(image.unreadable)}"


def users_of(image: Image, survey: Survey) -> tuple[User, ...]:
    """What uses an image; `Usage` has ids in lower case."""
    return survey.usage.by_image.get(image.identity, ())


def user_name(user: User) -> str:
    """Something that uses an image by its kind and its name: `instance web-1`."""
    return f"{user.kind} {user.name or user.id}"


def images_json(run: int, surveys: Iterable[tuple[str, Survey]]) -> Iterator[str]:
    """The images that a run saw as one JSON object in pieces, with every fact of each and what uses it."""
    return json_pieces({"run": run, "targets": [_survey(target, survey) for target, survey in surveys]})


_COLUMNS = (
    *("target", "image", "name", "status", "size", "created", "updated", "disk_format", "visibility", "owner"),
    *("public", "protected", "owned", "used_by", *DECIDED),
)


def images_csv(seen: ImageList) -> Iterator[str]:
    """The images that a run saw, a row for each, with its decision; sizes are bytes, times UTC."""
    rows = (
        _row(target, image, len(users_of(image, survey)), seen.decisions.get((target, image.id)))
        for target, survey in seen.surveys
        for image in survey.images
    )
    return csv_lines(_COLUMNS, rows)


def _row(target: str, image: Image, users: int, decision: Decision | None) -> tuple[object, ...]:
    created, updated = iso_or_none(image.created_at), iso_or_none(image.updated_at)
    facts = (target, image.id, image.name, image.status, image.size, created, updated, image.disk_format)
    flags = ("yes" if flag else "no" for flag in (image.public, image.protected, image.owned))
    return (*facts, image.visibility, image.owner, *flags, users, *values_of(decision))


def _survey(target: str, survey: Survey) -> dict[str, Any]:
    return {
        "target": target,
        "started_at": iso(survey.started_at),
        "finished_at": iso(survey.finished_at),
        "usage_problem": survey.usage.problem,
        "usage_remarks": list(survey.usage.remarks),
        "images": (image_facts(image, users_of(image, survey)) for image in survey.images),
    }


def image_facts(image: Image, users: tuple[User, ...]) -> dict[str, Any]:
    """Every field of an image, and what uses it."""
    used_by = [{"kind": user.kind, "id": user.id, "name": user.name, "source": user.source} for user in users]
    fields = ((name, getattr(image, name)) for name in _FACTS)
    facts = {name: value if type(value) in _AS_IT_IS else _plain(value) for name, value in fields}
    return facts | {"used_by": used_by}


def _plain(value: object) -> object:
    """A field of an image as JSON can hold it."""
    match value:
        case datetime():
            return iso(value)
        case Mapping():
            return dict(value)
        case tuple():
            return list(value)
        case _:
            return value


def runs_json(runs: Iterable[RunSummary]) -> Iterator[str]:
    """Past runs as one JSON object, newest first; times in UTC. Until a run ends, it has no outcome and no end."""
    return json_pieces({"runs": (_run(run) for run in runs)})


def _run(run: RunSummary) -> dict[str, Any]:
    return {
        "run": run.run,
        "mode": run.mode,
        "outcome": run.outcome,
        "started_at": iso(run.started_at),
        "finished_at": iso_or_none(run.finished_at),
        "images": run.images,
        "to_delete": run.to_delete,
        "deleted": run.deleted,
        "undelivered": run.undelivered,
        "details_kept": run.details_kept,
    }


UNDELIVERED = "*"
"""The mark of a run whose report is undelivered, or a part of it."""


def runs_table(runs: Iterable[RunSummary], zone: tzinfo) -> "Table":
    """Past runs, one a row, as a rich renderable; those with undelivered reports are marked. Times in `zone`."""
    from rich import box  # rich takes its time to load
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    for heading in ("run", "mode", "outcome", "started"):
        table.add_column(heading, overflow="fold")
    for heading in ("images", "to delete", "deleted"):
        table.add_column(heading, justify="right", overflow="fold")
    for run in runs:
        table.add_row(*(Text(cell) for cell in _cells(run, zone)))
    return table


def readings_table(readings: Iterable[Reading]) -> Page:
    """The result of asking each source of usage, one a row, with the endpoint that was asked below it."""
    asked = tuple(readings)
    return Page(lambda width: _lines_of_readings(asked, width))


def _lines_of_readings(readings: tuple[Reading, ...], width: int) -> Iterator[Line]:
    room = max(width - _LONGEST_SOURCE - len(_FIGURES) - 2, 1)
    yield line(f"{'source':<{_LONGEST_SOURCE}}  {'asked':<{room}}{_FIGURES}", BOLD)
    for reading in readings:
        source = f"{reading.source} in {reading.region}" if reading.region else reading.source.value
        figures = "" if reading.problem else f"{reading.users:>9,}{reading.images:>9,}"
        result = reading.problem or (f"yes, {reading.note}" if reading.note else "yes")
        beside = zip_longest(folded(visible(source), _LONGEST_SOURCE), folded(visible(result), room), fillvalue="")
        for number, (left, right) in enumerate(beside):
            cells = f"{sized(left, _LONGEST_SOURCE)}  {sized(right, room)}{figures if not number else ''}"
            yield line(cells.rstrip())
        if reading.place:
            yield from paragraph(visible(reading.place), width, 2, DIM)


def _cells(run: RunSummary, zone: tzinfo) -> Iterator[str]:
    yield f"{run.run}{UNDELIVERED if run.undelivered else ''}"
    yield run.mode
    yield run.outcome or "unfinished"
    yield local_minute(run.started_at, zone)
    yield f"{run.images:,}"
    yield f"{run.to_delete:,}"
    yield f"{run.deleted:,}"
