"""What uses images: which source says so, and what could not be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from janitor.core.names.image_ids import ImageId


class UserKind(StrEnum):
    """What can use an image; an image uses the one that it is built upon; a reference names it in a text.

    An unidentified image is one that is listed without an id; it uses all images that it names.
    """

    INSTANCE = "instance"
    VOLUME = "volume"
    IMAGE = "image"
    NODE_GROUP = "node group"
    CLUSTER = "cluster"
    CLUSTER_TEMPLATE = "cluster template"
    STACK = "stack"
    REFERENCE = "reference"
    UNIDENTIFIED = "unidentified image"


class Source(StrEnum):
    """Where to read what uses images: services of a cloud, the images themselves, and texts that people declare."""

    SERVERS = "servers"
    VOLUMES = "volumes"
    CLUSTERS = "clusters"
    STACKS = "stacks"
    SNAPSHOTS = "snapshots"
    REFERENCES = "references"


SOURCE_OF: Mapping[UserKind, Source] = {
    UserKind.INSTANCE: Source.SERVERS,
    UserKind.VOLUME: Source.VOLUMES,
    UserKind.NODE_GROUP: Source.CLUSTERS,
    UserKind.CLUSTER: Source.CLUSTERS,
    UserKind.CLUSTER_TEMPLATE: Source.CLUSTERS,
    UserKind.STACK: Source.STACKS,
    UserKind.IMAGE: Source.SNAPSHOTS,
    UserKind.REFERENCE: Source.REFERENCES,
    UserKind.UNIDENTIFIED: Source.SNAPSHOTS,
}
"""The source of users of each kind."""


@dataclass(frozen=True, slots=True)
class User:
    """Something that uses an image, and the source that says so, with its region if it has one."""

    id: str
    name: str
    kind: UserKind = UserKind.INSTANCE
    source: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Unread:
    """A source that could not be read although it might exist; `part` names one place of it, empty for all."""

    source: Source
    part: str = ""

    def covers(self, kind: UserKind, told_by: str) -> bool:
        """Whether users of this kind, read from this place, are among what could not be read.

        For users that were recorded without their place, only the source is known.
        """
        return SOURCE_OF[kind] is self.source and (
            told_by in ("", self.part) or _is_within(told_by, self.part) or _is_within(self.part, told_by)
        )

    def __str__(self) -> str:
        return self.part or self.source.value


def called(source: Source, place: str) -> str:
    """What people call a region of a source, or a reference, whose name says what it is; the source itself for none."""
    if not place:
        return source.value
    return place if source is Source.REFERENCES else f"{source} in {place}"


def _is_within(place: str, whole: str) -> bool:
    """Whether a place is one of several endpoints, which are named like the whole, each with its path in brackets."""
    return not whole or place.startswith(f"{whole} (")


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of asking one place for users of images.

    `region` is empty where there is none, and `place` is the path of the endpoint's URL, or what else was read.
    `problem` says why it was not asked or not read; otherwise `users` is how many users it listed, and `images` how
    many images these use. `note` is a remark about a place that was asked nevertheless.
    """

    source: Source
    region: str = ""
    place: str = ""
    problem: str | None = None
    users: int = 0
    images: int = 0
    note: str | None = None


@dataclass(frozen=True, slots=True)
class StackContent:
    """What a stack said when it was read: digests of its words, each with its place.

    `version` shows whether it has changed since. Digests, because a stack's words are its owner's, secrets among them.
    """

    version: str
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Usage:
    """What uses which image, by image id in lower case.

    `problem` says why that could not be read; then every image counts as used. `unread` are the optional sources that
    could not be read although they might exist; `remarks` say why. `ended` are the ids of servers that are known to be
    deleted. `instances` counts all instances, also those without an image, and `volumes` those made from an image, None
    where volumes were not read; `readings` say what was asked, and `stacks` what stacks said, by their ids. A snapshot
    does not give back the last five.
    """

    by_image: Mapping[ImageId, tuple[User, ...]] = field(default_factory=dict)
    problem: str | None = None
    instances: int = field(default=0, compare=False)
    volumes: int | None = field(default=None, compare=False)
    unread: frozenset[Unread] = frozenset()
    remarks: tuple[str, ...] = ()
    ended: frozenset[str] = field(default=frozenset(), compare=False)
    readings: tuple[Reading, ...] = field(default=(), compare=False)
    stacks: Mapping[str, StackContent] = field(default_factory=dict, compare=False)

    def with_named(self, named: "Usage") -> "Usage":
        """The same, with the images that texts name; a problem of either is a problem of both."""
        problem = "; ".join(one for one in (self.problem, named.problem) if one) or None
        images = dict.fromkeys((*self.by_image, *named.by_image)) if problem is None else {}
        users = {one: (*self.by_image.get(one, ()), *named.by_image.get(one, ())) for one in images}
        return replace(
            self,
            by_image={one: tuple(sorted(using, key=lambda user: (user.name, user.id))) for one, using in users.items()},
            problem=problem,
            unread=self.unread | named.unread,
            remarks=(*self.remarks, *named.remarks),
            readings=(*self.readings, *named.readings),
        )


@dataclass(frozen=True, slots=True)
class EarlierUsage:
    """What earlier surveys of a target knew about its usage.

    `read` are the services, each with its region, that the last accepted survey found and asked. `servers` are the ids
    of servers that were seen using an image and still guard it, with the time when they were last seen. `stacks` is
    what stacks said when last read, by their ids. `unrecorded`: the last accepted survey was recorded by a version that
    did not record what it read.
    """

    read: frozenset[tuple[Source, str]] = frozenset()
    places: Mapping[tuple[Source, str], int] = field(default_factory=dict)
    servers: Mapping[str, datetime] = field(default_factory=dict)
    stacks: Mapping[str, StackContent] = field(default_factory=dict)
    unrecorded: bool = False
