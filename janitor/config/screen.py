"""The environment for libraries that lay out text: without sizes that no terminal has."""

import os
from collections.abc import Mapping

NARROWEST, WIDEST = 40, 10_000
"""Columns. Reports need the former; `docker exec -t` behind a pipe and some CI systems give 0."""

_FEWEST_LINES = 2
_SIZES = {"COLUMNS": (NARROWEST, WIDEST), "LINES": (_FEWEST_LINES, WIDEST)}


def screen_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment, without COLUMNS and LINES where they are not numbers in range: these count as unset."""
    return {name: value for name, value in environ.items() if name not in _SIZES or _usable(value, *_SIZES[name])}


def _usable(value: str, least: int, most: int) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= len(str(most)) and least <= int(value) <= most
