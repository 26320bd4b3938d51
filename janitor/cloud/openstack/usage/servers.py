"""The servers of one compute service, and the images that they were made from or are stored in.

Sources: the Compute API reference, and Nova's guide to cells that are down. A list of servers can be valid but
incomplete: while a part of a cloud (a "cell") is down, versions before 2.69 omit its servers. From 2.69 on they are
listed with a few keys only, but not where a request has a limit, a marker or a filter.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from janitor.cloud.common.answers import Declined
from janitor.cloud.common.at_once import at_once
from janitor.cloud.common.records import Entry, ImageOf, Users, check_cell, image_users
from janitor.cloud.common.session import Headers
from janitor.cloud.openstack.usage.services import ServiceLists
from janitor.core.image import Image
from janitor.core.names.image_ids import ImageId, folded
from janitor.core.names.known_images import KnownImages
from janitor.core.usage import User, UserKind
from janitor.errors import CloudError

_WANTED = (2, 69)
_HEADER = "OpenStack-API-Version"
_ASKING = {_HEADER: f"compute {_WANTED[0]}.{_WANTED[1]}"}
_NOT_OFFERED = frozenset({400, 406})
_MARGIN = timedelta(hours=1)
_MADE_OF = "instance_uuid"
_SHELVED = "SHELVED"
_DELETED = "DELETED"
_GONE = frozenset({_DELETED, "SOFT_DELETED"})
_MOST_ASKED_FOR = 50
_PATH = "/servers/detail"
LABEL = f"GET {_PATH}"


@dataclass(frozen=True, slots=True)
class ServerList:
    """All servers; `complete` where the service guarantees that it omits none."""

    entries: tuple[Entry, ...]
    complete: bool


@dataclass(slots=True)
class _Pages:
    """What the pages of one list show: whether they came in the wanted version, and how long the first was."""

    offered: bool = True
    answers: int = 0
    first: int = 0

    def hear(self, entries: Sequence[Entry], headers: Headers) -> None:
        """Note what a page shows. Raises Unavailable for a server of a cell that is down: it cannot be a marker."""
        found = re.search(r"compute\s+([0-9]+)\.([0-9]+)", headers.get(_HEADER.lower(), ""))
        self.offered = self.offered and found is not None and (int(found[1]), int(found[2])) >= _WANTED
        self.answers += 1
        self.first = self.first or len({entry["id"] for entry in entries})
        for entry in entries:
            check_cell(entry, LABEL)


def read_servers(lists: ServiceLists) -> ServerList:
    """All servers of a compute service, in the version that omits none if the service has it.

    Raises Unavailable where one is listed without its image because its cell is down.
    """
    heard = _Pages()
    try:
        entries = replace(lists, page_size=None, headers=_ASKING, heard=heard.hear).entries(_PATH, "servers")
        # A second page may omit servers: it is requested with a marker.
        return ServerList(tuple(entries), heard.offered and len({entry["id"] for entry in entries}) <= heard.first)
    except Declined as error:
        if error.code not in _NOT_OFFERED or heard.answers:
            raise
    return ServerList(tuple(lists.entries(_PATH, "servers")), complete=False)


def deleted_of(lists: ServiceLists, missing: Mapping[str, datetime]) -> frozenset[str]:
    """Those of these servers, each with the time when it was last seen, that the service says were deleted since.

    None where it does not say, or cannot be asked: then nothing is known about them.
    """
    if not missing:
        return frozenset()
    since = min(missing.values()).astimezone(UTC) - _MARGIN
    parameters = {"changes-since": since.strftime("%Y-%m-%dT%H:%M:%SZ")}
    try:
        changed = lists.entries(_PATH, "servers", parameters=parameters)
    except CloudError:
        return frozenset()
    gone = {folded(str(entry["id"])) for entry in changed if entry.get("status") == _DELETED}
    alive = {folded(str(entry["id"])) for entry in changed if entry.get("status") != _DELETED}
    return frozenset(server for server in missing if folded(server) in gone - alive)


def left_out_by(lists: ServiceLists, missing: Mapping[str, datetime]) -> str | None:
    """One of these servers, each with the time when it was last seen, that exists although the list omits it.

    The ones seen last are asked about, until one cannot be asked about.
    """
    latest = sorted(missing, key=lambda server: missing[server], reverse=True)[:_MOST_ASKED_FOR]
    asking = replace(lists, headers=_ASKING)
    try:
        found = at_once(lambda server: _exists(asking, server), latest)
    except CloudError:
        return None
    return next((server for server, exists in zip(latest, found, strict=True) if exists), None)


def _exists(lists: ServiceLists, server: str) -> bool:
    document = lists.document("GET /servers/{id}", "servers", server)
    shown = document.get("server") if document is not None else None
    if not isinstance(shown, dict) or folded(str(shown.get("id"))) != folded(server):
        return False
    return shown.get("status") not in _GONE


def used_by_servers(servers: Sequence[Entry], images: Sequence[Image], known: KnownImages, image_of: ImageOf) -> Users:
    """The images that servers were made from, and those in which shelved servers are stored until they are unshelved.

    Raises Unavailable when that is in doubt for any of them.
    """
    users = image_users(servers, LABEL, UserKind.INSTANCE, image_of, known)
    shelved = {folded(str(server.get("id"))): server for server in servers if _is_shelved(server)}
    for image in images if shelved else ():
        for server in _kept_in(image, shelved):
            users.setdefault(image.identity, []).append(
                User(str(server.get("id")), str(server.get("name") or ""), UserKind.INSTANCE)
            )
    return users


def _is_shelved(server: Entry) -> bool:
    return str(server.get("status")).upper().startswith(_SHELVED)


def _kept_in(image: Image, shelved: Mapping[ImageId, Entry]) -> Iterator[Entry]:
    """The shelved servers, by folded id, that are stored in an image: any may be in one that cannot be read."""
    if image.properties is None or f"properties.{_MADE_OF}" in image.unreadable:
        yield from shelved.values()
    elif server := shelved.get(folded(str(image.properties.get(_MADE_OF)))):
        yield server
