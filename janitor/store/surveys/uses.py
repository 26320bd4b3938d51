"""What used which image, as intervals of runs, and what else earlier surveys knew about usage."""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from janitor.core.names.image_ids import ImageId, folded
from janitor.core.survey import Survey
from janitor.core.units import iso
from janitor.core.usage import EarlierUsage, Reading, Source, StackContent, Unread, Usage, User, UserKind
from janitor.store.columns import covering
from janitor.store.connection import Connection
from janitor.store.rows import instant
from janitor.store.trust.bindings import counts_after

NEVER_USED = (None, None, None)


@dataclass(frozen=True, slots=True)
class LastUses:
    """When each image was last in use, by its folded id, and the times of the accepted surveys, oldest first.

    `held` leaves out the uses by servers that are known to be deleted.
    """

    used: Mapping[ImageId, datetime]
    held: Mapping[ImageId, datetime]
    good: Sequence[datetime]

    def of(self, key: ImageId) -> tuple[datetime | None, datetime | None, datetime | None]:
        """When an image was last in use, when it was last held, and the first accepted survey after that, if any."""
        if key not in self.used and key not in self.held:
            return NEVER_USED
        held = self.held.get(key)
        place = bisect_right(self.good, held) if held is not None else len(self.good)
        return self.used.get(key), held, self.good[place] if place < len(self.good) else None


def record_uses(db: Connection, run: int, target: str, survey: Survey) -> LastUses:
    """Record the usage that a survey saw; returns when each image was last in use.

    Where the survey could not read the usage, or some sources, nothing changes: a use is neither seen nor ended.
    """
    readable = survey.usage.problem is None
    after = counts_after(db, target, run)
    before = _latest_readable(db, run, target, after)
    if readable:
        _record_changes(db, run, target, survey.usage, after)
        db.executemany(_DELETED, [(run, target, server) for server in sorted(survey.usage.ended)])
        _record_stacks(db, target, survey.usage)
    return _last_uses(db, target, iso(survey.finished_at) if readable else before, run, after)


def last_uses(db: Connection, target: str) -> LastUses:
    """When each image was last in use, up to the latest survey."""
    after = counts_after(db, target)
    return _last_uses(db, target, _latest_readable(db, None, target, after), None, after)


def use_history_at(db: Connection, run: int, target: str) -> LastUses:
    """When each image had been in use, as a run knew it."""
    after = counts_after(db, target, run)
    now = _latest_readable(db, run + 1, target, after)
    rows = db.execute(_LAST_AT_RUN, {"run": run, "target": target, "now": now, "after": after}).fetchall()
    return _as_last_uses(db, target, rows, run, after)


def earlier_usage(db: Connection, target: str, since: datetime) -> EarlierUsage:
    """What earlier surveys knew about usage; of servers, those seen using an image since that time."""
    after = counts_after(db, target)
    good = db.execute(_GOOD_READINGS, (target, after)).fetchone()
    asked = asked_in(good[0] if good is not None else None) or {}
    places = {place: number for place, number in asked.items() if place[0] is not Source.REFERENCES}
    latest = _latest_readable(db, None, target, after)
    servers = db.execute(_SERVERS, (latest, target, after, iso(since))).fetchall() if latest is not None else ()
    stacks = db.execute("SELECT stack, version, words FROM stacks WHERE target = ?", (target,)).fetchall()
    return EarlierUsage(
        read=frozenset(places),
        places=places,
        servers={server: instant(seen) for server, seen in servers},
        stacks={stack: StackContent(version, json.loads(words)) for stack, version, words in stacks},
        unrecorded=good is not None and good[0] is None,
    )


def readings_json(usage: Usage) -> str | None:
    """The services that a survey found, each with its region, also optional ones that failed; NULL for no usage.

    `places` is how many of one kind there were in one region. References have their names instead of a region; one
    without a name and places says that they were read at all, of which earlier versions recorded nothing.
    """
    if usage.problem is not None:
        return None
    there = (one for one in usage.readings if one.place or not one.problem)
    found = Counter({(Source.REFERENCES.value, ""): 0})
    found.update((reading.source.value, _region_of(reading)) for reading in there)
    return json.dumps(
        [{"source": kind, "region": region, "places": places} for (kind, region), places in sorted(found.items())]
    )


def _region_of(reading: Reading) -> str:
    return f"reference {reading.place}" if reading.source is Source.REFERENCES else reading.region


