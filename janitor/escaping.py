"""Foreign text made safe to show: nothing in it controls the terminal, is invisible, or begins a line of its own."""

# Printable according to Unicode, yet invisible: fillers, joiners and variation selectors.
_UNSEEN = (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0)
_SELECTORS = (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
_INVISIBLE = {code: chr(code).encode("unicode_escape").decode() for code in (*_UNSEEN, *_SELECTORS)}


def visible(text: str) -> str:
    """Foreign text with everything that is not plainly visible escaped: `\\x1b`, `\\n`, `\\u202e`, `\\u200b`.

    What is escaped already stays as it is.
    """
    if text.isascii() and text.isprintable():
        return text
    if not text.isprintable():
        text = "".join(mark if mark.isprintable() else _escape(mark) for mark in text)
    return text.translate(_INVISIBLE)


def visible_lines(text: str) -> str:
    """The same of a text whose line breaks are ours, and stay."""
    return "\n".join(map(visible, text.split("\n")))


def _escape(mark: str) -> str:
    return mark.encode("unicode_escape").decode()
