"""Lines on a terminal: foreign text laid out cell by cell, never read as markup, never cut off.

Rich's own tables measure every cell, which takes seconds for ten thousand images; this gives rich its segments. Where
nothing shows styles, rich's consoles are not loaded.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

from janitor.core.image import Image
from janitor.core.units import format_size
from janitor.escaping import visible
from janitor.report.wording import label_of

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


class Style(StrEnum):
    """How a text is shown, in the words of rich."""

    BOLD = "bold"
    DIM = "dim"
    GOOD = "green"
    WARNING = "bold yellow"
    TROUBLE = "bold red"


BOLD, DIM, GOOD, WARNING, TROUBLE = Style


class Segment(NamedTuple):
    """A part of a line in one style."""

    text: str
    style: Style | None = None


Line = list[Segment]

_ID_WIDTH = 36
_SIZE_WIDTH = 9
_STACKED_BELOW = 70
_LINES_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Page:
    """A renderable of lines, which are made for the available width."""

    lines: Callable[[int], Iterable[Line]]

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        """Write the lines, one after the other; nothing in them can control the terminal."""
        from rich import segment  # which is loaded by the console that calls this

        for line in self.lines(options.max_width):
            for text, style in line:
                yield segment.Segment(visible(text), None if style is None else console.get_style(style))
            yield segment.Segment.line()

    def plain(self, width: int) -> Iterator[str]:
        """The same text without styles, in pieces, for what is not a terminal.

        Rich takes several times as long to leave them.
        """
        rows = ("".join([visible(text) for text, *_ in line]) + "\n" for line in self.lines(width))
        while some := "".join(islice(rows, _LINES_AT_ONCE)):
            yield some

    def parts(self, width: int) -> Iterator["Page"]:
        """The same page as pages of fewer lines, each laid out when it is asked for."""
        lines = iter(self.lines(width))
        while some := list(islice(lines, _LINES_AT_ONCE)):
            yield Page(partial(_as_they_are, some))


def _as_they_are(lines: list[Line], _width: int) -> list[Line]:
    return lines


def cells(text: str) -> int:
    """How many cells of a terminal a text takes; of ASCII, which is nearly all, each character takes one."""
    return len(text) if text.isascii() else cell_len(text)


def sized(text: str, width: int) -> str:
    """A text cut, or filled with blanks, to so many cells."""
    return f"{text[:width]:<{width}}" if text.isascii() else set_cell_size(text, width)


def line(text: str = "", style: Style | None = None) -> Line:
    """One line of one style."""
    return [Segment(text, style)]


def rule(left: str, right: str, width: int, style: Style | None = None) -> Line:
    """A rule across the width with a word at either end; the left one is cut if it does not fit."""
    words = [f"── {left} " if left else "", f" {right} ──" if right else ""]
    room = width - cells(words[1])
    words[0] = sized(words[0], room) if cells(words[0]) > room else words[0]
    return [Segment(words[0] + "─" * (room - cells(words[0])) + words[1], style)]


def paragraph(text: str, width: int, indent: int = 0, style: Style | None = None) -> Iterator[Line]:
    """Text folded to the width, every line indented."""
    for row in folded(text, max(width - indent, 1)):
        yield [Segment(" " * indent), Segment(row, style)]


def sentence(text: str) -> Page:
    """A text by itself, folded to the width."""
    return Page(lambda width: paragraph(text, width))


def hanging(text: str, width: int, indent: int) -> Iterator[Line]:
    """Text folded to the width at blanks only, every line but the first indented.

    A longer word, such as a path, stays whole, so that it can be copied.
    """
    rows = [""]
    for number, word in enumerate(text.split(" ")):
        room = width - (indent if len(rows) > 1 else 0)
        if number and cells(rows[-1]) + 1 + cells(word) > room:
            rows.append(word)
        else:
            rows[-1] += f" {word}" if number else word
    yield [Segment(rows[0])]
    for row in rows[1:]:
        yield [Segment(" " * indent), Segment(row)]


def labelled(label: Segment, text: Segment, width: int, indent: int) -> Iterator[Line]:
    """A label, and beside it its text, folded to the width."""
    beside = indent + cells(label.text)
    for number, row in enumerate(folded(text.text, max(width - beside, 1))):
        before = [Segment(" " * beside)] if number else [Segment(" " * indent), label]
        yield [*before, Segment(row, text.style)]


def folded(text: str, width: int) -> list[str]:
    """Text as rows of at most `width` cells, broken at blanks if possible; only these blanks are dropped."""
    if cells(text) <= width:
        return [text]
    rows: list[str] = []
    for word in text.split(" "):
        if rows and cells(rows[-1]) + 1 + cells(word) <= width:
            rows[-1] += f" {word}"
        else:
            rows += chop_cells(word, max(width, 2))
    return rows


_LONGEST_NAME = 255


def image_columns(image: Image, width: int, indent: int) -> Iterator[Line]:
    """An image in a line, or one below the other: its whole name, its id and its size."""
    return columns(label_of(image.name, _LONGEST_NAME), visible(image.id), format_size(image.size), width, indent)


def columns(name: str, image_id: str, size: str, width: int, indent: int) -> Iterator[Line]:
    """The name, the whole id and the size of an image: in one line if they fit, otherwise one below the other."""
    room = width - indent - _ID_WIDTH - _SIZE_WIDTH - 4
    if width < _STACKED_BELOW or cells(image_id) > _ID_WIDTH:
        for text, style in ((name, BOLD), (image_id, None), (size, None)):
            yield from paragraph(text, width, indent, style)
        return
    if cells(name) > room:
        yield from paragraph(name, width, indent, BOLD)
        name = ""
    facts = f"  {sized(image_id, _ID_WIDTH)}  {size:>{_SIZE_WIDTH}}"
    yield [Segment(" " * indent), Segment(sized(name, room), BOLD), Segment(facts)]
