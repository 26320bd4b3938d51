"""What a sandbox's account holds, as values: images, instances, and the source that makes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from random import Random


class Missing(Enum):
    """Stands for a key that the answer omits."""

    MISSING = "missing"


MISSING = Missing.MISSING


OURS = "5ba9d0a7c3e14f6f8d0b2a9e7c415d31"
"""The project of the account."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """One image. `wire` overrides keys of its JSON by any value, readable or not; MISSING leaves the key out.

    Only OpenStack has: `owner` is a project, `members` are the projects that a shared image is shared with, by the
    status of each, and `held` says that the store does not allow deleting its data.

    Wide because the records of two APIs are rendered from it.
    """

    id: str
    name: str | None
    status: str
    created_at: datetime
    updated_at: datetime
    size: int | None
    visibility: str = "private"
    protected: bool = False
    disk_format: str = "qcow2"
    min_disk: int = 20
    min_ram: int = 0
    properties: Mapping[str, str] = field(default_factory=dict)
    wire: Mapping[str, object] = field(default_factory=dict)
    owner: str | None = OURS
    tags: tuple[str, ...] = ()
    hidden: bool = False
    members: Mapping[str, str] = field(default_factory=dict)
    held: bool = False

    @property
    def is_public(self) -> bool:
        """Whether everyone may use it."""
        return self.visibility == "public"


@dataclass(frozen=True, slots=True)
class Flavor:
    """An instance size; `ram` in MB."""

    id: str
    name: str
    cpu: int
    ram: int


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """One instance. `image` is what its record says about an image, which can be nothing at all; `wire` as for images.

    Only OpenStack has: `compute` counts the compute services, from 0, and `cell` is the part of one that holds it, of
    which the second can be down. `updated_at` is when it was last changed, None if that was its launch.

    Wide because the records of two APIs are rendered from it.
    """

    id: str
    name: str
    status: str
    image: str | Missing | None
    created_at: datetime
    launched_at: datetime
    flavor: Flavor
    zone: str
    address: str
    root_gb: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    wire: Mapping[str, object] = field(default_factory=dict)
    compute: int = 0
    cell: int = 1
    updated_at: datetime | None = None

    @property
    def changed_at(self) -> datetime:
        """When it was last changed."""
        return self.updated_at or self.launched_at


@dataclass(frozen=True, slots=True)
class StoredVolume:
    """One volume, in GB: the image from which it was made, if any, and the server to which it is attached, if any.

    `wire` as for images.

    Wide because the records of an API are rendered from it.
    """

    id: str
    name: str
    status: str
    size: int
    created_at: datetime
    image: str | None = None
    image_name: str | None = None
    instance: str | None = None
    device: str = "/dev/vda"
    wire: Mapping[str, object] = field(default_factory=dict)


class Mint:
    """Makes ids, random choices and images from a seed; ages are counted back from `now`.

    Two with one seed make the same ids: a fleet needs a seed for each of its parts.
    """

    def __init__(self, seed: int | str, now: datetime) -> None:
        self.random = Random(seed)  # noqa: S311 - the same seed must give the same fleet; nothing here is secret
        self.now = now

    def identity(self) -> str:
        """The next UUID."""
        digits = f"{self.random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def between(self, shortest: timedelta, longest: timedelta) -> timedelta:
        """A random duration between two, to the microsecond."""
        return shortest + (longest - shortest) * self.random.random()

    def image(
        self,
        name: str | None,
        age: timedelta,
        size: int | None,
        *,
        status: str = "active",
        settled: timedelta = timedelta(minutes=4),
        visibility: str = "private",
        protected: bool = False,
        disk_format: str = "qcow2",
        min_disk: int = 20,
        properties: Mapping[str, str] | None = None,
        wire: Mapping[str, object] | None = None,
        owner: str = OURS,
        tags: tuple[str, ...] = (),
        hidden: bool = False,
        members: Mapping[str, str] | None = None,
        held: bool = False,
    ) -> StoredImage:
        """An image of that age, last updated `settled` after its creation, but never in the future.

        Wide because a fleet may choose any field of an image; the others have defaults.
        """
        created_at = self.now - age
        return StoredImage(
            id=self.identity(),
            name=name,
            status=status,
            created_at=created_at,
            updated_at=min(created_at + settled, self.now),
            size=size,
            visibility=visibility,
            protected=protected,
            disk_format=disk_format,
            min_disk=min_disk,
            properties=properties or {},
            wire=wire or {},
            owner=owner,
            tags=tags,
            hidden=hidden,
            members=members or {},
            held=held,
        )
