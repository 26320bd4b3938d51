"""Which uses of images began and ended between two surveys, and which were only read then, or no longer."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from janitor.core.names.image_ids import folded
from janitor.core.replay.differences.between import Cause, ChangedUses, Use
from janitor.core.replay.differences.told import Asking, unless_told
from janitor.core.usage import User, UserKind
from janitor.store.columns import covering
from janitor.store.connection import Connection
from janitor.store.rows import Row
from janitor.store.surveys.uses import asked_in, unread_in


def changed_uses(db: Connection, span: dict[str, Any]) -> ChangedUses:
    """The uses that differ between the surveys of two runs: `before` and `after` of the span, and its `target`."""
    rows = {sql: db.execute(sql, span).fetchall() for sql in (_BEGUN, _ENDED, _MEANWHILE)}
    surveys = _Surveys([_asking(row) for row in db.execute(_ASKED, span)] if any(rows.values()) else [])
    begun, ended = _by_user(rows[_BEGUN]), _by_user(rows[_ENDED])
    # One that could not be read for a while is recorded as another one then, and so is a server with another name.
    name = _Names(db, span).of
    came = [_use(row, surveys.unless_begun(row), name) for key, row in begun.items() if key not in ended]
    went = [_use(row, surveys.unless_ended(row), name) for key, row in ended.items() if key not in begun]
    return ChangedUses(
        [use for use in came if use.unless is None],
        [use for use in went if use.unless is None],
        [use for use in came if use.unless is not None],
        [use for use in went if use.unless is not None],
        frozenset(folded(row[0]) for row in rows[_MEANWHILE] if surveys.unless_ended(row) is None),
        frozenset(folded(image) for (image,) in db.execute(_RELEASED, span)),
    )


@dataclass(frozen=True, slots=True)
class _Surveys:
    """What the surveys of a span asked, in the order of their runs."""

    some: Sequence[Asking]

    def unless_begun(self, row: Row) -> Cause | None:
        """Why a use may be older than the run that first saw it."""
        at = bisect_left(self.some, row[5], key=_run_of)
        return self._unless(reversed(self.some[:at]), row, self.some[at])

    def unless_ended(self, row: Row) -> Cause | None:
        """Why a use may go on after the run that saw it for the last time."""
        at = bisect_left(self.some, row[6], key=_run_of)
        return self._unless(self.some[at:], row, self.some[at - 1])

    def _unless(self, some: Any, row: Row, seen: Asking) -> Cause | None:
        return unless_told(some, UserKind(row[3]), row[4], seen)


def _run_of(survey: Asking) -> int:
    return survey.run


def _asking(row: Row) -> Asking:
    run, problem, unread, readings = row
    return Asking(run, problem is not None, tuple(unread_in(unread)), asked_in(readings))


def _by_user(rows: Sequence[Row]) -> dict[tuple[str, str, str], Row]:
    return {(folded(row[0]), row[1] or row[2], row[3]): row for row in rows}


def _use(row: Row, unless: Cause | None, name_of: Callable[[str], str | None]) -> Use:
    image, user, name, kind, source, *_ = row
    return Use(image, User(user, name, UserKind(kind), source), unless, name_of(image))


class _Names:
    """The names of images as the target listed them last, up to the later run of a span."""

    def __init__(self, db: Connection, span: dict[str, Any]) -> None:
        self._db, self._span = db, span
        self._found: dict[str, str | None] = {}

    def of(self, image: str) -> str | None:
        """The name of an image, whose id others may spell otherwise than the list does."""
        if image not in self._found:
            identity = folded(image)
            spelled = {"written": image, "folded": identity, "undashed": identity.replace("-", "")}
            row = self._db.execute(_NAME, {**self._span, **spelled}).fetchone()
            self._found[image] = None if row is None else row[0]
        return self._found[image]


_COLUMNS = "image, instance, instance_name, kind, source, from_run, until_run"
_BEGUN = f"""
SELECT {_COLUMNS} FROM uses u
WHERE target = :target AND u.from_run > :before AND {covering("u", "after")} ORDER BY image, instance_name, instance
"""  # noqa: S608 - conditions of ours, here and below
_ENDED = f"""
SELECT {_COLUMNS} FROM uses u
WHERE target = :target AND {covering("u", "before")} AND u.until_run <= :after ORDER BY image, instance_name, instance
"""  # noqa: S608
_MEANWHILE = f"SELECT {_COLUMNS} FROM uses WHERE target = :target AND from_run > :before AND until_run <= :after"  # noqa: S608
_RELEASED = "SELECT image FROM uses WHERE target = :target AND deleted_in_run > :before AND deleted_in_run <= :after"
_NAME = """
SELECT f.name FROM images i JOIN image_facts f ON f.image_key = i.image_key AND f.from_run <= :after
WHERE i.target = :target AND i.image IN (:written, :folded, :undashed, upper(:folded))
ORDER BY f.from_run DESC LIMIT 1
"""
_ASKED = """
SELECT run, usage_problem, usage_unread, usage_readings FROM surveys
WHERE target = :target AND run BETWEEN :before AND :after AND finished_at IS NOT NULL ORDER BY run
"""
