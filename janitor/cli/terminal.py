"""What commands print and ask, and the progress that they show on a terminal. Loads rich only where that is needed."""

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from typing import TYPE_CHECKING

import click

from janitor.config.screen import plain_width
from janitor.errors import UsageError
from janitor.escaping import visible_lines
from janitor.report.layout import Page, hanging

if TYPE_CHECKING:
    from rich.console import RenderableType

    from janitor.run.orders import Progress


def say(text: str = "", *, err: bool = False) -> None:
    """Print lines, to stderr with `err`, in the format of the log. The caller escapes line breaks in foreign words."""
    if not err:
        click.echo(visible_lines(text))
        return
    from janitor.cli.logs import said

    click.echo(said(text), err=True)


def say_folded(text: str, indent: int) -> None:
    """Print a line: on a terminal folded at blanks, all but the first line indented; elsewhere whole, for programs."""
    if not (text and sys.stdout.isatty()):
        say(text)
        return
    print_out(Page(lambda width: hanging(text, width, indent)))


def can_ask() -> bool:
    """Whether a person can read a question on stderr and answer it on stdin."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def answer_to(question: str) -> str:
    """Ask on stderr; the answer in lower case, empty where the input ends."""
    click.echo(f"{visible_lines(question)} ", nl=False, err=True)
    return sys.stdin.readline().strip().lower()


def answer_as_typed(question: str) -> str:
    """Ask on stderr; the answer without blanks around it. Raises UsageError where the input ends, or is no text."""
    click.echo(f"{visible_lines(question)} ", nl=False, err=True)
    try:
        answer = sys.stdin.readline()
    except UnicodeDecodeError:
        raise UsageError("the answer is not UTF-8 text; nothing was done") from None
    if not answer:
        raise UsageError("the input ended before the answer; nothing was done")
    return answer.strip()


def print_out(renderable: "RenderableType") -> None:
    """Print for the width of the terminal. Raises RuntimeError for output that is empty: a bug."""
    width = plain_width(sys.stdout)
    if width is not None and isinstance(renderable, Page):
        _write(renderable.plain(width))
        return
    from janitor.cli.console import rendered  # which loads rich

    _write(rendered(renderable))


def progress_bar() -> "AbstractContextManager[Progress]":
    """What progress is reported to; without a terminal it shows nothing."""
    from janitor.run.orders import Silence  # which loads all of a run

    if not sys.stderr.isatty():
        return nullcontext(Silence())
    from janitor.cli.console import bars_drawn  # which loads rich

    return bars_drawn()


def print_plain(text: str) -> None:
    """Print a document for programs, such as a JSON object, which is escaped as its format requires."""
    print_pieces([text])


def print_pieces(pieces: Iterable[str]) -> None:
    """The same for a document in pieces, each of which is written before the next is made."""
    _write(chain(pieces, ["\n"]))


def print_lines(lines: Iterable[str]) -> None:
    """Print lines for programs, as of a CSV file, each with its end."""
    _write(lines)


def _write(pieces: Iterable[str]) -> None:
    empty = True
    for piece in pieces:
        empty = empty and not piece.strip()
        sys.stdout.write(piece)
    sys.stdout.flush()
    if empty:
        raise RuntimeError("nothing was rendered to print")
