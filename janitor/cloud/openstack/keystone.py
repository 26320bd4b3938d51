"""Signing in to an OpenStack cloud, and where its services are: keystoneauth1's plugins over our own transport.

So every identity service and every way of signing in works that works with other OpenStack tools, and still each
request is bounded like any other, ends when the program is told to stop, and goes to the configured host only.
"""

import logging
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from keystoneauth1 import exceptions
from keystoneauth1.access import AccessInfo
from keystoneauth1.identity import v2
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.identity.generic.base import BaseGenericPlugin
from keystoneauth1.session import Session

from janitor.cloud.openstack.catalogue import Catalogue, EndpointPreferences
from janitor.cloud.openstack.service_types import Service, listed_in, unasked_in
from janitor.errors import CloudError, Denied
from janitor.redaction import Redaction
from janitor.transport.http import Transport
from janitor.transport.requests_adapter import session_over

logging.getLogger("keystoneauth").setLevel(logging.ERROR)  # its warnings only precede errors that say the same

_LONGEST_MESSAGE = 300
_MOST_REDIRECTS = 3
_VERSION_AT_END = re.compile(r"/v(2|3)(?:\.0)?/?$", re.IGNORECASE)
_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Grant:
    """What one sign-in gave: a token for one project, its expiry, and where the services are. Times are UTC.

    `asked_at` is when it was requested, by our clock, if known.
    """

    token: str = field(repr=False)
    issued_at: datetime | None
    expires: datetime | None
    project: str
    catalogue: Catalogue
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """How to sign in to a cloud. Nothing is sent before `grant`.

    `region` is the configured one, `verify` the configured TLS; `secrets` is what no output may show, and `label` names
    the sign-in in messages. `project` is the configured project's id, if any: a token for another one is rejected.
    """

    label: str
    secrets: tuple[str, ...] = field(repr=False)
    region: str | None = None
    verify: ssl.SSLContext | bool = True
    preferences: Mapping[Service, EndpointPreferences] = field(default_factory=dict)
    project: str | None = None
    plugin: BaseIdentityPlugin = field(kw_only=True, repr=False)

    def grant(self, seconds: float, transport: Transport) -> Grant:
        """Sign in once, for a new token; all of it must be done within `seconds`.

        Raises Transient for what may pass, Denied where the credentials are not accepted, and another CloudError for an
        unusable answer: a token without a project or for another than the configured one, or no token at all.
        """
        try:
            carried = session_over(transport, seconds, self.label, secure=self._secure)
            session = Session(session=carried, redirect=_MOST_REDIRECTS)
            return self._read(self._signed_in(session))
        except (exceptions.Unauthorized, exceptions.Forbidden, exceptions.MissingAuthMethods) as error:
            code = getattr(error, "http_status", 401)
            raise Denied(f"{self._said(error)}: the credentials are not accepted", code=code) from error
        except exceptions.ClientException as error:
            raise CloudError(self._said(error)) from error
        except _UNREADABLE as error:
            raise CloudError(f"{self.label}: the answer holds no token with a service catalogue") from error

    def _signed_in(self, session: Session) -> AccessInfo:
        """What the identity service gives. Where it lists no versions, the one at the end of its URL is used.

        The library looks for one at the beginning of the path, which behind a gateway is the gateway's.
        """
        try:
            return self.plugin.get_auth_ref(session)
        except exceptions.DiscoveryFailure:
            version = _VERSION_AT_END.search(self.plugin.auth_url or "")
            if version is None or not isinstance(self.plugin, BaseGenericPlugin):
                raise
            plugin = self.plugin.create_plugin(session, (int(version[1]), 0), self.plugin.auth_url)
            if plugin is None:
                raise
            return plugin.get_auth_ref(session)

    @property
    def _secure(self) -> bool:
        return (self.plugin.auth_url or "").lower().startswith("https:")

    def _read(self, access: AccessInfo) -> Grant:
        token, project = access.auth_token, access.project_id
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise TypeError(type(token).__name__)
        if not project:
            raise CloudError(f"{self.label}: the token is for no project: name the project in the credentials")
        if self.project is not None and _bare(project) != _bare(self.project):
            raise CloudError(
                f"{self.label}: the token is for another project, {project}, than configured, {self.project}"
            )
        return Grant(
            token=token,
            issued_at=_instant(lambda: access.issued),
            expires=_instant(lambda: access.expires),
            project=project,
            catalogue=self._catalogue(access, project),
        )

    def _catalogue(self, access: AccessInfo, project: str) -> Catalogue:
        preferences = {
            service: replace(wanted, url=_filled_in(wanted.url, project)) if wanted.url is not None else wanted
            for service, wanted in self.preferences.items()
        }
        entries = access.service_catalog.normalize_catalog()
        unasked = unasked_in(entries)
        return Catalogue(tuple(listed_in(entries)), preferences, project, unasked, secure=self._secure)

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
    """How to sign in to an Identity v2.0, whose URL ends with its version."""
    plugin = v2.Password(identity, username=username, password=password, tenant_id=tenant_id)
    return Identity(label_of(identity), (password,), project=tenant_id, plugin=plugin)


def with_images_at(identity: Identity, url: str | None) -> Identity:
    """The same, but with the image service at that URL, where one is given."""
    if url is None:
        return identity
    images = replace(identity.preferences.get(Service.IMAGE, EndpointPreferences()), url=url)
    return replace(identity, preferences={**identity.preferences, Service.IMAGE: images})


def _bare(project: object) -> str:
    """A project's id as ids are compared: services and people write it with or without dashes, in any case."""
    return str(project).strip().replace("-", "").lower()


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
