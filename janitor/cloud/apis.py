"""The APIs that targets may use. Another one is a folder here, and a line in this table."""

from collections.abc import Callable, Mapping

from janitor.cloud.api import Api
from janitor.cloud.openstack.api import OPENSTACK
from janitor.cloud.target import Target
from janitor.cloud.toast.api import TOAST
from janitor.core.image import Image
from janitor.core.names.wire_keys import WireKeys

APIS: Mapping[str, Api] = {api.name: api for api in (TOAST, OPENSTACK)}
"""By name; the first is the default."""

_OF_AN_UNKNOWN_API = WireKeys()


def wire_keys(api: str | None) -> WireKeys:
    """How an API names the fields of every image; for an unknown API, our own names."""
    known = APIS.get(api or "")
    return _OF_AN_UNKNOWN_API if known is None else known.wire_keys


def shareable(api: str | None, target: Target | None) -> Callable[[Image], bool]:
    """Whether an image may be shared, by its API, and its target if that is still configured.

    An API that was not recorded is that of the target; where nothing tells, its images may be shared as OpenStack's.
    """
    known = APIS.get(api or (target.api if target is not None else ""), OPENSTACK)
    return known.shareable(target if target is not None and target.api == known.name else None)
