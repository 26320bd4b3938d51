"""A client of the sandbox's Compute API v1.0, as the vendor's page says, and what tests ask of its account."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from janitor.sandbox.members import Member
from janitor.sandbox.models import StoredImage
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox
from tests.sandbox.clock import Clock
from tests.sandbox.ways import reached, signed_in

UNKNOWN = "00000000-0000-4000-a000-000000000000"


class Client:
    """Speaks to a sandbox as the vendor's page says; `token` is sent while it is not None."""

    def __init__(self, sandbox: Sandbox | Member, transport: httpx.BaseTransport | None = None) -> None:
        self.sandbox = sandbox
        self.base = f"{sandbox.url}/v1.0/appkeys/{sandbox.options.appkey}"
        self.http = httpx.Client(transport=transport, trust_env=False, verify=False)  # no TLS here: nothing to load
        self.token: str | None = None

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Whatever comes back."""
        headers = {} if self.token is None else {"X-Auth-Token": self.token}
        return self.http.request(method, self.base + path, headers=headers, **request)

    def ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """An answer in the documented form, whether it grants or refuses."""
        response = self.send(method, path, **request)
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json;charset=UTF-8"
        answer: dict[str, Any] = response.json()
        assert next(iter(answer)) == "header"
        assert answer["header"]["isSuccessful"] is (answer["header"]["resultCode"] == 0)
        return answer

    def code(self, method: str, path: str, **request: Any) -> int:
        code: int = self.ask(method, path, **request)["header"]["resultCode"]
        return code

    def sign_in(self) -> dict[str, Any]:
        options = self.sandbox.options
        auth = {"username": options.username, "password": options.password}
        access: dict[str, Any] = self.ask("POST", "/tokens", json={"auth": auth})["access"]
        self.token = access["token"]["id"]
        return access

    def page(self, **query: Any) -> list[dict[str, Any]]:
        images: list[dict[str, Any]] = self.ask("GET", "/images", params=query)["images"]
        return images

    def ids(self, **query: Any) -> list[str]:
        return [image["id"] for image in self.page(**query)]

    def image(self, image_id: str) -> dict[str, Any]:
        return next(image for image in self.page() if image["id"] == image_id)

    def delete(self, image_id: str) -> int:
        return self.code("DELETE", "/images", params={"id": image_id})

    def own(self, count: int = 1) -> list[StoredImage]:
        """Images that the account would let go."""
        account = self.sandbox.account
        return [image for image in account.images.values() if account.is_deletable(image.id)][:count]

    def faults(self) -> list[tuple[str, int, tuple[str, ...]]]:
        """What struck which call, by the sandbox's log of requests."""
        return [(one.name, one.ordinal, one.faults) for one in self.sandbox.requests if one.faults]


@contextmanager
def client_of(options: Options | None = None, clock: Clock | None = None, way: str = "socket") -> Iterator[Client]:
    """A client of a sandbox, which has signed in."""
    chosen = options or Options(images=50)
    with (
        reached(way, chosen, clock or Clock()) as (sandbox, transport),
        signed_in(Client(sandbox, transport)) as client,
    ):
        yield client


def own_image(client: Client, **wanted: Any) -> StoredImage:
    """An image of the account that nothing protects, changed as wanted."""
    used = {instance.image for instance in client.sandbox.account.instances.values()}
    free = next(
        image
        for image in client.sandbox.account.images.values()
        if image.status == "active" and not image.is_public and not image.protected and image.id not in used
    )
    return client.sandbox.account.change_image(free.id, **wanted)


def newest_first(client: Client) -> list[str]:
    images = client.sandbox.account.images.values()
    return [image.id for image in sorted(images, key=lambda image: (image.created_at, image.id), reverse=True)]
