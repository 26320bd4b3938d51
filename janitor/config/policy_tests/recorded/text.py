"""Writes tests of policies as YAML: an image a line, as people write them."""

import re
from collections.abc import Iterable, Iterator, Mapping

from janitor.escaping import visible

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# Other readers of YAML take more words for something else than text than ours does.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]*")
_NO_TEXT = re.compile(
    r"[-+.0-9_]*(?:e[-+]?[0-9]*)?|0[xob].*|null|true|false|yes|no|on|off|y|n|\.?inf|\.?nan", re.IGNORECASE
)
_LONGEST_KEY = 1_000
"""YAML takes 1,024 signs for a key, unless a mark says that it is one."""

_LONG = "? "
Value = str | int | bool | list[str] | Mapping[str, "Value"]
"""What stands in a test."""


def flow(value: Value) -> str:
    """A value in one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return _text(value)
        case list():
            return f"[{', '.join(map(flow, value))}]"
        case _:
            return f"{{{', '.join(f'{_key(key)}: {flow(each)}' for key, each in value.items())}}}"


def yaml_of(heading: str, test: Mapping[str, Value], images: Iterable[Mapping[str, Value]]) -> Iterator[str]:
    """The lines of the top of a test: its heading, the keys of the file, and its images."""
    yield f"# {heading}\n"
    yield from (f"{key}: {flow(value)}\n" for key, value in test.items())
    yield "images:\n"
    yield from (f"  - {flow(image)}\n" for image in images)


def expectation(label: str, value: Value, comment: str = "") -> str:
    """The line of an expectation."""
    key = _key(label)
    apart = "\n  " if key.startswith(_LONG) else ""
    return f"  {key}{apart}: {flow(value)}{f'  # {comment}' if comment else ''}\n"


def _key(text: str) -> str:
    written = _text(text)
    return written if len(written) <= _LONGEST_KEY else f"{_LONG}{written} "


def _text(text: str) -> str:
    if _DATE.fullmatch(text) or (_PLAIN.fullmatch(text) and not _NO_TEXT.fullmatch(text)):
        return text
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(sign: str) -> str:
    """A sign within quotes: what YAML does not allow there, or nobody sees, as its code."""
    if sign in '"\\':
        return f"\\{sign}"
    if visible(sign) == sign:
        return sign
    return f"\\U{ord(sign):08x}" if ord(sign) > 0xFFFF else f"\\u{ord(sign):04x}"
