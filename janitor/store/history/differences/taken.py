"""Who made images disappear between two surveys of a target, by the requests that are on record for their ids."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from janitor.core.names.image_ids import ImageId, folded
from janitor.core.planning.deletion import Answer
from janitor.core.replay.differences.between import Gone, Request, gone_by
from janitor.core.result import DeletionOutcome
from janitor.store.connection import Connection


def taken(db: Connection, span: dict[str, Any], images: Iterable[str], *, accepted: bool) -> dict[str, Gone]:
    """Who made each of these images disappear between two surveys of a target, as far as the later one's run knew.

    `span` has the target, and the numbers of both runs as `before` and `after`; `accepted` is whether both surveys
    were. Requests of every target count, and under every spelling of an id, as several targets may list one image.
    """
    found = {}
    for image in images:
        found[image] = _who(db, span, image, _requests_of(db, span, span["target"], image), accepted=accepted)
    # No other request makes less of a deletion that was confirmed, and to look through all of them takes time.
    others = [image for image, by in found.items() if by is not Gone.BY_US]
    requests = _requests(db, span, frozenset(map(folded, others))) if others else {}
    for image in others:
        found[image] = _who(db, span, image, requests.get(folded(image), []), accepted=accepted)
    return found


def _who(
    db: Connection, span: dict[str, Any], image: str, requests: list[tuple[int, Request]], *, accepted: bool
) -> Gone:
    [(last_listed,)] = db.execute(_LAST_LISTED, {**span, "image": image}) if requests else [(span["before"],)]
    return gone_by(
        (one for run, one in requests if run >= last_listed),
        (one for run, one in requests if run < last_listed),
        accepted=accepted,
    )


def _requests(
    db: Connection, span: dict[str, Any], ids: frozenset[ImageId]
) -> dict[ImageId, list[tuple[int, Request]]]:
    """The requests to delete these images, each with its run."""
    found: dict[ImageId, list[tuple[int, Request]]] = defaultdict(list)
    for target, image in db.execute("SELECT DISTINCT target, image FROM deletions").fetchall():
        if (identity := folded(image)) in ids:
            found[identity] += _requests_of(db, span, target, image)
    return found


def _requests_of(db: Connection, span: dict[str, Any], target: str, image: str) -> list[tuple[int, Request]]:
    """The requests to one target under one spelling of an id."""
    return [
        (run, Request(bool(sent), Answer(answer) if answer else None, DeletionOutcome(outcome) if outcome else None))
        for run, sent, answer, outcome in db.execute(_REQUESTS, {**span, "requested_of": target, "image": image})
    ]


# The last run that listed it: the last that surveyed the target before its facts held no longer.
_LAST_LISTED = """
SELECT max(s.run) FROM surveys s WHERE s.target = :target AND s.finished_at IS NOT NULL AND s.run < (
    SELECT max(f.until_run) FROM images i JOIN image_facts f ON f.image_key = i.image_key
    WHERE i.target = :target AND i.image = :image AND f.until_run <= :after
)
"""
# The outcomes as the later run knew them: of what was found out later, it is only known what was reported until then,
# and a request of a run that died without a word had no outcome at all. Of the later run's own requests, those to other
# targets may have come before its survey of this one.
_REQUESTS = """
SELECT run, requested_at IS NOT NULL, answer, CASE
    WHEN confirmed_in_run <= :after THEN confirmed_outcome
    WHEN settled_in_run <= :after THEN settled_outcome
    WHEN run < :after AND (settled_in_run IS NULL OR unsettled) THEN outcome
END
FROM deletions WHERE target = :requested_of AND image = :image AND (
    run < :after OR run = :after AND target <> :target AND requested_at <= (
        SELECT finished_at FROM surveys WHERE run = :after AND target = :target
    )
) ORDER BY deletion
"""
