"""What uses the images of an OpenStack project: its servers, its volumes, and images that are built upon others."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from janitor.cloud import Need, Sources
from janitor.cloud.keystone import NotOffered
from janitor.cloud.records import Entry, image_users, in_order
from janitor.errors import CloudError, Unavailable
from janitor.model import GONE_STATUSES, Image, Usage, User, UserKind

Users = Mapping[str, list[User]]

_BASE = "base_image_ref"
_MADE_OF = "instance_uuid"
_SHELVED = "SHELVED"


@dataclass(slots=True)
class Gathering:
    """What was found to use which image, source by source; a source that is not required may fail."""

    sources: Sources
    _users: defaultdict[str, list[User]] = field(default_factory=lambda: defaultdict(list))
    _unread: set[UserKind] = field(default_factory=set)
    _remarks: list[str] = field(default_factory=list)

    def add(self, kind: UserKind, read: Callable[[], Users]) -> None:
        """Take in a source, unless it is off. Raises CloudError where it is required and cannot be read."""
        need = self.need(kind)
        if need is Need.OFF:
            return
        try:
            found = read()
        except CloudError as error:
            if need is Need.REQUIRED:
                raise
            # Of a service that is missing from tonight's catalogue we saw no more than of one that does not answer.
            self._unread.add(kind)
            if isinstance(error, NotOffered):
                return
            self._remarks.append(f"{_NOUNS[kind]} could not be read, and are optional here: {error}")
            return
        for image_id, users in found.items():
            self._users[image_id] += users

    def need(self, kind: UserKind) -> Need:
        """How much the target insists on the source of these users."""
        return {
            UserKind.INSTANCE: self.sources.servers,
            UserKind.VOLUME: self.sources.volumes,
            UserKind.IMAGE: self.sources.snapshots,
        }[kind]

    def usage(self, instances: int) -> Usage:
        """All of it, where there are so many instances."""
        return Usage(
            in_order(self._users),
            instances=instances,
            volumes=self._made_of_images(),
            unread=frozenset(self._unread),
            remarks=tuple(self._remarks),
        )

    def _made_of_images(self) -> int | None:
        if self.need(UserKind.VOLUME) is Need.OFF or UserKind.VOLUME in self._unread:
            return None
        return sum(user.kind is UserKind.VOLUME for users in self._users.values() for user in users)


_NOUNS = {UserKind.INSTANCE: "servers", UserKind.VOLUME: "volumes", UserKind.IMAGE: "snapshots"}


def used_by_servers(servers: Sequence[Entry], images: Iterable[Image], label: str) -> Users:
    """The images that servers were made of, and those that shelved servers are kept in until they are unshelved.

    Raises Unavailable when that is in doubt for any of them.
    """
    users = image_users(servers, label, UserKind.INSTANCE, lambda server: server.get("image"))
    shelved = {_folded(server.get("id")): server for server in servers if _is_shelved(server)}
    for image in images if shelved else ():
        for server in _kept_in(image, shelved):
            users.setdefault(_folded(image.id), []).append(
                User(str(server.get("id")), str(server.get("name") or ""), UserKind.INSTANCE)
            )
    return users


def _is_shelved(server: Entry) -> bool:
    return str(server.get("status")).upper().startswith(_SHELVED)


def _kept_in(image: Image, shelved: Mapping[str, Entry]) -> Iterable[Entry]:
    """The shelved servers, by folded id, that are kept in an image: any of them may be, where it cannot be read."""
    if image.properties is None or f"properties.{_MADE_OF}" in image.unreadable:
        return shelved.values()
    server = shelved.get(_folded(image.properties.get(_MADE_OF)))
    return () if server is None else (server,)


def _folded(word: object) -> str:
    return str(word).strip().lower()


def used_by_volumes(volumes: Sequence[Entry], label: str) -> Users:
    """The images that volumes were made of. Raises Unavailable when that is in doubt for any of them."""

    def image_of(volume: Entry) -> object:
        metadata = volume.get("volume_image_metadata")
        if metadata is None:
            return None
        if not isinstance(metadata, dict):
            raise Unavailable(f"{label}: the image of volume {volume.get('id')} cannot be read")
        return metadata.get("image_id")

    return image_users(volumes, label, UserKind.VOLUME, image_of)


def used_by_snapshots(images: Sequence[Image]) -> Users:
    """The images that living images are built upon. Raises Unavailable when that is in doubt for any of them."""
    users: defaultdict[str, list[User]] = defaultdict(list)
    for image, base in _bases(images):
        if base and base != image.id.strip().lower():
            users[base].append(User(image.id, image.name or "", UserKind.IMAGE))
    return users


def _bases(images: Iterable[Image]) -> Iterator[tuple[Image, str]]:
    for image in images:
        if image.status in GONE_STATUSES:
            continue
        if image.properties is None or f"properties.{_BASE}" in image.unreadable:
            raise Unavailable(f"the base of image {image.id} cannot be read")
        yield image, image.properties.get(_BASE, "").strip().lower()
