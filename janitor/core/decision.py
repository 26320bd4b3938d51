"""What was decided about an image, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from janitor.core.image import Image
from janitor.core.value import Value


class Verdict(StrEnum):
    """What a decision says."""

    __hash__ = str.__hash__  # that of an Enum takes longer, and each report counts the verdicts of all images

    KEEP = "keep"
    WAIT = "wait"
    DELETE = "delete"


class Reason(StrEnum):
    """Why a decision was made; the guards first, in the order in which they are asked (see `sharing` for `shared`)."""

    __hash__ = str.__hash__  # as above

    UNSETTLED_RECORD = "unsettled-record"
    GONE = "gone"
    PUBLIC = "public"
    PROTECTED = "protected"
    NOT_OWNED = "not-owned"
    UNKNOWN_STATUS = "unknown-status"
    UNDATED = "undated"
    IN_USE = "in-use"
    NEEDED = "needed"
    REFERENCED = "referenced"
    RECENTLY_USED = "recently-used"
    USAGE_UNKNOWN = "usage-unknown"
    EXEMPT = "exempt"
    NEWBORN = "newborn"
    SHARED = "shared"
    UNMATCHED = "unmatched"
    PINNED = "pinned"
    TOO_YOUNG = "too-young"
    KEPT_NEWEST = "kept-newest"
    KEPT_DAILY = "kept-daily"
    KEPT_WEEKLY = "kept-weekly"
    KEPT_MONTHLY = "kept-monthly"
    KEPT_YEARLY = "kept-yearly"
    NO_FAMILY = "no-family"
    REFUSED = "refused"
    NOTICE = "notice"
    EXPIRED = "expired"


REASONS: Mapping[Reason, str] = {
    Reason.UNSETTLED_RECORD: "its records in the list disagree",
    Reason.GONE: "deleted already, or being deleted",
    Reason.PUBLIC: "offered to every project",
    Reason.PROTECTED: "protected from deletion",
    Reason.NOT_OWNED: "belongs to another project",
    Reason.UNKNOWN_STATUS: "has an unknown status",
    Reason.UNDATED: "a date is missing or implausible",
    Reason.IN_USE: "it is in use",
    Reason.NEEDED: "another image needs it to start",
    Reason.REFERENCED: "a declared reference names it",
    Reason.RECENTLY_USED: "it was in use recently",
    Reason.USAGE_UNKNOWN: "what is in use could not be read",
    Reason.EXEMPT: "a person exempted it",
    Reason.NEWBORN: "just created",
    Reason.SHARED: "another project has accepted it, or may have",
    Reason.UNMATCHED: "no policy matches it",
    Reason.PINNED: "its policy keeps all it matches",
    Reason.TOO_YOUNG: "not expired yet",
    Reason.KEPT_NEWEST: "among the newest of its family",
    Reason.KEPT_DAILY: "the last one of its day",
    Reason.KEPT_WEEKLY: "the last one of its week",
    Reason.KEPT_MONTHLY: "the last one of its month",
    Reason.KEPT_YEARLY: "the last one of its year",
    Reason.NO_FAMILY: "its family cannot be determined",
    Reason.REFUSED: "the API rejected its deletion; retried later",
    Reason.NOTICE: "expired and announced",
    Reason.EXPIRED: "expired",
}
"""What the reason codes mean, as a legend for counts; the reason for one image is its decision's `detail`."""


class Decision(Value, frozen=True):
    """The verdict on one image in one run, with the policy that owns it and the reason in words.

    `detail` names dates and never ages, so that an unchanged decision is the same sentence tomorrow. `due` is when the
    image expires or its deletion is due, if there is such a date.
    """

    image: Image
    verdict: Verdict
    policy: str | None
    reason: Reason
    detail: str
    due: datetime | None = None

    def is_like(self, other: "Decision") -> bool:
        """Whether verdict, policy and reason are the same, whatever the words, the date and the facts of the image."""
        return (self.verdict, self.policy, self.reason) == (other.verdict, other.policy, other.reason)

    @property
    def in_doubt(self) -> bool:
        """Whether the image is kept as it is not known whether a policy matches it: then its sentence says why."""
        return self.reason is Reason.UNMATCHED and self.detail != REASONS[Reason.UNMATCHED]

    @property
    def unclear(self) -> bool:
        """Whether it is kept as its family is not known, or whether a policy matches it."""
        return self.reason is Reason.NO_FAMILY or self.in_doubt


@dataclass(frozen=True, slots=True)
class Change:
    """An image of a reviewed plan that is not deleted, because something about it has changed since."""

    decision: Decision
    detail: str


@dataclass(frozen=True, slots=True)
class Spared:
    """An announced image that no longer expires: what keeps it now, and the policy whose notice is withdrawn."""

    decision: Decision
    policy: str
