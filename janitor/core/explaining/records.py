"""What people did about one image, and what they were told, as records that are shown."""

from dataclasses import dataclass
from datetime import datetime

from janitor.core.memory import Exemption, Notice


@dataclass(frozen=True, slots=True)
class Granted:
    """An exemption of an image, and where it was granted: `command`, `policy-file` or `tag`.

    `active`: it is in force. The last three are known of exemptions by command.
    """

    exemption: Exemption
    source: str
    active: bool
    created_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A report of a run in one channel: when that accepted all of it, or why it has not."""

    channel: str
    delivered_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Given:
    """A notice of an image: the run that announced it, the messages of that run, and how it ended, if it has."""

    notice: Notice
    run: int
    messages: tuple[Sent, ...]
    ended_at: datetime | None = None
    ended: str | None = None
