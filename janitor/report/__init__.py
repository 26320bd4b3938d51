"""Reports: renders the result of a run for people and programs. Renders, and never sends."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """One message for a channel of Slack's kind: blocks, and the full sentence that stands in for them."""

    text: str
    blocks: list[dict[str, Any]]
