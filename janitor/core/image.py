"""An image as it was seen, and the words of the APIs for its status and visibility."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from msgspec import field
from msgspec.structs import force_setattr

from janitor.core.names.image_ids import ImageId, folded
from janitor.core.value import Value


class Status(StrEnum):
    """The known image statuses; an image with any other status is guarded.

    Sources: the vendor's Compute API v1.0 image page, and OpenStack's Image API v2 for `uploading` and `importing`.
    """

    QUEUED = "queued"
    SAVING = "saving"
    UPLOADING = "uploading"
    IMPORTING = "importing"
    ACTIVE = "active"
    KILLED = "killed"
    DELETED = "deleted"
    PENDING_DELETE = "pending_delete"
    DEACTIVATED = "deactivated"


KNOWN_STATUSES: frozenset[str] = frozenset(Status)

GONE_STATUSES: frozenset[str] = frozenset({Status.DELETED, Status.PENDING_DELETE})

UNSEEN = "id"
"""The key of `Image.unreadable` that says why an image, known from an earlier survey, could not be read in this one."""

MISSING = "missing"
"""What `Image.unreadable` says about a missing wire key."""

CONTRADICTED = "listed as "
"""How `Image.unreadable` begins for a field in which two records of the image differ.

Shortened JSON never begins so.
"""


class Visibility(StrEnum):
    """To whom an image is offered, in the words of OpenStack's Image API v2."""

    PUBLIC = "public"
    COMMUNITY = "community"
    SHARED = "shared"
    PRIVATE = "private"


class Image(Value, frozen=True):
    """One entry of a target's image list.

    None means that the value was missing or could not be read; `public` and `protected` have no such state, because an
    unreadable value counts as true. `public` is true for images that other projects may find: public and community
    ones. `unreadable` maps each wire key that could not be read to its value (shortened), so that a decision can say
    so; for a field in which two records of the image differ, which then is unknown, it has both values. Sizes are
    bytes, `min_disk` GB, `min_ram` MB, as on the wire. `visibility` and `owner` are None also where the API has no such
    field; an API without tags gives none. `identity` is the id in the form in which ids are compared, as lists, users
    and texts spell one id in several ways. It follows from the id, and is a field because it is asked for so often.

    Wide because these are the fields of one record, which the rules, the database and reports name one by one.
    """

    id: str
    name: str | None
    status: str
    public: bool
    protected: bool
    created_at: datetime | None
    updated_at: datetime | None
    size: int | None = None
    disk_format: str | None = None
    min_disk: int | None = None
    min_ram: int | None = None
    properties: Mapping[str, str] | None = field(default_factory=dict)
    owned: bool = True
    visibility: str | None = None
    owner: str | None = None
    os_hidden: bool | None = False
    tags: tuple[str, ...] | None = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    identity: ImageId = ImageId("")

    derived = frozenset({"identity"})

    def __post_init__(self) -> None:
        force_setattr(self, "identity", folded(self.id))

    @property
    def label(self) -> str:
        """The name, or the id of an image without one; words for an image that has neither."""
        return self.name or self.id or "without a name"

    @property
    def contradictions(self) -> Mapping[str, str]:
        """The fields in which two records of the image differ, each with both values: neither is believed."""
        if not self.unreadable:
            return {}
        return {key: words for key, words in self.unreadable.items() if words.startswith(CONTRADICTED)}

    @property
    def unseen(self) -> str | None:
        """Why it is unknown whether the image exists: no list shows it, and it may not be read by its id."""
        return self.unreadable.get(UNSEEN)

    def differences(self, other: "Image") -> tuple[str, ...]:
        """The names of the fields in which another reading of the image differs; all fields are compared.

        A list may tell a tag twice, which is the same as once.
        """
        names = tuple(name for name in self.fields() if getattr(self, name) != getattr(other, name))
        if "tags" in names and None not in (self.tags, other.tags) and set(self.tags or ()) == set(other.tags or ()):
            return tuple(name for name in names if name != "tags")
        return names


@dataclass(frozen=True, slots=True)
class Sharing:
    """With which other projects an image is shared, by their ids; `problem` says why that could not be read.

    `unasked`: it was not asked for, as nothing was to be deleted anyway.
    """

    accepted: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    problem: str | None = None
    unasked: bool = False
