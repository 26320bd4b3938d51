"""The progress bar: on a terminal only, on stderr, gone when the work is done."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from janitor.cli.logs import lines_shown_by
from janitor.cli.terminal import console
from janitor.run import orders


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
def progress_bar() -> Iterator[orders.Progress]:
    """What progress is reported to; without a terminal it shows nothing."""
    if not sys.stderr.isatty():
        yield orders.Silence()
        return
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
