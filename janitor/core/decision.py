"""What was decided on an image, and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from janitor.core.image import Image


class Verdict(StrEnum):
    """What a decision asks for."""

    KEEP = "keep"
    WAIT = "wait"
    DELETE = "delete"


class Reason(StrEnum):
    """Why a decision was taken; the guards first, in the order in which they are asked (see `sharing` for `shared`)."""

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


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one image in one run, with the policy that owns it and the reason in words.

    `detail` names dates and never ages, so that an unchanged decision is the same sentence tomorrow. `due` is when the
    image expires or its deletion is due, where there is such a date.
    """

    image: Image
    verdict: Verdict
    policy: str | None
    reason: Reason
    detail: str
    due: datetime | None = None


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
