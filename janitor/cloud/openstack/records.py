"""Reading the records of OpenStack's Image API v2 as values: images, and with whom they are shared.

Source of the fields: the Image API v2 reference, and what a real Glance answers.
"""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from janitor.cloud.common import wire
from janitor.cloud.common.records import (
    ENOUGH_FOR_IDS,
    NOTHING_WRONG,
    Entry,
    expected,
    optional,
    read_properties,
    required,
)
from janitor.core.image import MISSING, Image, Sharing, Visibility

T = TypeVar("T")

_FIELDS = frozenset(
    {
        *("id", "name", "status", "visibility", "protected", "owner", "os_hidden", "tags", "created_at", "updated_at"),
        *("size", "virtual_size", "disk_format", "container_format", "min_disk", "min_ram", "checksum"),
        *("os_hash_algo", "os_hash_value", "self", "file", "schema", "locations", "direct_url", "stores", "members"),
        "properties",
    }
)
"""The keys of the API itself; every other key of an entry is a custom property."""

_VISIBILITIES = frozenset(Visibility)
_OPEN = frozenset({Visibility.PUBLIC, Visibility.COMMUNITY})


def read_image(entry: Entry, project: str) -> Image:
    """The image in an entry that has an id, as seen by a project.

    What cannot be read is never read in the direction of deletion.
    """
    wrong: dict[str, str] = {}
    visibility = _required(entry, "visibility", _visibility, wrong)
    owner = expected(entry, "owner", _word, wrong)
    return Image(
        id=entry["id"],
        name=expected(entry, "name", wire.text, wrong),
        status=required(entry, "status", _word, "", wrong),
        public=visibility is None or visibility in _OPEN,
        protected=required(entry, "protected", wire.boolean, True, wrong),
        created_at=_required(entry, "created_at", wire.instant, wrong),
        updated_at=_required(entry, "updated_at", wire.instant, wrong),
        size=optional(entry, "size", wire.amount, wrong),
        disk_format=optional(entry, "disk_format", _word, wrong),
        min_disk=optional(entry, "min_disk", wire.amount, wrong),
        min_ram=optional(entry, "min_ram", wire.amount, wrong),
        properties=_properties(entry, wrong),
        owned=owner == project,
        visibility=visibility,
        owner=owner,
        os_hidden=_hidden(entry, wrong),
        tags=_required(entry, "tags", _tags, wrong),
        unreadable=wrong or NOTHING_WRONG,
    )


def _word(value: object) -> str | None:
    return sys.intern(value) if type(value) is str else None


def _required(entry: Entry, key: str, read: Callable[[object], T | None], wrong: dict[str, str]) -> T | None:
    """The value of a key; one that is missing or null is noted in `wrong` like one that cannot be read."""
    if entry.get(key) is None:
        wrong[key] = MISSING
    return optional(entry, key, read, wrong)


def _visibility(value: object) -> str | None:
    return Visibility(value) if isinstance(value, str) and value in _VISIBILITIES else None


def _tags(value: object) -> tuple[str, ...] | None:
    readable = isinstance(value, list) and all(isinstance(tag, str) for tag in value)
    return tuple(sorted(value)) if readable and isinstance(value, list) else None


def _hidden(entry: Entry, wrong: dict[str, str]) -> bool | None:
    return False if entry.get("os_hidden") is None else optional(entry, "os_hidden", wire.boolean, wrong)


def _properties(entry: Entry, wrong: dict[str, str]) -> Any:
    """The custom properties: beside the API's own fields, and under `properties` if an entry has that key."""
    nested = entry.get("properties")
    if nested is not None and not isinstance(nested, dict):
        wrong["properties"] = wire.shown(nested, ENOUGH_FOR_IDS)
        return None
    beside = {key: _shared(value) for key, value in entry.items() if key not in _FIELDS and value is not None}
    return read_properties({**nested, **beside} if nested else beside, wrong)


def _shared(value: object) -> object:
    """The same text; equal texts share one object, as the images of a fleet have many values in common."""
    return sys.intern(value) if type(value) is str else value


def read_sharing(members: list[Any]) -> Sharing:
    """With whom an image is shared; a member whose status cannot be read counts as one that accepted."""
    accepted, pending = [], []
    for member in members:
        entry = member if isinstance(member, dict) else {}
        project = wire.identifier(entry.get("member_id")) or "unknown"
        status = entry.get("status")
        if status == "pending":
            pending.append(project)
        elif status != "rejected":
            accepted.append(project)
    return Sharing(tuple(sorted(accepted)), tuple(sorted(pending)))
