"""What used which image, as intervals of runs."""

import sqlite3
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from janitor.model import Survey, Usage, User, UserKind
from janitor.store.rows import instant
from janitor.units import iso


def record_uses(conn: sqlite3.Connection, run: int, target: str, survey: Survey) -> dict[str, str]:
    """Record the usage that a survey saw; returns when each image that ever was in use last was, by `usage_key`.

    Where the survey could not read the usage, or some kind of users, nothing changes: a use is neither seen nor over.
    """
    readable = survey.usage.problem is None
    before = _latest_readable(conn, run, target)
    if readable:
        _record_changes(conn, run, target, survey.usage, before)
    return _last_in_use(conn, target, iso(survey.finished_at) if readable else before)


def last_in_use(conn: sqlite3.Connection, target: str) -> dict[str, str]:
    """When each image that ever was in use last was, by `usage_key`."""
    return _last_in_use(conn, target, _latest_readable(conn, None, target))


def use_history_at(conn: sqlite3.Connection, run: int, target: str) -> dict[str, dict[str, datetime]]:
    """What a run knew of when each image had been in use, by `usage_key`: those fields of its History by their names.

    Nothing is in it of an image that had never been in use by then.
    """
    now = _latest_readable(conn, run + 1, target)
    rows = conn.execute(_LAST_AT_RUN, {"run": run, "target": target, "now": now})
    last = {usage_key(image): instant(seen) for image, seen in rows if seen is not None}
    good = conn.execute(_GOOD_BEFORE, (target, run)).fetchone()
    unused = instant(good[0]) if good else None
    return {
        key: {"last_in_use": seen} | ({"unused_since": unused} if unused is not None and seen < unused else {})
        for key, seen in last.items()
    }


def usage_at(conn: sqlite3.Connection, run: int, target: str, unread: frozenset[UserKind]) -> Usage:
    """The usage that a run's survey could read, which left out some kinds; the users of each image by name and id."""
    seen = (row for row in conn.execute(_AT_RUN, (target, run, run)) if row[3] not in unread)
    rows = groupby(seen, key=itemgetter(0))
    return Usage(
        {image: tuple(User(user, name, UserKind(kind)) for _, user, name, kind in uses) for image, uses in rows}
    )


def usage_key(image_id: str) -> str:
    """An image id as its users name it: they differ from the image list in case and spaces at times."""
    return image_id.strip().lower()


def _record_changes(conn: sqlite3.Connection, run: int, target: str, usage: Usage, before: str | None) -> None:
    seen = {
        (target, image, user.id, user.name): user.kind.value
        for image, users in usage.by_image.items()
        for user in users
    }
    unread = {kind.value for kind in usage.unread}
    present = {tuple(use): kind for *use, kind in conn.execute(_PRESENT, (target,))}
    over = (use for use, kind in present.items() if use not in seen and kind not in unread)
    conn.executemany(_END, [(run, before, *use) for use in over])
    conn.executemany(_BEGIN, [(*use, seen[use], run) for use in sorted(seen.keys() - present.keys())])


def _latest_readable(conn: sqlite3.Connection, before_run: int | None, target: str) -> str | None:
    row = conn.execute(_READABLE, (target, before_run, before_run)).fetchone()
    return row[0] if row else None


def _last_in_use(conn: sqlite3.Connection, target: str, now: str | None) -> dict[str, str]:
    return {usage_key(image): seen for image, seen in conn.execute(_LAST, (now, target)) if seen is not None}


_PRESENT = "SELECT target, image, instance, instance_name, kind FROM uses WHERE target = ? AND until_run IS NULL"
_BEGIN = "INSERT INTO uses (target, image, instance, instance_name, kind, from_run) VALUES (?, ?, ?, ?, ?, ?)"
_END = """
UPDATE uses SET until_run = ?, last_seen = ?
WHERE target = ? AND image = ? AND instance = ? AND instance_name = ? AND until_run IS NULL
"""
_READABLE = """
SELECT finished_at FROM surveys
WHERE target = ? AND finished_at IS NOT NULL AND usage_problem IS NULL AND (? IS NULL OR run < ?)
ORDER BY run DESC LIMIT 1
"""
_LAST = "SELECT image, max(coalesce(last_seen, ?)) FROM uses WHERE target = ? GROUP BY image"
_LAST_AT_RUN = """
SELECT image, max(CASE WHEN until_run IS NULL OR until_run > :run THEN :now ELSE last_seen END)
FROM uses WHERE target = :target AND from_run <= :run GROUP BY image
"""
_GOOD_BEFORE = "SELECT finished_at FROM surveys WHERE target = ? AND run < ? AND good ORDER BY run DESC LIMIT 1"
_AT_RUN = """
SELECT image, instance, instance_name, kind FROM uses
WHERE target = ? AND from_run <= ? AND (until_run IS NULL OR until_run > ?)
ORDER BY image, instance_name, instance
"""
