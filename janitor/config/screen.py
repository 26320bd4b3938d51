"""The size of the screen, and the environment for libraries that lay out text: without sizes that no terminal has."""

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import TextIO

DEFAULT_WIDTH = 80
NARROWEST, WIDEST = 40, 10_000
"""Columns. Reports need the former; `docker exec -t` behind a pipe and some CI systems give 0."""

_FEWEST_LINES = 2
_SIZES = {"COLUMNS": (NARROWEST, WIDEST), "LINES": (_FEWEST_LINES, WIDEST)}


def screen_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment, without COLUMNS and LINES where they are not numbers in range: these count as unset."""
    return {name: value for name, value in environ.items() if name not in _SIZES or _usable(value, *_SIZES[name])}


def plain_width(stream: TextIO, environ: Mapping[str, str] = os.environ) -> int | None:
    """For how many columns to write text there, if that shows no styles; None where rich has to tell.

    It is as wide as rich takes it to be: COLUMNS, or the terminal of another standard stream, or 80 columns.
    """
    if stream.isatty() or any(environ.get(name) for name in _MAY_FORCE_STYLES):
        return None
    written = screen_environment(environ).get("COLUMNS")
    width = int(written) if written is not None else _width_of_terminal()
    return width if NARROWEST <= width <= WIDEST else DEFAULT_WIDTH


_MAY_FORCE_STYLES = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
_STANDARD_STREAMS = range(3)


def _width_of_terminal() -> int:
    for stream in _STANDARD_STREAMS:
        with suppress(OSError):
            return os.get_terminal_size(stream).columns
    return DEFAULT_WIDTH


def _usable(value: str, least: int, most: int) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= len(str(most)) and least <= int(value) <= most
