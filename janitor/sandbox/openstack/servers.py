"""The compute service over an account: its servers, as Nova lists them in detail, and its answers with a cell down."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.responses import Response

from janitor.sandbox.api import Asked
from janitor.sandbox.models import OURS, StoredInstance
from janitor.sandbox.openstack.errors import said
from janitor.sandbox.openstack.images import zulu
from janitor.sandbox.openstack.microversions import Microversions, Version
from janitor.sandbox.openstack.pages import own_project, page
from janitor.sandbox.openstack.service import Service
from janitor.sandbox.refusals import Kind, Refusal, Resource
from janitor.sandbox.texts import without_missing

_OPENING = b'{"servers":['
_STATES = {"ACTIVE": 1, "SHUTOFF": 4, "SHELVED_OFFLOADED": 4}
_STUBS = (2, 69)
_WHOLE_LIST = frozenset({"all_tenants", "tenant_id"})
_DOWN_CELL = 2


class Servers:
    """One compute service of one region; `number` counts those of the region.

    With a cell down, its servers are omitted. From microversion 2.69 on they are stubs at the end of the list, but only
    in requests without a limit, a marker, an order or a filter, as in Nova.
    """

    def __init__(self, service: Service, versions: Microversions, number: int) -> None:
        self._account = service.account
        self._versions = versions
        self._number = number
        self.endpoints = (
            service.endpoint(
                "list-servers", "GET", "/v2.1/{project}/servers/detail", self.list_servers, self._nothing, _OPENING
            ),
            service.endpoint("show-server", "GET", "/v2.1/{project}/servers/{server}", self.show_server),
        )

    def list_servers(self, asked: Asked) -> Response:
        """GET /v2.1/{project}/servers/detail; with changes-since, deleted servers too."""
        version = self._versions.asked(asked.headers)
        own_project(asked, Resource.INSTANCE)
        limit = self._account.page_size(_limit(asked.query.get("limit", "")))
        servers, down = self._found(asked)
        stubs = down if version >= _STUBS and not asked.query.keys() - _WHOLE_LIST else []
        if asked.query.get("marker") in {server.id for server in down}:
            raise Refusal(Kind.BROKEN, Resource.INSTANCE, "Unexpected API Error.")
        attached, hidden = self._attached(), {stub.id for stub in stubs}
        response = page(
            asked,
            "servers",
            [*servers, *stubs],
            limit,
            _unknown,
            lambda one: _stub(one) if one.id in hidden else server_document(one, attached.get(one.id, [])),
        )
        return self._in(version, response)

    def show_server(self, asked: Asked) -> Response:
        """GET /v2.1/{project}/servers/{id}: a server in a cell that is down still has its image there."""
        version = self._versions.asked(asked.headers)
        own_project(asked, Resource.INSTANCE)
        server = self._account.instances.get(asked.path["server"])
        if server is None or server.compute != self._number:
            message = f"Instance {asked.path['server']} could not be found."
            raise Refusal(Kind.ABSENT, Resource.INSTANCE, message)
        if not (asked.cell_down and server.cell == _DOWN_CELL):
            document = server_document(server, self._attached().get(server.id, []))
        elif version >= _STUBS:
            document = {**_stub(server), "image": server_document(server, [])["image"]}
        else:
            raise Refusal(Kind.BROKEN, Resource.INSTANCE, "Unexpected API Error.")
        return self._in(version, said({"server": document}))

    def _in(self, version: Version, response: Response) -> Response:
        response.headers.update(self._versions.headers(version))
        return response

    def _found(self, asked: Asked) -> tuple[list[StoredInstance], list[StoredInstance]]:
        """The requested servers, newest first, without those of a cell that is down; and the latter."""
        known = list(self._account.instances.values())
        if (since := _instant(asked.query.get("changes-since"))) is not None:
            known = [one for one in (*known, *self._account.ended.values()) if one.changed_at >= since]
        mine = [server for server in known if server.compute == self._number]
        newest_first = sorted(mine, key=lambda it: (it.created_at, it.id), reverse=True)
        if not asked.cell_down:
            return newest_first, []
        up = [server for server in newest_first if server.cell != _DOWN_CELL]
        return up, [server for server in newest_first if server.cell == _DOWN_CELL]

    def _attached(self) -> Mapping[str, list[str]]:
        attached: dict[str, list[str]] = {}
        for volume in self._account.volumes.values():
            attached.setdefault(volume.instance or "", []).append(volume.id)
        return attached

    def _nothing(self, _asked: Asked) -> Response:
        return said({"servers": []})


def _unknown(marker: str) -> Refusal:
    return Refusal(Kind.BAD_MARKER, Resource.INSTANCE, f"marker [{marker}] not found")


def _limit(text: str) -> int:
    if not re.fullmatch("[0-9]*", text, re.ASCII):
        message = f"Invalid input for query parameters limit. Value: {text}. '{text}' does not match '^[0-9]*$'"
        raise Refusal(Kind.MALFORMED, Resource.INSTANCE, message)
    return int(text[:9] or "0")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"Invalid input for query parameters changes-since. Value: {text}. '{text}' is not a 'date-time'"
        raise Refusal(Kind.MALFORMED, Resource.INSTANCE, message) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _stub(instance: StoredInstance) -> Mapping[str, object]:
    """All that is known about a server whose cell is down."""
    return {
        "id": instance.id,
        "status": "UNKNOWN",
        "tenant_id": OURS,
        "created": zulu(instance.created_at),
        "links": [],
    }


def server_document(instance: StoredInstance, volumes: list[str]) -> Mapping[str, object]:
    """A server in detail. Its image is an object, or empty text if it was started from a volume."""
    image = instance.image if isinstance(instance.image, str) else ""
    written = {
        "id": instance.id,
        "name": instance.name,
        "status": instance.status,
        "tenant_id": OURS,
        "user_id": "sandbox",
        "metadata": instance.metadata,
        "hostId": "",
        "image": {"id": image, "links": [{"rel": "bookmark", "href": f"/compute/images/{image}"}]} if image else "",
        "flavor": {"id": instance.flavor.id, "links": []},
        "created": zulu(instance.created_at),
        "updated": zulu(instance.changed_at),
        "addresses": {"default": [{"addr": instance.address, "version": 4, "OS-EXT-IPS:type": "fixed"}]},
        "accessIPv4": "",
        "accessIPv6": "",
        "links": [],
        "key_name": "platform-team",
        "config_drive": "",
        "OS-EXT-AZ:availability_zone": instance.zone,
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:vm_state": instance.status.lower(),
        "OS-EXT-STS:power_state": _STATES.get(instance.status, 0),
        "os-extended-volumes:volumes_attached": [{"id": volume} for volume in volumes],
        "security_groups": [{"name": "default"}],
    }
    return without_missing({**written, **instance.wire})
