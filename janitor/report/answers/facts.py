"""An image as its latest survey listed it: its properties, and what uses it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from janitor.core.decision import Decision
from janitor.core.explaining.waiting import Snapshot, Waiting
from janitor.core.image import Image
from janitor.core.result import Mode
from janitor.core.units import format_size
from janitor.core.usage import User, UserKind
from janitor.escaping import visible
from janitor.report.layout import Line, Segment, labelled
from janitor.report.tables import user_name
from janitor.report.wording import label_of, local_minute

_LABEL = 14


@dataclass(frozen=True, slots=True)
class Seen:
    """How the latest survey of its target listed an image, and what was decided on it then, if anything was.

    `waiting` is how it waits by now, as that snapshot shows. `usage_problem`: what uses images could not be read.
    """

    image: Image
    users: tuple[User, ...]
    usage_problem: str | None
    run: int
    mode: Mode
    seen_at: datetime
    decision: Decision | None
    snapshot: Snapshot | None
    waiting: Waiting | None


def row(label: str, text: str, width: int) -> Iterator[Line]:
    """A label, and beside it its text."""
    return labelled(Segment(f"{label:<{_LABEL}} "), Segment(text), width, 2)


def facts_lines(seen: Seen, zone: tzinfo, width: int) -> Iterator[Line]:
    """The properties of an image, and what uses it; times in `zone`."""
    image = seen.image
    facts = {
        "name": label_of(image.name, 255),
        "status": visible(image.status) or "missing",
        "public": _flag(image.public),
        "protected": _flag(image.protected),
        "created": _minute(image.created_at, zone),
        "updated": _minute(image.updated_at, zone),
        "size": format_size(image.size),
        "disk format": visible(image.disk_format or "unknown"),
    }
    if image.visibility is not None:
        facts |= {"visibility": visible(image.visibility), "project": visible(image.owner or "unknown")}
    if image.os_hidden:
        facts["hidden"] = "yes"
    if image.tags:
        facts["tags"] = ", ".join(visible(tag) for tag in image.tags)
    for key, value in facts.items():
        yield from row(key, value, width)
    if not seen.users:
        yield from row("used by", visible(seen.usage_problem or "nothing known"), width)
    for user in seen.users:
        yield from _use(user, width)
    for key, value in sorted((image.properties or {}).items()):
        yield from row("property", f"{visible(key)}: {visible(value)}", width)
    for key, value in sorted(image.unreadable.items()):
        yield from row("unreadable", f"{visible(key)}: {visible(value)}", width)
    yield from row("seen", local_minute(seen.seen_at, zone), width)


def _use(user: User, width: int) -> Iterator[Line]:
    """A user of an image, and its source. For a text, its place is both."""
    if user.kind is UserKind.REFERENCE:
        return row("named in", visible(user.name), width)
    told = f" ({visible(user.source)})" if user.source else ""
    return row("used by", f"{visible(user_name(user))}{told}", width)


def _flag(holds: bool) -> str:
    return "yes" if holds else "no"


def _minute(instant: datetime | None, zone: tzinfo) -> str:
    return "unknown" if instant is None else local_minute(instant, zone)
