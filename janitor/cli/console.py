"""The one place that makes rich's consoles: for stdout, and for progress bars on stderr, gone when the work is done."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from janitor.cli.logs import lines_shown_by
from janitor.config.screen import DEFAULT_WIDTH, NARROWEST, WIDEST, screen_environment
from janitor.report.layout import Page


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal, or 80 columns where that is unknown, under 40 or out of range."""
    made = Console(stderr=stderr, highlight=False, _environ=screen_environment())
    if not NARROWEST <= made.width <= WIDEST:
        made.width = DEFAULT_WIDTH
    return made


def rendered(renderable: RenderableType) -> Iterator[str]:
    """What is written to stdout for the width of the terminal, a page in parts."""
    made = console()
    if not isinstance(renderable, Page):
        yield _captured(made, renderable, crop=True)
    elif made.color_system is None:
        yield from renderable.plain(made.width)
    else:
        for part in renderable.parts(made.width):
            yield _captured(made, part, crop=False)  # a word too many is better than one too few


def _captured(made: Console, renderable: RenderableType, *, crop: bool) -> str:
    with made.capture() as capture:
        made.print(renderable, crop=crop)
    return capture.get()


class _Bars:
    """One bar for each phase of each target."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def advance(self, target: str, phase: str, done: int, total: int | None) -> None:
        """Move the bar of a phase, and add it where it is new."""
        key = (target, phase)
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task("", target=target, phase=phase, total=total)
        self._bars.update(self._tasks[key], completed=done, total=total)


@contextmanager
def bars_drawn() -> Iterator[_Bars]:
    """What progress is reported to, and draws it."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[phase]} {task.fields[target]}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with (
        Progress(*columns, console=console(stderr=True), transient=True, redirect_stdout=False) as bars,
        _log_above(bars),
    ):
        yield _Bars(bars)


def _log_above(bars: Progress) -> AbstractContextManager[None]:
    """Lines of the log appear above the bars: written beside them, they would share a line."""
    return lines_shown_by(lambda line: bars.console.print(Text(line), soft_wrap=True))
