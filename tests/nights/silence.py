"""When reports were accepted, by the database: which silences there certainly were, and which there may have been.

Between these, the janitor decides. It may take a report that came late for a sign of life or not, and what it says of a
channel that still waits for an older report.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from tests.nights.ground import instant, rows
from tests.nights.team import HOUR

MAIN = "slack"
_NIGHT = 25 * HOUR
_ROUGHLY = 2 * HOUR
"""How long a run may take from its survey to its last request or message."""

_ENDED = "SELECT run, finished_at FROM runs WHERE mode = 'delete' AND outcome IS NOT NULL ORDER BY run"
_REPORTS = """
SELECT run, delivered_at FROM reports JOIN runs USING (run) WHERE mode = 'delete' AND channel = ? ORDER BY run
"""


@dataclass(frozen=True)
class Span:
    """The time since an announcement was accepted in a channel, and how long a notice it gave."""

    database: Path
    channel: str
    since: datetime
    until: datetime
    notice: timedelta


def was_surely_silent(span: Span) -> bool:
    """Whether no report was accepted for longer than a notice."""
    reports = {row["run"]: row["delivered_at"] for row in rows(span.database, _REPORTS, span.channel)}
    heard = (instant(reports.get(row["run"], row["finished_at"])) for row in rows(span.database, _ENDED))
    return _longest(span, heard) > max(span.notice, _NIGHT) + _ROUGHLY


def may_have_been_silent(span: Span, owing: Collection[int]) -> bool:
    """Whether for longer than a notice something was wrong each time. `owing`: runs that count as unheard."""
    heard = (at for run, at in _undoubted(span) if run not in owing)
    return _longest(span, heard) > max(span.notice, _NIGHT) - _ROUGHLY


def _undoubted(span: Span) -> Iterator[tuple[int, datetime]]:
    """When runs ended after which nothing waited for the channel any more.

    One whose report came late is not among them, nor one after which an older report came.
    """
    reports = [(row["run"], instant(row["delivered_at"])) for row in rows(span.database, _REPORTS, span.channel)]
    for row in rows(span.database, _ENDED):
        ended = instant(row["finished_at"])
        told = [delivered_at or span.until for run, delivered_at in reports if run <= row["run"]]
        if ended is not None and all(at <= ended + _ROUGHLY for at in told):
            yield row["run"], max([ended, *told])


def _longest(span: Span, heard: Iterable[datetime | None]) -> timedelta:
    moments = sorted(at for at in heard if at is not None and span.since < at < span.until)
    return max(after - before for before, after in pairwise([span.since, *moments, span.until]))
