"""The facts of recorded images as tests have them: those that matter, and nothing that tells who owns or uses them."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from janitor.config.policy_tests.recorded.asked_facts import AskedFacts
from janitor.config.policy_tests.recorded.text import Value
from janitor.config.policy_tests.schema import DISK_FORMATS, OTHER_FORMAT
from janitor.core.exemptions import FOREVER, active
from janitor.core.image import CONTRADICTED, KNOWN_STATUSES, MISSING, Image, Status, Visibility
from janitor.core.memory import History
from janitor.core.names.image_ids import folded, ids_in, is_uuid
from janitor.core.needs import PARTS
from janitor.core.notices import due_under
from janitor.core.policy import Clock, Policy
from janitor.core.replay.inputs import Night
from janitor.core.units import LONGEST_SPAN, format_day, format_duration, iso, parse_until
from janitor.core.usage import UserKind

_SECOND = timedelta(seconds=1)
_OF_UPDATES = (Clock.UPDATED, Clock.STATUS)
_OF_PARTS = ("ami", "ari", "aki")
_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
_NOBODYS = "00000000-0000-0000-0000-000000000000"
_KEPT_AS_IT_IS = (MISSING, "null")


@dataclass
class Anonymous:
    """Names for what is not named: the same for the same thing, in the order in which they are asked for."""

    _given: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    def name(self, kind: str, thing: str) -> str:
        """The name of a thing of this kind."""
        known = self._given[kind]
        return known.setdefault(thing, f"{kind}-{len(known) + 1}")


@dataclass
class Writer:
    """Writes the images of a night. `exact` writes instants with their fractions, others are as long ago as they were.

    `ids` are the ids that images get, by their identity, as far as they get one.
    """

    night: Night
    asked: AskedFacts
    ids: Mapping[str, str]
    exact: bool = False
    anonymous: Anonymous = field(default_factory=Anonymous)

    @property
    def now(self) -> datetime:
        """The instant of the test."""
        return self.night.now if self.exact else self.night.now.replace(microsecond=0)

    def image(self, image: Image, owner: Policy | None) -> dict[str, Value]:
        """What matters of an image that this policy owns."""
        facts: dict[str, Value] = {} if image.name is None else {"name": image.name}
        if image.identity in self.ids:
            facts["id"] = self.ids[image.identity]
        clock = None if owner is None or owner.expire is None else owner.expire.since
        facts |= self._ages(image, clock)
        facts |= self._state(image)
        facts |= self._texts(image)
        facts |= self._uses(image, clock)
        facts |= self._standing(image, owner)
        if unknown := list(self._unknown(image, clock)):
            facts["unknown"] = [*unknown]
        if image.unreadable:
            facts["unreadable"] = {key: _unnamed(words) for key, words in image.unreadable.items()}
        return facts

    def _ages(self, image: Image, clock: Clock | None) -> Iterator[tuple[str, Value]]:
        created, updated = image.created_at, image.updated_at
        if created is not None:
            written = self._moment(created)
            yield ("created" if "-" in written else "age"), written
        if clock in _OF_UPDATES and updated not in (None, created):
            yield "updated", self._moment(updated)
        history = self.night.history.get(image.id)
        if clock is Clock.STATUS and history is not None and history.status_since is not None:
            yield "in_status", self._moment(history.status_since)

    def _state(self, image: Image) -> Iterator[tuple[str, Value]]:
        if image.status != Status.ACTIVE and image.status in KNOWN_STATUSES:
            yield "status", image.status
        visibility = image.visibility
        known = visibility is not None and visibility in list(Visibility)
        if image.public:
            offered = known and visibility in (Visibility.PUBLIC, Visibility.COMMUNITY)
            yield ("visibility", visibility) if offered and visibility else ("public", True)
        elif visibility is not None and known and visibility != Visibility.PRIVATE:
            yield "visibility", visibility
        if image.protected:
            yield "protected", True
        if not image.owned:
            yield "owned", False
        if image.os_hidden:
            yield "os_hidden", True

    def _texts(self, image: Image) -> Iterator[tuple[str, Value]]:
        if "size" in self.asked.facts and image.size is not None:
            yield "size", f"{image.size}B"
        format_ = image.disk_format
        if format_ is not None and ("disk_format" in self.asked.facts or format_ in _OF_PARTS):
            yield "disk_format", format_ if format_ in DISK_FORMATS else OTHER_FORMAT
        if properties := dict(self._properties(image)):
            yield "properties", properties
        if tags := self.asked.tags_of(image):
            yield "tags", [*tags]
        if "owner" in self.asked.facts and image.owner is not None:
            told = image.owner in self.asked.owners  # a policy names it already
            yield "owner", image.owner if told else self.anonymous.name("project", image.owner)

    def _properties(self, image: Image) -> Iterator[tuple[str, Value]]:
        for key, text in (image.properties or {}).items():
            if key in self.asked.properties:
                yield key, text
            elif key in PARTS and text:
                part = next((self.ids[each] for each in ids_in(text) if each in self.ids), None)
                if part is not None or not is_uuid(text):
                    yield key, part or self._without_ids(text)

    def _without_ids(self, text: str) -> str:
        """A text that names parts, with the ids of this test in it, and for others one that no image has."""
        return _UUID.sub(lambda found: self.ids.get(folded(found[0]), _NOBODYS), text)

    def _uses(self, image: Image, clock: Clock | None) -> Iterator[tuple[str, Value]]:
        users = self.night.usage.by_image.get(image.identity, ())
        names = [(user.kind, self.anonymous.name(user.kind.replace(" ", "-"), user.id)) for user in users]
        if using := [name for kind, name in names if kind is not UserKind.REFERENCE]:
            yield "in_use", [*using]
        if naming := [name for kind, name in names if kind is UserKind.REFERENCE]:
            yield "referenced", [*naming]
        history = self.night.history.get(image.id)
        if history is not None and not users:
            yield from self._last_use(history, clock)
        if clock is Clock.LAST_USED:
            watched = None if history is None else history.watched_since
            yield "watched", "0m" if watched is None else self._moment(watched)

    def _last_use(self, history: History, clock: Clock | None) -> Iterator[tuple[str, Value]]:
        now, memory = self.night.now, self.night.memory.usage_memory
        used, held = history.last_in_use, history.last_held
        # A test knows no survey that looked away: the image counts as used for as long as that guards it.
        overlooked = held is not None and bool(memory) and history.unused_since is None
        guarded = overlooked or (held is not None and now - held <= memory)
        if guarded and held is not None:
            yield "last_used", self._moment(max(held, now - memory))
        elif used is not None and clock is Clock.LAST_USED:
            yield "last_used", self._moment(used)
            if now - used <= memory:
                yield "user_deleted", True

    def _standing(self, image: Image, owner: Policy | None) -> Iterator[tuple[str, Value]]:
        memory, now = self.night.memory, self.night.now
        notice = memory.notices.get(image.id)
        if notice is not None and owner is not None and owner.notice:
            since = due_under(owner, notice, now) - owner.notice
            if since <= now:
                yield "announced", self._moment(since)
        exemption = memory.exemptions.get(image.id)
        if exemption is not None and active(exemption, now):
            yield "exempt", self._until(exemption.until)
        refusals = memory.refusals.get(image.id)
        if refusals is not None and refusals.last_at <= now:
            yield "refused", self._moment(refusals.last_at)
            if refusals.count > 1:
                yield "refusals", refusals.count
        sharing = self.night.sharing.get(image.id)
        if sharing is not None:
            for key, projects in (("shared_with", sharing.accepted), ("offered_to", sharing.pending)):
                if projects:
                    yield key, [self.anonymous.name("project", each) for each in projects]

    def _unknown(self, image: Image, clock: Clock | None) -> Iterator[str]:
        sharing = self.night.sharing.get(image.id)
        if image.status not in KNOWN_STATUSES:
            yield "status"
        if image.created_at is None:
            yield "created"
        if image.updated_at is None and clock in _OF_UPDATES:
            yield "updated"
        if image.properties is None:
            yield "properties"
        if image.disk_format is None:
            yield "disk_format"
        for fact in ("size", "tags", "visibility", "owner", "os_hidden"):
            if fact in self.asked.facts and getattr(image, fact) is None:
                yield fact
        if sharing is not None and sharing.problem is not None:
            yield "sharing"

    def _moment(self, instant: datetime) -> str:
        """How long ago an instant was, or the instant itself where that cannot be said exactly enough."""
        ago = self.now - instant
        whole = timedelta(seconds=round(ago / _SECOND))
        if timedelta() <= whole <= LONGEST_SPAN and (ago == whole or not self.exact):
            return format_duration(whole).replace("0min", "0m") if not whole else format_duration(whole)
        return iso(instant)

    def _until(self, until: datetime) -> str:
        if until == FOREVER:
            return FOREVER.date().isoformat()
        day = format_day(until, self.night.zone)
        return day if parse_until(day, self.night.zone) == until else iso(until.replace(microsecond=0))


def _unnamed(words: str) -> str:
    """What stood under a key that could not be read, without what it says."""
    if words in _KEPT_AS_IT_IS:
        return words
    return f"{CONTRADICTED}one value and as another" if words.startswith(CONTRADICTED) else "something else"
