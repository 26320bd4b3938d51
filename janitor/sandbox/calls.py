"""The APIs that a sandbox can speak, and the names of their calls, as faults, hooks and the log of them have them."""

from collections.abc import Mapping
from enum import StrEnum


class Api(StrEnum):
    """Compute API v1.0, or what OpenStack clouds speak: identity, Image API v2, and what uses images."""

    TOAST = "toast"
    OPENSTACK = "openstack"


CALLS: Mapping[Api, tuple[str, ...]] = {
    Api.TOAST: (
        "issue-token",
        "show-token",
        "list-images",
        "delete-image",
        "list-instances",
        "detail-instances",
        "act-on-instance",
        "read-reference",
    ),
    Api.OPENSTACK: (
        "discover",
        "issue-token",
        "list-images",
        "show-image",
        "delete-image",
        "list-members",
        "list-servers",
        "show-server",
        "list-volumes",
        "list-clusters",
        "show-cluster",
        "list-nodegroups",
        "show-nodegroup",
        "list-clustertemplates",
        "list-stacks",
        "show-stack",
        "show-template",
        "read-reference",
    ),
}
