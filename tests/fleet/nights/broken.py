"""The mechanisms of a fleet, each with what takes it out: nights without it are to break a rule."""

from collections.abc import Callable
from itertools import count
from typing import Any, LiteralString

from procrastinate.manager import JobManager

from janitor.fleet import outcomes
from janitor.fleet.database import Connection
from janitor.fleet.jobs import OwnJobs
from janitor.fleet.ownership import Ownership
from janitor.store import Store
from janitor.store import reports as kept


def _confirmation() -> None:
    Ownership.confirm = lambda self: None  # type: ignore[method-assign]


def _own_jobs() -> None:
    OwnJobs.finish_job = JobManager.finish_job  # type: ignore[method-assign]


def _journal() -> None:
    numbers = count(1_000_000)
    Store.journal_request = lambda self, *_words: next(numbers)  # type: ignore[method-assign]


def _epochs_of_outcomes() -> None:
    changed: Any = outcomes._changed

    def anyway(connection: Connection, statement: LiteralString, **values: object) -> int:
        for condition in ("AND epoch < %(epoch)s ", "AND epoch = %(epoch)s "):
            statement = statement.replace(condition, "")
        return changed(connection, statement, **values)  # type: ignore[no-any-return]

    outcomes._changed = anyway


def _stalled_jobs() -> None:
    async def none(*_words: object) -> list[Any]:
        return []

    OwnJobs.free_stalled = none  # type: ignore[method-assign, assignment]


def _deliveries() -> None:
    kept.mark_delivered = lambda *_words, **_more: None


MECHANISMS: dict[str, Callable[[], None]] = {
    "confirmation": _confirmation,
    "own-jobs": _own_jobs,
    "journal": _journal,
    "epochs-of-outcomes": _epochs_of_outcomes,
    "stalled-jobs": _stalled_jobs,
    "deliveries": _deliveries,
}
