"""OpenStack's APIs as one of the APIs of targets."""

from janitor.cloud.api import Api
from janitor.cloud.openstack.accounts import authentication_of
from janitor.cloud.openstack.target import OpenStackSchema, credential_faults
from janitor.core.names.wire_keys import WireKeys

OPENSTACK = Api(
    name="openstack",
    schema=OpenStackSchema,
    secrets=("username", "password"),
    authenticate=authentication_of,
    wire_keys=WireKeys(created="created_at", updated="updated_at", public="visibility"),
    contradictions=credential_faults,
)
