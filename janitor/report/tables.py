"""What `janitor images` and `janitor runs` print: the images that a run saw, and the runs themselves."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from janitor.core.image import Image
from janitor.core.planning.plan import owns
from janitor.core.result import RunSummary
from janitor.core.survey import Survey
from janitor.core.units import counted, format_minute, format_size, iso
from janitor.core.usage import Reading, User
from janitor.escaping import visible
from janitor.report.json_pieces import json_pieces
from janitor.report.layout import BOLD, DIM, WARNING, Line, Page, columns, folded, line, paragraph, rule, sized
from janitor.report.wording import label_of, shortened

if TYPE_CHECKING:
    from rich.table import Table

_LONGEST_NAME = 255
_LONGEST_FACTS = 2_000
_LONGEST_SOURCE = 22
_FIGURES = f"{'users':>9}{'images':>9}"
_FACTS = Image.fields()
_AS_IT_IS = frozenset({str, int, bool, type(None)})
"""The types of most fields of an image, which JSON holds as they are."""


def images_table(run: int, surveys: Iterable[tuple[str, Survey]]) -> Page:
    """The images that a run saw, target by target, as a rich renderable."""
    seen = tuple(surveys)
    return Page(lambda width: _lines(run, seen, width))


def _lines(run: int, surveys: tuple[tuple[str, Survey], ...], width: int) -> Iterator[Line]:
    yield line(f"Run {run}" if surveys else f"Run {run} saw no target", BOLD)
    for target, survey in surveys:
        yield line()
        yield rule(shortened(target, _LONGEST_NAME), counted(len(survey.images)), width, BOLD)
        yield from _about(survey, width)
        for image in survey.images:
            yield from _image(image, users_of(image, survey), width)


def _about(survey: Survey, width: int) -> Iterator[Line]:
    owned = sum(owns(image) for image in survey.images)
    size = sum(image.size or 0 for image in survey.images)
    yield from paragraph(f"seen {format_minute(survey.finished_at)}; {owned:,} owned; {format_size(size)}", width, 2)
    if survey.usage.problem is not None:
        yield from paragraph(shortened(survey.usage.problem, _LONGEST_FACTS), width, 2, WARNING)
    for remark in survey.usage.remarks:
        yield from paragraph(shortened(remark, _LONGEST_FACTS), width, 2, WARNING)


def _image(image: Image, users: tuple[User, ...], width: int) -> Iterator[Line]:
    yield from columns(label_of(image.name, _LONGEST_NAME), visible(image.id), format_size(image.size), width, indent=2)
    yield from paragraph(shortened(", ".join(_facts(image, users)), _LONGEST_FACTS), width, 4, DIM)


def _facts(image: Image, users: tuple[User, ...]) -> Iterator[str]:
    yield image.status or "no status"
    yield f"created {format_minute(image.created_at)}" if image.created_at else "no creation date"
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


UNDELIVERED = "*"
"""The mark of a run whose report is undelivered, or a part of it."""


def runs_table(runs: Iterable[RunSummary]) -> "Table":
    """Past runs, one a row, as a rich renderable; those with undelivered reports are marked."""
    from rich import box  # rich takes its time to load
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("run", "mode", "outcome", "started"):
        table.add_column(heading, overflow="fold")
    for heading in ("images", "to delete", "deleted"):
        table.add_column(heading, justify="right", overflow="fold")
    for run in runs:
        table.add_row(*(Text(cell) for cell in _cells(run)))
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


def _cells(run: RunSummary) -> Iterator[str]:
    yield f"{run.run}{UNDELIVERED if run.undelivered else ''}"
    yield run.mode
    yield run.outcome or "unfinished"
    yield format_minute(run.started_at)
    yield f"{run.images:,}"
    yield f"{run.to_delete:,}"
    yield f"{run.deleted:,}"
