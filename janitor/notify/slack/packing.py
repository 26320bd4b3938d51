"""Packs paragraphs into Slack messages that are never rejected for their size, and leaves nothing out.

Slack takes 50 blocks a message, 3,000 characters a section and 150 a header. Messages whose blocks had about 13,200
characters together have been rejected; that limit is not documented, so we allow 12,000 on the wire.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from janitor.notify.slack.message import Message
from janitor.notify.slack.mrkdwn import escaped, wire_length
from janitor.report import Name

# On the wire; a heading and one row, whose parts `blocks` keeps short, may exceed the first by a little.
_SECTION_LIMIT = 2_750
_PAGE_LIMIT = 11_000
_PAGE_BLOCKS = 48
_CONTINUED = " (continued)"

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a paragraph in mrkdwn, the image that it lists, if it does, and its text in a late message.

    `buttons` stand below it, and in no late message.
    """

    text: str
    name: Name | None = None
    late: str | None = None
    buttons: Block | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A heading and the rows under it, in mrkdwn; if they take several sections, the heading is repeated.

    No row may take more than 2,600 characters on the wire, nor a heading more than 350. `late` is the heading in a late
    message, if it differs.
    """

    heading: str
    rows: tuple[Row, ...]
    late: str | None = None


@dataclass(frozen=True, slots=True)
class _Section:
    """A section, also as it is in a late message, and the buttons below it; `on_top` is the same on top of a page."""

    block: Block
    late: Block
    names: frozenset[Name]
    buttons: Block | None = None
    on_top: "_Section | None" = None

    @property
    def blocks(self) -> list[Block]:
        """Its blocks."""
        return [self.block, *([self.buttons] if self.buttons else [])]

    @property
    def length(self) -> int:
        """How much of a page it takes, on the wire."""
        return max(wire_length(self.blocks), wire_length(self.late)) + 2


def packed(title: str, context: str, *parts: Iterable[Paragraph], late: str | None = None) -> list[Message]:
    """The messages that show all these paragraphs, in order; every part begins a new message.

    Every one has the title, which must be short and visible, and has it as its text; both with its number from the
    second on. `late` is the title of late messages, if it differs: they are as many, and name the same images.
    """
    pages = [page for part in parts for page in _pages(list(_sections(part)))] or [[]]
    messages = []
    for number, page in enumerate(pages, start=1):
        of = f" ({number} of {len(pages)})" if number > 1 else ""
        message = _message(title + of, context, [block for section in page for block in section.blocks])
        otherwise = _message((late or title) + of, context, [section.late for section in page])
        names = frozenset[Name]().union(*(section.names for section in page))
        messages.append(replace(message, names=names, late=None if otherwise == message else otherwise))
    return messages


def _sections(paragraphs: Iterable[Paragraph]) -> Iterator[_Section]:
    for paragraph in paragraphs:
        heading, late = paragraph.heading, paragraph.late or paragraph.heading
        below_buttons = False
        for rows in _portions(paragraph):
            again = _section_of(heading, late, rows)
            yield replace(_section_of("", "", rows), on_top=again) if below_buttons else again
            heading, late = (f"{text.removesuffix(_CONTINUED)}{_CONTINUED}" for text in (heading, late))
            below_buttons = bool(rows and rows[-1].buttons)


def _portions(paragraph: Paragraph) -> Iterator[list[Row]]:
    """The rows in as many portions as they need sections: one ends where it is full, and above buttons."""
    texts = (f"{paragraph.heading}{_CONTINUED}", f"{paragraph.late or paragraph.heading}{_CONTINUED}")
    portion: list[Row] = []
    for row in paragraph.rows:
        if portion and (portion[-1].buttons or _is_over([*portion, row], *texts)):
            yield portion
            portion = []
        portion.append(row)
    yield portion


def _is_over(rows: Sequence[Row], heading: str, late: str) -> bool:
    texts = ("\n".join([heading, *_texts(rows)]), "\n".join([late, *_texts(rows, late=True)]))
    return max(map(wire_length, texts)) > _SECTION_LIMIT


def _texts(rows: Iterable[Row], *, late: bool = False) -> list[str]:
    return [(late and row.late) or row.text for row in rows]


def _section_of(heading: str, late: str, rows: Sequence[Row]) -> _Section:
    text, too_late = (
        "\n".join(filter(None, [words, *_texts(rows, late=is_late)]))
        for words, is_late in ((heading, False), (late, True))
    )
    names = frozenset(row.name for row in rows if row.name)
    return _Section(_section(text), _section(too_late), names, rows[-1].buttons if rows else None)


def _pages(sections: Sequence[_Section]) -> Iterator[list[_Section]]:
    page: list[_Section] = []
    length, blocks = 0, 0
    for section in sections:
        if page and (length + section.length > _PAGE_LIMIT or blocks + len(section.blocks) > _PAGE_BLOCKS):
            yield page
            page, length, blocks = [], 0, 0
        placed = section if page else section.on_top or section
        page.append(placed)
        length, blocks = length + placed.length, blocks + len(placed.blocks)
    if page:
        yield page


def _message(title: str, context: str, blocks: Iterable[Block]) -> Message:
    header = {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}
    return Message(escaped(title), [header, {"type": "context", "elements": [_mrkdwn(context)]}, *blocks])


def marked(message: Message, mark: str) -> Message:
    """A message with a mark at its beginning, in mrkdwn and short: `late: …`."""
    element = _mrkdwn(f"*{mark}*")
    blocks = [
        {**block, "elements": [element, *block["elements"]]} if index == 1 and block["type"] == "context" else block
        for index, block in enumerate(message.blocks)
    ]
    return replace(message, text=f"{mark}. {message.text}", blocks=blocks)


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> Block:
    # Verbatim: Slack makes no links or mentions out of text that looks like one.
    return {"type": "mrkdwn", "text": text, "verbatim": True}
