"""An announced image as buttons refer to it: by an opaque id, so that nothing else in a click has to be believed."""

import secrets
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Announced:
    """One image in one report that announces it, or reminds of it; `id` cannot be guessed."""

    id: str
    target: str
    image: str
    name: str
    policy: str
    due: datetime | None


def new_id() -> str:
    """An id that cannot be guessed, of 22 letters, digits, `-` and `_`."""
    return secrets.token_urlsafe(16)
