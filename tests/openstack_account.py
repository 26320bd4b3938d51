"""An OpenStack cloud on loopback with a plain project, and whatever a test scripts in front of it."""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import stamina

from janitor.cloud.openstack.catalogue import ImagePlace
from janitor.cloud.openstack.client import OpenStackClient
from janitor.cloud.openstack.keystone import spelled_out
from janitor.cloud.service import Sources
from janitor.core.image import Image
from janitor.transport import HttpOptions
from tests.loopback import Answered, Asked, Loopback

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
PROJECT, USERNAME, PASSWORD = "p70j3ct", "robot+ci@example.com", "p@ss w0rd?&\"'"
IMAGES, SERVERS, VOLUMES, TOKENS = "GET /v2/images", "GET /servers/detail", "GET /volumes/detail", "POST /v2.0/tokens"
COMPUTE, VOLUME = f"/compute/v2.1/{PROJECT}", f"/volume/v3/{PROJECT}"


def entry(image_id: str = "i1", **facts: Any) -> dict[str, Any]:
    """An image as a list shows it."""
    ordinary = {
        "id": image_id,
        "name": f"name of {image_id}",
        "status": "active",
        "visibility": "shared",
        "protected": False,
        "owner": PROJECT,
        "os_hidden": False,
        "tags": [],
        "created_at": "2026-11-01T00:00:00Z",
        "updated_at": "2026-11-02T00:00:00Z",
        "size": 10 * 2**30,
        "disk_format": "qcow2",
        "min_disk": 20,
        "min_ram": 0,
        "os_distro": "ubuntu",
    }
    return ordinary | facts


def server(server_id: str, image: object, **facts: Any) -> dict[str, Any]:
    return {"id": server_id, "name": f"name of {server_id}", "status": "ACTIVE", "image": image, **facts}


def volume(volume_id: str, image_id: str | None = None) -> dict[str, Any]:
    made_of = {} if image_id is None else {"volume_image_metadata": {"image_id": image_id, "image_name": "x"}}
    return {"id": volume_id, "name": None, "status": "in-use", **made_of}


def no(status: int, message: str = "no", **headers: str) -> Answered:
    """A refusal as Glance words it for who wants JSON."""
    return Answered({"message": message, "code": f"{status} No", "title": "No"}, status=status, headers=headers)


def page_of(url: str, entries: list[Any], query: Mapping[str, str]) -> tuple[list[Any], str | None]:
    """The entries behind the marker, as many as asked for, and the link to the next page if this one is full."""
    ids = [None, *(image.get("id") for image in entries if isinstance(image, dict))]
    start, limit = ids.index(query.get("marker")), int(query.get("limit", 1000))
    page = entries[start : start + limit]
    named = [image["id"] for image in page if isinstance(image, dict) and image.get("id")]
    link = f"{url}?{urlencode({**query, 'marker': named[-1]})}" if named and len(page) == limit else None
    return page, link


