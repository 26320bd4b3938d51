"""The outcome of a deletion: one table of the API's answer and of what the target lists afterwards."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from janitor.core.image import Image, Status
from janitor.core.names.image_ids import ImageId
from janitor.core.result import DeletionOutcome


class Answer(StrEnum):
    """What an API answered to a deletion. ABSENT: there is no such image.

    NONE: no usable answer, or none that was recorded. NOT_SENT: there was no such image when it was checked again, so
    nothing was sent. NOT_LISTED: a list omitted it then, of an API that cannot be asked for one image.
    """

    ACCEPTED = "accepted"
    ABSENT = "absent"
    REFUSED = "refused"
    NONE = "none"
    NOT_SENT = "not-sent"
    NOT_LISTED = "not-listed"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and the words that came with it: those of a rejection, or why there is no answer."""

    answer: Answer
    words: str = ""


@dataclass(frozen=True, slots=True)
class Requested:
    """An image whose deletion was requested: the last word on what became of it, None while nothing tells."""

    outcome: DeletionOutcome | None
    size: int | None


class Shown(StrEnum):
    """What a target's list shows of an image; UNKNOWN: there is no list that can be believed, or it does not say."""

    NOT_LISTED = "not listed"
    DELETED = "listed as deleted"
    PENDING_DELETE = "listed as pending_delete"
    LISTED = "still listed"
    UNKNOWN = "unknown"


_OF_STATUS: Mapping[str, Shown] = {
    Status.DELETED: Shown.DELETED,
    Status.PENDING_DELETE: Shown.PENDING_DELETE,
}


def shown(identity: ImageId, listed: Mapping[ImageId, Image] | None, unanswered: Collection[ImageId] = ()) -> Shown:
    """What a list shows of an image: `listed` has all images, or is None without a usable list.

    `unanswered` are those about which the API did not say whether they exist.
    """
    if listed is None or identity in unanswered:
        return Shown.UNKNOWN
    image = listed.get(identity)
    if image is None:
        return Shown.NOT_LISTED
    return _OF_STATUS.get(image.status, Shown.LISTED)


_YES, _GONE, _NO, _FAILED, _DONE = (
    DeletionOutcome.ACCEPTED,
    DeletionOutcome.ALREADY_GONE,
    DeletionOutcome.REFUSED,
    DeletionOutcome.FAILED,
    DeletionOutcome.DELETED,
)
_ANSWERS = (Answer.ACCEPTED, Answer.NONE, Answer.REFUSED, Answer.ABSENT, Answer.NOT_SENT, Answer.NOT_LISTED)
_TABLE: Mapping[Shown, tuple[DeletionOutcome, ...]] = {
    # in the order of _ANSWERS: accepted, none, refused, absent, not sent, not listed
    Shown.NOT_LISTED: (_DONE, _DONE, _GONE, _GONE, _GONE, _GONE),
    Shown.DELETED: (_DONE, _DONE, _GONE, _GONE, _GONE, _GONE),
    Shown.PENDING_DELETE: (_YES, _YES, _GONE, _GONE, _GONE, _GONE),
    Shown.LISTED: (_YES, _FAILED, _NO, _FAILED, _FAILED, _FAILED),
    Shown.UNKNOWN: (_YES, _FAILED, _NO, _FAILED, _GONE, _FAILED),
}


def outcome_of(answer: Answer, seen: Shown) -> DeletionOutcome:
    """The outcome of a deletion with this answer, where the list shows this afterwards."""
    return _TABLE[seen][_ANSWERS.index(answer)]


def is_open(answer: Answer, seen: Shown) -> bool:
    """Whether the outcome is still unknown, so that a later survey has to find out."""
    return seen is Shown.UNKNOWN and answer in (Answer.ACCEPTED, Answer.NONE, Answer.ABSENT)


def detail_of(said: Answered, seen: Shown) -> str:
    """The outcome in words: the answer, and what the list shows."""
    match said.answer, seen:
        case Answer.ACCEPTED, Shown.NOT_LISTED:
            return "confirmed gone"
        case Answer.REFUSED, Shown.LISTED | Shown.UNKNOWN:
            return said.words
        case Answer.NOT_SENT, Shown.UNKNOWN:
            return in_words(said)
        case Answer.NOT_LISTED, Shown.UNKNOWN:
            return f"{in_words(said)}; one list alone does not tell that it is gone"
        case _, Shown.UNKNOWN:
            return f"{in_words(said)}; unconfirmed, the next run checks"
        case _, Shown.NOT_LISTED:
            return f"{in_words(said)}; it is no longer listed"
        case _:
            return f"{in_words(said)}; it is {seen}"


def in_words(said: Answered) -> str:
    """An answer in words."""
    match said.answer:
        case Answer.ACCEPTED:
            return "accepted"
        case Answer.ABSENT:
            return "the API knew no such image"
        case Answer.REFUSED:
            return f"rejected: {said.words}"
        case Answer.NONE:
            return f"no answer: {said.words}" if said.words else "no answer was recorded"
        case Answer.NOT_SENT:
            return "already gone when checked again; nothing was sent"
        case Answer.NOT_LISTED:
            return "not listed when checked again; nothing was sent"
