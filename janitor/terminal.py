"""What commands print, and the one place that makes rich's consoles: for stdout, and for the progress bar."""

import sys

from rich.console import Console, RenderableType

from janitor.settings.screen import NARROWEST, WIDEST, screen_environment

_DEFAULT_WIDTH = 80


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal, or 80 columns where that is unknown, under 40 or out of range."""
    made = Console(stderr=stderr, highlight=False, _environ=screen_environment())
    if not NARROWEST <= made.width <= WIDEST:
        made.width = _DEFAULT_WIDTH
    return made


def print_out(renderable: RenderableType) -> None:
    """Print what is laid out for the terminal that there is. One that renders to nothing is a bug: RuntimeError."""
    made = console()
    with made.capture() as capture:
        made.print(renderable)
    _write(capture.get())


def print_json(text: str) -> None:
    """Print a JSON object, which is escaped already."""
    _write(f"{text}\n")


def _write(text: str) -> None:
    if not text.strip():
        raise RuntimeError("nothing was rendered to print")
    sys.stdout.write(text)
    sys.stdout.flush()
