"""An identity service on loopback, v2.0 and v3, whose answers are those of keystoneauth1's own fixtures."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from keystoneauth1.fixture import DiscoveryList, V2Token, V3Token

from janitor.cloud.openstack.keystone import Grant, Identity
from janitor.redaction import Redaction
from janitor.transport import HttpOptions
from janitor.transport.http import Transport
from tests.loopback import Answered, Asked, Loopback

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
PROJECT, USERNAME, PASSWORD = "1ab9fffdcfdb4f7f9fb84e8c7bdd4ee1", "robot+ci@example.com", "p@ss w0rd?&\"'"

Catalogue = Mapping[str, Mapping[Any, Sequence[str]]]
"""By type of service and region, the interfaces that it has there."""
SMALL: Catalogue = {"image": {"KR1": ["public"]}, "compute": {"KR1": ["public"]}}


def address(kind: str, region: str | None, interface: str = "public") -> str:
    """The URL of a service, as the catalogue gives it."""
    return f"https://{kind}.{region}.{interface}.example"


@dataclass
class Keystone:
    """Signs in every client with the password. `scripted` answers come first; `project` None makes tokens unscoped."""

    catalogue: Catalogue = field(default_factory=lambda: SMALL)
    project: str | None = PROJECT
    lifetime: timedelta = timedelta(hours=12)
    scripted: list[Answered] = field(default_factory=list)
    issued: int = 0
    url: str = ""

    def answer(self, asked: Asked) -> Answered:
        if self.scripted:
            return self.scripted.pop(0)
        match asked.method, asked.path.rstrip("/"):
            case "GET", "" | "/v3":
                return Answered(DiscoveryList(self.url, v2=False), status=300)
            case "POST", "/v2.0/tokens":
                return self.v2(json.loads(asked.body)["auth"])
            case "POST", "/v3/auth/tokens":
                return self.v3(json.loads(asked.body)["auth"]["identity"])
        return refusal(404, "The resource could not be found.")

    def v2(self, auth: dict[str, Any]) -> Answered:
        if auth["passwordCredentials"] != {"username": USERNAME, "password": PASSWORD}:
            return refusal(401, "The request you have made requires authentication.")
        token = V2Token(
            self._next(), expires=NOW + self.lifetime, issued=NOW, tenant_id=self.project and auth["tenantId"]
        )
        for kind, regions in self.catalogue.items():
            service = token.add_service(kind)
            for region, interfaces in regions.items():
                urls = {f"{interface}URL": address(kind, region, interface) for interface in interfaces}
                service.setdefault("endpoints", []).append({"region": region, **urls})
        return Answered(token)

    def v3(self, identity: dict[str, Any]) -> Answered:
        if PASSWORD not in json.dumps(identity, ensure_ascii=False).replace('\\"', '"'):
            return refusal(401, "The request you have made requires authentication.")
        token = V3Token(NOW + self.lifetime, NOW, project_id=self.project)
        for kind, regions in self.catalogue.items() if self.project else ():
            service = token.add_service(kind)
            for region, interfaces in regions.items():
                for interface in interfaces:
                    service.add_endpoint(interface, address(kind, region, interface), region=region)
        return Answered(token, status=201, headers={"X-Subject-Token": self._next()})

    def _next(self) -> str:
        self.issued += 1
        return f"t0ken-{self.issued}"


def refusal(status: int, message: str, **headers: str) -> Answered:
    """A rejection in Keystone's words."""
    return Answered({"error": {"message": message, "code": status, "title": "No"}}, status=status, headers=headers)


@contextmanager
def serving(keystone: Keystone) -> Iterator[Loopback]:
    with Loopback(keystone.answer) as server:
        keystone.url = f"{server.url}/"
        yield server


def grant(identity: Identity, seconds: float = 10) -> Grant:
    """One sign-in."""
    transport = Transport(HttpOptions(), Redaction(*identity.secrets), verify=identity.verify)
    try:
        return identity.grant(seconds, transport)
    finally:
        transport.close()
