"""Snapshots read back: exactly what a survey saw, whole or of one image, and which surveys there were."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from janitor.core.image import Image
from janitor.core.survey import Survey
from janitor.core.usage import Unread, Usage
from janitor.store.columns import IMAGE, names
from janitor.store.connection import Connection
from janitor.store.rows import Row, image_of, instant
from janitor.store.surveys.uses import unread_in, usage_at


def last_seen(db: Connection, target: str, ids: Iterable[str]) -> list[Image]:
    """Those of these images that are in the target's latest snapshot, as recorded there."""
    rows = (db.execute(_LATEST, (target, image)).fetchone() for image in sorted(ids))
    return [image_of(row[0], row[1:]) for row in rows if row is not None]


def last_known(db: Connection, target: str, image_id: str, before: int | None = None) -> Image | None:
    """An image as last seen, before a run or at any time, also if it is no longer listed; None for an unknown one."""
    row = db.execute(_LAST_KNOWN, {"target": target, "image": image_id, "run": before}).fetchone()
    return None if row is None else image_of(image_id, row)


def targets(db: Connection) -> list[str]:
    """The names of all targets that any run surveyed."""
    sql = "SELECT DISTINCT target FROM surveys WHERE finished_at IS NOT NULL ORDER BY target"
    return [row[0] for row in db.execute(sql)]


def recent_targets(db: Connection) -> list[str]:
    """The names of all targets that any run surveyed, the latest surveyed first, and of equals by name."""
    sql = "SELECT target FROM surveys WHERE finished_at IS NOT NULL GROUP BY target ORDER BY max(run) DESC, target"
    return [row[0] for row in db.execute(sql)]


def latest_survey(db: Connection, target: str) -> int | None:
    """The number of the latest run that surveyed a target, if one has."""
    sql = "SELECT max(run) FROM surveys WHERE target = ? AND finished_at IS NOT NULL"
    latest: int | None = db.execute(sql, [target]).fetchone()[0]
    return latest


def survey_before(db: Connection, target: str, run: int) -> int | None:
    """The number of the latest run before this one that surveyed a target, if one has."""
    sql = "SELECT max(run) FROM surveys WHERE target = ? AND run < ? AND finished_at IS NOT NULL"
    before: int | None = db.execute(sql, (target, run)).fetchone()[0]
    return before


def whole_before(db: Connection, target: str, run: int) -> int | None:
    """The same of those whose details are kept."""
    sql = (
        "SELECT max(run) FROM surveys WHERE target = ? AND run < ? AND finished_at IS NOT NULL AND NOT details_dropped"
    )
    before: int | None = db.execute(sql, (target, run)).fetchone()[0]
    return before


def targets_of(db: Connection, run: int) -> list[str]:
    """The targets that a run surveyed, in the order of its report."""
    return [row[0] for row in db.execute(_TARGETS_OF, (run,))]


class SeenImages:
    """The images that a survey saw, in no order: each is made of its row when it is looked at."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Image]:
        return (image_of(row[0], row[1:]) for row in self._rows)


def latest_images(db: Connection, target: str) -> SeenImages:
    """The images of a target's latest snapshot; none before the first."""
    return SeenImages(db.execute(_AT_RUN, (latest_survey(db, target), target)).fetchall())


def surveys_at(db: Connection, run: int) -> dict[str, Survey]:
    """Exactly what each target's survey in a run saw; images oldest first, undated ones before all, ties by id."""
    return {row[0]: _survey(db, run, row) for row in db.execute(_SURVEYS, (run,)).fetchall()}


def survey_at(db: Connection, run: int, target: str) -> Survey | None:
    """The same of one target; None where it was not surveyed."""
    row = db.execute(_SURVEY, (run, target)).fetchone()
    return None if row is None or row[2] is None else _survey(db, run, row)


def age(image: Image) -> tuple[datetime, str]:
    """The sort key of images: oldest first, undated ones before all others, ties by id."""
    return (image.created_at or datetime.min.replace(tzinfo=UTC), image.id)


def survey_of(db: Connection, target: str, image_id: str) -> tuple[int, Survey] | None:
    """The latest run that surveyed a target, and what it saw of one image, and of nothing else; None before the first.

    There is no image in it where that survey did not list it.
    """
    run = latest_survey(db, target)
    row = db.execute(_SURVEY, (run, target)).fetchone()
    return None if run is None or row is None else (run, _survey(db, run, row, only=image_id))


def _survey(db: Connection, run: int, row: Row, only: str | None = None) -> Survey:
    """What a survey saw, all of it or of one image, from the columns of `_SURVEYS`."""
    target, started, finished, problem, unread, remarks, readings = row
    parts = unread_in(unread)
    # For runs before it was recorded which uses were carried over, all that may have been are left out.
    left_out = parts if readings is None else frozenset[Unread]()
    used = Usage(problem=problem) if problem is not None else usage_at(db, run, target, left_out, only)
    usage = replace(used, unread=parts, remarks=tuple(json.loads(remarks or "[]")))
    return Survey(_images(db, run, target, only), usage, instant(started), instant(finished))


def _images(db: Connection, run: int, target: str, only: str | None) -> tuple[Image, ...]:
    rows = db.execute(_AT_RUN, (run, target)) if only is None else db.execute(_IMAGE_AT_RUN, (run, target, only))
    return tuple(sorted((image_of(row[0], row[1:]) for row in rows), key=age))


_WHOLE_BEFORE = """
SELECT max(run) FROM surveys WHERE target = ? AND run < ? AND finished_at IS NOT NULL AND NOT details_dropped
"""
_TARGETS_OF = """
SELECT target FROM surveys WHERE run = ? AND finished_at IS NOT NULL ORDER BY position IS NULL, position, target
"""
_COLUMNS = "target, started_at, finished_at, usage_problem, usage_unread, usage_remarks, usage_readings"
_SURVEYS = f"""
SELECT {_COLUMNS} FROM surveys WHERE run = ? AND finished_at IS NOT NULL ORDER BY position IS NULL, position, target
"""  # noqa: S608 - the names of columns
_SURVEY = f"SELECT {_COLUMNS} FROM surveys WHERE run = ? AND target = ?"  # noqa: S608 - the names of columns
_LATEST = f"""
SELECT i.image, {names(IMAGE, "f")}
FROM images i JOIN image_facts f ON f.image_key = i.image_key AND f.until_run IS NULL
WHERE i.target = ? AND i.image = ?
"""  # noqa: S608 - the names of columns
_LAST_KNOWN = f"""
SELECT {names(IMAGE, "f")} FROM images i JOIN image_facts f USING (image_key)
WHERE i.target = :target AND i.image = :image AND (:run IS NULL OR f.from_run < :run) ORDER BY f.from_run DESC LIMIT 1
"""  # noqa: S608 - the names of columns
_AT_RUN = f"SELECT image, {names(IMAGE)} FROM snapshots WHERE run = ? AND target = ?"  # noqa: S608 - the names of columns
_IMAGE_AT_RUN = f"{_AT_RUN} AND image = ?"
