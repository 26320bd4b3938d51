"""Deletions of earlier runs whose outcome is unknown, settled by the present survey. Pure, like `decide`.

A run that was killed leaves requests in the journal that have no answer, or an answer that no survey has confirmed. And
a deletion that was accepted is followed until the image is gone.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from janitor.core.decision import Decision
from janitor.core.image import Image
from janitor.core.names.image_ids import ImageId, folded
from janitor.core.planning.deletion import Answered, Shown, detail_of, outcome_of, shown
from janitor.core.result import Deletion, DeletionOutcome


@dataclass(frozen=True, slots=True)
class Unsettled:
    """One request in the journal whose outcome is unknown.

    `run` made it, and `finished` says whether that run could still report it. `said` is the API's answer as recorded in
    the journal. `followed`: it was reported before, as accepted.
    """

    entry: int
    run: int
    finished: bool
    decision: Decision
    said: Answered
    followed: bool = False


@dataclass(frozen=True, slots=True)
class Settlement:
    """The outcome of the request in that entry of the journal; `confirmed`: it was reported as accepted before."""

    entry: int
    deletion: Deletion
    confirmed: bool = False


def reconcile(
    unsettled: Iterable[Unsettled], listed: Iterable[Image], unanswered: Collection[str] = ()
) -> list[Settlement]:
    """The outcome of each request, by all the images that a complete survey of its target lists.

    Not settled are images about which the API did not say whether they exist (`unanswered`, their ids), and deletions
    that were reported as accepted before, as long as their image is still listed.
    """
    every = list(unsettled)
    if not every:
        return []
    by_id: Mapping[ImageId, Image] = {image.identity: image for image in listed}
    unknown = {folded(image_id) for image_id in unanswered}
    latest = {asked.decision.image.identity: asked.entry for asked in every}
    seen = ((asked, shown(asked.decision.image.identity, by_id, unknown)) for asked in every)
    found = (_settled(asked, what, last=latest[asked.decision.image.identity] == asked.entry) for asked, what in seen)
    return [settlement for settlement in found if settlement is not None]


def _settled(asked: Unsettled, seen: Shown, *, last: bool) -> Settlement | None:
    if seen is Shown.UNKNOWN:
        return None
    if asked.followed:
        return _confirmed(asked, seen) if last else None
    if not last:
        return Settlement(asked.entry, _superseded(asked))
    shortfall = "could not confirm it" if asked.finished else "did not finish"
    again = "; re-evaluated in this run" if seen is Shown.LISTED else ""
    found = f"{detail_of(asked.said, seen)}{again}"
    detail = f"settled: requested in run {asked.run}, which {shortfall}; {found}"
    return Settlement(asked.entry, Deletion(asked.decision, outcome_of(asked.said.answer, seen), detail))


def _confirmed(asked: Unsettled, seen: Shown) -> Settlement | None:
    outcome = outcome_of(asked.said.answer, seen)
    if outcome not in (DeletionOutcome.DELETED, DeletionOutcome.ALREADY_GONE):
        return None
    detail = f"confirmed later: requested in run {asked.run}; {detail_of(asked.said, seen)}"
    return Settlement(asked.entry, Deletion(asked.decision, outcome, detail), confirmed=True)


def _superseded(asked: Unsettled) -> Deletion:
    """A request that another for the same image followed: the outcome is reported once, for the last one."""
    detail = f"settled: requested in run {asked.run}; superseded by a later request"
    return Deletion(asked.decision, DeletionOutcome.FAILED, detail)
