"""What commands print, and the one place that makes rich's consoles: for stdout, and for the progress bar."""

import sys

import click
from rich.console import Console, RenderableType

from janitor.config.screen import NARROWEST, WIDEST, screen_environment
from janitor.escaping import visible_lines
from janitor.report.layout import Page

_DEFAULT_WIDTH = 80


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal, or 80 columns where that is unknown, under 40 or out of range."""
    made = Console(stderr=stderr, highlight=False, _environ=screen_environment())
    if not NARROWEST <= made.width <= WIDEST:
        made.width = _DEFAULT_WIDTH
    return made


def say(text: str = "", *, err: bool = False) -> None:
    """Print lines, to stderr with `err`. The caller escapes line breaks in foreign words."""
    click.echo(visible_lines(text), err=err)


def can_ask() -> bool:
    """Whether a person can read a question on stderr and answer it on stdin."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def answer_to(question: str) -> str:
    """Ask on stderr; the answer in lower case, empty where the input ends."""
    click.echo(f"{visible_lines(question)} ", nl=False, err=True)
    return sys.stdin.readline().strip().lower()


def print_out(renderable: RenderableType) -> None:
    """Print for the width of the terminal. Raises RuntimeError for output that is empty: a bug."""
    made = console()
    if isinstance(renderable, Page) and made.color_system is None:
        _write(renderable.plain(made.width))
        return
    with made.capture() as capture:
        made.print(renderable, crop=not isinstance(renderable, Page))  # a word too many is better than one too few
    _write(capture.get())


def print_plain(text: str) -> None:
    """Print a document for programs, such as a JSON object, which is escaped as its format requires."""
    _write(f"{text}\n")


def _write(text: str) -> None:
    if not text.strip():
        raise RuntimeError("nothing was rendered to print")
    sys.stdout.write(text)
    sys.stdout.flush()
