"""The volume service over an account: its volumes, as Cinder lists them in detail."""

from collections.abc import Mapping

from starlette.responses import Response

from janitor.sandbox.api import Asked, Endpoint
from janitor.sandbox.models import MISSING, OURS, StoredVolume
from janitor.sandbox.openstack.errors import said
from janitor.sandbox.openstack.pages import own_project, page
from janitor.sandbox.openstack.service import Service
from janitor.sandbox.refusals import Kind, Refusal, Resource
from janitor.sandbox.texts import without_missing

_OPENING = b'{"volumes":['


class Volumes:
    """The volume service of one region."""

    def __init__(self, service: Service) -> None:
        self._account = service.account
        self.endpoints: tuple[Endpoint, ...] = (
            service.endpoint(
                "list-volumes", "GET", "/v3/{project}/volumes/detail", self.list_volumes, self._nothing, _OPENING
            ),
        )

    def list_volumes(self, asked: Asked) -> Response:
        """GET /v3/{project}/volumes/detail."""
        own_project(asked, Resource.VOLUME)
        newest_first = sorted(self._account.volumes.values(), key=lambda it: (it.created_at, it.id), reverse=True)
        limit = _limit(asked.query.get("limit", "1000"))
        return page(
            asked, "volumes", newest_first, self._account.page_size(limit) if limit else 0, _unknown, volume_document
        )

    def _nothing(self, _asked: Asked) -> Response:
        return said({"volumes": []})


def _unknown(marker: str) -> Refusal:
    return Refusal(Kind.ABSENT, Resource.VOLUME, f"Volume {marker} could not be found.")


def _limit(text: str) -> int:
    try:
        limit = int(text)
    except ValueError as error:
        raise Refusal(Kind.MALFORMED, Resource.VOLUME, "limit param must be an integer") from error
    if limit < 0:
        raise Refusal(Kind.MALFORMED, Resource.VOLUME, "limit param must be positive")
    return limit


def volume_document(volume: StoredVolume) -> Mapping[str, object]:
    """A volume in detail. It has the metadata of an image only if it was made from one."""
    made_of = {"image_id": volume.image, "image_name": volume.image_name or "", "disk_format": "qcow2"}
    attachment = {
        "id": volume.id,
        "volume_id": volume.id,
        "attachment_id": volume.id,
        "server_id": volume.instance,
        "device": volume.device,
        "host_name": None,
    }
    created = f"{volume.created_at.isoformat(timespec='microseconds')[:26]}"
    written = {
        "id": volume.id,
        "name": volume.name,
        "description": None,
        "status": volume.status,
        "size": volume.size,
        "created_at": created,
        "updated_at": created,
        "attachments": [attachment] if volume.instance else [],
        "bootable": "true" if volume.image else "false",
        "volume_type": "General SSD",
        "availability_zone": "nova",
        "snapshot_id": None,
        "source_volid": None,
        "metadata": {},
        "encrypted": False,
        "multiattach": False,
        "user_id": "sandbox",
        "os-vol-tenant-attr:tenant_id": OURS,
        "volume_image_metadata": made_of if volume.image else MISSING,
        "links": [],
    }
    return without_missing({**written, **volume.wire})
