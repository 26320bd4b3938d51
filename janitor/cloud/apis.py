"""The APIs that targets may use. Another one is a folder here, and a line in this table."""

from collections.abc import Mapping

from janitor.cloud.api import Api
from janitor.cloud.openstack.api import OPENSTACK
from janitor.cloud.toast.api import TOAST
from janitor.core.names.wire_keys import WireKeys

APIS: Mapping[str, Api] = {api.name: api for api in (TOAST, OPENSTACK)}
"""By name; the first is the default."""

_OF_AN_UNKNOWN_API = WireKeys()


def wire_keys(api: str | None) -> WireKeys:
    """How an API names the fields of every image; for an unknown API, our own names."""
    known = APIS.get(api or "")
    return _OF_AN_UNKNOWN_API if known is None else known.wire_keys
