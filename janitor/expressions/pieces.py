"""The parts that an expression is rewritten to, for both matchers at once."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an expression: for the package regex, and for RE2 where it is certain to agree with `re`.

    `empty`: it may match nothing. `literal`: the one character that it stands for. `groups`: it holds a group.
    """

    regex: str
    re2: str | None
    empty: bool = False
    literal: str | None = None
    groups: bool = False


BEGINNING = Piece("\\A", "\\A", empty=True)


def joined(branches: Sequence[Sequence[Piece]]) -> Piece:
    """The branches of a group as one piece."""
    pieces = [piece for branch in branches for piece in branch]
    re2 = "|".join("".join(piece.re2 or "" for piece in branch) for branch in branches)
    return Piece(
        "|".join("".join(piece.regex for piece in branch) for branch in branches),
        None if any(piece.re2 is None for piece in pieces) else re2,
        any(all(piece.empty for piece in branch) for branch in branches),
        groups=any(piece.groups for piece in pieces),
    )


def prefix_of(pieces: Sequence[Piece]) -> str:
    """What every match of these pieces begins with, at the beginning of a text."""
    prefix = ""
    for piece in pieces[1:] if pieces and pieces[0] is BEGINNING else ():
        if piece.literal is None:
            break
        prefix += piece.literal
    return prefix
