"""Nights whose reports are kept, and accepted or not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from janitor.core.memory import Notice
from janitor.core.result import Mode, RunResult
from janitor.store import NewReport
from tests.factories import DAY, OLD
from tests.factories import NOW as START
from tests.replays import decided_again
from tests.run.world import World

MINUTE = timedelta(minutes=1)
LONG = replace(OLD, notice=5 * DAY)
TEAM = "#team-web"


def given(length: timedelta = 2 * DAY, due: timedelta | None = None, at: datetime = START) -> Notice:
    return Notice("old", length, at, at + (length if due is None else due))


@dataclass
class Nights(World):
    """A world in which reports are kept, and accepted or not."""

    def night(
        self,
        mode: Mode = Mode.DELETE,
        *,
        accepted: bool = True,
        posted: Sequence[str] = ("slack",),
        **rest: object,
    ) -> RunResult:
        """One run whose report goes to these channels, or has nothing to say; all of it is accepted, or nothing."""
        result = self.run(mode, deliver=accepted and bool(posted), owes_report=True, **rest)
        numbers = self.store.add_reports(result.run, [NewReport(channel, "[]") for channel in posted], self.now)
        for number in numbers:
            if accepted:
                self.store.mark_delivered(number, self.now)
            else:
                self.store.mark_undelivered(number, "no answer", self.now)
        return result

    def at(self, day: float) -> "Nights":
        self.now = START + day * DAY
        return self

    def check(self) -> None:
        """Every night is decided again as it was."""
        for summary in self.store.runs(limit=None):
            [target] = self.store.load_run(summary.run).targets
            assert decided_again(self.store.inputs(summary.run)["prod"]) == target.decisions


def reminders(result: RunResult) -> list[str]:
    return [decision.image.id for decision in result.targets[0].notices.reminded]


def due_of(result: RunResult) -> datetime | None:
    return next(d.due for d in result.targets[0].decisions if d.image.id == "a")
