"""The account of an OpenStack target: how to sign in to it, what that gave, and how to reach its image services."""

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from janitor.cloud.api import Authentication, Place, Surroundings
from janitor.cloud.openstack.places import no_region, places_of
from janitor.cloud.openstack.target import OpenStackTarget
from janitor.cloud.service import ImageService
from janitor.errors import CloudError, UsageError
from janitor.redaction import FOUND_OUT, Redaction

if TYPE_CHECKING:
    from janitor.cloud.openstack.catalogue import ImagePlace
    from janitor.cloud.openstack.keystone import Grant, Identity

_EXTRA = "pip install 'image-janitor[openstack]'"


@dataclass(frozen=True, slots=True)
class OpenStackAccount:
    """An OpenStack target that is signed in to."""

    target: OpenStackTarget
    identity: "Identity"
    grant: "Grant"

    def places(self) -> list[Place]:
        """The image services to clean.

        Raises UsageError for a region that does not exist, and where one has to be chosen.
        """
        wanted = self.target.region or self.identity.region
        return [self._place(place, region) for place, region in places_of(self.grant.catalogue, wanted)]

    def no_place(self, name: str) -> str:
        """Why there is no site with that name: no region that has images has it."""
        known = [region for region in self.grant.catalogue.image_regions if region is not None]
        return no_region(name.removeprefix(f"{self.target.name}-"), known)

    def _place(self, place: "ImagePlace", region: str | None) -> Place:
        regions = [one for one in place.regions if one is not None] if self.target.is_in_every_region else []
        names = tuple(sorted(f"{self.target.name}-{one}" for one in regions)) or (self.target.name,)
        project = self.grant.project
        unique = (project, self.grant.catalogue.normalised(place))
        return Place(names, partial(self._connect, place, region), project, unique)

    def _connect(self, place: "ImagePlace", region: str | None, surroundings: Surroundings) -> ImageService:
        from janitor.cloud.openstack.client import OpenStackClient

        if place.problem is not None:
            raise CloudError(f"the image service at {place.url}: {place.problem}")
        return OpenStackClient(
            self.identity,
            place,
            region,
            self.target.http,
            sources=self.target.usage,
            imageless=self.target.imageless,
            shared_ignored=self.target.shared_ignored,
            clock=surroundings.clock,
            stop=surroundings.stop,
            http_transport=surroundings.http_transport,
            max_images=surroundings.max_images,
            grant=self.grant,
        )


@dataclass(frozen=True, slots=True)
class _KnownIdentity:
    """A target whose identity service is known."""

    target: OpenStackTarget
    identity: "Identity"

    def sign_in(self, surroundings: Surroundings) -> OpenStackAccount:
        """What one sign-in gives, if its catalogue has an image service. Raises CloudError."""
        from janitor.transport.http import Transport

        identity = self.identity
        redact = Redaction(*identity.secrets)
        transport = Transport(self.target.http, redact, surroundings.stop, surroundings.http_transport, identity.verify)

        def attempt(seconds: float) -> "Grant":
            asked_at = surroundings.clock()
            return replace(identity.grant(seconds, transport), asked_at=asked_at)

        try:
            grant = transport.persist(identity.label, attempt)
        finally:
            transport.close()
        if not grant.catalogue.image_places():
            raise CloudError("the cloud's catalogue has no image service")
        return OpenStackAccount(self.target, identity, grant)


@dataclass(frozen=True, slots=True)
class _UnknownIdentity:
    """A target whose way to sign in could not be found out, although its configuration is valid."""

    error: CloudError

    def sign_in(self, surroundings: Surroundings) -> OpenStackAccount:  # noqa: ARG002 - the port's
        """Raises the CloudError that says why."""
        raise self.error


def authentication_of(target: OpenStackTarget) -> Authentication:
    """How to sign in to a target; nothing is sent, except to fetch a profile from a URL.

    Raises UsageError for a cloud that does not exist, invalid credentials, and missing libraries.
    """
    try:
        return _KnownIdentity(target, _identity(target))
    except CloudError as error:
        return _UnknownIdentity(error)


def _identity(target: OpenStackTarget) -> "Identity":
    try:
        from janitor.cloud.openstack.keystone import spelled_out, with_images_at

        if target.login is not None:
            login = target.login
            spelled = spelled_out(login.identity, login.tenant_id, login.username, login.password)
            return with_images_at(spelled, target.image_endpoint)
        from janitor.cloud.openstack.clouds import configured
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        raise UsageError(f"api: openstack needs {package}, which is not installed: {_EXTRA}") from error
    region = None if target.is_in_every_region else target.region
    identity = configured(target.cloud, region, target.http)
    FOUND_OUT.add(*identity.secrets)
    return with_images_at(identity, target.image_endpoint)
