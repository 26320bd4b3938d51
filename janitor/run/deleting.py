"""Carrying out a plan: each deletion is in the journal before it is sent and after its answer, and confirmed later.

That nobody else has begun to own the account is confirmed before a deletion is journalled, and again before each try
to send it: a process may have been stopped for long in between.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from janitor.cloud.service import ImageService
from janitor.core.decision import Change, Decision, Verdict
from janitor.core.image import Image
from janitor.core.names.image_ids import ImageId
from janitor.core.planning.deletion import Answer, Answered, Shown, detail_of, is_open, outcome_of, shown
from janitor.core.planning.plan import Plan
from janitor.core.result import Deletion
from janitor.core.sharing import apply_sharing
from janitor.errors import CloudError, Exempted, Interrupted, NotSent, Refused, RetryLater, StoreError, Unavailable
from janitor.run.freshness import Freshness, Reading
from janitor.run.orders import Execution
from janitor.run.requesting import Journal

_LOOKS = 3

_log = logging.getLogger("janitor.run.deleting")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A deletion that was requested, or needed no request, and the API's answer."""

    decision: Decision
    said: Answered


@dataclass(slots=True)
class Standing:
    """How far the deletions of one plan have come, and why no more are sent, if so.

    `left` are the images that stay after all, each with the reason. `gone` are those that a later list may omit: their
    deletion was requested, or they were gone already.
    """

    journal_error: StoreError | None = None
    unsent: CloudError | None = None
    backing_off: bool = False
    left: list[Change] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Deleter:
    """Sends the deletions of one target's plan. One that fails does not stop the others; a journal that fails does."""

    run: int
    target: str
    service: ImageService
    journal: Journal
    execution: Execution
    freshness: Freshness
    tick: Callable[[], None] = lambda: None
    standing: Standing = field(default_factory=Standing)

    def carry_out(self, plan: Plan) -> list[Attempt]:
        """Request every deletion of the plan, oldest image first, as many in parallel as the run may.

        Images that were exempted or have changed meanwhile are `left`, and no deletion is requested for images that
        cannot be checked again. Once `stop` is set, the journal cannot be written, or another process may have begun to
        own the account, nothing new is sent.
        """
        with ThreadPoolExecutor(self.execution.deletions_at_once, thread_name_prefix=f"delete-{self.target}") as pool:
            attempts = list(pool.map(self._attempt, plan.decisions))
        return [attempt for attempt in attempts if attempt is not None]

    def _attempt(self, decision: Decision) -> Attempt | None:
        if self.execution.stop.is_set() or self.standing.journal_error is not None or self.standing.backing_off:
            return None
        try:
            latest, why = self._look(decision)
            if latest is None:
                self.standing.gone.add(decision.image.id)
                self.tick()
                return Attempt(decision, Answered(Answer.NOT_SENT if self.service.by_id else Answer.NOT_LISTED))
            if why is not None:
                self.standing.left.append(Change(decision, why))
                return None
            self.execution.authority.confirm()
            entry = self.journal.journal_request(self.run, self.target, decision, self.execution.clock())
        except Exempted as error:
            self.standing.left.append(Change(decision, str(error)))
            return None
        except CloudError as error:
            self._note(error)
            return None
        except StoreError as error:
            self.standing.journal_error = error
            return None
        except Interrupted:
            return None
        self.standing.gone.add(decision.image.id)
        try:
            said = self._ask(decision)
        except NotSent as error:
            self.standing.gone.discard(decision.image.id)
            self._note(error)
            self._withdraw(entry)
            return None
        try:
            self.journal.journal_answer(entry, said, self.execution.clock())
        except StoreError as error:
            self.standing.journal_error = error
        self.tick()
        return Attempt(decision, said)

    def _withdraw(self, entry: int) -> None:
        try:
            self.journal.withdraw_request(entry)
        except StoreError as error:
            self.standing.journal_error = error

    def _note(self, error: CloudError) -> None:
        """Note why something is not sent; an API that asks for a long wait is sent nothing more."""
        if not self.standing.backing_off and self.standing.journal_error is None:
            self.standing.unsent = error
        self.standing.backing_off = self.standing.backing_off or isinstance(error, RetryLater)

    def _look(self, decision: Decision) -> tuple[Image | None, str | None]:
        """An image as it is now, None where it is gone; and why it stays, if it does.

        Raises CloudError where that is unknown, and Interrupted.
        """
        for _ in range(_LOOKS):
            reading = self.freshness.reading()
            latest = self._latest(decision.image, reading)
            why = None if latest is None else self._stays(decision, latest, reading)
            if not self.freshness.is_stale():
                return latest, why
        raise Unavailable("each time an image was checked, the survey was already too old")

    def _latest(self, image: Image, reading: Reading) -> Image | None:
        if self.service.by_id:
            return self.service.latest(image.id)
        return image if reading.listed is None else reading.listed.get(image.identity)

    def _stays(self, decision: Decision, latest: Image, reading: Reading) -> str | None:
        image = decision.image
        if different := image.differences(latest):
            return f"changed during this run: {', '.join(different)}"
        if (why := reading.stays.get(image.identity)) is not None:
            return f"changed during this run: {why}"
        why = self._shared_with(decision)
        return None if why is None else f"changed during this run: {why}"

    def _shared_with(self, decision: Decision) -> str | None:
        """Why an image that may be shared stays: another project may have accepted it since the decision.

        Raises CloudError where that is unknown.
        """
        asked = self.service.shareable([decision.image])
        [now] = apply_sharing([decision], self.service.sharing(asked)) if asked else [decision]
        return None if now.verdict is Verdict.DELETE else f"now {now.verdict} [{now.reason}] {now.detail}"

    def _permit(self) -> None:
        """Raises NotSent where the account may be another process's by now."""
        try:
            self.execution.authority.confirm()
        except StoreError as error:
            self.standing.journal_error = error
            raise NotSent(str(error)) from error

    def _ask(self, decision: Decision) -> Answered:
        """The API's answer to the deletion. Raises NotSent where nothing was sent."""
        try:
            return Answered(self.service.delete(decision.image.id, self._permit))
        except NotSent:
            raise
        except CloudError as error:
            event = "deletion-rejected" if isinstance(error, Refused) else "deletion-unanswered"
            _log.warning("%s target=%s image=%s: %s", event, self.target, decision.image.id, error)
            if isinstance(error, RetryLater):
                self._note(error)
            return Answered(Answer.REFUSED if isinstance(error, Refused) else Answer.NONE, str(error))


def confirm(
    attempts: Iterable[Attempt], listed: Mapping[ImageId, Image] | None, unanswered: Collection[ImageId] = ()
) -> list[Deletion]:
    """The outcome of each attempt, by the survey that followed: its images, or None without one.

    Only an image that this survey no longer lists is called deleted; an answer alone proves nothing. `unanswered` are
    the images about which the API did not say if they exist.
    """
    return [_confirmed(attempt, shown(attempt.decision.image.identity, listed, unanswered)) for attempt in attempts]


def _confirmed(attempt: Attempt, seen: Shown) -> Deletion:
    said = attempt.said
    outcome = outcome_of(said.answer, seen)
    return Deletion(attempt.decision, outcome, detail_of(said, seen), unsettled=is_open(said.answer, seen))