def unread_in(recorded: str | None) -> frozenset[Unread]:
    """The sources that a survey could not read, as it is recorded."""
    return frozenset(Unread(Source(source), part) for source, part in json.loads(recorded or "[]"))


def asked_in(recorded: str | None) -> dict[tuple[Source, str], int] | None:
    """What `readings_json` says: how many places of each source and region; None where that was not recorded."""
    if recorded is None:
        return None
    return {(Source(one["source"]), one["region"]): one.get("places", 1) for one in json.loads(recorded)}


def _record_stacks(db: Connection, target: str, usage: Usage) -> None:
    """Record what stacks said; those that no longer exist are removed."""
    known = dict(db.execute("SELECT stack, version FROM stacks WHERE target = ?", (target,)).fetchall())
    gone = [(target, stack) for stack in known if stack not in usage.stacks]
    news = [(target, stack, one) for stack, one in usage.stacks.items() if known.get(stack) != one.version]
    db.executemany("DELETE FROM stacks WHERE target = ? AND stack = ?", gone)
    db.executemany(
        "INSERT OR REPLACE INTO stacks (target, stack, version, words) VALUES (?, ?, ?, ?)",
        [(target, stack, one.version, json.dumps(dict(one.words))) for target, stack, one in news],
    )


def usage_at(db: Connection, run: int, target: str, unread: frozenset[Unread], only: str | None = None) -> Usage:
    """The usage that a run's survey could read, of all images or of one; users of each image by name and id.

    `unread` are the sources that it could not read, if it was not recorded which uses were carried over.
    """
    wanted = None if only is None else folded(only)
    rows_then = db.execute(_AT_RUN, {"target": target, "run": run})
    seen = (row for row in rows_then if not _is_unread(unread, row[3], row[4]))
    by_image: dict[ImageId, tuple[User, ...]] = {}
    for image, uses in groupby(seen, key=itemgetter(0)):
        if wanted is not None and folded(image) != wanted:
            continue
        users = tuple(User(user, name, UserKind(kind), source) for _, user, name, kind, source in uses)
        by_image[folded(image)] = by_image.get(folded(image), ()) + users
    return Usage(by_image)


def _record_changes(db: Connection, run: int, target: str, usage: Usage, after: int) -> None:
    """Begin and end uses. Those from before the target was rebound end, even if they continue: they no longer count."""
    before = _latest_readable(db, run, target, 0)
    seen = {
        (target, image, user.id, user.name): (user.kind.value, user.source)
        for image, users in usage.by_image.items()
        for user in users
    }
    present = {row[:4]: row[4:] for row in db.execute(_PRESENT, (target,))}
    counted = {use: told for use, (*told, begun) in present.items() if begun > after}
    going_on = {use for use, (*told, carried) in counted.items() if seen.get(use) == tuple(told) and carried is None}
    unread = {use for use in counted.keys() - seen.keys() if _is_unread(usage.unread, *counted[use][:2])}
    over = present.keys() - going_on - unread
    db.executemany(_END, [(run, before, *use) for use in sorted(over)])
    db.executemany(_CARRY, [(run, *use) for use in sorted(unread)])
    db.executemany(_BEGIN, [(*use, *seen[use], run) for use in sorted(seen.keys() - going_on)])


def _is_unread(unread: Iterable[Unread], kind: str, told_by: str) -> bool:
    return any(one.covers(UserKind(kind), told_by) for one in unread)


def _latest_readable(db: Connection, before_run: int | None, target: str, after: int) -> str | None:
    row = db.execute(_READABLE, (target, after, before_run, before_run)).fetchone()
    return row[0] if row else None


def _last_uses(db: Connection, target: str, now: str | None, before_run: int | None, after: int) -> LastUses:
    rows = db.execute(_LAST, (now, now, target, after)).fetchall()
    return _as_last_uses(db, target, rows, before_run, after)


def _as_last_uses(
    db: Connection,
    target: str,
    rows: Sequence[tuple[str, str | None, str | None]],
    before_run: int | None,
    after: int,
) -> LastUses:
    good = db.execute(_GOOD, (target, after, before_run, before_run)).fetchall()
    return LastUses(
        _latest((image, used) for image, used, _ in rows),
        _latest((image, held) for image, _, held in rows),
        [instant(row[0]) for row in good],
    )


