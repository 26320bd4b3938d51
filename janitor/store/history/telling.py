"""When people heard of a target: what channels accepted of its runs, and of which runs they did not, or too late."""

from collections.abc import Collection
from datetime import datetime
from itertools import pairwise
from typing import Any

from janitor.core.replay.nights import Told
from janitor.core.result import Mode
from janitor.store.connection import Connection
from janitor.store.rows import instant

_Row = dict[str, Any]


class Telling:
    """When people heard of a target: what channels accepted of its runs."""

    def __init__(self, db: Connection, target: str, runs: list[_Row], first: int, counted: Collection[int]) -> None:
        self._runs = runs
        self._counted = counted
        self._announced: dict[int, dict[str, tuple[str, datetime]]] = {}
        self._reminded: dict[int, dict[str, datetime]] = {}
        self._accepted: dict[int, dict[str, datetime]] = {}
        for run, image, policy, at in db.execute(_ANNOUNCED, (target, first)):
            self._announced.setdefault(run, {})[image] = (policy, instant(at))
        for run, image, at in db.execute(_REMINDED, (target, first)):
            self._reminded.setdefault(run, {})[image] = instant(at)
        next_began = {row["run"]: later["started_at"] for row, later in pairwise(runs)}
        for run, channel, at in db.execute(_ACCEPTED):
            if run not in next_began or at < next_began[run]:
                self._accepted.setdefault(run, {})[channel] = instant(at)
        self._undelivered = {run for (run,) in db.execute(_UNDELIVERED, {"target": target, "first": first})}
        self._ended = {row["run"]: instant(row["ended_at"]) for row in runs if row["run_outcome"] and row["ended_at"]}

    def of(self, run: int) -> Told | None:
        """When what a run told was accepted; None where it died, and told nobody."""
        if run not in self._ended:
            return None
        announced, reminded = self._announced.get(run, {}), self._reminded.get(run, {})
        return Told(self._ended[run], announced, reminded, self._accepted.get(run, {}), run in self._undelivered)

    def heard_between(self, after: int, before: int) -> list[datetime]:
        """When people heard of the target in runs after one and before another.

        They did in live runs whose reports were to be sent, and count as told of dry runs that count as nights.
        """
        return [
            told.heard_at
            for row in self._runs
            if after < row["run"] < before and self._is_heard(row) and (told := self.of(row["run"])) is not None
        ]

    def _is_heard(self, row: _Row) -> bool:
        if row["mode"] == Mode.DELETE:
            return not row["owes_report"] and not row["unposted"]
        return row["run"] in self._counted


_ANNOUNCED = "SELECT run, image, policy, announced_at FROM notices WHERE target = ? AND run >= ?"
_REMINDED = "SELECT reminded_in_run, image, reminded_at FROM notices WHERE target = ? AND reminded_in_run >= ?"
_ACCEPTED = """
SELECT run, channel, delivered_at FROM reports
WHERE run IS NOT NULL AND delivered_at IS NOT NULL AND error IS NULL
"""
# A report that comes late announces nothing. One whose messages are no list is for no person, and one that was merged
# into another was dropped in time: that other is looked at, too.
_UNDELIVERED = """
SELECT s.run FROM surveys s JOIN runs r ON r.run = s.run
WHERE s.target = :target AND s.run >= :first AND (r.owes_report OR (r.unposted AND r.mode = 'delete') OR EXISTS (
    SELECT 1 FROM reports p WHERE p.run = s.run AND p.messages LIKE '[%' AND (
        p.delivered_at IS NULL
        OR p.delivered_at >= (SELECT n.started_at FROM runs n WHERE n.run > s.run ORDER BY n.run LIMIT 1)
    )
))
UNION SELECT run FROM (
    SELECT m.run, m.image FROM mentions m JOIN runs r ON r.run = m.run
    WHERE m.run >= :first AND m.target = :target AND m.kind IN ('announced', 'reminded') AND r.mode = 'delete'
    EXCEPT SELECT run, image FROM notices WHERE target = :target
    EXCEPT SELECT reminded_in_run, image FROM notices WHERE target = :target
)
"""
