"""The mechanisms of a fleet, each with what takes it out: nights without it are to break a rule.

That only its own worker ends a job, and only its own epoch an outcome, is tested where PostgreSQL is asked.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

from janitor.fleet.jobs import OwnJobs
from janitor.fleet.ownership import Ownership
from janitor.store import Store
from janitor.store import reports as kept


def _confirmation() -> None:
    Ownership.confirm = lambda self: None  # type: ignore[method-assign]


def _journal() -> None:
    numbers = count(1_000_000)
    Store.journal_request = lambda self, *_words: next(numbers)  # type: ignore[method-assign]


def _stalled_jobs() -> None:
    async def none(*_words: object) -> list[Any]:
        return []

    OwnJobs.free_stalled = none  # type: ignore[method-assign, assignment]


def _deliveries() -> None:
    kept.mark_accepted = lambda *_words, **_more: None
    kept.mark_delivered = lambda *_words, **_more: None


MECHANISMS: dict[str, Callable[[], None]] = {
    "confirmation": _confirmation,
    "journal": _journal,
    "stalled-jobs": _stalled_jobs,
    "deliveries": _deliveries,
}
