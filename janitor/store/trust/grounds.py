"""What decisions were based on besides the survey: what was recorded of images, and the answers about sharing.

Notices, rejections and exemptions are kept in tables of their own, too, but not as they were when a run decided:
outcomes are settled later, reports are accepted late, and people exempt images during a run. So what was used is
recorded with the decisions, in the same transaction, as intervals.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any

from janitor.core.basis import Grounds
from janitor.core.image import Sharing
from janitor.core.memory import Exemption, Memory, Notice, Refusals
from janitor.store.columns import covering
from janitor.store.connection import Connection
from janitor.store.values import from_json, to_json

STEP = """
-- What decisions went by, beside what the survey saw. kind: notice, exemption (the longest, by command, file or tag),
-- refusals, or sharing, which is there for each image that was asked about. value: JSON. A new row when it changed.
CREATE TABLE grounds (
    target TEXT NOT NULL,
    image TEXT NOT NULL,
    kind TEXT NOT NULL,
    from_run INTEGER NOT NULL REFERENCES runs,
    until_run INTEGER REFERENCES runs,
    value TEXT NOT NULL,
    PRIMARY KEY (target, image, kind, from_run)
) WITHOUT ROWID;
CREATE INDEX present_grounds ON grounds (target) WHERE until_run IS NULL;

-- sharing_asked: of how many images it was asked with whom they are shared; NULL where the grounds of the decisions
-- were not recorded. also_named: JSON, other names that policies may know the target by.
ALTER TABLE surveys ADD COLUMN sharing_asked INTEGER;
ALTER TABLE surveys ADD COLUMN also_named TEXT;
"""

_SHARING = "sharing"
# Most images of a family were announced together, and most are shared with nobody.
_written = lru_cache(maxsize=10_000)(to_json)


def record_grounds(db: Connection, run: int, target: str, grounds: Grounds) -> None:
    """Record what the decisions of a run on one target were based on, as far as it has changed."""
    recorded = {(image, kind): _written(value) for image, kind, value in _entries(grounds)}
    present = {(image, kind): value for image, kind, value in db.execute(_OPEN, (target,))}
    over = [key for key, value in present.items() if recorded.get(key) != value]
    fresh = [(*key, value) for key, value in recorded.items() if present.get(key) != value]
    db.executemany(_CLOSE, ((run, target, *key) for key in over))
    db.executemany(_ADD, ((target, run, *row) for row in fresh))
    db.execute(_COUNT, (len(grounds.sharing), run, target))


def _entries(grounds: Grounds) -> Iterator[tuple[str, str, object]]:
    memory = grounds.memory
    kinds = {"notice": memory.notices, "exemption": memory.exemptions, "refusals": memory.refusals}
    for kind, values in {**kinds, _SHARING: grounds.sharing}.items():
        yield from ((image, kind, value) for image, value in values.items())


def grounds_at(db: Connection, run: int, target: str, usage_memory: timedelta) -> Grounds | None:
    """What the decisions of a run on one target were based on; None if it decided nothing, or that was not recorded.

    `usage_memory` is the run's own.
    """
    recorded = db.execute("SELECT sharing_asked FROM surveys WHERE run = ? AND target = ?", (run, target)).fetchone()
    if recorded is None or recorded[0] is None:
        return None
    found: dict[str, dict[str, Any]] = {kind: {} for kind in READERS}
    for image, kind, value in db.execute(_AT_RUN, {"target": target, "run": run}):
        found[kind][image] = READERS[kind](value)
    memory = Memory(found["notice"], found["exemption"], found["refusals"], usage_memory)
    return Grounds(memory, found[_SHARING])


def notice_at(db: Connection, run: int, target: str, image_id: str) -> Notice | None:
    """The notice of an image as the decisions of a run counted it, if it had one."""
    values = {"target": target, "run": run, "image": image_id}
    row = db.execute(f"{_AT_RUN} AND kind = 'notice' AND image = :image", values).fetchone()
    return None if row is None else from_json(Notice, row[2])


def notices_at(db: Connection, run: int, target: str) -> dict[str, Notice]:
    """The notices of a target as the decisions of a run counted them, by image id."""
    return _of_kind(db, run, target, "notice")


def exemptions_at(db: Connection, run: int, target: str) -> dict[str, Exemption]:
    """The longest exemption of each image of a target that had one, as the decisions of a run counted it."""
    return _of_kind(db, run, target, "exemption")


def sharing_at(db: Connection, run: int, target: str) -> dict[str, Sharing]:
    """With whom the images of a target are shared about which a run asked."""
    return _of_kind(db, run, target, _SHARING)


def _of_kind(db: Connection, run: int, target: str, kind: str) -> dict[str, Any]:
    rows = db.execute(f"{_AT_RUN} AND kind = :kind", {"target": target, "run": run, "kind": kind})
    return {image: READERS[kind](value) for image, _, value in rows}


def _reader(kind: type[Any]) -> Callable[[str], Any]:
    return lru_cache(maxsize=10_000)(partial(from_json, kind))


READERS = {
    "notice": _reader(Notice),
    "exemption": _reader(Exemption),
    "refusals": _reader(Refusals),
    _SHARING: _reader(Sharing),
}
_OPEN = "SELECT image, kind, value FROM grounds INDEXED BY present_grounds WHERE target = ? AND until_run IS NULL"
_CLOSE = "UPDATE grounds SET until_run = ? WHERE target = ? AND image = ? AND kind = ? AND until_run IS NULL"
_ADD = "INSERT INTO grounds (target, from_run, image, kind, value) VALUES (?, ?, ?, ?, ?)"
_COUNT = "UPDATE surveys SET sharing_asked = ? WHERE run = ? AND target = ?"
_AT_RUN = f"""
SELECT image, kind, value FROM grounds WHERE target = :target AND {covering("grounds", "run")}
"""  # noqa: S608 - a condition of ours
