"""Makes the night of a test: its images as a survey would show them, and all that a run would know of them."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import count
from typing import TypeVar

from janitor.config.policy_tests.schema import ImageSchema, PolicyTestSchema
from janitor.core.exemptions import exemptions_by_tag, exemptions_for, longest_of
from janitor.core.image import Image, Sharing, Status, Visibility
from janitor.core.memory import Exemption, History, Memory, Refusals
from janitor.core.names.image_ids import folded
from janitor.core.names.wire_keys import WireKeys
from janitor.core.policy_tests.moments import Moment
from janitor.core.replay.inputs import Night
from janitor.core.units import GIB, parse_from, parse_until
from janitor.core.usage import Usage, User, UserKind

T = TypeVar("T")

TARGET = "test"
"""The target of a test that names none."""

AGE = timedelta(days=365)
"""The age of an image for which none is given."""

_SIZE = 10 * GIB
_FORMAT = "qcow2"
_OURS, _ANOTHERS = "our-project", "another-project"
_REJECTED = "rejected"
_SOMEBODY = "a person"


@dataclass(frozen=True, slots=True)
class Footing:
    """The time zone and usage memory of tests that do not say otherwise, and the exemptions of policy files."""

    zone: tzinfo
    usage_memory: timedelta
    exemptions: tuple[Exemption, ...] = ()


def zone_of(test: PolicyTestSchema, footing: Footing) -> tzinfo:
    """The zone of the dates in a test."""
    return footing.zone if test.timezone is None else test.timezone


def ids_of(images: Iterable[ImageSchema]) -> tuple[str, ...]:
    """The ids of the images of a test: their own, and one that nobody else has for each without, in their order."""
    listed = list(images)
    taken = {folded(each.id) for each in listed if each.id is not None}
    return tuple(_free(place, taken) if each.id is None else each.id for place, each in enumerate(listed, 1))


def id_at(place: int) -> str:
    """The id of an image of a test that has none, by its place; in the order of the places."""
    return f"image-{place:05}"


def _free(place: int, taken: Container[str]) -> str:
    return next(word for extra in count() if folded(word := id_at(place) + "x" * extra) not in taken)


def made(test: PolicyTestSchema, footing: Footing) -> tuple[Night, dict[str, datetime]]:
    """The night of a test, without notices, and since when images are announced, by id."""
    zone = zone_of(test, footing)
    now = parse_from(test.now, zone)
    written = dict(zip(ids_of(test.images), test.images, strict=True))
    makers = [_Maker(image, each, now, zone) for image, each in written.items()]
    images = [each.image() for each in makers]
    given = exemptions_for(images, (), footing.exemptions, now)
    given = longest_of(given, exemptions_by_tag(images, now, zone))
    by_people = {each.id: exemption for each in makers if (exemption := each.exemption()) is not None}
    memory = Memory(
        exemptions=longest_of(given, by_people),
        refusals={each.id: refusals for each in makers if (refusals := each.refusals()) is not None},
        usage_memory=footing.usage_memory if test.usage_memory is None else test.usage_memory,
    )
    night = Night(
        tuple(test.target or (TARGET,)),
        images,
        Usage({image.identity: users for image, each in zip(images, makers, strict=True) if (users := each.users())}),
        {each.id: each.history() for each in makers},
        now,
        zone,
        memory,
        {each.id: sharing for each in makers if (sharing := each.sharing()) is not None},
        WireKeys(),
    )
    announced = {each.id: since for each in makers if (since := each.announced()) is not None}
    return night, announced


@dataclass(frozen=True, slots=True)
class _Maker:
    """One image of a test at that instant: as it is listed, and what a run would know of it."""

    id: str
    written: ImageSchema
    now: datetime
    zone: tzinfo

    def image(self) -> Image:
        """The image as a survey shows it."""
        written, created = self.written, self._created()
        public = written.visibility in (Visibility.PUBLIC, Visibility.COMMUNITY) or bool(written.public)
        owned = written.owned is not False
        return Image(
            id=self.id,
            name=written.name,
            status=self._known("status", written.status or Status.ACTIVE) or "unknown",
            public=public,
            protected=bool(written.protected),
            created_at=self._known("created", created),
            updated_at=self._known("updated", self._at(written.updated) or created),
            size=self._known("size", _SIZE if written.size is None else written.size),
            disk_format=self._known("disk_format", written.disk_format or _FORMAT),
            properties=self._known("properties", written.properties or {}),
            owned=owned,
            visibility=self._known(
                "visibility", written.visibility or (Visibility.PUBLIC if public else Visibility.PRIVATE)
            ),
            owner=self._known("owner", written.owner or (_OURS if owned else _ANOTHERS)),
            os_hidden=self._known("os_hidden", bool(written.os_hidden)),
            tags=self._known("tags", tuple(written.tags or ())),
            unreadable=written.unreadable or {},
        )

    def _known(self, key: str, value: T) -> T | None:
        return None if key in (self.written.unknown or ()) else value

    def history(self) -> History:
        """What earlier runs would have seen of it."""
        created = min(self._created(), self.now)
        watched = self._at(self.written.watched) or created
        used = self._at(self.written.last_used)
        return History(
            first_seen=watched,
            watched_since=watched,
            status_since=self._at(self.written.in_status),
            last_in_use=used,
            last_held=None if self.written.user_deleted else used,
            unused_since=None if used is None else used + (self.now - used) / 2,  # some survey has looked since
        )

    def users(self) -> tuple[User, ...]:
        """What uses it, or names it in a text."""
        servers = (User(name, name) for name in self.written.in_use or ())
        texts = (User(name, name, UserKind.REFERENCE) for name in self.written.referenced or ())
        return (*servers, *texts)

    def exemption(self) -> Exemption | None:
        """A person's exemption of it."""
        given = self.written.exempt
        return None if given is None else Exemption(self.id, parse_until(given.until, self.zone), given.why, _SOMEBODY)

    def refusals(self) -> Refusals | None:
        """The rejections of its deletion."""
        last = self._at(self.written.refused)
        return None if last is None else Refusals(self.written.refusals or 1, last, _REJECTED)

    def sharing(self) -> Sharing | None:
        """With whom it is shared."""
        unknown = "sharing" in (self.written.unknown or ())
        accepted, pending = self.written.shared_with or (), self.written.offered_to or ()
        if not (accepted or pending or unknown):
            return None
        return Sharing(tuple(accepted), tuple(pending), "it is not known" if unknown else None)

    def announced(self) -> datetime | None:
        """Since when it is announced."""
        return self._at(self.written.announced)

    def _created(self) -> datetime:
        if self.written.age is not None:
            return self.now - self.written.age
        return self._at(self.written.created) or self.now - AGE

    def _at(self, moment: Moment | None) -> datetime | None:
        return None if moment is None else moment.before(self.now, self.zone)
