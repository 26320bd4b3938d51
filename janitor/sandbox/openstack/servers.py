"""The compute service over an account: its servers, as Nova lists them in detail."""

import re
from collections.abc import Mapping

from starlette.responses import Response

from janitor.sandbox.face import Asked, Endpoint
from janitor.sandbox.openstack.errors import said
from janitor.sandbox.openstack.images import zulu
from janitor.sandbox.openstack.pages import own_project, page
from janitor.sandbox.openstack.service import Service
from janitor.sandbox.records import OURS, StoredInstance
from janitor.sandbox.refusals import Kind, Refusal, Resource
from janitor.sandbox.texts import without_missing

_OPENING = b'{"servers":['
_STATES = {"ACTIVE": 1, "SHUTOFF": 4, "SHELVED_OFFLOADED": 4}


class Servers:
    """The compute service of one region."""

    def __init__(self, service: Service) -> None:
        self._account = service.account
        self.endpoints: tuple[Endpoint, ...] = (
            service.endpoint(
                "list-servers", "GET", "/v2.1/{project}/servers/detail", self.list_servers, self._nothing, _OPENING
            ),
        )

    def list_servers(self, asked: Asked) -> Response:
        """GET /v2.1/{project}/servers/detail."""
        own_project(asked, Resource.INSTANCE)
        newest_first = sorted(self._account.instances.values(), key=lambda it: (it.created_at, it.id), reverse=True)
        attached: dict[str, list[str]] = {}
        for volume in self._account.volumes.values():
            attached.setdefault(volume.instance or "", []).append(volume.id)
        limit = self._account.page_size(_limit(asked.query.get("limit", "")))
        return page(
            asked, "servers", newest_first, limit, _unknown, lambda one: server_document(one, attached.get(one.id, []))
        )

    def _nothing(self, _asked: Asked) -> Response:
        return said({"servers": []})


def _unknown(marker: str) -> Refusal:
    return Refusal(Kind.BAD_MARKER, Resource.INSTANCE, f"marker [{marker}] not found")


def _limit(text: str) -> int:
    if not re.fullmatch("[0-9]*", text, re.ASCII):
        message = f"Invalid input for query parameters limit. Value: {text}. '{text}' does not match '^[0-9]*$'"
        raise Refusal(Kind.MALFORMED, Resource.INSTANCE, message)
    return int(text[:9] or "0")


def server_document(instance: StoredInstance, volumes: list[str]) -> Mapping[str, object]:
    """A server in detail. Its image is an object, or empty text where it was started from a volume."""
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
        "updated": zulu(instance.launched_at),
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
