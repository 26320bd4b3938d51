"""What commands print, and the one place that makes rich's consoles: for stdout, and for the progress bar."""

import sys

import click
from rich.console import Console, RenderableType

from janitor.config.screen import NARROWEST, WIDEST, screen_environment
from janitor.escaping import visible_lines

_DEFAULT_WIDTH = 80


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal, or 80 columns where that is unknown, under 40 or out of range."""
    made = Console(stderr=stderr, highlight=False, _environ=screen_environment())
    if not NARROWEST <= made.width <= WIDEST:
        made.width = _DEFAULT_WIDTH
    return made


def say(text: str = "", *, err: bool = False) -> None:
    """Print lines, to stderr with `err`. A line break in foreign words is to be escaped before."""
    click.echo(visible_lines(text), err=err)


def can_ask() -> bool:
    """Whether a person is there: to read a question on stderr, and to answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def answer_to(question: str) -> str:
    """What a person types at the terminal, in lower case; empty where they end the input. Asked on stderr."""
    click.echo(f"{visible_lines(question)} ", nl=False, err=True)
    return sys.stdin.readline().strip().lower()


def print_out(renderable: RenderableType) -> None:
    """Print what is laid out for the terminal that there is. One that renders to nothing is a bug: RuntimeError."""
    made = console()
    with made.capture() as capture:
        made.print(renderable)
    _write(capture.get())


def print_plain(text: str) -> None:
    """Print a document for programs, such as a JSON object: it is escaped already, as its format wants it."""
    _write(f"{text}\n")


def _write(text: str) -> None:
    if not text.strip():
        raise RuntimeError("nothing was rendered to print")
    sys.stdout.write(text)
    sys.stdout.flush()
