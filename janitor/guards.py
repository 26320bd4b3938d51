"""The guards: built-in reasons to keep an image that no policy can override, in the order in which they are asked."""

from collections.abc import Callable
from datetime import datetime, timedelta

from janitor.model import GONE_STATUSES, KNOWN_STATUSES, Decision, Image, Reason, Usage, Verdict
from janitor.units import format_minute

NEWBORN = timedelta(minutes=10)
"""How long an image is left alone after its creation, whatever the policies say."""


def guarded(image: Image, usage: Usage, now: datetime) -> Decision | None:
    """The decision of the first guard that holds for an image, or None if none does."""
    for reason, holds in _GUARDS:
        detail = holds(image, usage, now)
        if detail is not None:
            return Decision(image, Verdict.KEEP, None, reason, detail)
    return None


def _gone(image: Image, _usage: Usage, _now: datetime) -> str | None:
    return f"its status is {image.status} already" if image.status in GONE_STATUSES else None


def _public(image: Image, _usage: Usage, _now: datetime) -> str | None:
    return _flag(image, "isPublic", "public") if image.public else None


def _protected(image: Image, _usage: Usage, _now: datetime) -> str | None:
    return _flag(image, "protected", "protected") if image.protected else None


def _flag(image: Image, key: str, word: str) -> str:
    if key in image.unreadable:
        return f"{key} cannot be read ({image.unreadable[key]}), so it counts as {word}"
    return f"it is {word}"


def _not_owned(image: Image, _usage: Usage, _now: datetime) -> str | None:
    return None if image.owned else "it belongs to another project"


def _unknown_status(image: Image, _usage: Usage, _now: datetime) -> str | None:
    return None if image.status in KNOWN_STATUSES else f'its status "{image.status}" is not one we know'


def _undated(image: Image, _usage: Usage, now: datetime) -> str | None:
    if image.created_at is None:
        return missing(image, "createdAt")
    if image.created_at > now:
        return f"createdAt {format_minute(image.created_at)} lies in the future"
    return None


def missing(image: Image, key: str) -> str:
    """Say that a date of an image is missing, or what stands there instead."""
    return f"{key} cannot be read ({image.unreadable[key]})" if key in image.unreadable else f"{key} is missing"


def _in_use(image: Image, usage: Usage, _now: datetime) -> str | None:
    users = usage.by_image.get(image.id.strip().lower(), ())
    if not users:
        return None
    others = f" and {len(users) - 1} more" if len(users) > 1 else ""
    return f"used by instance {users[0].name or users[0].id}{others}"


def _usage_unknown(_image: Image, usage: Usage, _now: datetime) -> str | None:
    return None if usage.problem is None else "the instance list could not be read, so any image may be in use"


def _newborn(image: Image, _usage: Usage, now: datetime) -> str | None:
    if image.created_at is None or now - image.created_at >= NEWBORN:
        return None
    return f"created {format_minute(image.created_at)}, less than 10 minutes before the survey"


_GUARDS: tuple[tuple[Reason, Callable[[Image, Usage, datetime], str | None]], ...] = (
    (Reason.GONE, _gone),
    (Reason.PUBLIC, _public),
    (Reason.PROTECTED, _protected),
    (Reason.NOT_OWNED, _not_owned),
    (Reason.UNKNOWN_STATUS, _unknown_status),
    (Reason.UNDATED, _undated),
    (Reason.IN_USE, _in_use),
    (Reason.USAGE_UNKNOWN, _usage_unknown),
    (Reason.NEWBORN, _newborn),
)
