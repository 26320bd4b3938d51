"""The requests that runs send to an account."""

from collections.abc import Mapping

from janitor.sandbox.calls import Api

_USERS = (
    "list-servers",
    "list-volumes",
    "list-clusters",
    "show-cluster",
    "list-nodegroups",
    "show-nodegroup",
    "list-clustertemplates",
    "list-stacks",
    "show-stack",
    "show-template",
)

CALLS: Mapping[Api, tuple[str, ...]] = {
    Api.TOAST: ("issue-token", "list-images", "delete-image", "detail-instances", "read-reference"),
    Api.OPENSTACK: (
        "issue-token",
        "list-images",
        "show-image",
        "delete-image",
        "list-members",
        *_USERS,
        "read-reference",
    ),
}
"""The requests of a run to an account, by its API."""

SURVEYED = ("list-images", "show-image", "detail-instances", *_USERS)
"""What makes a survey, before it is judged; with whom images are shared is asked later, and of a few."""
