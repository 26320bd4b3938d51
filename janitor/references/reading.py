"""Reads all references for the images of one target, and gives what they name as usage."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from janitor.core.image import Image
from janitor.core.names.image_ids import ImageId
from janitor.core.planning.plan import owns
from janitor.core.units import counted
from janitor.core.usage import Reading, Source, Unread, Usage, User, UserKind
from janitor.references.entries import Names, Reference, Text, Unreadable
from janitor.references.matching import Found, Matcher
from janitor.references.named_images import NamedImages
from janitor.references.scanning import scanned
from janitor.references.texts import BEYOND_ALLOWANCE, Allowance, files
from janitor.transport import HttpOptions

if TYPE_CHECKING:
    import httpx

MOST_USERS = 100
_MOST_TOLD = 5
_LIFTED_BY = "every image is kept; to go on without it, set `needed: optional` on the reference"


class References:
    """The declared texts of one run. Safe to use from several threads at once; texts of URLs are kept as long as it.

    Setting `stop` ends reading: what was not read by then counts as unreadable. An `http_transport` replaces sockets.
    """

    def __init__(
        self,
        references: Iterable[Reference],
        options: HttpOptions = HttpOptions(),  # noqa: B008 - a frozen value
        stop: threading.Event | None = None,
        http_transport: "httpx.BaseTransport | None" = None,
    ) -> None:
        # HTTP libraries take long to load, and the settings import this package for every command.
        from janitor.references.fetching import Pages

        self._references = tuple(references)
        self._stop = stop or threading.Event()
        self._pages = Pages(options, self._stop, http_transport)

    def named(self, images: Sequence[Image]) -> Usage:
        """Which of these images the texts name, by an id or by a whole name, and where: one user for each text.

        `problem` says which required reference could not be read; what others name is given nevertheless. An optional
        one makes references unread, with a remark. An image has a hundred users at most. An image whose name could not
        be read is found by its id only.
        """
        if not self._references:
            return Usage()  # the matcher of a large fleet is large itself
        named = NamedImages(images)
        survey = _Survey(named, Matcher(named.ids, named.names))
        allowance = Allowance()
        for reference in self._references:
            survey.read(reference, self._texts(reference, allowance))
        return survey.usage()

    def _texts(self, reference: Reference, allowance: Allowance) -> Iterator[Text | Unreadable]:
        if reference.files is not None:
            yield from files(reference, allowance, self._stop)
            return
        text = self._pages.text(reference) if allowance.texts > 0 else BEYOND_ALLOWANCE
        yield BEYOND_ALLOWANCE if isinstance(text, Text) and not allowance.takes(len(text.content)) else text


@dataclass(slots=True)
class _Survey:
    """What was found so far: users by image and text, what names kept, and what went wrong."""

    named: NamedImages
    matcher: Matcher
    users: dict[ImageId, dict[str, User]] = field(default_factory=dict)
    kept: dict[tuple[str, Names], Sequence[ImageId]] = field(default_factory=dict)
    by_name: dict[str, set[str]] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unread: list[Reference] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def read(self, reference: Reference, texts: Iterable[Text | Unreadable]) -> None:
        """Read the texts of one reference."""
        failures, first = 0, ""
        images: set[str] = set()
        places = 0
        for result in scanned(self.matcher, texts, names=reference.names is not Names.NONE):
            if isinstance(result, Unreadable):
                failures, first = failures + 1, first or result.why
            else:
                text, found = result
                lines = self._lines(reference, found)
                images.update(lines)
                places += len(set(lines.values()))
                self._note(reference, text, lines)
        problem = _several(failures, first) if failures else None
        self.readings.append(Reading(Source.REFERENCES, "", reference.what, problem, places, len(images)))
        if problem is not None and reference.required:
            self.problems.append(f"reference {reference.what}: {problem} ({_LIFTED_BY})")
        elif problem is not None:
            self.unread.append(reference)
            self.remarks.append(f"reference {reference.what} (optional): {problem}")

    def _lines(self, reference: Reference, found: Found) -> dict[ImageId, int]:
        """The images that a text names, each with the line of the first mention."""
        lines = {self.named.ids[written]: line for written, line in found.ids.items()}
        for name, line in found.names.items():
            for image_id in self._kept(name, reference.names):
                lines[image_id] = min(line, lines.get(image_id, line))
        return lines

    def _kept(self, name: str, names: Names) -> Sequence[ImageId]:
        """The images that a name keeps; own images are counted."""
        if (name, names) not in self.kept:
            images = self.named.kept(name, names)
            self.by_name.setdefault(name, set()).update(image.identity for image in images if owns(image))
            self.kept[name, names] = [image.identity for image in images]
        return self.kept[name, names]

    def _note(self, reference: Reference, text: Text, lines: Mapping[ImageId, int]) -> None:
        """Make the text a user of the images that it names."""
        for image_id, line in lines.items():
            users = self.users.setdefault(image_id, {})
            if len(users) < MOST_USERS and text.shown not in users:
                place = f"{text.shown}:{line}"
                users[text.shown] = User(text.shown, place, UserKind.REFERENCE, _part(reference).part)

    def usage(self) -> Usage:
        """All that was found, as usage."""
        keeping = _keeping(self.by_name)
        return Usage(
            by_image={image_id: tuple(users.values()) for image_id, users in self.users.items()},
            problem="; ".join(self.problems) or None,
            unread=frozenset(map(_part, self.unread)),
            remarks=(*self.remarks, *([keeping] if keeping else ())),
            readings=tuple(self.readings),
        )


def _part(reference: Reference) -> Unread:
    """The name of a reference among the sources of usage."""
    return Unread(Source.REFERENCES, f"reference {reference.what}")


def _several(failures: int, first: str) -> str:
    return first if failures == 1 else f"{first}, and {counted(failures - 1, 'more failure')}"


def _keeping(by_name: Mapping[str, Set[str]]) -> str:
    """Which names keep several images, the most first; empty if none does."""
    several = sorted((-len(kept), name) for name, kept in by_name.items() if len(kept) > 1)
    told = [f"`{name}` keeps {counted(-count)}" for count, name in several[:_MOST_TOLD]]
    if len(several) > _MOST_TOLD:
        told.append(f"and {counted(len(several) - _MOST_TOLD, 'more name')} that keep several each")
    return f"names in declared references: {', '.join(told)}" if told else ""
