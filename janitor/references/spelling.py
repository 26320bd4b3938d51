"""One spelling for texts that may be spelled in several ways: Unicode in its composed form, and the escapes of JSON."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from janitor.core.names.spelling import REPLACEMENT, SURROGATE, UNSEEN, composed

# The second are the marks with which letters of ASCII compose, and more.
_DELICATE = re.compile(f"[{UNSEEN}\u0300-\u036f\ufffd]")

# Most of a text is ASCII, which is detected fast and needs no work: only other blocks of this many bytes do.
_BLOCK, _LONGEST_STRETCH = 2**10, 2**20
_ASCII = bytes(range(128))
_WORTH_REMEMBERING = 2**8

_BACKSLASH = b"\xff"  # stands for an escaped backslash while the others are processed: UTF-8 never contains it
_SIMPLE = {
    rb"\"": b'"',
    rb"\/": b"/",
    rb"\b": b"\b",
    rb"\f": b"\f",
    # A carriage return bounds a token as well: line feeds are left for counting lines.
    rb"\n": b"\r",
    rb"\r": b"\r",
    rb"\t": b"\t",
}
_BY_NUMBER = re.compile(
    rb"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|\\u([0-9a-fA-F]{4})"
)
LONGEST_ESCAPE = 12


def composed_utf8(content: bytes) -> bytes:
    """The same for UTF-8; what is not UTF-8 may become U+FFFD, or stay. Line feeds stay as they are."""
    if content.isascii():
        return content
    parts, done = [], 0
    for start, end in _stretches(content):
        stretch = content[start:end]
        if not _is_composed(stretch.translate(None, _ASCII)):
            parts += [content[done:start], composed(stretch.decode("utf-8", "replace")).encode()]
            done = end
    return b"".join([*parts, content[done:]]) if parts else content


def _is_composed(foreign: bytes) -> bool:
    """Whether a text whose other characters are ASCII is composed already; a wrong no only takes time."""
    return (_tell_composed if len(foreign) > _WORTH_REMEMBERING else _tell_composed_again)(foreign)


def _tell_composed(foreign: bytes) -> bool:
    text = foreign.decode("utf-8", "replace")
    return not _DELICATE.search(text) and unicodedata.is_normalized("NFC", text)


_tell_composed_again = lru_cache(1024)(_tell_composed)  # the same few words come again and again


def _stretches(content: bytes) -> Iterator[tuple[int, int]]:
    """The stretches that are not ASCII.

    Each begins with ASCII or the text, and so does what follows: nothing composes across such a border.
    """
    start = None
    for block in range(0, len(content), _BLOCK):
        ascii_only = content[block : block + _BLOCK].isascii()
        if start is None:
            start = None if ascii_only else max(block - 1, 0)
        elif ascii_only or (block - start > _LONGEST_STRETCH and content[block] < 128):
            yield start, block
            start = None if ascii_only else block
    if start is not None:
        yield start, len(content)


def unescaped(content: bytes) -> bytes:
    """The UTF-8 text with one level of JSON's escapes decoded, and composed again; everything else stays as it is.

    The number of line feeds stays the same: an escaped one becomes a carriage return. An escaped NUL becomes U+FFFD.
    """
    content = content.replace(rb"\\", _BACKSLASH)
    for escape, character in _SIMPLE.items():
        content = content.replace(escape, character)
    if rb"\u" in content:
        content = _BY_NUMBER.sub(_character, content)
    return composed_utf8(content.replace(_BACKSLASH, b"\\"))


def _character(escape: re.Match[bytes]) -> bytes:
    high, low, alone = escape.groups()
    if alone is None:
        return bytes.fromhex((high + low).decode()).decode("utf-16-be").encode()
    character = chr(int(alone, 16))
    if character == "\n":
        return b"\r"
    return (REPLACEMENT if character == "\0" or SURROGATE.match(character) else character).encode()
