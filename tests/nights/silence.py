"""When people heard of the janitor, by the database: which silences there were, and which there may have been.

What lies between is the janitor's business. It may take a report that came late for a sign of life or not, and what it
says of a channel that still waits for an older report.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from tests.nights.ground import instant, rows
from tests.nights.team import HOUR

MAIN = "slack"
_NIGHT = 25 * HOUR
_ROUGHLY = 2 * HOUR
"""How long a run may take from its survey to the last of what it asks or says."""

_ENDED = "SELECT run, finished_at FROM runs WHERE mode = 'delete' AND outcome IS NOT NULL ORDER BY run"
_REPORTS = """
SELECT run, delivered_at FROM reports JOIN runs USING (run) WHERE mode = 'delete' AND channel = ? ORDER BY run
"""


def was_surely_silent(database: Path, channel: str, since: datetime, until: datetime, length: timedelta) -> bool:
    """Whether nothing at all was heard for longer than a notice."""
    reports = {row["run"]: row["delivered_at"] for row in rows(database, _REPORTS, channel)}
    heard = (instant(reports.get(row["run"], row["finished_at"])) for row in rows(database, _ENDED))
    return _longest(since, heard, until) > max(length, _NIGHT) + _ROUGHLY


def may_have_been_silent(database: Path, channel: str, since: datetime, until: datetime, length: timedelta) -> bool:
    """Whether for longer than a notice something was wrong each time."""
    return _longest(since, _undoubted(database, channel, since), until) > max(length, _NIGHT) - _ROUGHLY


def _undoubted(database: Path, channel: str, since: datetime) -> Iterator[datetime | None]:
    """When runs ended after which nothing waited for the channel any more, of those that ended since then."""
    reports = [(row["run"], row["delivered_at"]) for row in rows(database, _REPORTS, channel)]
    for row in rows(database, _ENDED):
        if (instant(row["finished_at"]) or since) <= since:
            continue  # its report may come late, and is no word of any run since
        told = [delivered_at for run, delivered_at in reports if run <= row["run"]]
        if None not in told:
            yield instant(max([row["finished_at"], *told]))


def _longest(since: datetime, heard: Iterable[datetime | None], until: datetime) -> timedelta:
    moments = sorted(at for at in heard if at is not None and since < at < until)
    return max(after - before for before, after in pairwise([since, *moments, until]))
