"""Which images other targets have listed, too: by every survey of the accounts to which they are bound now.

One survey alone tells too little: a list may be empty or cut short and still be accepted, as in the first survey of a
target. So each survey counts that is recorded, the accepted ones and the others. Each image is looked up by its id, and
is usually known to its own target only: what follows then is nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from janitor.core.names.image_ids import folded
from janitor.core.survey.one_account import InCommon, ListedIn
from janitor.store.connection import Connection
from janitor.store.rows import instant
from janitor.store.surveys.presence import OWN
from janitor.store.trust.bindings import counts_from

_ENOUGH = 3

_Span = tuple[str, int, int | None]
"""An image, the run since which a target listed it as its own, and the run that did so no longer, if there is one."""


def listed_elsewhere(db: Connection, target: str, images: Iterable[str]) -> dict[str, InCommon]:
    """Which of these images other targets have listed as their own, by the name of the target."""
    spans: defaultdict[str, list[_Span]] = defaultdict(list)
    for image in images:
        for spelled in _spellings(image):
            for other, since, until in db.execute(_OWNERS, (spelled, target)):
                spans[other].append((image, since, until))
    found = ((other, _in_common(db, other, seen)) for other, seen in spans.items())
    return {other: common for other, common in found if common is not None}


def last_listed(db: Connection, target: str) -> tuple[int, datetime] | None:
    """The latest run that listed images of the target's own, and when; None before three of its present account did.

    A later list that is short is told by those before it; the first may be short itself.
    """
    rows = db.execute(_LAST_LISTED, (target, counts_from(db, target), _ENOUGH)).fetchall()
    return None if len(rows) < _ENOUGH else (rows[0][0], instant(rows[0][1]))


def is_surveyed(db: Connection, target: str) -> bool:
    """Whether any survey of the target's present account is recorded."""
    return db.execute(_SURVEYED, (target, counts_from(db, target))).fetchone() is not None


def _spellings(image: str) -> set[str]:
    """How lists may spell the id of an image."""
    dashed = folded(image)
    bare = dashed.replace("-", "")
    usual = (dashed, bare, dashed.upper(), bare.upper())
    rare = (form.format(dashed) for form in ("urn:uuid:{}", "uuid:{}", "{{{}}}", " {}", "{} ", " {} "))
    return {image, *usual, *rare, f"{{{dashed.upper()}}}"}


def _in_common(db: Connection, other: str, seen: list[_Span]) -> InCommon | None:
    """What a target has listed of these images; None where that was not the account to which it is bound now."""
    surveys = db.execute(_SURVEYS, (other, counts_from(db, other))).fetchall()
    listed = [one for one in _counted(surveys, seen) if one.count > 0]
    return InCommon(min(image for image, *_ in seen), surveys[-1][0], listed) if listed else None


def _counted(surveys: Iterable[tuple[int, int]], spans: Iterable[_Span]) -> Iterator[ListedIn]:
    """How many of the images each of these surveys listed, in the order of the runs."""
    changes: Counter[int] = Counter()
    for _, since, until in spans:
        changes[since] += 1
        if until is not None:
            changes[until] -= 1
    left, count = sorted(changes.items(), reverse=True), 0
    for run, owned in surveys:
        while left and left[-1][0] <= run:
            count += left.pop()[1]
        yield ListedIn(run, count, owned)


_OWNERS = f"""
SELECT i.target, f.from_run, f.until_run FROM images i JOIN image_facts f ON f.image_key = i.image_key
WHERE i.image = ? AND i.target != ? AND {OWN}
"""  # noqa: S608 - a condition of ours
_SURVEYS = "SELECT run, owned FROM surveys WHERE target = ? AND run >= ? AND finished_at IS NOT NULL ORDER BY run"
_SURVEYED = "SELECT 1 FROM surveys WHERE target = ? AND run >= ? AND finished_at IS NOT NULL LIMIT 1"
_LAST_LISTED = """
SELECT run, finished_at FROM surveys WHERE target = ? AND run >= ? AND finished_at IS NOT NULL AND owned > 0
ORDER BY run DESC LIMIT ?
"""
