"""What Slack is sent as one message."""

from dataclasses import dataclass
from typing import Any

from janitor.report import Name


@dataclass(frozen=True, slots=True)
class Message:
    """One message: blocks, and the full sentence that stands in for them.

    `names` are the images that it lists with what is to become of them, or became of them. `late` is what it has to say
    instead once it comes too late to announce anything, where that is something else.
    """

    text: str
    blocks: list[dict[str, Any]]
    names: frozenset[Name] = frozenset()
    late: "Message | None" = None
