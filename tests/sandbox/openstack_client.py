"""A client of the sandbox's OpenStack APIs, as their documentation says, and images to put there."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from janitor.sandbox.calls import Api
from janitor.sandbox.models import OURS, StoredImage
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox
from tests.in_process import in_process

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
UNKNOWN = "00000000-0000-4000-a000-000000000000"
OTHER = "d" * 32
THIRD = "e" * 32


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Client:
    """Speaks to the services of one region, as their documentation says; `token` is sent while it is not None."""

    def __init__(self, sandbox: Sandbox, transport: httpx.BaseTransport | None, region: str = "") -> None:
        self.sandbox = sandbox
        self.origin = sandbox.origin
        self.root = sandbox.origin + region
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

    def listed(self, query: str = "?limit=1000") -> list[dict[str, Any]]:
        images: list[dict[str, Any]] = self.send("GET", f"/image/v2/images{query}").json()["images"]
        return images

    def names(self, query: str = "?limit=1000") -> list[str]:
        return [image["name"] for image in self.listed(query)]

    def status(self, method: str, path: str) -> int:
        return self.send(method, f"/image/v2/images{path}").status_code


@contextmanager
def client_of(clock: Clock | None = None, **options: Any) -> Iterator[Client]:
    chosen = Options(api=Api.OPENSTACK, **{"images": 0, **options})
    sandbox, transport = in_process(chosen, clock or Clock())
    client = Client(sandbox, transport)
    client.sign_in()
    yield client
    client.http.close()


def an_image(name: str = "ci-web-1", age: int = 1, **wanted: Any) -> StoredImage:
    made = START - timedelta(days=age)
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {age}"))
    return StoredImage(**{"id": identity, "name": name, "status": "active", "size": 2**30, **_dated(made), **wanted})


def _dated(made: datetime) -> dict[str, Any]:
    return {"created_at": made, "updated_at": made + timedelta(minutes=4)}


def put(client: Client, *images: StoredImage) -> None:
    for image in images:
        client.sandbox.account.put_image(image)


def by_application(secret: str) -> dict[str, Any]:
    given = {"id": Options().application, "secret": secret}
    return {"auth": {"identity": {"methods": ["application_credential"], "application_credential": given}}}
