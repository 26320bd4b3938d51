"""The history of one image, from everything that is recorded about it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from janitor.core.names.image_ids import ImageId, folded
from janitor.core.names.spelling import normal
from janitor.core.planning.deletion import Answer
from janitor.core.result import DeletionOutcome, Event
from janitor.core.units import format_minute
from janitor.core.usage import UserKind
from janitor.store.columns import IMAGE, Kind
from janitor.store.connection import Connection, query
from janitor.store.history.forgetting import kept_from
from janitor.store.rows import instant

Minute = Callable[[datetime], str]
"""Writes an instant."""

_MAPPINGS = {"properties": "property", "unreadable": "unreadable"}
"""The columns that hold mappings, and the name of one of their entries."""
_FACTS = {column.name: column.kind for column in IMAGE if column.name not in _MAPPINGS}
_FLAGS = frozenset({Kind.FLAG, Kind.OPTIONAL_FLAG})


def find_image(db: Connection, prefix: str) -> list[tuple[str, str]]:
    """The target and id of each image ever seen whose id starts like this, latest seen first; a whole id beats all.

    A whole id may be spelled in any way, and the start of a UUID with its dashes or without. Of an id that was listed
    in several spellings, it is the one seen latest.
    """
    word = folded(prefix)
    if not word:
        return []
    starts = {"written": prefix, "folded": word, "undashed": _undashed(word)}
    found = [(target, image) for target, image in db.execute(_FIND, starts)]
    whole = [(target, image) for target, image in found if folded(image) == word]
    latest: dict[tuple[str, ImageId], tuple[str, str]] = {}
    for target, image in whole or found:
        latest.setdefault((target, folded(image)), (target, image))
    return list(latest.values())


def _undashed(word: str) -> str | None:
    """The start of a UUID without its dashes; None for what is no start of one, with its dashes or without."""
    bare = word.replace("-", "")
    dashed = "-".join(filter(None, (bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:])))
    starts = re.fullmatch("[0-9a-f]{1,32}", bare) is not None and word.removesuffix("-") in (bare, dashed)
    return bare if starts else None


def find_named(db: Connection, name: str) -> list[tuple[str, str, bool]]:
    """The target and id of each image whose latest name is this (see `normal`), and if it is listed; those first."""
    wanted = normal(name)
    rows = db.execute(_NAMED)
    return [(target, image, bool(listed)) for target, image, listed, named in rows if normal(named) == wanted]


def image_history(db: Connection, target: str, image_id: str, minute: Minute = format_minute) -> list[Event]:
    """Everything that is known to have happened to an image, in the order of the runs; empty for an unknown image.

    `minute` writes an instant.
    """
    keys = {"target": target, "image": image_id, "used": folded(image_id)}
    happened = [
        *_sightings(query(db, _FACTS_OF, keys), kept_from(db, target), minute),
        *_uses(query(db, _USES_OF, keys), minute),
        *(Event(instant(row["at"]), row["run"], _decision(row)) for row in query(db, _DECISIONS_OF, keys)),
        *(Event(instant(row["at"]), row["run"], _mention(row, minute)) for row in query(db, _MENTIONS_OF, keys)),
        *_deletions(query(db, _DELETIONS_OF, keys)),
    ]
    return sorted(happened, key=lambda event: event.run)  # stable: seen, used, decided, announced, deleted within a run


def _sightings(rows: list[dict[str, Any]], kept: int | None, minute: Minute) -> Iterator[Event]:
    """What surveys saw; where the details of runs before `kept` were dropped, nothing is said of what was seen then."""
    before: dict[str, Any] | None = None
    told = [row for row in rows if kept is None or row["until_run"] is None or row["until_run"] > kept]
    if kept is not None and told and (len(told) < len(rows) or told[0]["from_run"] < kept):
        row = before = told.pop(0)
        seen = f"seen before: {_quoted('name', row['name'])}, {row['status']}"
        yield Event(instant(row["at"]), row["from_run"], f"{seen}; details of runs before {kept} were dropped")
    for row in told:
        at, run = instant(row["at"]), row["from_run"]
        if before is None:
            yield Event(at, run, f"first seen: {_quoted('name', row['name'])}, {row['status']}")
        else:
            if before["until_run"] != run:
                yield _gone(before)
                yield Event(at, run, "listed again")
            yield from (Event(at, run, change) for change in _changes(before, row, minute))
        before = row
    if before is not None and before["until_run"] is not None:
        yield _gone(before)


def _gone(row: Mapping[str, Any]) -> Event:
    return Event(instant(row["until_at"]), row["until_run"], "no longer listed")


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], minute: Minute) -> Iterator[str]:
    for key in _FACTS:
        if before[key] != after[key]:
            yield f"{key} {_quoted(key, before[key], minute)} -> {_quoted(key, after[key], minute)}"
    for column, word in _MAPPINGS.items():
        old, new = (json.loads(row[column] or "{}") for row in (before, after))
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                yield f"{word} {key} {_quoted(key, old.get(key))} -> {_quoted(key, new.get(key))}"


def _quoted(key: str, value: Any, minute: Minute = format_minute) -> str:
    if value is None:
        return "unknown" if _FACTS.get(key, Kind.TAGS) is not Kind.TAGS else "none"
    if _FACTS.get(key) in _FLAGS:
        return "true" if value else "false"
    if _FACTS.get(key) is Kind.INSTANT:
        return minute(instant(value))
    return f'"{value}"' if key == "name" else str(value)


def _uses(rows: list[dict[str, Any]], minute: Minute) -> Iterator[Event]:
    # A use continues in another row where only its source changed, or could not be read for a while.
    ends = {(*_use_of(row), row["until_run"]) for row in rows}
    begins = {(*_use_of(row), row["from_run"]) for row in rows}
    for row in rows:
        words = _use_in_words(row)
        if (*_use_of(row), row["from_run"]) not in ends:
            yield Event(instant(row["at"]), row["from_run"], words)
        if row["until_run"] is not None and (*_use_of(row), row["until_run"]) not in begins:
            seen = f", last seen {minute(instant(row['last_seen']))}" if row["last_seen"] else ""
            yield Event(instant(row["until_at"]), row["until_run"], f"no longer {words}{seen}")


def _use_of(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["instance"], row["instance_name"]


def _use_in_words(row: Mapping[str, Any]) -> str:
    name = row["instance_name"] or row["instance"]
    return f"named in {name}" if row["kind"] == UserKind.REFERENCE else f"in use by {row['kind']} {name}"


def _decision(row: Mapping[str, Any]) -> str:
    by = f" by {row['policy']}" if row["policy"] else ""
    return f"decision: {row['verdict']}{by} [{row['reason']}] {row['detail']}"


def _mention(row: Mapping[str, Any], minute: Minute) -> str:
    match row["kind"], row["due"]:
        case "spared", _:
            return "spared: kept now, the notice is withdrawn"
        case "gone", _:
            return "reported as deleted by somebody else, the notice ended"
        case "announced", None:
            return "not announced, no report was delivered: notice period not started"
        case "announced", due:
            return f"announced under policy {row['policy']}: due for deletion {minute(instant(due))}"
        case _, None:
            return "reminder not delivered"
        case _ if row["moved"]:
            return f"late reminder: due for deletion {minute(instant(row['due']))}"
        case _:
            return "reminder sent"


def _deletions(rows: list[dict[str, Any]]) -> Iterator[Event]:
    for row in rows:
        yield Event(instant(row["at"]), row["run"], _deletion(row))
        if row["settled_in_run"] is not None:
            text = f"deletion: {row['settled_outcome']}, {row['settled_detail']}"
            yield Event(instant(row["settled_at"]), row["settled_in_run"], text)
        if row["confirmed_in_run"] is not None:
            text = f"deletion: {row['confirmed_outcome']}, {row['confirmed_detail']}"
            yield Event(instant(row["confirmed_at"]), row["confirmed_in_run"], text)


def _deletion(row: Mapping[str, Any]) -> str:
    answered = _answered(row["answer"], row["answer_words"])
    if row["outcome"] is None or (row["settled_in_run"] is not None and not row["unsettled"]):
        return f"deletion: requested, {answered}, not confirmed"
    unknown = row["unsettled"] and row["outcome"] == DeletionOutcome.FAILED
    outcome = "outcome not known" if unknown else row["outcome"]
    return f"deletion: {outcome}, {row['detail']} ({answered if row['requested_at'] else 'nothing was sent'})"


def _answered(answer: str | None, words: str | None) -> str:
    if answer is None:
        return "no answer was recorded"
    if answer == Answer.NONE:
        return f"no usable answer: {words}" if words else "no usable answer"
    return f"the API answered: {answer}{f' {words}' if words else ''}"


_FIND = """
SELECT i.target, i.image FROM images i
WHERE lower(substr(i.image, 1, length(:written))) = lower(:written)
    OR lower(substr(i.image, 1, length(:folded))) = :folded
    OR (
        lower(substr(replace(i.image, '-', ''), 1, length(:undashed))) = :undashed
        AND length(replace(i.image, '-', '')) = 32
    )
