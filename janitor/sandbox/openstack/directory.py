"""Where the services are: the catalogue that comes with a token, and the version document of each service."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from starlette.responses import Response

from janitor.sandbox.api import Asked
from janitor.sandbox.models import OURS
from janitor.sandbox.openstack.errors import said
from janitor.sandbox.options import REGIONS, Options

_UPDATED = "2026-04-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Entry:
    """One service of the catalogue; `path` is the path for clients, and `base` the path of the service itself.

    `kind` is its kind, whatever `type` it has in the catalogue. `number` counts the services of one kind, from 0, and
    those after the first exist in the first region only. The catalogue gives no region for one that is not `placed`,
    and for others their own, or `region`; `interface` is its only interface there.
    """

    kind: str
    type: str
    name: str
    base: str
    path: str
    number: int = 0
    placed: bool = True
    region: str = ""
    interface: str = "public"

    def named(self, region: str) -> str | None:
        """The region's name in the catalogue, for an endpoint there."""
        return self.region or region if self.placed else None


IDENTITY = Entry("identity", "identity", "keystone", "/identity", "/identity")
IMAGE = Entry("image", "image", "glance", "/image", "/image")
COMPUTE = Entry("compute", "compute", "nova", "/compute", f"/compute/v2.1/{OURS}")
VOLUME = Entry("volume", "volumev3", "cinderv3", "/volume", f"/volume/v3/{OURS}")
CLUSTER = Entry("cluster", "container-infra", "magnum", "/container-infra", "/container-infra/v1")
STACK = Entry("stack", "orchestration", "heat", "/orchestration", f"/orchestration/v1/{OURS}")


def entries(options: Options) -> tuple[Entry, ...]:
    """The services of a cloud, in the order of its catalogue."""
    first, *others = (_compute(number) for number in range(options.computes))
    return (
        IDENTITY,
        IMAGE,
        *(entry for entry in others if not entry.placed),
        first,
        *(entry for entry in others if entry.placed),
        *(() if options.no_volumes else (_volume(options),)),
        *(() if options.no_clusters else (replace(CLUSTER, type="kubernetes") if options.kubernetes else CLUSTER,)),
        *(() if options.no_stacks else (STACK,)),
    )


def _volume(options: Options) -> Entry:
    return replace(VOLUME, type=options.volume_type, region=options.volume_region, interface=options.volume_interface)


def _compute(number: int) -> Entry:
    """A compute service; the second has no region, and is listed first, as in one large public cloud."""
    if number == 0:
        return COMPUTE
    base = f"/compute-{number + 1}"
    return Entry("compute", "compute", f"nova-{number + 1}", base, f"{base}/v2.1/{OURS}", number, number != 1)


@dataclass(frozen=True, slots=True)
class Directory:
    """The services of a cloud at that origin. The first region is at the root, others are below their names.

    With `shared_images` all regions have one image service, at one URL; with `image_in_first` the catalogue has it in
    the first region only. `newest_compute` is as in the options.
    """

    origin: str
    regions: Sequence[str]
    entries: Sequence[Entry]
    shared_images: bool = False
    image_in_first: bool = False
    newest_compute: str = "2.96"

    def places(self) -> Iterator[tuple[Entry, str]]:
        """Every service with its region; identity, and shared images, in the first one."""
        for region in self.regions:
            for entry in self.entries:
                if region == self.regions[0] or not (self._is_shared(entry) or entry.number):
                    yield entry, region

    def _is_shared(self, entry: Entry) -> bool:
        return entry is IDENTITY or (entry is IMAGE and self.shared_images)

    def root(self, region: str) -> str:
        """The path of the services of a region."""
        return "" if region == REGIONS[0] else f"/{region}"

    def catalogue_v2(self) -> list[dict[str, object]]:
        """The catalogue in the form of Identity v2.0."""
        return [
            {
                "type": entry.type,
                "name": entry.name,
                "endpoints": [
                    {
                        **({"region": entry.named(region)} if entry.placed else {}),
                        f"{entry.interface}URL": self._url(entry, region),
                    }
                    for region in self._regions_of(entry)
                ],
                "endpoints_links": [],
            }
            for entry in self.entries
        ]

    def catalogue_v3(self) -> list[dict[str, object]]:
        """The catalogue in the form of Identity v3."""
        return [
            {
                "id": entry.name,
                "type": entry.type,
                "name": entry.name,
                "endpoints": [
                    {
                        "id": f"{entry.name}-{region}",
                        "interface": entry.interface,
                        "region": entry.named(region),
                        "region_id": entry.named(region),
                        "url": self._url(entry, region),
                    }
                    for region in self._regions_of(entry)
                ],
            }
            for entry in self.entries
        ]

    def _regions_of(self, entry: Entry) -> Sequence[str]:
        return self.regions[:1] if entry.number or (entry is IMAGE and self.image_in_first) else self.regions

    def _url(self, entry: Entry, region: str) -> str:
        root = "" if self._is_shared(entry) else self.root(region)
        return f"{self.origin}{root}{entry.path}"

    def documents(self, entry: Entry, root: str) -> Iterator[tuple[str, Callable[[Asked], Response]]]:
        """The paths below a service's base with version documents, and these documents."""
        base = f"{self.origin}{root}{entry.base}"
        versions = [self._version(entry, word, f"{base}/{folder}/") for word, folder in _VERSIONS[entry.kind]]
        listed: object = {"values": versions} if entry is IDENTITY else versions
        for path in ("", "/"):
            yield path, partial(_tell, {"versions": listed}, 200 if entry.kind in ("compute", "cluster") else 300)
        for version, (_, folder) in zip(versions, _VERSIONS[entry.kind], strict=True):
            if entry.kind not in ("image", "stack"):
                for slash in ("", "/"):
                    yield f"/{folder}{slash}", partial(_tell, _by_itself(entry, version), 200)

    def _version(self, entry: Entry, word: str, url: str) -> dict[str, object]:
        written: dict[str, object] = {
            "id": word,
            "status": "stable" if entry is IDENTITY else "CURRENT",
            "updated": _UPDATED,
            "links": [{"rel": "self", "href": url}],
        }
        match entry.kind:
            case "compute":
                none = self.newest_compute == "none"
                written |= {"min_version": "" if none else "2.1", "version": "" if none else self.newest_compute}
            case "volume":
                written |= {"min_version": "3.0", "version": "3.71"}
            case "cluster":
                written |= {"min_version": "1.1", "max_version": "1.11"}
        return written


_VERSIONS = {
    "identity": (("v3.14", "v3"), ("v2.0", "v2.0")),
    "image": (("v2.17", "v2"),),
    "compute": (("v2.1", "v2.1"),),
    "volume": (("v3.0", "v3"),),
    "cluster": (("v1", "v1"),),
    "stack": (("v1.0", "v1"),),
}


def _by_itself(entry: Entry, version: dict[str, object]) -> dict[str, object]:
    match entry.kind:
        case "volume":
            return {"versions": [version]}
        case "cluster":
            return version
        case _:
            return {"version": version}


def _tell(document: object, status: int, _asked: Asked) -> Response:
    return said(document, status)