@dataclass
class Cloud:
    """A server with a plain project: two images, no servers, and whatever a test scripts in front of it.

    `script` holds, by call, answers to give before the ordinary ones. `unlisted` are had by their id only.
    """

    script: dict[str, deque[Answered]] = field(default_factory=dict)
    entries: list[Any] = field(default_factory=lambda: [entry("i1"), entry("i2")])
    hidden: list[Any] = field(default_factory=list)
    community: list[Any] = field(default_factory=list)
    unlisted: list[dict[str, Any]] = field(default_factory=list)
    members: dict[str, list[Any]] = field(default_factory=dict)
    servers: list[Any] = field(default_factory=list)
    volumes: list[Any] | None = field(default_factory=list)
    lifetime: timedelta = timedelta(hours=1)
    project: str = PROJECT
    issued: int = 0
    dead: set[str] = field(default_factory=set)
    root: str = ""

    def scripted(self, call: str, *answers: Answered) -> "Cloud":
        self.script[call] = deque(answers)
        return self

    def answer(self, asked: Asked) -> Answered:
        path = asked.path.removeprefix("/image").removeprefix(COMPUTE).removeprefix(VOLUME)
        call = f"{asked.method} {path}"
        if self.script.get(call):
            return self.script[call].popleft()
        if call == TOKENS:
            return self.token()
        if asked.headers.get("x-auth-token") in self.dead:
            return no(401, "This server could not verify that you are authorized.")
        return self.granted(call, asked)

    def granted(self, call: str, asked: Asked) -> Answered:
        match call:
            case "GET /v2/images":
                page, link = page_of("/v2/images", self.listed(asked.query), asked.query)
                return Answered({"images": page, "first": "/v2/images"} | ({"next": link} if link else {}))
            case "GET /servers/detail":
                page, link = page_of("http://elsewhere.invalid/servers", self.servers, asked.query)
                return Answered({"servers": page, "servers_links": [{"rel": "next", "href": link}] if link else []})
            case "GET /volumes/detail":
                return Answered({"volumes": page_of("/", self.volumes or [], asked.query)[0]})
        image_id, _, below = call.partition("/v2/images/")[2].partition("/")
        if below == "members":
            return Answered({"members": self.members.get(image_id, [])})
        known = [image for image in (*self.entries, *self.unlisted) if image["id"] == image_id]
        if not known:
            return no(404, f"Failed to find image {image_id}")
        return Answered(status=204) if asked.method == "DELETE" else Answered(known[0])

    def listed(self, query: Mapping[str, str]) -> list[Any]:
        if query.get("os_hidden") == "true":
            return self.hidden
        if query.get("visibility") == "community":
            return self.community
        before = query.get("created_at", "").removeprefix("lt:")
        return [image for image in self.entries if not before or image["created_at"] < before]

    def token(self) -> Answered:
        self.issued += 1
        token = {
            "id": f"t0ken-{self.issued}",
            "issued_at": NOW.isoformat()[:19] + "Z",
            "expires": (NOW + self.lifetime).isoformat()[:19] + "Z",
            "tenant": {"id": self.project, "name": "project", "enabled": True},
        }
        places = {"image": "/image", "compute": COMPUTE} | ({} if self.volumes is None else {"volumev3": VOLUME})
        catalogue = [
            {"type": kind, "name": kind, "endpoints": [{"region": "KR1", "publicURL": self.root + place}]}
            for kind, place in places.items()
        ]
        user = {"id": "u", "username": USERNAME, "name": USERNAME, "roles": [], "roles_links": []}
        return Answered({"access": {"token": token, "serviceCatalog": catalogue, "user": user, "metadata": {}}})


@contextmanager
def serving(
    cloud: Cloud, options: HttpOptions | None = None, sources: Sources | None = None, *, shared_ignored: bool = False
) -> Iterator[tuple[OpenStackClient, Loopback]]:
    with stamina.set_testing(True, attempts=100, cap=True), Loopback(cloud.answer) as listening:
        cloud.root = listening.url
        client = OpenStackClient(
            spelled_out(f"{listening.url}/v2.0", PROJECT, USERNAME, PASSWORD),
            ImagePlace(f"{listening.url}/image", ("KR1",)),
            "KR1",
            options or HttpOptions(attempts=3),
            sources=sources or Sources(),
            shared_ignored=shared_ignored,
            clock=lambda: NOW,
        )
        try:
            yield client, listening
        finally:
            client.close()


def calls(listening: Loopback) -> list[str]:
    return [path.replace("/image/", "/").replace(COMPUTE, "").replace(VOLUME, "") for path in listening.paths()]


def ids(client: OpenStackClient) -> list[str]:
    return [image.id for image in client.images()]


def images_of(cloud: Cloud) -> list[Image]:
    """The images of a survey of this cloud."""
    with serving(cloud) as (client, _):
        return list(client.images())
