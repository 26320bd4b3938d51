"""The recorded nights of a target, one after the other: the first is read whole, and of each later one what changed."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from janitor.core.memory import Exemption
from janitor.core.planning.refusal import Refusal, refusal_told_by
from janitor.core.replay.nights import Lost, PastRun, RecordedNight, Since, Standing, counting
from janitor.core.result import Mode, Outcome
from janitor.core.usage import Usage
from janitor.store.basis import basis_at
from janitor.store.connection import Connection, query
from janitor.store.history.fleet import Fleet
from janitor.store.history.known import Known
from janitor.store.history.requests import requests, unsent
from janitor.store.history.telling import Telling
from janitor.store.rows import instant
from janitor.store.surveys.uses import unread_in
from janitor.store.trust.bindings import api_at, counts_after
from janitor.store.trust.grounds import notices_at
from janitor.store.trust.notices import missed_since

_Row = dict[str, Any]


def nights_of(db: Connection, target: str, since: Since | None) -> Iterator[RecordedNight]:
    """The nights of a target in their order: of that time, or all that are kept.

    The mappings of a night change with the next. Nothing may be written meanwhile by the same connection.
    """
    runs = query(db, _RUNS, {"target": target})
    wanted = [row for row in _within(runs, since) if row["finished_at"] is not None and not row["details_dropped"]]
    if not wanted:
        return
    counted = counting([_past(row) for row in runs if row["finished_at"] is not None])
    reading = _Reading(db, target, runs, wanted[0]["run"], counted | _would_count(runs))
    for row in runs:
        if row["run"] < wanted[0]["run"] or row["finished_at"] is None:
            continue
        yield reading.night(row, counts=row["run"] in counted)


def _past(row: _Row) -> PastRun:
    return PastRun(row["run"], Mode(row["mode"]), _moment(row))


def _would_count(runs: list[_Row]) -> frozenset[int]:
    """The runs that could not survey the target and would count as nights if they had."""
    failed = [row for row in runs if row["finished_at"] is None and row["ended_at"] is not None]
    live = [row for row in runs if row["finished_at"] is not None and row["mode"] == Mode.DELETE]
    tried = sorted([*live, *(row for row in failed if row["mode"] == Mode.DRY_RUN)], key=lambda row: row["run"])
    return counting([_past(row) for row in tried])


def lost_of(db: Connection, target: str, since: Since | None) -> Lost:
    """The nights of that time that cannot be replayed, and the latest that could have been, of whatever time."""
    runs = query(db, _RUNS, {"target": target})
    some = _within(runs, since)
    seen = [row for row in runs if row["finished_at"] is not None]
    return Lost(
        sum(bool(row["details_dropped"]) for row in some if row["finished_at"] is not None),
        tuple(row["run"] for row in some if row["finished_at"] is None),
        _past(seen[-1]) if seen else None,
        _past(runs[-1]) if runs else None,
    )


def _within(runs: list[_Row], since: Since | None) -> list[_Row]:
    if since is None or not runs:
        return runs
    begin = _moment(runs[-1]) - since if isinstance(since, timedelta) else since
    return [row for row in runs if _moment(row) >= begin]


def _moment(row: _Row) -> datetime:
    """When a run surveyed the target; where it could not, when it ended, or else began."""
    return instant(row["finished_at"] or row["ended_at"] or row["started_at"])


@dataclass(frozen=True, slots=True)
class _Command:
    """An exemption by command, and when it was granted and revoked."""

    exemption: Exemption
    created_at: datetime
    ended_at: datetime | None


class _Reading:
    """Reads the nights of one target from a run on."""

    def __init__(self, db: Connection, target: str, runs: list[_Row], first: int, counted: Collection[int]) -> None:
        self._db = db
        self._target = target
        self._runs = runs
        self._first = first
        self._before = first - 1
        self._fleet = Fleet(db, target, first)
        self._known = Known(db, target, first)
        self._requests = requests(db, target, first)
        self._unsent = unsent(db, target, first)
        self._told = Telling(db, target, runs, first, counted)
        self._commands = [
            _Command(Exemption(image, instant(until), why, who), instant(created), ended and instant(ended))
            for image, until, why, who, created, ended in db.execute(_COMMANDS)
        ]

    def night(self, row: _Row, *, counts: bool) -> RecordedNight:
        """The night of a run. Those before it have been asked for."""
        db, target, run, at = self._db, self._target, row["run"], instant(row["finished_at"])
        change = self._fleet.advance(run, at, at if row["usage_problem"] is None else None)
        self._known.advance(run)
        recorded = row["sharing_asked"] is not None
        return RecordedNight(
            run,
            Mode(row["mode"]),
            at,
            target,
            (target, *json.loads(row["also_named"] or "[]")),
            self._fleet.images,
            self._usage(row),
            self._fleet.histories,
            self._fleet.past_uses,
            api_at(db, run, target),
            basis_at(db, run),
            self._known.exemptions if recorded else None,
            self._by_command(at),
            self._known.refusals if recorded else {},
            self._known.sharing if recorded else {},
            self._known.last_sharing,
            self._requests.taken(change, run),
            self._requests.requested(run),
            self._told.of(run),
            self._told.heard_between(self._before, run),
            self._standing(run),
            counts_after(db, target, run),
            row["behind_run"] is not None,
            counts,
            _undecided(row),
            _withheld(row),
            self._fleet.clocks_known,
            bool(row["applied"]),
            self._unsent.get(run, 0),
            row["run_outcome"] is not None or row is not self._runs[-1],
        )

    def _standing(self, run: int) -> Standing | None:
        self._before, before = run, self._before
        if run != self._first:
            return None
        notices = notices_at(self._db, run, self._target)
        missing = {
            image: instant(missed_since(self._db, self._target, image))
            for image in notices.keys() - self._fleet.images.keys()
        }
        return Standing(notices, missing, self._told.heard_between(0, before + 1))

    def _usage(self, row: _Row) -> Usage:
        parts = unread_in(row["usage_unread"])
        remarks = tuple(json.loads(row["usage_remarks"] or "[]"))
        if row["usage_problem"] is not None:
            return Usage(problem=row["usage_problem"], unread=parts, remarks=remarks)
        # For runs before it was recorded which uses were carried over, all that may have been are left out.
        by_image = self._fleet.uses_besides(parts) if parts and row["usage_readings"] is None else self._fleet.uses
        return Usage(by_image, unread=parts, remarks=remarks)

    def _by_command(self, at: datetime) -> list[Exemption]:
        return [
            one.exemption
            for one in self._commands
            if one.created_at <= at < (one.ended_at or one.exemption.until) and at < one.exemption.until
        ]


def _undecided(row: _Row) -> str | None:
    """Why nothing could be decided in a night, in words; None where it was."""
    if row["usage_problem"] is not None:
        return str(row["usage_problem"])
    if not row["good"] and row["measured"]:
        return "its survey was not accepted"
    if row["sharing_asked"] is None and not row["decisions"] and row["images"]:
        return f"nothing was decided{': ' + row['error'] if row['error'] else ''}"
    return None


def _withheld(row: _Row) -> str | None:
    """Why nothing could be deleted in a night although it was decided on; None where it could."""
    if row["outcome"] != Outcome.REFUSED or not row["good"]:
        return None
    # Limits are not enforced in a replay: they are said of its own plans.
    return None if refusal_told_by(row["error"]) is Refusal.OVER_LIMIT else row["error"] or "no reason is recorded"


_RUNS = """
SELECT s.run, r.mode, r.started_at, r.finished_at AS ended_at, r.outcome AS run_outcome, r.owes_report, r.unposted,
    r.behind_run, s.finished_at, s.usage_problem, s.usage_unread, s.usage_remarks, s.usage_readings, s.images,
    s.decisions, s.sharing_asked, s.also_named, s.good, s.protected IS NOT NULL AS measured, s.outcome, s.error,
    s.details_dropped, s.applied
FROM surveys s JOIN runs r ON r.run = s.run WHERE s.target = :target ORDER BY s.run
"""
_COMMANDS = "SELECT image, until, why, who, created_at, ended_at FROM exemptions ORDER BY exemption"
