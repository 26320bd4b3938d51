"""Reports: renders the result of a run for people and programs. Renders, and never sends."""

from dataclasses import dataclass

Name = tuple[str, str]
"""An image as reports identify it: its target and its id."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The images of a report as a file for a spreadsheet: its name and its CSV text."""

    filename: str
    csv: str
