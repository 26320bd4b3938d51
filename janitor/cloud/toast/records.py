"""Reading the records of the Compute API v1.0 as values: tokens, images, and which images instances use."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from janitor.cloud.common import wire
from janitor.cloud.common.answers import undocumented
from janitor.cloud.common.records import (
    ENOUGH_FOR_IDS,
    NOTHING_WRONG,
    Entry,
    expected,
    image_of_server,
    image_users,
    in_order,
    optional,
    read_properties,
    required,
)
from janitor.cloud.common.tokens import Token, printable, renewal
from janitor.core.image import MISSING, Image, Visibility
from janitor.core.names.image_names import ImageNames
from janitor.core.names.known_images import KnownImages
from janitor.core.usage import Reading, Source, Usage, UserKind
from janitor.transport.json_body import unreadable_in


def read_token(document: Entry, asked_at: datetime) -> Token:
    """The token in an answer; raises Transient when there is none that can be used."""
    for key in unreadable_in(document):
        raise undocumented(f"{key} is given twice, or is not JSON")
    access = document.get("access")
    token = access.get("token") if isinstance(access, dict) else None
    token_id = wire.identifier(token.get("id")) if isinstance(token, dict) else None
    if token_id is None or not isinstance(token, dict) or not printable(token_id):
        raise undocumented("no access.token.id")
    issued_at, expires = wire.instant(token.get("issued_at")), wire.instant(token.get("expires"))
    return Token(token_id, renewal(asked_at, issued_at, expires), issued_at)


def read_image(entry: Entry) -> Image:
    """The image in a list entry that has an id. What cannot be read is never read in the direction of deletion."""
    wrong: dict[str, str] = {}
    public = required(entry, "isPublic", wire.boolean, True, wrong)
    return Image(
        id=entry["id"],
        name=expected(entry, "name", wire.text, wrong),
        status=required(entry, "status", wire.word, "", wrong),
        public=public,
        protected=required(entry, "protected", wire.boolean, True, wrong),
        created_at=optional(entry, "createdAt", wire.instant, wrong),
        updated_at=optional(entry, "updatedAt", wire.instant, wrong),
        size=optional(entry, "size", wire.amount, wrong),
        disk_format=optional(entry, "diskFormat", wire.word, wrong),
        min_disk=optional(entry, "minDisk", wire.amount, wrong),
        min_ram=optional(entry, "minRam", wire.amount, wrong),
        properties=_properties(entry, wrong),
        owned=not public,  # a public image belongs to the vendor
        visibility=Visibility.PUBLIC if public and "isPublic" not in wrong else None,
        unreadable=wrong or NOTHING_WRONG,
    )


def _properties(entry: Entry, wrong: dict[str, str]) -> Mapping[str, str] | None:
    """The custom properties; None where they are missing, null or unreadable: only `{}` means that there are none."""
    value = entry.get("properties")
    if not isinstance(value, dict):
        wrong["properties"] = wire.shown(value, ENOUGH_FOR_IDS) if "properties" in entry else MISSING
        return None
    return read_properties(value, wrong)


def read_usage(entries: list[Any], label: str, images: Iterable[Image], *, imageless: bool = False) -> Usage:
    """Which of these and other images these instances use, by lower-case id.

    `imageless` ones may leave out the key `image`. Raises Unavailable when that is in doubt for any of them.
    """
    image_of = partial(image_of_server, imageless=imageless, label=label)
    users = image_users(entries, label, UserKind.INSTANCE, image_of, KnownImages(ImageNames(images)))
    reading = Reading(Source.SERVERS, place=label.split()[-1], users=sum(map(len, users.values())), images=len(users))
    return Usage(in_order(users, "servers"), instances=len(entries), readings=(reading,))