def _latest(times: Iterable[tuple[str, str | None]]) -> dict[ImageId, datetime]:
    """The latest time for each image by its folded id: earlier versions recorded an id in several spellings."""
    latest: dict[ImageId, datetime] = {}
    for image, written in times:
        if written is not None:
            key, time = folded(image), instant(written)
            latest[key] = max(time, latest.get(key, time))
    return latest


_PRESENT = """
SELECT target, image, instance, instance_name, kind, source, carried_from, from_run FROM uses INDEXED BY present_uses
WHERE target = ? AND until_run IS NULL
"""
_BEGIN = (
    "INSERT INTO uses (target, image, instance, instance_name, kind, source, from_run) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_END = """
UPDATE uses SET until_run = ?, last_seen = ?
WHERE target = ? AND image = ? AND instance = ? AND instance_name = ? AND until_run IS NULL
"""
_CARRY = """
UPDATE uses SET carried_from = ?
WHERE target = ? AND image = ? AND instance = ? AND instance_name = ? AND until_run IS NULL AND carried_from IS NULL
"""
_DELETED = """
UPDATE uses INDEXED BY servers_not_deleted SET deleted_in_run = ?
WHERE target = ? AND instance = ? AND kind = 'instance' AND until_run IS NOT NULL AND deleted_in_run IS NULL
"""
_READABLE = """
SELECT finished_at FROM surveys
WHERE target = ? AND run > ? AND finished_at IS NOT NULL AND usage_problem IS NULL AND (? IS NULL OR run < ?)
ORDER BY run DESC LIMIT 1
"""
_LAST = """
SELECT image, max(coalesce(last_seen, ?)), max(CASE WHEN deleted_in_run IS NULL THEN coalesce(last_seen, ?) END)
FROM uses WHERE target = ? AND from_run > ? GROUP BY image
"""
_GOOD = "SELECT finished_at FROM surveys WHERE target = ? AND run > ? AND good AND (? IS NULL OR run < ?) ORDER BY run"
_GOOD_READINGS = """
SELECT usage_readings FROM surveys WHERE target = ? AND run > ? AND good ORDER BY run DESC LIMIT 1
"""
_SERVERS = """
SELECT instance, max(coalesce(last_seen, ?)) AS seen FROM uses INDEXED BY servers_not_deleted
WHERE target = ? AND from_run > ? AND kind = 'instance' AND deleted_in_run IS NULL AND instance != ''
GROUP BY instance HAVING seen >= ?
"""
_LAST_AT_RUN = """
SELECT image, max(seen), max(CASE WHEN deleted_in_run IS NULL OR deleted_in_run > :run THEN seen END) FROM (
    SELECT image, deleted_in_run, CASE WHEN until_run IS NULL OR until_run > :run THEN :now ELSE last_seen END AS seen
    FROM uses WHERE target = :target AND from_run > :after AND from_run <= :run
) GROUP BY image
"""
_AT_RUN = f"""
SELECT image, instance, instance_name, kind, source FROM uses
WHERE target = :target AND {covering("uses", "run")} AND (carried_from IS NULL OR carried_from > :run)
ORDER BY image, instance_name, instance
"""  # noqa: S608 - a condition of ours

STEP = """
-- source: what told of the use, with its region. deleted_in_run: the run that learned that the server was deleted.
-- carried_from: the run from which on its source could not be read, so that it was not seen, and neither over.
ALTER TABLE uses ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE uses ADD COLUMN carried_from INTEGER REFERENCES runs;
ALTER TABLE uses ADD COLUMN deleted_in_run INTEGER REFERENCES runs;
-- The services that the survey found and asked, each with its region: JSON.
ALTER TABLE surveys ADD COLUMN usage_readings TEXT;
UPDATE surveys SET usage_unread = replace(replace(replace(
    usage_unread, '"instance"', '["servers", ""]'), '"volume"', '["volumes", ""]'), '"image"', '["snapshots", ""]')
WHERE usage_unread IS NOT NULL;

-- What the latest survey knows of stacks; words (JSON) are digests of what they say, each with where that stands.
CREATE TABLE stacks (
    target TEXT NOT NULL,
    stack TEXT NOT NULL,
    version TEXT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (target, stack)
) WITHOUT ROWID;
"""

SERVERS = """
-- The servers that are not known to be deleted: found without a look at all that ever used an image.
CREATE INDEX servers_not_deleted ON uses (target, instance, last_seen) \
WHERE kind = 'instance' AND deleted_in_run IS NULL;
"""
