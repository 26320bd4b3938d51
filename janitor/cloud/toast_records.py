"""Reading the records of the Compute API v1.0 as values: tokens, images, and which images instances use."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from janitor.cloud import wire
from janitor.cloud.toast_answers import undocumented
from janitor.cloud.tokens import Token, renewal
from janitor.errors import Unavailable
from janitor.model import Image, Instance, Usage

T = TypeVar("T")
Entry = dict[str, Any]

_log = logging.getLogger("janitor.cloud")


def read_token(document: Entry, asked_at: datetime) -> Token:
    """The token in an answer; raises Transient when there is none that could be sent back."""
    access = document.get("access")
    token = access.get("token") if isinstance(access, dict) else None
    token_id = wire.identifier(token.get("id")) if isinstance(token, dict) else None
    if token_id is None or not isinstance(token, dict) or not (token_id.isascii() and token_id.isprintable()):
        raise undocumented("no access.token.id")
    issued_at, expires = wire.instant(token.get("issued_at")), wire.instant(token.get("expires"))
    return Token(token_id, renewal(asked_at, issued_at, expires))


def read_entries(document: Entry, key: str) -> list[Any]:
    """The list under this key; raises Transient when there is none."""
    entries = document.get(key)
    if not isinstance(entries, list):
        raise undocumented(f"{key} is no list")
    return entries


def identified(entries: list[Any]) -> list[Entry]:
    """The entries that have an id. One without cannot be paged from, recorded or deleted, and is skipped aloud."""
    usable = [entry for entry in entries if isinstance(entry, dict) and wire.identifier(entry.get("id"))]
    if len(usable) < len(entries):
        _log.warning("image-without-id skipped=%d", len(entries) - len(usable))
    return usable


def read_image(entry: Entry) -> Image:
    """The image in a list entry that has an id. What cannot be read is never read in the direction of deletion."""
    wrong: dict[str, str] = {}
    return Image(
        id=entry["id"],
        name=_expected(entry, "name", wire.text, wrong),
        status=_required(entry, "status", wire.text, "", wrong),
        public=_required(entry, "isPublic", wire.boolean, True, wrong),
        protected=_required(entry, "protected", wire.boolean, True, wrong),
        created_at=_optional(entry, "createdAt", wire.instant, wrong),
        updated_at=_optional(entry, "updatedAt", wire.instant, wrong),
        size=_optional(entry, "size", wire.amount, wrong),
        disk_format=_optional(entry, "diskFormat", wire.text, wrong),
        min_disk=_optional(entry, "minDisk", wire.amount, wrong),
        min_ram=_optional(entry, "minRam", wire.amount, wrong),
        properties=_properties(entry.get("properties"), wrong),
        unreadable=wrong,
    )


def _optional(entry: Entry, key: str, read: Callable[[object], T | None], wrong: dict[str, str]) -> T | None:
    value = entry.get(key)
    if value is None:
        return None
    readable = read(value)
    if readable is None:
        wrong[key] = wire.shown(value)
    return readable


def _expected(entry: Entry, key: str, read: Callable[[object], T | None], wrong: dict[str, str]) -> T | None:
    if key not in entry:
        wrong[key] = "missing"
    return _optional(entry, key, read, wrong)


def _required(entry: Entry, key: str, read: Callable[[object], T | None], safe: T, wrong: dict[str, str]) -> T:
    readable = read(entry.get(key))
    if readable is None:
        wrong[key] = wire.shown(entry[key]) if key in entry else "missing"
        return safe
    return readable


def _properties(value: object, wrong: dict[str, str]) -> Mapping[str, str] | None:
    if value is None:
        return {}
    if not isinstance(value, dict):
        wrong["properties"] = wire.shown(value)
        return None
    if all(type(entry) is str for entry in value.values()):
        return value
    readable = {}
    for key, entry in value.items():
        word = wire.label(entry)
        if word is None:
            wrong[f"properties.{key}"] = wire.shown(entry)
        else:
            readable[key] = word
    return readable


def read_usage(entries: list[Any], label: str) -> Usage:
    """Which images these instances use, by lower-case id.

    Raises Unavailable when that is in doubt for any of them: a misread instance would make its image look unused.
    """
    users: defaultdict[str, list[Instance]] = defaultdict(list)
    for entry in entries:
        if not isinstance(entry, dict):
            raise Unavailable(f"{label}: an instance cannot be read: {wire.shown(entry)}")
        image_id = _image_of(entry, label)
        if image_id:
            users[image_id].append(_instance(entry))
    by_image = {image_id: tuple(sorted(using, key=_by_name)) for image_id, using in users.items()}
    return Usage(by_image, instances=len(entries))


def _image_of(entry: Entry, label: str) -> str:
    image = entry.get("image")
    if image is None:
        return ""
    image_id = image.get("id") if isinstance(image, dict) else image
    if not isinstance(image_id, str):
        name = _instance(entry).name or _instance(entry).id
        raise Unavailable(f'{label}: the image of instance "{name}" cannot be read: {wire.shown(image)}')
    return image_id.strip().lower()


def _instance(entry: Entry) -> Instance:
    return Instance(id=wire.text(entry.get("id")) or "", name=wire.text(entry.get("name")) or "")


def _by_name(instance: Instance) -> tuple[str, str]:
    return instance.name, instance.id
