"""What a policy says to an image, in words and for programs: the key that does not hold, what it wants and found."""

from collections.abc import Iterable
from typing import Any

from janitor.core.explaining.image import PolicyAnswer
from janitor.core.names.pattern import Pattern
from janitor.core.policy import Check, Match
from janitor.core.units import format_size

_SIZES = {"larger_than": "more than", "smaller_than": "less than"}


def words_of_answer(answer: PolicyAnswer) -> str:
    """Whether a policy owns or matches an image, or the first of its keys that does not hold, in words."""
    if answer.truth:
        return "owns it" if answer.owns else "matches, but a policy before it owns the image"
    check = answer.check
    if check is None:
        return "does not match"
    if answer.truth is None:
        doubts = "; ".join(answer.doubts)
        return f"undecided: {doubts or _words(check, answer.within)}"
    return f"no: {_words(check, answer.within)}"


def _words(check: Check, within: Iterable[Check]) -> str:
    if check.key == "not":
        keys = " and ".join(_holding(each) for each in within)
        return f"not: {keys}" if check.truth is False else f"not: it is unknown whether {keys}"
    return f"{_found(check)}, wanted {_wanted(check)}"


def _holding(check: Check) -> str:
    return f"{_found(check)}, as {_wanted(check)}"


def _found(check: Check) -> str:
    key = "size" if check.key in _SIZES else check.key
    match check.found:
        case None if check.truth is False:
            return f"{key} is not there"
        case None:
            return f"{key} is unknown"
        case bool():
            return f"{key} is {'yes' if check.found else 'no'}"
        case int():
            return f"{key} is {format_size(check.found)}"
        case tuple():
            return f"{key}: {', '.join(map(str, check.found)) or 'none'}"
        case _:
            return f'{key} is "{check.found}"'


def _wanted(check: Check) -> str:
    match check.wanted:
        case bool():
            return "yes" if check.wanted else "no"
        case int():
            return f"{_SIZES[check.key]} {format_size(check.wanted)}"
        case _:
            return " or ".join(map(str, texts_of(check.wanted)))


def texts_of(wanted: object) -> list[str]:
    """The patterns or words that a key wants, words in order."""
    match wanted:
        case frozenset():
            return sorted(map(str, wanted))
        case tuple():
            return [each.text if isinstance(each, Pattern) else str(each) for each in wanted]
        case _:
            return [str(wanted)]


def answer_json(answer: PolicyAnswer) -> dict[str, Any]:
    """The same for programs; `wanted` and `found` are values as policies and images have them."""
    check = answer.check
    return {
        "policy": answer.policy.name,
        "matches": answer.truth,
        "owns": answer.owns,
        "key": None if check is None else check.key,
        "wanted": None if check is None else _plain(check.wanted),
        "found": None if check is None else _plain(check.found),
        "within": [_value(each) for each in answer.within],
        "doubts": list(answer.doubts),
    }


def _value(check: Check) -> dict[str, Any]:
    return {"key": check.key, "wanted": _plain(check.wanted), "found": _plain(check.found)}


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | str():
            return str(value) if isinstance(value, str) else value
        case Match():
            return None  # its keys are in `within`
        case _:
            return texts_of(value)
