"""What catalogues call the services that are asked, and the URLs that they give for them.

Source of the names: the service types authority of OpenStack, and the pages of NHN Cloud, which calls its clusters
`kubernetes`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from os_service_types import ServiceTypes


class Service(StrEnum):
    """The services of a cloud that are asked, by the names that the service types authority gives."""

    IMAGE = "image"
    COMPUTE = "compute"
    VOLUME = "block-storage"
    CLUSTERS = "container-infrastructure-management"
    STACKS = "orchestration"


KUBERNETES = "kubernetes"
"""What NHN Cloud calls its clusters, which have no templates."""

_MORE_NAMES = {
    Service.CLUSTERS: (KUBERNETES,),
    Service.COMPUTE: ("computev21", "computev2", "compute_legacy", "computev3"),
}
_AUTHORITY = ServiceTypes()
TYPES: Mapping[Service, tuple[str, ...]] = {
    service: (
        *dict.fromkeys((service.value, *_AUTHORITY.get_all_types(service.value))),
        *_MORE_NAMES.get(service, ()),
    )
    for service in Service
}
"""What catalogues call the services, the better names first: those of the authority, all its aliases, and others."""

_MAY_USE_IMAGES = frozenset(
    {
        *(
            "application-catalog",
            "application-container",
            "baremetal",
            "cloudformation",
            "clustering",
            "data-processing",
        ),
        *("database", "instance-ha", "load-balancer", "nfv-orchestration", "workflow"),
    }
)
"""Further services that start servers or containers from images, each in its own way, and that are not asked."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One URL of a catalogue. `entry` is the place of its service there; `region` is None for one of all regions."""

    service: Service
    type: str
    entry: int
    region: str | None
    interface: str
    url: str


def folded_type(kind: object) -> str:
    """The type of a service as types are compared: catalogues differ in case and in blanks."""
    return str(kind).strip().lower()


def listed_in(entries: Iterable[Mapping[str, Any]]) -> Iterator[Listed]:
    """The URLs of the known services in a catalogue as keystoneauth1 normalises it, also the unusable ones."""
    kinds = {kind: service for service, kinds in TYPES.items() for kind in kinds}
    for place, entry in enumerate(entries):
        service = kinds.get(folded_type(entry["type"]))
        if service is not None and not entry["endpoints"]:
            yield Listed(service, entry["type"], place, None, "public", "")
        for endpoint in entry["endpoints"] if service is not None else ():
            url, interface = endpoint["url"], str(endpoint["interface"]).removesuffix("URL")
            written = url.rstrip("/") if isinstance(url, str) else ""
            if service is not None:
                yield Listed(service, entry["type"], place, endpoint["region_name"] or None, interface, written)


def unasked_in(entries: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The further services of a catalogue that may use images, by the names that the authority gives, each once."""
    names = (_AUTHORITY.get_service_type(entry["type"]) or entry["type"] for entry in entries)
    return tuple(sorted({str(name) for name in names} & _MAY_USE_IMAGES))
