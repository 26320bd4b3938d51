"""Several records of one image: how they are merged, and when too many differ to believe the list. Pure.

Lists repeat images: at the edges of pages, under another spelling of an id, in a second list. Where two records of one
image differ, neither is believed: the field is unknown, which never counts towards deletion, and the image stays.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from janitor.core.image import CONTRADICTED, GONE_STATUSES, Image

_UNKNOWN: Mapping[str, Any] = {"status": "", "public": True, "protected": True, "owned": True}
"""The value for unknown where that is not None."""

_FEW = 5
_MOST_SHARE = 1
_SHOWN = 60
_DATE = "created_at"


def merged(first: Image, second: Image) -> Image:
    """Two records of one image merged; the first itself where the second adds nothing.

    Fields that differ are unknown, and `contradictions` says how. Two spellings of an id are the same id.
    """
    found: dict[str, str] = {}
    unknown: dict[str, Any] = {}
    for name in first.differences(second):
        before, after = getattr(first, name), getattr(second, name)
        if name == "properties" and before is not None and after is not None:
            found |= {f"{name}.{key}": _both(before.get(key), after.get(key)) for key in _differing(before, after)}
            unknown[name] = {key: value for key, value in before.items() if after.get(key) == value}
        elif name not in ("id", "unreadable"):
            found[name] = _both(before, after, first.unreadable.get(name), second.unreadable.get(name))
            unknown[name] = _UNKNOWN.get(name)
    for key in () if found else _differing(first.unreadable, second.unreadable):
        found[key] = _both(..., ..., first.unreadable.get(key), second.unreadable.get(key))
    unreadable = {**second.unreadable, **first.unreadable, **found, **first.contradictions}
    both = first.replace(**unknown, unreadable=unreadable)
    return first if both == first else both


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted(key for key in {*before, *after} if before.get(key) != after.get(key))


def _both(before: object, after: object, unread_before: str | None = None, unread_after: str | None = None) -> str:
    return f"{CONTRADICTED}{unread_before or _shown(before)} and as {unread_after or _shown(after)}"


def _shown(value: object) -> str:
    if value is ...:
        return "a value that can be read"
    written = "nothing" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return written if len(written) <= _SHOWN else written[: _SHOWN - 1] + "…"


def disagreement(image: Image) -> str | None:
    """In words, what the records of an image disagree about; None where they agree."""
    said = [f"{key} is {words}" for key, words in sorted(image.contradictions.items())]
    return f"its records disagree: {', '.join(said)}" if said else None


def doubts_about(images: Iterable[Image]) -> Iterator[str]:
    """What is wrong with a list that contradicts itself too much to be believed, a phrase each.

    That is any image with two creation dates, and five or more own images if they are over 1 % of all.
    """
    every = tuple(images)
    contradicted = [image for image in every if image.unreadable and image.contradictions]
    dated_twice = [image.id for image in contradicted if _DATE in image.contradictions]
    if dated_twice:
        more = f" and {len(dated_twice) - 1} more" if len(dated_twice) > 1 else ""
        yield f"image {dated_twice[0]}{more} is listed with two different creation dates"
    disputed = sum(map(_is_own, contradicted))
    if disputed >= _FEW and disputed * 100 > _MOST_SHARE * (own := sum(map(_is_own, every))):
        yield f"the records of {disputed} of {own} own images disagree"


def _is_own(image: Image) -> bool:
    return image.owned and image.status not in GONE_STATUSES
