"""The facts of an image that differ between two surveys, and those that one of them could not read or was not told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from janitor.core.image import MISSING, Image


@dataclass(frozen=True, slots=True)
class ChangedImage:
    """An image whose facts differ, or can be read in one of the surveys only."""

    before: Image
    after: Image

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the facts that differ. For one that could not be read that is unknown: it is `unreadable`.

        One that was only missing is `untold` instead.
        """
        unread = unread_facts(self.before, self.after)
        if _but_missing(self.before) == _but_missing(self.after) and self.untold:
            unread |= {"unreadable"}
        return tuple(name for name in self.before.differences(self.after) if name not in unread)

    @property
    def untold(self) -> tuple[str, ...]:
        """The names of the facts that one of the surveys was not told: whether they differ is not known."""
        unread = _facts_of({**_but_missing(self.before), **_but_missing(self.after)})
        return tuple(name for name in _untold(self.before, self.after) if name not in unread)


_FACTS_OF_KEYS: Mapping[str, tuple[str, ...]] = {
    "createdAt": ("created_at",),
    "updatedAt": ("updated_at",),
    "isPublic": ("public", "visibility"),
    "visibility": ("public", "visibility"),
    "owner": ("owned", "owner"),
}
"""The facts that are read from a key of an API, where they are not the one that has its name."""


_ALWAYS_THERE = ("created_at", "updated_at", "owner", "size", "tags", "properties")
"""The facts that an image goes on to have, though a list may not tell them."""


def unread_facts(before: Image, after: Image) -> frozenset[str]:
    """The facts of an image that could not be read in one of two surveys, some of which count as true then."""
    untold = _untold(before, after)
    names = _facts_of((*before.unreadable, *after.unreadable))
    return frozenset({*names, *untold, *(("owned",) if "owner" in untold else ())})


def _facts_of(keys: Iterable[str]) -> frozenset[str]:
    """The facts that are read from these keys."""
    return frozenset(name for key in keys for name in _FACTS_OF_KEYS.get(key, (key,)))


def _but_missing(image: Image) -> dict[str, str]:
    """What could not be read of an image, without the facts that were only missing."""
    missing = {key for key in image.unreadable if not _facts_of((key,)).isdisjoint(_ALWAYS_THERE)}
    return {key: why for key, why in image.unreadable.items() if key not in missing or why != MISSING}


def _untold(before: Image, after: Image) -> tuple[str, ...]:
    return tuple(name for name in _ALWAYS_THERE if (getattr(before, name) is None) != (getattr(after, name) is None))
