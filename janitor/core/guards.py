"""The guards: built-in reasons to keep an image that no policy can override, in the order in which they are asked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.exemptions import FOREVER
from janitor.core.image import GONE_STATUSES, KNOWN_STATUSES, MISSING, Image, Visibility
from janitor.core.memory import History, Memory
from janitor.core.names.wire_keys import WireKeys
from janitor.core.needs import Needs
from janitor.core.survey.contradictions import disagreement
from janitor.core.units import format_duration, format_minute, format_until
from janitor.core.usage import Unread, Usage, User, UserKind

NEWBORN = timedelta(minutes=10)
"""How long an image is left alone after its creation, whatever the policies say."""

_ORDINARY_STATUSES = KNOWN_STATUSES - GONE_STATUSES


@dataclass(frozen=True, slots=True)
class Facts:
    """What the guards may know beyond the image itself.

    `zone` is for the dates that people write; `wire_keys` are the API's names for the fields of its images.
    """

    usage: Usage
    history: Mapping[str, History]
    memory: Memory
    now: datetime
    zone: tzinfo
    needs: Needs = Needs()  # noqa: RUF009 - frozen
    wire_keys: WireKeys = WireKeys()  # noqa: RUF009 - frozen


Guard = tuple[Reason, Callable[[Image, Facts], str | None]]
"""A guard: its reason, and a function that returns a sentence if it holds."""


def guarded(image: Image, facts: Facts) -> Decision | None:
    """The decision of the first guard that holds for an image, or None if none does."""
    return _first(_GUARDS, image, facts)


def holding(image: Image, facts: Facts) -> list[Decision]:
    """The decision of every guard that holds for an image, in their order."""
    return [decision for guard in _GUARDS if (decision := _first((guard,), image, facts)) is not None]


class Guards:
    """The guards over many images: the answers of `guarded`, in less time, as no guard holds for most images."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._others = tuple(guard for guard in _GUARDS if guard[0] not in _RULED_OUT)
        self._old_enough = facts.now - NEWBORN
        self._in_doubt = facts.usage.problem is not None or facts.needs.doubtful is not None

    def on(self, image: Image) -> Decision | None:
        """The decision of the first guard that holds for an image, or None if none does."""
        return _first(self._others if self._is_ordinary(image) else _GUARDS, image, self._facts)

    def _is_ordinary(self, image: Image) -> bool:
        """Whether certainly none of the guards in `_RULED_OUT` holds, by what each of them needs in order to hold."""
        facts = self._facts
        history = facts.history.get(image.id)
        return (
            not self._in_doubt
            and not (image.unreadable or image.public or image.protected)
            and image.owned
            and image.status in _ORDINARY_STATUSES
            and image.created_at is not None
            and image.created_at <= self._old_enough
            and (history is None or history.last_held is None)
            and image.id not in facts.memory.exemptions
            and (identity := image.identity) not in facts.usage.by_image
            and identity not in facts.needs.by_id
        )


def _first(guards: Iterable[Guard], image: Image, facts: Facts) -> Decision | None:
    for reason, holds in guards:
        detail = holds(image, facts)
        if detail is not None:
            return Decision(image, Verdict.KEEP, None, reason, detail, _end_of(reason, image, facts))
    return None


def _end_of(reason: Reason, image: Image, facts: Facts) -> datetime | None:
    """When a guard ends, if there is such a date."""
    until = facts.memory.exemptions[image.id].until if reason is Reason.EXEMPT else FOREVER
    return None if until == FOREVER else until


def _unsettled_record(image: Image, _facts: Facts) -> str | None:
    if image.unseen is not None:
        return f"it is no longer listed, but may still exist: {image.unseen}"
    return disagreement(image) if image.unreadable else None


def _gone(image: Image, _facts: Facts) -> str | None:
    return f"its status is already {image.status}" if image.status in GONE_STATUSES else None


def _public(image: Image, facts: Facts) -> str | None:
    if not image.public:
        return None
    if image.visibility == Visibility.COMMUNITY:
        return "its visibility is community, so other projects may use it"
    return _flag(image, "public", facts.wire_keys.public)


def _protected(image: Image, _facts: Facts) -> str | None:
    return _flag(image, "protected", "protected") if image.protected else None


def _flag(image: Image, word: str, key: str) -> str:
    """Say that something is true, or that it counts as true because the value of its wire key cannot be read."""
    stood = image.unreadable.get(key)
    return f"it is {word}" if stood is None else f"{key} cannot be read ({stood}), so it counts as {word}"


def _not_owned(image: Image, _facts: Facts) -> str | None:
    if image.owned:
        return None
    if "owner" in image.unreadable:
        return f"owner cannot be read ({image.unreadable['owner']}), so it counts as another project's"
    return "it belongs to another project"


