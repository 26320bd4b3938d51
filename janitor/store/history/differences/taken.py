"""Who made images disappear between two surveys of a target, by the requests that are on record for their ids."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from janitor.core.names.image_ids import ImageId, folded
from janitor.core.planning.deletion import Answer
from janitor.core.replay.differences.between import Gone, Request, gone_by
from janitor.core.result import DeletionOutcome
from janitor.store.connection import Connection

_FEW = 100
"""So many images are looked up one by one; for more of them, the whole journal is read once."""

_Requests = Mapping[ImageId, Sequence[tuple[int, Request]]]
"""The requests to delete images, by their folded ids, each with its run."""


def taken(db: Connection, span: dict[str, Any], images: Iterable[str], *, accepted: bool) -> dict[str, Gone]:
    """Who made each of these images disappear between two surveys of a target, as far as the later one's run knew.

    `span` has the target, and the numbers of both runs as `before` and `after`; `accepted` is whether both surveys
    were. Requests of every target count, and under every spelling of an id, as several targets may list one image.
    """
    ids = {image: folded(image) for image in images}
    if len(ids) > _FEW:
        return _who(db, span, ids, _all_requests(db, span, frozenset(ids.values())), accepted=accepted)
    own = {identity: _requests_of(db, span, span["target"], image) for image, identity in ids.items()}
    found = _who(db, span, ids, own, accepted=accepted)
    # No other request makes less of a deletion that was confirmed, and to look through all of them takes time.
    others = {image: ids[image] for image, by in found.items() if by is not Gone.BY_US}
    if others:
        requests = _requests(db, span, frozenset(others.values()))
        found |= _who(db, span, others, requests, accepted=accepted)
    return found


def _who(
    db: Connection, span: dict[str, Any], ids: Mapping[str, ImageId], requests: _Requests, *, accepted: bool
) -> dict[str, Gone]:
    """Who it was by these requests; the ids are those of the images, each with its folded one."""
    last_listed = _last_listed(db, span) if any(requests.values()) else {}
    found = {}
    for image, identity in ids.items():
        some, last = requests.get(identity, ()), last_listed.get(image, span["before"])
        found[image] = gone_by(
            (one for run, one in some if run >= last), (one for run, one in some if run < last), accepted=accepted
        )
    return found


def _last_listed(db: Connection, span: dict[str, Any]) -> dict[str, int]:
    """The run that listed each image for the last time of those that the span lost."""
    surveyed = [run for (run,) in db.execute(_SURVEYED, span)]
    return {image: surveyed[bisect_left(surveyed, until) - 1] for image, until in db.execute(_LAST_LISTED, span)}


def _all_requests(db: Connection, span: dict[str, Any], ids: frozenset[ImageId]) -> _Requests:
    """The requests to delete these images, by one statement."""
    found: dict[ImageId, list[tuple[int, Request]]] = defaultdict(list)
    for image, *request in db.execute(_EVERY_REQUEST, span):
        if (identity := folded(image)) in ids:
            found[identity].append(_request(request))
    return found


def _requests(db: Connection, span: dict[str, Any], ids: frozenset[ImageId]) -> _Requests:
    """The requests to delete these images, few of which have any: each image of the journal is looked at."""
    found: dict[ImageId, list[tuple[int, Request]]] = defaultdict(list)
    for target, image in db.execute("SELECT DISTINCT target, image FROM deletions").fetchall():
        if (identity := folded(image)) in ids:
            found[identity] += _requests_of(db, span, target, image)
    return found


def _requests_of(db: Connection, span: dict[str, Any], target: str, image: str) -> list[tuple[int, Request]]:
    """The requests to one target under one spelling of an id."""
    return list(map(_request, db.execute(_REQUESTS, {**span, "requested_of": target, "image": image})))


def _request(row: Sequence[Any]) -> tuple[int, Request]:
    run, sent, answer, outcome = row
    known = DeletionOutcome(outcome) if outcome else None
    return run, Request(bool(sent), Answer(answer) if answer else None, known)


# The surveys of the span, of which the last one before the facts of an image held no longer listed it last.
_SURVEYED = """
SELECT run FROM surveys WHERE target = :target AND run BETWEEN :before AND :after AND finished_at IS NOT NULL
ORDER BY run
"""
_LAST_LISTED = """
SELECT i.image, max(f.until_run) FROM image_facts f CROSS JOIN images i
    ON i.image_key = f.image_key AND i.target = :target
WHERE f.until_run > :before AND f.until_run <= :after GROUP BY i.image
"""
# The outcomes as the later run knew them: of what was found out later, it is only known what was reported until then,
# and a request of a run that died without a word had no outcome at all. Of the later run's own requests, those to other
# targets may have come before its survey of this one.
_KNOWN = """
run, requested_at IS NOT NULL, answer, CASE
    WHEN confirmed_in_run <= :after THEN confirmed_outcome
    WHEN settled_in_run <= :after THEN settled_outcome
    WHEN run < :after AND (settled_in_run IS NULL OR unsettled) THEN outcome
END
"""
_COUNTS = """(
    run < :after OR run = :after AND target <> :target AND requested_at <= (
        SELECT finished_at FROM surveys WHERE run = :after AND target = :target
    )
) ORDER BY deletion"""
_REQUESTS = f"SELECT {_KNOWN} FROM deletions WHERE target = :requested_of AND image = :image AND {_COUNTS}"  # noqa: S608 - conditions of ours
_EVERY_REQUEST = f"SELECT image, {_KNOWN} FROM deletions WHERE {_COUNTS}"  # noqa: S608 - conditions of ours
