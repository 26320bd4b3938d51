"""A client of the sandbox's OpenStack APIs, as their documentation says, and images to put there."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx

from janitor.sandbox.calls import Api
from janitor.sandbox.members import Member
from janitor.sandbox.models import OURS, StoredImage
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox
from tests.sandbox.clock import START, Clock
from tests.sandbox.openstack.paths import IMAGES, SERVERS
from tests.sandbox.ways import reached, signed_in

UNKNOWN = "00000000-0000-4000-a000-000000000000"
OTHER = "d" * 32
THIRD = "e" * 32
LATEST = {"OpenStack-API-Version": "container-infra latest"}
BEARER = {"Authorization": f"Bearer {Options().reference_token}"}


class Client:
    """Speaks to the services of one region, as their documentation says; `token` is sent while it is not None."""

    def __init__(self, sandbox: Sandbox | Member, transport: httpx.BaseTransport | None = None) -> None:
        self.sandbox = sandbox
        self.origin = sandbox.origin
        self.root = sandbox.origin
        self.http = httpx.Client(transport=transport, trust_env=False, verify=False)
        self.token: str | None = None

    def send(self, method: str, path: str, *, headers: dict[str, str] | None = None, **request: Any) -> httpx.Response:
        token = {} if self.token is None else {"X-Auth-Token": self.token}
        return self.http.request(method, self.root + path, headers={**token, **(headers or {})}, **request)

    def sign_in(self) -> dict[str, Any]:
        options = self.sandbox.options
        credentials = {"username": options.username, "password": options.password}
        body = {"auth": {"tenantId": OURS, "passwordCredentials": credentials}}
        access: dict[str, Any] = self.http.post(f"{self.sandbox.url}/tokens", json=body).json()["access"]
        self.token = access["token"]["id"]
        return access

    def sign_in_by_application(self) -> dict[str, Any]:
        """The same by Identity v3; the token as it is described."""
        body = by_application(self.sandbox.options.application_secret)
        response = self.http.post(f"{self.origin}/identity/v3/auth/tokens", json=body)
        self.token = response.headers["x-subject-token"]
        token: dict[str, Any] = response.json()["token"]
        return token

    def listed(self, query: str = "?limit=1000") -> list[dict[str, Any]]:
        images: list[dict[str, Any]] = self.send("GET", IMAGES + query).json()["images"]
        return images

    def names(self, query: str = "?limit=1000") -> list[str]:
        return [image["name"] for image in self.listed(query)]

    def status(self, method: str, path: str) -> int:
        return self.send(method, IMAGES + path).status_code

    def ids(self, path: str, kind: str) -> list[str]:
        return [item["id"] for item in self.send("GET", path).json()[kind]]

    def own(self) -> str:
        """An image that the project may delete, and that lists show."""
        account = self.sandbox.account
        listed = set(self.ids(f"{IMAGES}?limit=1000", "images"))
        return next(image for image in account.images if image in listed and account.is_deletable(image))


@contextmanager
def client_of(clock: Clock | None = None, way: str = "in-process", **options: Any) -> Iterator[Client]:
    """A client of a project, which has signed in; without images unless some are asked for."""
    chosen = Options(api=Api.OPENSTACK, **{"images": 0, **options})
    with (
        reached(way, chosen, clock or Clock()) as (sandbox, transport),
        signed_in(Client(sandbox, transport)) as client,
    ):
        yield client


def an_image(name: str = "ci-web-1", age: int = 1, **wanted: Any) -> StoredImage:
    made = START - timedelta(days=age)
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {age}"))
    return StoredImage(**{"id": identity, "name": name, "status": "active", "size": 2**30, **_dated(made), **wanted})


def _dated(made: datetime) -> dict[str, Any]:
    return {"created_at": made, "updated_at": made + timedelta(minutes=4)}


SHELF = (
    an_image("own", 1, tags=("nightly",), properties={"os_distro": "rocky"}),
    an_image("raw", 2, disk_format="raw", size=3 * 2**30, tags=("nightly", "weekly")),
    an_image("queued", 3, status="queued", size=None, protected=True),
    an_image("killed", 4, status="killed"),
    an_image("deleted", 5, status="deleted"),
    an_image("pending-delete", 6, status="pending_delete"),
    an_image("hidden", 7, hidden=True),
    an_image("own-public", 8, visibility="public"),
    an_image("own-community", 9, visibility="community"),
    an_image("own-shared", 10, visibility="shared", members={OTHER: "pending"}),
    an_image("vendor", 11, visibility="public", owner=OTHER, protected=True),
    an_image("their-community", 12, visibility="community", owner=OTHER),
    an_image("accepted", 13, visibility="shared", owner=OTHER, members={OURS: "accepted"}),
    an_image("pending", 14, visibility="shared", owner=OTHER, members={OURS: "pending"}),
    an_image("rejected", 15, visibility="shared", owner=OTHER, members={OURS: "rejected"}),
    an_image("not-for-us", 16, visibility="shared", owner=OTHER, members={THIRD: "accepted"}),
    an_image("their-private", 17, owner=OTHER),
)
OWN = "own raw queued pending-delete own-public own-community own-shared"
ALL = f"{OWN} vendor accepted"


def put(client: Client, *images: StoredImage) -> None:
    for image in images:
        client.sandbox.account.put_image(image)


def by_application(secret: str) -> dict[str, Any]:
    given = {"id": Options().application, "secret": secret}
    return {"auth": {"identity": {"methods": ["application_credential"], "application_credential": given}}}


def ask(client: Client, path: str, **headers: str) -> httpx.Response:
    return client.send("GET", path, headers=headers)


def servers_of(client: Client, query: str = "", path: str = SERVERS) -> dict[str, str]:
    """The status of each server of a list, by its id."""
    return {server["id"]: server["status"] for server in ask(client, path + query).json()["servers"]}


def endpoints(client: Client, kind: str) -> list[tuple[str | None, str]]:
    """The regions and paths of a service in the catalogue."""
    catalogue = client.sign_in()["serviceCatalog"]
    return [
        (place.get("region"), place["publicURL"].removeprefix(client.origin))
        for entry in catalogue
        if entry["type"] == kind
        for place in entry["endpoints"]
    ]
