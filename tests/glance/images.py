"""Glance's API as one person uses it: the plain answers."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

CONTENT = b"no boot sector, but bytes all the same"
_RAW = {"disk_format": "raw", "container_format": "bare"}


class Images:
    """What one person sees and may do. Safe to use from several threads at once."""

    def __init__(self, url: str, token: str) -> None:
        self.client = httpx.Client(
            base_url=url, headers={"X-Auth-Token": token}, timeout=60, verify=False, trust_env=False
        )

    def close(self) -> None:
        self.client.close()

    def create(self, name: str | None = None, **fields: Any) -> str:
        """The id of a new image, queued: it has no data yet."""
        wish = _RAW | ({} if name is None else {"name": name}) | fields
        answer = self.client.post("/v2/images", json=wish)
        return str(answer.raise_for_status().json()["id"])

    def upload(self, image_id: str, content: bytes = CONTENT) -> str:
        """Give an image its data, which makes it active."""
        self._put(f"/v2/images/{image_id}/file", content)
        return image_id

    def stage(self, image_id: str, content: bytes = CONTENT) -> str:
        """Give an image its data to be imported, which leaves it uploading."""
        self._put(f"/v2/images/{image_id}/stage", content)
        return image_id

    def deactivate(self, image_id: str) -> None:
        self.client.post(f"/v2/images/{image_id}/actions/deactivate").raise_for_status()

    def change(self, image_id: str, **fields: Any) -> None:
        """Replace fields that the image has."""
        patch = [{"op": "replace", "path": f"/{key}", "value": value} for key, value in fields.items()]
        media = "application/openstack-images-v2.1-json-patch"
        self.client.patch(f"/v2/images/{image_id}", json=patch, headers={"Content-Type": media}).raise_for_status()

    def share(self, image_id: str, project_id: str) -> None:
        """Offer an image to another project, which is then a pending member."""
        self.client.post(f"/v2/images/{image_id}/members", json={"member": project_id}).raise_for_status()

    def reply(self, image_id: str, project_id: str, status: str) -> None:
        """Answer an offer, as that project: accepted or rejected."""
        path = f"/v2/images/{image_id}/members/{project_id}"
        self.client.put(path, json={"status": status}).raise_for_status()

    def get(self, image_id: str) -> httpx.Response:
        return self.client.get(f"/v2/images/{image_id}")

    def delete(self, image_id: str) -> httpx.Response:
        return self.client.delete(f"/v2/images/{image_id}")

    def page(self, **query: str | int) -> httpx.Response:
        return self.client.get("/v2/images", params=query)

    def listed(self, **query: str | int) -> Iterator[Mapping[str, Any]]:
        """Every image of the list, page by page."""
        answer = self.page(**query)
        while True:
            page = answer.raise_for_status().json()
            yield from page["images"]
            if "next" not in page:
                return
            answer = self.client.get(page["next"])

    def ids(self, **query: str | int) -> set[str]:
        """The ids of every image of the list."""
        return {image["id"] for image in self.listed(**query)}

    def _put(self, path: str, content: bytes) -> None:
        octets = {"Content-Type": "application/octet-stream"}
        self.client.put(path, content=content, headers=octets).raise_for_status()
