"""Copies of the database that a person restores: with its mark, without it, or without any mark."""

from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from tests.nights.ground import disconnect, rows
from tests.nights.people import People
from tests.nights.rules import Rules
from tests.nights.usage import Memory, Usage

_OPEN = """
SELECT 1 FROM deletions d JOIN runs r ON r.run = d.run LEFT JOIN runs s ON s.run = d.settled_in_run
WHERE d.settled_in_run IS NULL AND (d.outcome IS NULL OR d.unsettled OR r.outcome IS NULL)
    OR d.settled_in_run IS NOT NULL AND s.outcome IS NULL OR d.followed OR d.confirmed_in_run IS NOT NULL
UNION ALL SELECT 1 FROM reports WHERE delivered_at IS NULL
UNION ALL SELECT 1 FROM runs WHERE owes_report AND outcome IS NOT NULL
"""


class Mark(Enum):
    """What happens to the mark when a database is restored."""

    STAYS = "the mark stays"
    RESTORED = "its mark is restored with it"
    LOST = "the mark is lost"


@dataclass(frozen=True)
class Copy:
    """Everything that the janitor knew at an instant, and what the rules knew then."""

    at: datetime
    files: dict[Path, bytes]
    kept: dict[str, list[tuple[datetime, datetime]]]
    usage: Memory
    rules: tuple[int, dict[str, int]]


def copy_of(database: Path, now: datetime, people: People, usage: Usage, rules: Rules) -> Copy | None:
    """A copy, in a quiet hour: where nothing is asked for, or to be told, that the next run would see to."""
    if rows(database, _OPEN):
        return None
    disconnect(database)
    files = {path: path.read_bytes() for path in _files(database)}
    return Copy(now, files, deepcopy(people.kept), usage.remembered(), rules.remembered())


def restore(copy: Copy, mark: Mark, database: Path, people: People, usage: Usage, rules: Rules) -> None:
    """A person replaces the database by a copy. What was done since, the janitor does not know.

    Its mark tells that where a run left another since: one that was killed left none.
    """
    disconnect(database)
    beside = database.with_name(f"{database.name}.mark")
    left = beside.read_bytes() if beside.is_file() else None
    behind = mark is Mark.STAYS and left not in (None, copy.files.get(beside))
    for path in _files(database):
        if mark is not Mark.STAYS or _is_of_database(path, database):
            path.unlink()
    for path, content in copy.files.items():
        if mark is Mark.RESTORED or _is_of_database(path, database):
            path.write_bytes(content)
    people.kept = deepcopy(copy.kept)
    usage.recall(copy.usage)
    rules.recall(copy.rules, copy.at, behind=behind)


def _files(database: Path) -> list[Path]:
    return sorted(path for path in database.parent.glob(f"{database.name}*") if path.is_file())


def _is_of_database(path: Path, database: Path) -> bool:
    return path.name.removeprefix(database.name) in ("", "-wal", "-shm")
