"""One message to Slack."""

from dataclasses import dataclass
from typing import Any

from janitor.report import Name


@dataclass(frozen=True, slots=True)
class Message:
    """One message: blocks, and the full sentence that replaces them in notifications.

    `names` are the images that it lists with their outcome or what is planned. `late` is the message to send instead
    once it is late and announces nothing, if that differs.
    """

    text: str
    blocks: list[dict[str, Any]]
    names: frozenset[Name] = frozenset()
    late: "Message | None" = None
