"""Reports: renders the result of a run for people and programs. Renders, and never sends."""

from dataclasses import dataclass
from typing import Any

Name = tuple[str, str]
"""An image as a report names it: its target and its id."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message for a channel of Slack's kind: blocks, and the full sentence that stands in for them.

    `names` are the images that it lists with what is to become of them, or became of them. `late` is what it has to say
    instead once it comes too late to announce anything, where that is something else.
    """

    text: str
    blocks: list[dict[str, Any]]
    names: frozenset[Name] = frozenset()
    late: "Message | None" = None


@dataclass(frozen=True, slots=True)
class Listing:
    """The images of a report as a file for a spreadsheet: its name and its CSV text."""

    filename: str
    csv: str
