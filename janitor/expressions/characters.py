"""The characters that one character of an expression stands for: taken from `re` itself, so that the matchers agree."""

import re
import sys
from array import array
from collections.abc import Callable, Iterator
from functools import lru_cache

Ranges = tuple[tuple[int, int], ...]
"""Code points from the first to the last of each pair, in order and apart."""

_LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)


@lru_cache(1024)
def characters(atom: str, flags: int) -> Ranges:
    """What `atom`, an expression for exactly one character, matches under these flags of `re`."""
    runs = re.compile(f"(?:{atom})+", flags).finditer(_everything())
    return tuple((run.start(), run.end() - 1) for run in runs)


@lru_cache(1)
def _everything() -> str:
    # Decoded, as a million characters of their own would take a hundred MiB before they are joined.
    encoding = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"
    return array("I", range(_LAST + 1)).tobytes().decode(encoding, "surrogatepass")


def for_regex(ranges: Ranges) -> str:
    """The characters as the package regex spells them."""
    return _spelled(ranges, lambda code: f"\\U{code:08X}")


def for_re2(ranges: Ranges) -> str:
    """The characters as RE2 spells them, which reads UTF-8, and so knows no surrogates."""
    return _spelled(tuple(_without_surrogates(ranges)), lambda code: f"\\x{{{code:X}}}")


def _spelled(ranges: Ranges, spell: Callable[[int], str]) -> str:
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return spell(ranges[0][0])
    inside = "".join(f"{spell(first)}-{spell(last)}" for first, last in ranges)
    return f"[{inside}]" if inside else f"[^{spell(0)}-{spell(_LAST)}]"


def _without_surrogates(ranges: Ranges) -> Iterator[tuple[int, int]]:
    lowest, highest = _SURROGATES
    for first, last in ranges:
        if first < lowest:
            yield first, min(last, lowest - 1)
        if last > highest:
            yield max(first, highest + 1), last