ORDER BY (
    SELECT CASE WHEN count(*) > count(f.until_run) THEN 9223372036854775807 ELSE max(f.until_run) END
    FROM image_facts f WHERE f.image_key = i.image_key
) DESC, i.first_seen DESC, i.target, i.image
"""
_NAMED = """
SELECT i.target, i.image, f.until_run IS NULL AS listed, f.name
FROM image_facts f JOIN images i ON i.image_key = f.image_key
WHERE f.name IS NOT NULL AND f.from_run = (SELECT max(g.from_run) FROM image_facts g WHERE g.image_key = f.image_key)
ORDER BY listed DESC, f.from_run DESC, i.target, i.image
"""
_FACTS_OF = """
SELECT f.*, s.finished_at AS at, u.finished_at AS until_at
FROM images i
JOIN image_facts f ON f.image_key = i.image_key
JOIN surveys s ON s.run = f.from_run AND s.target = i.target
LEFT JOIN surveys u ON u.run = f.until_run AND u.target = i.target
WHERE i.target = :target AND i.image = :image ORDER BY f.from_run
"""
_USES_OF = """
SELECT x.*, s.finished_at AS at, u.finished_at AS until_at
FROM uses x
JOIN surveys s ON s.run = x.from_run AND s.target = x.target
LEFT JOIN surveys u ON u.run = x.until_run AND u.target = x.target
WHERE x.target = :target AND x.image IN (:image, :used) ORDER BY x.from_run, x.instance_name, x.instance
"""
_DECISIONS_OF = """
SELECT d.*, d.from_run AS run, s.finished_at AS at
FROM images i
JOIN decisions d ON d.image_key = i.image_key
JOIN surveys s ON s.run = d.from_run AND s.target = i.target
WHERE i.target = :target AND i.image = :image ORDER BY d.from_run
"""
# What reports of live runs said about notices, with the notice if a channel has accepted it.
_MENTIONS_OF = """
SELECT m.run, m.kind, n.policy, n.announced_due IS NOT NULL AS moved,
CASE m.kind WHEN 'announced' THEN coalesce(n.announced_due, n.due) ELSE n.due END AS due, CASE m.kind
    WHEN 'announced' THEN coalesce(n.announced_at, s.finished_at)
    WHEN 'reminded' THEN coalesce(n.reminded_at, s.finished_at)
    ELSE s.finished_at
END AS at
FROM mentions m
JOIN runs r ON r.run = m.run AND r.mode = 'delete'
JOIN surveys s ON s.run = m.run AND s.target = m.target
LEFT JOIN notices n ON n.target = m.target AND n.image = m.image AND (
    (m.kind = 'announced' AND n.run = m.run) OR (m.kind = 'reminded' AND n.reminded_in_run = m.run)
)
WHERE m.target = :target AND m.image = :image AND m.kind IN ('announced', 'reminded', 'spared', 'gone') ORDER BY m.run
"""
_DELETIONS_OF = """
SELECT x.*, coalesce(x.requested_at, r.finished_at, r.started_at) AS at, s.finished_at AS settled_at,
    c.finished_at AS confirmed_at
FROM deletions x
JOIN runs r ON r.run = x.run
LEFT JOIN surveys s ON s.run = x.settled_in_run AND s.target = x.target
LEFT JOIN surveys c ON c.run = x.confirmed_in_run AND c.target = x.target
WHERE x.target = :target AND x.image = :image ORDER BY x.deletion
"""
