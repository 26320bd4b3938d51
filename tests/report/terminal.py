"""What a terminal shows of a report."""

import io
from zoneinfo import ZoneInfo

from rich.console import Console, RenderableType

from janitor.config.screen import NARROWEST
from janitor.core.result import Cost, RunResult
from janitor.report.layout import Page
from janitor.report.text import text_report

SEOUL = ZoneInfo("Asia/Seoul")
DOLLARS = Cost(0.05, "USD")


def printed(renderable: RenderableType, width: int = 80) -> str:
    file = io.StringIO()
    Console(file=file, width=width, highlight=False).print(renderable)
    if isinstance(renderable, Page) and width >= NARROWEST:
        assert "".join(renderable.plain(width)) == file.getvalue(), "what is no terminal is told the same"
    return file.getvalue()


def report(result: RunResult, cost: Cost | None = None, width: int = 80) -> str:
    return printed(text_report(result, cost, zone=SEOUL), width)


def unfolded(text: str) -> str:
    """The report with its line breaks taken out, for sentences that may be folded."""
    return " ".join(text.split())
