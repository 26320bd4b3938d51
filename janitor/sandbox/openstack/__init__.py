"""The APIs of OpenStack clouds, including today's NHN Cloud: identity, Image API v2, and the services that use images.

Each region of a cloud has its own fleet; one token is valid in all of them.
"""

from collections.abc import Iterator, Mapping

from starlette.responses import Response
from starlette.routing import compile_path

from janitor.sandbox.account import Account
from janitor.sandbox.api import Asked, Endpoint
from janitor.sandbox.configuration import quoted
from janitor.sandbox.models import OURS
from janitor.sandbox.openstack.clusters import Clusters
from janitor.sandbox.openstack.directory import IDENTITY, Directory, Entry, entries
from janitor.sandbox.openstack.errors import (
    Failing,
    cluster_service,
    identity_service,
    image_service,
    other_service,
    stack_service,
)
from janitor.sandbox.openstack.identity import DOMAIN, Identity
from janitor.sandbox.openstack.images import Images
from janitor.sandbox.openstack.microversions import compute_microversions
from janitor.sandbox.openstack.servers import Servers
from janitor.sandbox.openstack.service import Service
from janitor.sandbox.openstack.stacks import Stacks
from janitor.sandbox.openstack.volumes import Volumes
from janitor.sandbox.options import Options
from janitor.sandbox.references import reference_endpoint
from janitor.sandbox.refusals import Kind, Refusal, Resource

_IDENTITY = f"{IDENTITY.base}/v2.0"


class OpenStack:
    """The APIs over one account for each region."""

    def __init__(self, accounts: Mapping[str, Account], options: Options, origin: str) -> None:
        self._origin = origin
        self._identity = f"{origin}{IDENTITY.base}"
        self.url = f"{origin}{_IDENTITY}"
        self._options = options
        self._accounts = accounts
        self._main = next(iter(accounts.values()))
        self._directory = Directory(
            origin,
            tuple(accounts),
            entries(options),
            options.shares_images,
            options.image_in_first,
            options.compute_microversion,
        )
        self._failing: Mapping[str, Failing] = {
            "identity": identity_service(self._identity),
            "image": image_service(self._identity),
            "compute": other_service(self._identity),
            "volume": other_service(self._identity),
            "cluster": cluster_service(self._identity),
            "stack": stack_service(self._identity),
        }
        known = tuple(self._known())
        self._paths = [compile_path(endpoint.path)[0] for endpoint in known]
        self.endpoints = (*known, *self._unknown())

    def _known(self) -> Iterator[Endpoint]:
        yield reference_endpoint(self._main, self._options)
        for entry, region in self._directory.places():
            yield from self._of(entry, self._directory.root(region), self._accounts[region])

    def _of(self, entry: Entry, root: str, account: Account) -> Iterator[Endpoint]:
        service = Service(f"{root}{entry.base}", account, self._failing[entry.kind])
        for path, tell in self._directory.documents(entry, root):
            yield service.open_endpoint("discover", "GET", path, tell)
        yield from self._calls(entry, service)

    def _calls(self, entry: Entry, service: Service) -> tuple[Endpoint, ...]:
        match entry.kind:
            case "image":
                return Images(service).endpoints
            case "compute":
                versions = compute_microversions(self._options.compute_microversion)
                return Servers(service, versions, entry.number).endpoints
            case "volume":
                return Volumes(service).endpoints
            case "cluster":
                return Clusters(service, has_templates=not self._options.kubernetes).endpoints
            case "stack":
                return Stacks(service).endpoints
            case _:
                return Identity(service, self._options, self._directory).endpoints

    def _unknown(self) -> Iterator[Endpoint]:
        """The answer to an unknown path of a service, in the words of that service; or of no service."""
        for entry, region in self._directory.places():
            root = f"{self._directory.root(region)}{entry.base}"
            yield Service(root, self._accounts[region], self._failing[entry.kind]).open_endpoint(
                "unknown", None, "/{path:path}", self._refuse
            )
        yield Service("", self._main, self._failing[IDENTITY.kind]).open_endpoint(
            "unknown", None, "/{path:path}", self._refuse
        )

    def _refuse(self, asked: Asked) -> Response:
        if any(path.match(asked.url_path) for path in self._paths):
            message = f"The method {asked.method} is not allowed for this resource."
            raise Refusal(Kind.UNSUPPORTED, Resource.ACCOUNT, message)
        raise Refusal(Kind.ABSENT, Resource.ACCOUNT, "The resource could not be found.")

    def shown(self, path: str) -> str:
        """The unchanged path; nothing in it is secret."""
        return path

    def target(self, name: str) -> str:
        """The project as a target of a janitor.yaml, and as clouds of a clouds.yaml in a comment."""
        options = self._options
        return f"""\
{openstack_target(options, self._origin, name)}\
# Save this as clouds.yaml, for other OpenStack tools, and for a target with `cloud: sandbox` in place of these keys:
# clouds:
#   sandbox:
#     region_name: {options.region_names[0]}
#     auth:
#       auth_url: {quoted(f"{self._identity}/v3")}
#       project_id: {quoted(OURS)}
#       username: {quoted(options.username)}
#       user_domain_id: {DOMAIN["id"]}
#       password: {quoted(options.password)}
#   sandbox-application:
#     region_name: {options.region_names[0]}
#     auth_type: v3applicationcredential
#     auth:
#       auth_url: {quoted(f"{self._identity}/v3")}
#       application_credential_id: {quoted(options.application)}
#       application_credential_secret: {quoted(options.application_secret)}
"""


def openstack_target(options: Options, origin: str, name: str) -> str:
    """The project at that origin as a target of a janitor.yaml."""
    region = options.region_names[0] if options.regions == 1 else "*"
    return f"""\
  - name: {quoted(name)}
    api: openstack                 # Image API v2
    identity: {quoted(f"{origin}{_IDENTITY}")}
    tenant_id: {quoted(OURS)}
    username: {quoted(options.username)}
    password: {quoted(options.password)}   # opens nothing but this sandbox; a real one belongs in the environment
    region: {quoted(region)}
"""
