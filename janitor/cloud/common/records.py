"""Reading records of any API as values: fields of an entry, lists of entries, and which images are in use."""

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from janitor.cloud.common import wire
from janitor.cloud.common.answers import check_envelope, check_faultless, undocumented
from janitor.core.image import MISSING
from janitor.core.names.image_ids import ImageId, ids_in
from janitor.core.names.known_images import KnownImages
from janitor.core.needs import PARTS
from janitor.core.usage import User, UserKind
from janitor.errors import Unavailable

T = TypeVar("T")
Entry = dict[str, Any]


def read_entries(document: Entry, key: str) -> list[Any]:
    """The list under this key.

    Raises Transient when there is none, or the document has any of its keys twice, or a fault beside the list.
    """
    check_envelope(document)
    check_faultless(document)
    entries = document.get(key)
    if not isinstance(entries, list):
        raise undocumented(f"{key} is not a list")
    return entries


def optional(entry: Entry, key: str, read: Callable[[object], T | None], wrong: dict[str, str]) -> T | None:
    """The value of a key that may be missing or null; what cannot be read is noted in `wrong`."""
    value = entry.get(key)
    if value is None:
        return None
    readable = read(value)
    if readable is None:
        wrong[key] = wire.shown(value)
    return readable


def expected(entry: Entry, key: str, read: Callable[[object], T | None], wrong: dict[str, str]) -> T | None:
    """The value of a key that may be null, but whose absence is noted in `wrong` as well."""
    if key not in entry:
        wrong[key] = MISSING
    return optional(entry, key, read, wrong)


def required(entry: Entry, key: str, read: Callable[[object], T | None], safe: T, wrong: dict[str, str]) -> T:
    """The value of a key, or a safe one if it is missing, null or unreadable, which is noted in `wrong`."""
    readable = read(entry.get(key))
    if readable is None:
        wrong[key] = wire.shown(entry[key]) if key in entry else MISSING
        return safe
    return readable


def read_properties(entries: Mapping[Any, object], wrong: dict[str, str]) -> Mapping[str, str]:
    """Custom properties as text; values that are not text are left out, and noted in `wrong`."""
    if all(type(value) is str for value in entries.values()):
        return shared(entries)  # type: ignore[arg-type]  # just seen
    readable = {}
    for key, value in entries.items():
        word = wire.label(value)
        if word is None:
            wrong[f"properties.{key}"] = wire.shown(value, ENOUGH_FOR_IDS) if key in PARTS else wire.shown(value)
        else:
            readable[key] = word
    return readable


def shared(properties: Mapping[str, str]) -> Mapping[str, str]:
    """The same properties; equal ones share one object, as most images have those of others of their family.

    Those that differ in one value share the others.
    """
    known = _SHARED.get(tuple(properties.items()))
    if known is not None:
        return known
    if len(_SHARED) >= _MOST_SHARED:
        _SHARED.clear()
    own = {key: sys.intern(value) for key, value in properties.items()}
    return _SHARED.setdefault(tuple(own.items()), own)


_SHARED: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
_MOST_SHARED = 10_000

NOTHING_WRONG: Mapping[str, str] = {}
"""What nearly every image has unreadable: one object, as one for each would take as much memory as its name."""

ENOUGH_FOR_IDS = 2_000
"""How much is kept of an unreadable value that may name the parts of an image, in characters."""

ImageOf = Callable[[Entry], Iterable[object]]
"""Gives what an entry says about its images, each as text or an object with an id; nothing where it has none.
"""

Users = dict[ImageId, list[User]]
"""The users of images, by the image's folded id."""

_NOTHING = (None, "")
_NAMES_OF_PART = re.compile(r"(.*:)?(kernel|ramdisk)[_-]?id", re.IGNORECASE)
_NAMES_OF_IMAGE = re.compile(r"(volume)?[_-]?image[_-]?(id|ref|uuid|ur[iln]|href|metadata)?", re.IGNORECASE)


