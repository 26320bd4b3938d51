"""Schedules as crontab(5) means them: five fields, read and fired exactly as Debian's (Vixie) cron does.

The walk from one matching wall-clock minute to the next is cronsim's. Here is what cron specifies and cronsim does not,
or reads differently: the grammar (no `L`, `#`, seconds), and what a clock change does to a schedule.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_TERM = re.compile(r"(?P<first>\*|\w+)(?:(?<!\*)-(?P<last>\w+))?(?:/(?P<step>\w+))?", re.ASCII)
_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
# cron(8) protects its jobs from clock changes of less than three hours.
_LONGEST_CHANGE = timedelta(hours=3)
# Any day serves to find out whether a schedule ever fires; this one starts a leap year.
_ANY_DAY = datetime(2000, 1, 1)  # noqa: DTZ001  a wall-clock time: it belongs to no zone


@dataclass(frozen=True, slots=True)
class Cron:
    """A schedule. `text` is the schedule as written; two schedules are equal if their texts are."""

    text: str
    _expression: str
    _wild: bool

    @classmethod
    def parse(cls, text: str) -> "Cron":
        """The schedule that crontab(5) reads in five fields; ValueError with a sentence for anything else."""
        words = _words(text)
        expression = " ".join(field.read(word) for field, word in zip(FIELDS, words, strict=True))
        _require_a_fire_time(expression, text)
        wild = words[0].startswith("*") or words[1].startswith("*")
        return cls(text.strip(), expression, wild)

    def __str__(self) -> str:
        return self.text

    def next_after(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """The first fire time strictly after `instant` (aware), in `zone`.

        As cron(8) says: when the clocks go forward, a job whose time is skipped runs right after the change; when they
        go back, a job whose time is repeated runs the first time only. Jobs whose minute or hour starts with a `*`
        follow the wall clock.
        """
        wall_now = instant.astimezone(zone).replace(tzinfo=None)
        found: list[datetime] = []
        # Wall-clock times before now count too: a repeated hour shows them again.
        for wall in CronSim(self._expression, wall_now - _LONGEST_CHANGE):
            found += [fire for fire in self._fires(wall, zone) if fire > instant.astimezone(UTC)]
            if found and wall > wall_now:
                break
        return min(found).astimezone(zone)

    def upcoming(self, instant: datetime, zone: ZoneInfo, count: int) -> list[datetime]:
        """The next `count` fire times after `instant`, in order."""
        fires: list[datetime] = []
        while len(fires) < count:
            instant = self.next_after(instant, zone)
            fires.append(instant)
        return fires

    def _fires(self, wall: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """When, in UTC, a job due at this wall-clock time runs: never, once or, in a repeated hour, twice."""
        if self._wild:
            passes = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
            yield from (instant for instant in passes if _shows(instant, wall, zone))
        else:
            yield _first_pass(wall, zone)


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def read(self, word: str) -> str:
        """The field in the form that cronsim reads as cron reads `word`; ValueError where cron would reject it."""
        return ",".join(self._read_term(term) for term in word.split(","))

    def _read_term(self, term: str) -> str:
        parts = _TERM.fullmatch(term)
        if parts is None:
            raise ValueError(self._unknown(term))
        step = self._step(parts["step"], term)
        if parts["first"] == "*":
            return f"*{step}"
        first = self._number(parts["first"])
        if parts["last"]:
            return self._range(first, self._number(parts["last"]), step, term)
        if step:
            # cron rejects it; others read 5/10 as 5, or as 5-59/10
            written_out = f"{parts['first']}-{self.high}/{parts['step']}"
            raise ValueError(f'the step in the {self.name} "{term}" needs a range or a *; write {written_out}')
        return str(first)

    def _range(self, first: int, last: int, step: str, term: str) -> str:
        if last < first:
            raise ValueError(f'the {self.name} range "{term}" ends before it begins; write it as a list')
        # cronsim takes 5-5/2 for 5-59/2; a range of one is that one, whatever the step.
        return f"{first}-{last}{step}" if first < last else str(first)

    def _step(self, step: str | None, term: str) -> str:
        if step is None:
            return ""
        if not step.isdecimal() or int(step) == 0:
            raise ValueError(f'the step in the {self.name} "{term}" is not a number of 1 or more')
        return f"/{int(step)}"

    def _number(self, value: str) -> int:
        if value.lower() in self.names:
            return self.names.index(value.lower()) + self.low
        if not value.isdecimal() or not self.low <= int(value) <= self.high:
            raise ValueError(self._unknown(value))
        return int(value)

    def _unknown(self, text: str) -> str:
        names = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
        noun = f"{'an' if self.name.startswith('h') else 'a'} {self.name}"  # of minute, hour, day and month
        return f'"{text}" is not {noun}: {self.low} to {self.high}{names}, *, a range, a step like */2 or a list'


FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _WEEKDAYS),
)
"""The five fields in their order, each with its numbers and the names for them."""


def _words(text: str) -> list[str]:
    """The five fields, apart; blanks are spaces and tabs."""
    words = [word for word in re.split(r"[ \t]+", text.strip()) if word]
    if words and words[0].startswith("@"):
        fields = _NICKNAMES.get(words[0].lower(), "0 0 * * *")
        raise ValueError(f'"{text}" is a nickname; write the five fields of crontab(5), e.g. {fields}')
    if len(words) != len(FIELDS):
        wanted = ", ".join(field.name for field in FIELDS)
        raise ValueError(f'"{text}" has {len(words)} fields, crontab(5) has five ({wanted}), e.g. 0 3 * * *')
    return words


def _require_a_fire_time(expression: str, text: str) -> None:
    try:
        next(CronSim(expression, _ANY_DAY))
    except (CronSimError, StopIteration) as error:
        raise ValueError(f'"{text}" never fires: no such day exists') from error


def _first_pass(wall: datetime, zone: ZoneInfo) -> datetime:
    """When, in UTC, clocks in `zone` first show `wall`; for a time they skip, the moment of the change."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    while not _shows(instant, wall, zone):
        wall += timedelta(minutes=1)
        instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return instant


def _shows(instant: datetime, wall: datetime, zone: ZoneInfo) -> bool:
    return instant.astimezone(zone).replace(tzinfo=None) == wall
