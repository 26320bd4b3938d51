"""Where the list of a target can be asked at, by its last survey: the next one reads it side by side."""

import json
import logging
from datetime import datetime, timedelta

from janitor.core.survey.pages import PagesRead
from janitor.core.units import format_day, iso
from janitor.store.connection import Connection
from janitor.store.rows import instant

_log = logging.getLogger("janitor.store")

_TRIED_AGAIN_AFTER = timedelta(days=30)
"""How long a service that turned down several requests at a time is asked for one at a time."""

STEP = """
-- Ids of the last survey's list, evenly spaced, in the order of the list. They only save time: nothing depends on them.
CREATE TABLE list_markers (
    target TEXT PRIMARY KEY,
    images TEXT NOT NULL
) WITHOUT ROWID;
"""
TURNED_DOWN = """
-- When the service of a target last turned down requests for several pages at a time.
ALTER TABLE list_markers ADD COLUMN turned_down_at TEXT;
"""


def record_pages(db: Connection, target: str, pages: PagesRead, at: datetime) -> None:
    """Record how a list was read at this time, instead of what was recorded before."""
    turned_down_at = iso(at) if pages.turned_down else None
    db.execute(_REPLACE, (target, json.dumps(pages.markers), turned_down_at))


def markers(db: Connection, target: str, now: datetime) -> list[str] | None:
    """The markers recorded last for a target; None where its list was never read.

    There are none where that is no list of ids, and for a month after its service turned down several requests at a
    time.
    """
    recorded = db.execute(_RECORDED, (target,)).fetchone()
    if recorded is None:
        return None
    images, turned_down_at = recorded
    # A time in the future is that of a run whose clock was ahead, and tells nothing.
    if turned_down_at is not None and timedelta() <= now - instant(turned_down_at) < _TRIED_AGAIN_AFTER:
        day = format_day(instant(turned_down_at))
        _log.info("pages-one-at-a-time target=%s reason='several at a time were turned down on %s'", target, day)
        return []
    return _ids_in(images)


def _ids_in(images: str) -> list[str]:
    try:
        ids = json.loads(images)
    except ValueError:
        return []
    return [one for one in ids if isinstance(one, str)] if isinstance(ids, list) else []


_REPLACE = """
INSERT INTO list_markers (target, images, turned_down_at) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET images = excluded.images, turned_down_at = coalesce(excluded.turned_down_at, turned_down_at)
"""
_RECORDED = "SELECT images, turned_down_at FROM list_markers WHERE target = ?"
