"""OpenStack's APIs as one of the APIs of targets."""

from collections.abc import Callable

from janitor.cloud.api import Api, never_shared
from janitor.cloud.openstack.accounts import authentication_of
from janitor.cloud.openstack.target import OpenStackSchema, OpenStackTarget, credential_faults, may_be_shared
from janitor.core.image import Image
from janitor.core.names.wire_keys import WireKeys


def _credentials(target: OpenStackTarget) -> str:
    if target.login is not None:
        return "`tenant_id`, `username` and `password` (the API password, not that of the console)"
    if target.cloud is not None:
        return f"user, password and project of {target.cloud} in clouds.yaml"
    return "the variables OS_*"


def _shareable(target: OpenStackTarget | None) -> Callable[[Image], bool]:
    ignored = target is not None and target.shared_ignored
    return never_shared(target) if ignored else may_be_shared


OPENSTACK = Api(
    name="openstack",
    schema=OpenStackSchema,
    secrets=("username", "password"),
    addresses=("cloud", "identity", "tenant_id", "image_endpoint"),
    authenticate=authentication_of,
    credentials=_credentials,
    wire_keys=WireKeys(created="created_at", updated="updated_at", public="visibility"),
    contradictions=credential_faults,
    shareable=_shareable,
)
