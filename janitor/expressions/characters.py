"""The characters that one character of an expression stands for: taken from `re` itself, so that the matchers agree."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

Ranges = tuple[tuple[int, int], ...]
"""Code points from the first to the last of each pair, in order and apart."""

_LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)
_ASCII = "".join(map(chr, range(128)))
# A set of characters that are written out, or an escaped sign: with case, neither matches more than is written there.
_ASCII_ATOM = re.compile(r"\[(?!\^)[\x00-\x5b\x5d-\x7f]+\]|\\[!-/:-@\[-`{-~]")


@lru_cache(1024)
def characters(atom: str, flags: int) -> Ranges:
    """What `atom`, an expression for exactly one character, matches under these flags of `re`."""
    candidates = _ASCII if _ASCII_ATOM.fullmatch(atom) and not flags & re.IGNORECASE else _everything()
    runs = re.compile(f"(?:{atom})+", flags).finditer(candidates)
    return tuple((run.start(), run.end() - 1) for run in runs)


@lru_cache(1)
def _everything() -> str:
    """Every character in order, decoded plane by plane: made one by one they take 80 ms and a hundred MiB."""
    low, plane = bytes(range(256)), bytearray(4 * 2**16)
    plane[0::4] = low * 256
    plane[1::4] = b"".join(bytes([one]) * 256 for one in low)
    parts = []
    for number in range((_LAST + 1) // 2**16):
        plane[2::4] = bytes([number]) * 2**16
        parts.append(plane.decode("utf-32-le", "surrogatepass"))
    return "".join(parts)


def for_regex(ranges: Ranges) -> str:
    """The characters as the package regex spells them."""
    return _spelled(ranges, lambda code: f"\\U{code:08X}")


def for_re2(ranges: Ranges) -> str:
    """The characters as RE2 spells them, which reads UTF-8, and so knows no surrogates.

    The two cases of a letter are alternatives: as a class in a branch they would be all that folds to that letter, of
    which the Kelvin sign and the long s are.
    """
    spelled = _spelled(tuple(_without_surrogates(ranges)), lambda code: f"\\x{{{code:X}}}")
    match ranges:
        case ((upper, _), (lower, _)) if ranges == ((upper, upper), (lower, lower)) and lower - upper == ord(" "):
            return f"(?:\\x{{{upper:X}}}|\\x{{{lower:X}}})"
    return spelled


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