def image_of_server(server: Entry, *, imageless: bool, label: str) -> list[object]:
    """What a server says about its image.

    Empty text and null under `image` mean none; so does a missing key if `imageless`.

    Raises Unavailable where a missing key may mean anything, as for a server whose part of the cloud is down.
    """
    check_cell(server, label)
    elsewhere, parts = under_other_names(server, "image"), _parts_of(server)
    if "image" in server:
        return [*(() if server["image"] in _NOTHING else (server["image"],)), *elsewhere, *parts]
    if not imageless:
        raise Unavailable(
            f"{label}: server {_named(server)} does not name its image{_instead(server)}. If servers without an image "
            "leave it out, set `usage: {imageless: none}` on the target"
        )
    if not elsewhere and _instead(server):
        raise Unavailable(f"{label}: server {_named(server)} does not name its image{_instead(server)}")
    return [*elsewhere, *parts]


def check_cell(server: Entry, label: str) -> None:
    """Raise Unavailable for a server that is listed without its image because its cell is down."""
    if str(server.get("status")).upper() == "UNKNOWN" and not server.get("image"):
        raise Unavailable(f"{label}: server {_named(server)} is listed as UNKNOWN without its image: its cell is down")


def under_other_names(entry: Entry, key: str) -> list[object]:
    """What an entry says about an image under names similar to that of the documented key."""
    return [
        value
        for name, value in entry.items()
        if name != key and value not in _NOTHING and _NAMES_OF_IMAGE.fullmatch(name)
    ]


def _parts_of(server: Entry) -> list[object]:
    """The kernel and ramdisk with which a server starts, where it names them, as OpenStack tells administrators."""
    return [value for name, value in server.items() if value not in _NOTHING and _NAMES_OF_PART.fullmatch(name)]


def _instead(server: Entry) -> str:
    """In words, the keys under which a server may name its image instead of the documented one."""
    names = [name for name, value in server.items() if "image" in name.lower() and value not in _NOTHING]
    return f", but has {wire.shown(names[0])}" if names else ""


def image_users(entries: Iterable[Any], label: str, kind: UserKind, image_of: ImageOf, known: KnownImages) -> Users:
    """Which images these users use; `image_of` says where an entry names its image, `known` are the images surveyed.

    Raises Unavailable when that is in doubt for any of them: a misread user would make its image look unused.
    """
    users: defaultdict[ImageId, list[User]] = defaultdict(list)
    for entry in entries:
        if not isinstance(entry, dict):
            raise Unavailable(f"{label}: an entry cannot be read: {wire.shown(entry)}")
        user = User(wire.text(entry.get("id")) or "", wire.text(entry.get("name")) or "", kind)
        for image in image_of(entry):
            for image_id in _image_ids(image, user, label, known):
                users[image_id].append(user)
    return users


def _image_ids(image: object, user: User, label: str, known: KnownImages) -> tuple[ImageId, ...]:
    """The ids that a value may mean: a URL or URN holds one."""
    named = image.get("id") if isinstance(image, dict) else image
    ids = known.meant_by(named) if isinstance(named, str) else None
    if ids is None:
        name = user.name or user.id
        raise Unavailable(f'{label}: the image of {user.kind} "{name}" cannot be read: {wire.shown(image)}')
    return tuple(dict.fromkeys((*ids, *_linked_ids(image, known))))


def _linked_ids(image: object, known: KnownImages) -> Iterator[ImageId]:
    """The listed images to which the links of an image lead: where that is another one, each may be meant."""
    links = image.get("links") if isinstance(image, dict) else None
    for link in links if isinstance(links, list) else ():
        href = link.get("href") if isinstance(link, dict) else None
        if isinstance(href, str):
            yield from known.names.ids.intersection(ids_in(href))


def _named(entry: Entry) -> str:
    return wire.text(entry.get("name")) or wire.text(entry.get("id")) or "without a name"


def in_order(users: Mapping[ImageId, Iterable[User]], source: str) -> dict[ImageId, tuple[User, ...]]:
    """The users of each image by name and id, each once, and with their source."""
    return {image_id: _once(using, source) for image_id, using in users.items()}


def _once(users: Iterable[User], source: str) -> tuple[User, ...]:
    each = {(user.id, user.name): user for user in users}
    return tuple(replace(user, source=user.source or source) for user in sorted(each.values(), key=_by_name))


def _by_name(user: User) -> tuple[str, str]:
    return user.name, user.id
