"""The figures of the cases as they were when they were first taken, and as they are to be: `figures.yaml`."""

from dataclasses import dataclass
from pathlib import Path

import yaml

_FILE = Path(__file__).with_name("figures.yaml")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A figure of a case, and how it is written."""

    case: str
    figure: str
    unit: str
    digits: int
    before: str
    to_reach: str


def recorded() -> list[Recorded]:
    """All of them, in the order of the file."""
    cases = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return [
        Recorded(
            case,
            figure,
            said.get("unit", ""),
            said.get("digits", 2),
            str(said.get("before", "")),
            str(said.get("to reach", "")),
        )
        for case, figures in cases.items()
        for figure, said in figures.items()
    ]
