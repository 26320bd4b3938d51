"""A click on a button of an announcement, as it was received: nothing in it is known to be true."""

from dataclasses import dataclass
from enum import StrEnum


class Wish(StrEnum):
    """What is asked for: that images are kept, or that an exemption ends. No button deletes."""

    KEEP = "keep"
    END = "end"


@dataclass(frozen=True, slots=True)
class Person:
    """Who clicked: the id, the name for people, and the id of the person's own team."""

    id: str
    name: str
    team: str

    def __str__(self) -> str:
        return f"@{self.name or self.id}"


@dataclass(frozen=True, slots=True)
class Place:
    """The message in which a button stands: the id of its channel, and its time stamp there."""

    channel: str
    message: str


@dataclass(frozen=True, slots=True)
class Click:
    """One click: in which team and app, by whom, where, and what for. `days` is 0 where nothing is to be kept.

    `of` is the opaque id of what the button is for.
    """

    team: str
    app: str
    person: Person
    place: Place
    wish: Wish
    days: int
    of: str
