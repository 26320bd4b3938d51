"""The Image API v2 over an account, as Glance 33 serves a plain member of a project."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from starlette.responses import Response

from janitor.sandbox.api import Asked, Endpoint
from janitor.sandbox.models import OURS, StoredImage
from janitor.sandbox.openstack.errors import JSON, done, request_id, said
from janitor.sandbox.openstack.image_query import ordered, read_query
from janitor.sandbox.openstack.rules import can_see
from janitor.sandbox.openstack.service import Service
from janitor.sandbox.refusals import Kind, Refusal, Resource
from janitor.sandbox.texts import ImageTexts, dumped, without_missing

_OPENING = b'{"images":['
_LIST = "/v2/images"
_ONE = "/v2/images/{image}"
_IN_PARTS = ("ami", "aki", "ari")


class Images:
    """The image service of one region."""

    def __init__(self, service: Service) -> None:
        self._account = service.account
        self._texts = ImageTexts(image_document)
        self._texts.prepare(self._account.images.values())
        self.endpoints: tuple[Endpoint, ...] = (
            service.endpoint("list-images", "GET", _LIST, self.list_images, self._nothing, _OPENING),
            service.endpoint("show-image", "GET", _ONE, self.show_image),
            service.endpoint("delete-image", "DELETE", _ONE, self.delete_image),
            service.endpoint("list-members", "GET", f"{_ONE}/members", self.list_members),
        )

    def list_images(self, asked: Asked) -> Response:
        """GET /v2/images: a page, with the path of the next one as long as this one is full."""
        query = read_query(asked.pairs)
        arrange = partial(ordered, order=query.order) if query.order else None
        limit = self._account.page_size(query.limit) if query.limit else 0
        page = self._account.page(limit, query.marker, query.wanted, query.direction, arrange)[:limit]
        following = page[-1].id if page and len(page) == limit else None
        return _listed(self._texts.joined(page), asked, following)

    def _nothing(self, asked: Asked) -> Response:
        return _listed(b"", asked, None)

    def show_image(self, asked: Asked) -> Response:
        """GET /v2/images/{id}, for every image that the project can see, including hidden and killed ones."""
        image = self._visible(asked, "No image found with ID {}")
        return Response(self._texts.text(image), headers=request_id(), media_type=JSON)

    def delete_image(self, asked: Asked) -> Response:
        """DELETE /v2/images/{id}: also for an upload in progress, and for an own public image."""
        self._account.delete_image(asked.path["image"])
        return done()

    def list_members(self, asked: Asked) -> Response:
        """GET /v2/images/{id}/members: all of them for the owner, only itself for a member."""
        image = self._visible(asked, "Image {} not found.")
        if image.visibility != "shared":
            message = f"Not allowed to list members for image {image.id}: Only shared images have members."
            raise Refusal(Kind.FORBIDDEN, Resource.IMAGE, message)
        known = {project: image.members[project] for project in image.members if OURS in (image.owner, project)}
        members = [_member(image, project, status) for project, status in known.items()]
        return said({"members": members, "schema": "/v2/schemas/members"})

    def _visible(self, asked: Asked, message: str) -> StoredImage:
        image = self._account.find_image(asked.path["image"])
        if image is None or not can_see(image):
            raise Refusal(Kind.ABSENT, Resource.IMAGE, message.format(asked.path["image"]))
        return image


def _listed(images: bytes, asked: Asked, following: str | None) -> Response:
    rest = {name: value for name, value in asked.query.items() if name != "marker"}
    ending = {"first": _path(rest), "schema": "/v2/schemas/images"}
    if following is not None:
        ending["next"] = _path({**rest, "marker": following})
    body = _OPENING + images + b"]," + dumped(ending)[1:]
    return Response(body, headers=request_id(), media_type=JSON)


def _path(query: Mapping[str, str]) -> str:
    return f"{_LIST}?{urlencode(query)}" if query else _LIST


def _member(image: StoredImage, project: str, status: str) -> dict[str, object]:
    return {
        "member_id": project,
        "image_id": image.id,
        "status": status,
        "created_at": zulu(image.created_at),
        "updated_at": zulu(image.updated_at),
        "schema": "/v2/schemas/member",
    }


def image_document(image: StoredImage) -> Mapping[str, object]:
    """An image as in every call: custom properties are beside Glance's own, which take precedence."""
    path = f"{_LIST}/{image.id}"
    stored = image.status not in ("queued", "saving", "uploading", "importing", "killed")
    written = {
        **image.properties,
        "name": image.name,
        "disk_format": image.disk_format,
        "container_format": image.disk_format if image.disk_format in _IN_PARTS else "bare",
        "visibility": image.visibility,
        "size": image.size,
        "virtual_size": None,
        "status": image.status,
        "checksum": _digest("md5", image) if stored else None,
        "protected": image.protected,
        "min_ram": image.min_ram,
        "min_disk": image.min_disk,
        "owner": image.owner,
        "os_hidden": image.hidden,
        "os_hash_algo": "sha512" if stored else None,
        "os_hash_value": _digest("sha512", image) if stored else None,
        "id": image.id,
        "created_at": zulu(image.created_at),
        "updated_at": zulu(image.updated_at),
        "tags": list(image.tags),
        "self": path,
        "file": f"{path}/file",
        "schema": "/v2/schemas/image",
    }
    return without_missing({**written, **image.wire})


def _digest(algorithm: str, image: StoredImage) -> str:
    return hashlib.new(algorithm, image.id.encode(), usedforsecurity=False).hexdigest()


def zulu(instant: datetime) -> str:
    """A time in whole seconds, as Glance writes it."""
    return instant.isoformat(timespec="seconds")[:19] + "Z"
