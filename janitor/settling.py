"""Deletions that an earlier run asked for without learning what became of them: this survey tells. Pure, like `decide`.

A run that was killed leaves requests in the journal that have no answer, or an answer that no survey has confirmed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from janitor.model import GONE_STATUSES, Decision, Deletion, DeletionOutcome, Image


@dataclass(frozen=True, slots=True)
class Unsettled:
    """One request in the journal whose outcome is not known.

    `run` asked for it, and `finished` says whether that run could still report it. `answer` is the API's as it was
    journalled; None where none was.
    """

    entry: int
    run: int
    finished: bool
    decision: Decision
    answer: str | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of the request in that entry of the journal."""

    entry: int
    deletion: Deletion


def settle(unsettled: Iterable[Unsettled], listed: Iterable[Image]) -> list[Settlement]:
    """What became of each request, by all the images that a complete survey of its target lists."""
    every = list(unsettled)
    by_id: Mapping[str, Image] = {image.id: image for image in listed}
    latest = {asked.decision.image.id: asked.entry for asked in every}
    return [
        Settlement(asked.entry, _settled(asked, by_id.get(asked.decision.image.id)))
        if latest[asked.decision.image.id] == asked.entry
        else Settlement(asked.entry, _superseded(asked))
        for asked in every
    ]


def _superseded(asked: Unsettled) -> Deletion:
    """A request that another for the same image followed: what became of the image is told once, of the last."""
    detail = f"settled: asked for in run {asked.run}, and again later; see there"
    return Deletion(asked.decision, DeletionOutcome.FAILED, detail)


def _settled(asked: Unsettled, image: Image | None) -> Deletion:
    outcome, found = _gone(asked.answer) if image is None else _still_listed(asked.answer, image)
    shortfall = "could not confirm it" if asked.finished else "did not finish"
    return Deletion(asked.decision, outcome, f"settled: asked for in run {asked.run}, which {shortfall}; {found}")


def _gone(answer: str | None) -> tuple[DeletionOutcome, str]:
    match _word(answer):
        case "absent":
            return DeletionOutcome.ALREADY_GONE, "the API knew no such image, and it is no longer listed"
        case "refused":
            return DeletionOutcome.ALREADY_GONE, f"{answer}, yet it is no longer listed"
        case _:
            return DeletionOutcome.DELETED, "no longer listed"


def _still_listed(answer: str | None, image: Image) -> tuple[DeletionOutcome, str]:
    if image.status in GONE_STATUSES:
        return DeletionOutcome.ACCEPTED, f"it is listed as {image.status}"
    match _word(answer):
        case "accepted":
            return DeletionOutcome.ACCEPTED, "the API said yes, but it is still listed; decided anew in this run"
        case "refused":
            return DeletionOutcome.REFUSED, f"{answer}; decided anew in this run"
        case _:
            return DeletionOutcome.FAILED, "still listed, so it was not done; decided anew in this run"


def _word(answer: str | None) -> str:
    return (answer or "").partition(":")[0]
