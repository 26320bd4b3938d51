"""Carrying out a plan: each deletion is journalled before it is sent and after it is answered, and confirmed later."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from janitor.cloud import Answer, ImageService
from janitor.errors import CloudError, Refused, StoreError
from janitor.exemptions import exemptions_for
from janitor.model import Change, Decision, Deletion, DeletionOutcome, Exemption, Image
from janitor.plan import Plan

_log = logging.getLogger("janitor.deleting")


class Journal(Protocol):
    """Where each request is written down before it is sent and after it is answered."""

    def exemptions(self, at: datetime) -> Sequence[Exemption]:
        """What people exempted by command, as far as it holds at that instant."""
        ...

    def journal_request(self, run: int, target: str, decision: Decision, at: datetime) -> int:
        """Write down a request that is about to be sent; returns the entry. Raises StoreError."""
        ...

    def journal_answer(self, entry: int, answer: str, at: datetime) -> None:
        """Write down what the API answered. Raises StoreError."""
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """A deletion that was asked for, and the API's answer: an Answer, or the error that came instead."""

    decision: Decision
    answer: Answer | CloudError


@dataclass(slots=True)
class Executioner:
    """Sends the deletions of one target's plan. One that fails does not stop the others; a journal that fails does."""

    run: int
    target: str
    service: ImageService
    journal: Journal
    clock: Callable[[], datetime]
    stop: threading.Event
    workers: int = 4
    tick: Callable[[], None] = lambda: None
    journal_error: StoreError | None = None
    unlooked: CloudError | None = None
    left: list[Change] = field(default_factory=list)

    def carry_out(self, plan: Plan) -> list[Attempt]:
        """Ask for every deletion of the plan, oldest image first, `workers` at a time.

        What was exempted or has changed meanwhile is `left`, and what cannot be looked at again is not asked for.
        Once `stop` is set, or the journal cannot be written, nothing new is sent: the attempts are those that were.
        """
        with ThreadPoolExecutor(self.workers, thread_name_prefix=f"delete-{self.target}") as pool:
            attempts = list(pool.map(self._attempt, plan.decisions))
        return [attempt for attempt in attempts if attempt is not None]

    def _attempt(self, decision: Decision) -> Attempt | None:
        if self.stop.is_set() or self.journal_error is not None:
            return None
        try:
            why = self._stays(decision.image)
            if why is not None:
                self.left.append(Change(decision, why))
                return None
            entry = self.journal.journal_request(self.run, self.target, decision, self.clock())
        except CloudError as error:
            self.unlooked = error
            return None
        except StoreError as error:
            self.journal_error = error
            return None
        answer = self._ask(decision)
        try:
            self.journal.journal_answer(entry, _in_words(answer), self.clock())
        except StoreError as error:
            self.journal_error = error
        self.tick()
        return Attempt(decision, answer)

    def _stays(self, image: Image) -> str | None:
        """Why an image that was to go stays after all. Raises CloudError where it cannot be looked at again."""
        latest = self.service.latest(image.id)
        different = image.differences(latest) if latest is not None else ()
        if different:
            return f"changed during this run: {', '.join(different)}"
        # Last of all: people may exempt it even while we look at it.
        return "exempted by a person during this run" if self._exempted_meanwhile(image) else None

    def _exempted_meanwhile(self, image: Image) -> bool:
        """Whether a person has exempted an image since it was decided on: their word holds until the very last."""
        now = self.clock()
        return bool(exemptions_for([image], self.journal.exemptions(now), (), now))

    def _ask(self, decision: Decision) -> Answer | CloudError:
        try:
            return self.service.delete(decision.image.id)
        except CloudError as error:
            _log.warning("deletion-unsuccessful target=%s image=%s: %s", self.target, decision.image.id, error)
            return error


def _in_words(answer: Answer | CloudError) -> str:
    match answer:
        case Answer():
            return answer.value
        case Refused():
            return f"refused: {answer}"
        case _:
            return f"no answer: {answer}"


def confirm(attempts: Iterable[Attempt], listed: Mapping[str, Image] | None) -> list[Deletion]:
    """What became of each attempt, by the survey that followed: its images by id, or None if it could not be made.

    Only an image that this survey no longer lists is called deleted; an answer alone proves nothing.
    """
    return [_confirmed(attempt, listed) for attempt in attempts]


def _confirmed(attempt: Attempt, listed: Mapping[str, Image] | None) -> Deletion:
    if listed is None:
        return _unconfirmed(attempt)
    still = listed.get(attempt.decision.image.id)
    if still is None:
        return Deletion(attempt.decision, *_gone(attempt.answer))
    return Deletion(attempt.decision, *_still_listed(attempt.answer, still))


def _gone(answer: Answer | CloudError) -> tuple[DeletionOutcome, str]:
    match answer:
        case Answer.ACCEPTED:
            return DeletionOutcome.DELETED, "confirmed gone"
        case Answer.ABSENT:
            return DeletionOutcome.ALREADY_GONE, "somebody else deleted it first"
        case Refused():
            return DeletionOutcome.ALREADY_GONE, f"refused ({answer}), yet no longer listed"
        case _:
            return DeletionOutcome.DELETED, "the answer was lost, but it is confirmed gone"


def _still_listed(answer: Answer | CloudError, image: Image) -> tuple[DeletionOutcome, str]:
    match answer:
        case Answer.ACCEPTED:
            return DeletionOutcome.ACCEPTED, f"the API said yes, but still lists it as {image.status or 'unknown'}"
        case Answer.ABSENT:
            return DeletionOutcome.FAILED, "the API knows no such image, but still lists it"
        case Refused():
            return DeletionOutcome.REFUSED, str(answer)
        case _:
            return DeletionOutcome.FAILED, str(answer)


def _unconfirmed(attempt: Attempt) -> Deletion:
    match attempt.answer:
        case Answer.ACCEPTED:
            detail = "the API said yes; whether it is gone could not be confirmed, the next run will tell"
            return Deletion(attempt.decision, DeletionOutcome.ACCEPTED, detail, unsettled=True)
        case Answer.ABSENT:
            detail = "the API knows no such image; whether it is gone could not be confirmed, the next run will tell"
            return Deletion(attempt.decision, DeletionOutcome.FAILED, detail, unsettled=True)
        case Refused() as refusal:
            return Deletion(attempt.decision, DeletionOutcome.REFUSED, str(refusal))
        case error:
            detail = f"{error}; whether it is gone could not be confirmed, the next run will tell"
            return Deletion(attempt.decision, DeletionOutcome.FAILED, detail, unsettled=True)
