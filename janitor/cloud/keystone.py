"""Signing in to an OpenStack cloud, and where its services are: keystoneauth1's plugins, carried by our own transport.

So every identity service and every way of signing in works that other OpenStack tools have, and yet what is sent is
bounded like any other request, ends when we are told to stop, and goes to the configured host only.
"""

import logging
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from keystoneauth1 import exceptions
from keystoneauth1.access import AccessInfo
from keystoneauth1.identity import v2
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.session import Session

from janitor.cloud.carrier import carried_by
from janitor.cloud.redaction import Redaction
from janitor.cloud.transport import Transport
from janitor.errors import CloudError, Denied

logging.getLogger("keystoneauth").setLevel(logging.ERROR)  # its warnings only come before errors that say the same

_LONGEST_MESSAGE = 300
_MOST_REDIRECTS = 3
_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)


class Service(StrEnum):
    """What is asked of a cloud."""

    IMAGE = "image"
    COMPUTE = "compute"
    VOLUME = "volume"


TYPES = {
    Service.IMAGE: ("image",),
    Service.COMPUTE: ("compute",),
    Service.VOLUME: ("block-storage", "volumev3", "volumev2", "volume"),
}
"""How catalogues call them, the better first."""


class NotOffered(CloudError):
    """The catalogue has no such service there."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service is, of the public interface or the configured one. `region` is None for one of all regions."""

    type: str
    region: str | None
    url: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What one sign-in gave: a token for one project, until when, and where the services are. Times are UTC."""

    token: str = field(repr=False)
    issued_at: datetime | None
    expires: datetime | None
    project: str
    endpoints: tuple[Endpoint, ...]

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that have images, in the order of the catalogue."""
        images = (endpoint for endpoint in self.endpoints if endpoint.type in TYPES[Service.IMAGE])
        return tuple(dict.fromkeys(endpoint.region for endpoint in images if endpoint.region is not None))

    def url(self, service: Service, region: str | None) -> str:
        """The URL of a service in a region, without a slash at its end; None is for a cloud that names no region.

        Raises NotOffered.
        """
        for kind in TYPES[service]:
            for endpoint in self.endpoints:
                if endpoint.type == kind and (region is None or endpoint.region in (None, region)):
                    return endpoint.url
        where = "" if region is None else f" in region {region}"
        raise NotOffered(f"the cloud's catalogue has no {service} service{where}")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a cloud's configuration says of one service: the interfaces to take, the best first, and a URL instead."""

    interfaces: tuple[str, ...] = ("public",)
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """How to sign in to a cloud. Nothing is sent before `grant`.

    `region` is the configured one, `verify` the configured TLS; `secrets` is what no output may show, and `label` names
    the sign-in in messages.
    """

    label: str
    secrets: tuple[str, ...] = field(repr=False)
    region: str | None = None
    verify: ssl.SSLContext | bool = True
    wishes: Mapping[Service, Wishes] = field(default_factory=dict)
    plugin: BaseIdentityPlugin = field(kw_only=True, repr=False)

    def grant(self, seconds: float, transport: Transport) -> Grant:
        """Sign in once, for a new token; the whole of it must be done within `seconds`.

        Raises Transient for what may pass, Denied where the credentials are not accepted, and another CloudError for
        an answer that is of no use: without a project, or no token at all.
        """
        try:
            session = Session(session=carried_by(transport, seconds, self.label), redirect=_MOST_REDIRECTS)
            return self._read(self.plugin.get_auth_ref(session))
        except (exceptions.Unauthorized, exceptions.Forbidden, exceptions.MissingAuthMethods) as error:
            code = getattr(error, "http_status", 401)
            raise Denied(f"{self._said(error)}: the credentials are not accepted", code=code) from error
        except exceptions.ClientException as error:
            raise CloudError(self._said(error)) from error
        except _UNREADABLE as error:
            raise CloudError(f"{self.label}: the answer is no token with a catalogue") from error

    def _read(self, access: AccessInfo) -> Grant:
        token, project = access.auth_token, access.project_id
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise TypeError(type(token).__name__)
        if not project:
            raise CloudError(f"{self.label}: the token is for no project; the credentials must say for which one")
        return Grant(
            token=token,
            issued_at=_instant(lambda: access.issued),
            expires=_instant(lambda: access.expires),
            project=project,
            endpoints=tuple(self._endpoints(access, project)),
        )

    def _endpoints(self, access: AccessInfo, project: str) -> Iterator[Endpoint]:
        catalogue = access.service_catalog.normalize_catalog()
        for service, kinds in TYPES.items():
            wishes = self.wishes.get(service, Wishes())
            if wishes.url is not None:
                yield Endpoint(kinds[0], None, _filled_in(wishes.url, project))
                continue
            for entry in catalogue:
                if entry["type"] in kinds:
                    yield from _chosen(entry, wishes.interfaces)

    def _said(self, error: exceptions.ClientException) -> str:
        """The failure in one line: its status, and the words of the service or the library."""
        status = getattr(error, "http_status", None)
        words = error.message.partition(f" (HTTP {status})")[0]  # the library says it, too
        said = " ".join(Redaction(*self.secrets)(words).split())[:_LONGEST_MESSAGE]
        return f'{self.label}: {f"HTTP {status} " if status else ""}"{said}"'


def label_of(url: str) -> str:
    """What to call the sign-in at an identity service."""
    return f"sign-in at {urlsplit(url).netloc.rpartition('@')[2]}"


def spelled_out(identity: str, tenant_id: str, username: str, password: str) -> Identity:
    """The way to sign in to an Identity v2.0, whose URL ends with its version."""
    plugin = v2.Password(identity, username=username, password=password, tenant_id=tenant_id)
    return Identity(label_of(identity), (username, password), plugin=plugin)


def _chosen(entry: Mapping[str, Any], interfaces: tuple[str, ...]) -> Iterator[Endpoint]:
    """Of one service, the endpoint of each region whose interface is the best."""
    best: dict[str | None, tuple[int, str]] = {}
    for endpoint in entry["endpoints"]:
        interface, region, url = endpoint["interface"].removesuffix("URL"), endpoint["region_name"], endpoint["url"]
        if interface in interfaces and isinstance(url, str) and url:
            found = (interfaces.index(interface), url.rstrip("/"))
            best[region] = min(best.get(region, found), found, key=lambda pair: pair[0])
    for region, (_, url) in best.items():
        yield Endpoint(entry["type"], region, url)


def _filled_in(url: str, project: str) -> str:
    for name in ("project_id", "tenant_id"):
        url = url.replace(f"%({name})s", project).replace(f"$({name})s", project)
    return url.rstrip("/")


def _instant(read: Callable[[], datetime | None]) -> datetime | None:
    try:
        instant = read()
    except _UNREADABLE:
        return None
    return None if instant is None else instant.astimezone(UTC)
