"""An API's names for the fields that every image has, for sentences about missing and unreadable ones."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WireKeys:
    """The keys of some fields of an image in the answers of one API, which are the keys of `Image.unreadable`."""

    created: str = "created_at"
    updated: str = "updated_at"
    public: str = "visibility"