def _unknown_status(image: Image, _facts: Facts) -> str | None:
    return None if image.status in KNOWN_STATUSES else f'its status "{image.status}" is unknown'


def _undated(image: Image, facts: Facts) -> str | None:
    if image.created_at is None:
        return missing(image, facts.wire_keys.created)
    if image.created_at > facts.now:
        return f"{facts.wire_keys.created} {format_minute(image.created_at, facts.zone)} lies in the future"
    return None


def missing(image: Image, key: str) -> str:
    """Say that a date of an image, under this wire key, is missing, or which unreadable value it has."""
    stood = image.unreadable.get(key, MISSING)
    return f"{key} is missing" if stood == MISSING else f"{key} cannot be read ({stood})"


def _in_use(image: Image, facts: Facts) -> str | None:
    users = [user for user in _users_of(image, facts) if user.kind is not UserKind.REFERENCE]
    return _with_others(_use_by(users[0]), users) if users else None


def _users_of(image: Image, facts: Facts) -> Sequence[User]:
    return facts.usage.by_image.get(image.identity, ())


def _use_by(user: User) -> str:
    name = user.name or user.id
    return f"the base of image {name}" if user.kind is UserKind.IMAGE else f"used by {user.kind} {name}"


def _with_others(words: str, users: Sequence[User]) -> str:
    return f"{words} and {len(users) - 1} more" if len(users) > 1 else words


def _needed(image: Image, facts: Facts) -> str | None:
    return facts.needs.words_of(image)


def _referenced(image: Image, facts: Facts) -> str | None:
    texts = [user for user in _users_of(image, facts) if user.kind is UserKind.REFERENCE]
    return _with_others(f"named in {texts[0].name}", texts) if texts else None


def _recently_used(image: Image, facts: Facts) -> str | None:
    history = facts.history.get(image.id)
    memory = facts.memory.usage_memory
    if history is None or history.last_held is None:
        return None
    # A use that cannot be read is neither seen nor over, and continues until now, however long uses are remembered.
    if facts.usage.unread and history.last_held >= facts.now:
        return f"it was in use when {_sources(facts.usage.unread)} could last be read"
    if not memory:
        return None
    used = f"it was in use on {format_minute(history.last_held, facts.zone)}"
    if facts.now - history.last_held <= memory:
        return f"{used}, within the last {format_duration(memory)}"
    # A list can be valid and still omit what uses an image, so its absence there proves nothing.
    return f"{used}, in the last accepted survey" if history.unused_since is None else None


def _sources(unread: Iterable[Unread]) -> str:
    return " and ".join(map(str, sorted(unread)))


def _exempt(image: Image, facts: Facts) -> str | None:
    exemption = facts.memory.exemptions.get(image.id)
    if exemption is None or exemption.until <= facts.now:
        return None
    until = "" if exemption.until == FOREVER else f" {format_until(exemption.until, facts.zone)}"
    return f"exempt{until} by {exemption.who}: {exemption.why}"


def _usage_unknown(_image: Image, facts: Facts) -> str | None:
    return None if facts.usage.problem is None else "what is in use could not be read, so any image may be in use"


def _newborn(image: Image, facts: Facts) -> str | None:
    if image.created_at is None or facts.now - image.created_at >= NEWBORN:
        return None
    return f"created {format_minute(image.created_at, facts.zone)}, less than 10 minutes before the survey"


_GUARDS: tuple[Guard, ...] = (
    (Reason.UNSETTLED_RECORD, _unsettled_record),
    (Reason.GONE, _gone),
    (Reason.PUBLIC, _public),
    (Reason.PROTECTED, _protected),
    (Reason.NOT_OWNED, _not_owned),
    (Reason.UNKNOWN_STATUS, _unknown_status),
    (Reason.UNDATED, _undated),
    (Reason.IN_USE, _in_use),
    (Reason.NEEDED, _needed),
    (Reason.REFERENCED, _referenced),
    (Reason.RECENTLY_USED, _recently_used),
    (Reason.USAGE_UNKNOWN, _usage_unknown),
    (Reason.EXEMPT, _exempt),
    (Reason.NEWBORN, _newborn),
)

_RULED_OUT = frozenset(
    {
        Reason.UNSETTLED_RECORD,
        Reason.GONE,
        Reason.PUBLIC,
        Reason.PROTECTED,
        Reason.NOT_OWNED,
        Reason.UNKNOWN_STATUS,
        Reason.UNDATED,
        Reason.IN_USE,
        Reason.NEEDED,
        Reason.REFERENCED,
        Reason.RECENTLY_USED,
        Reason.USAGE_UNKNOWN,
        Reason.EXEMPT,
        Reason.NEWBORN,
    }
)
"""The guards that hold for no image that `Guards` finds ordinary; one that is not in this set is asked about each."""
