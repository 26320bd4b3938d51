"""Where the services are: the catalogue that comes with a token, and the versions that each service tells of itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.responses import Response

from janitor.sandbox.face import Asked
from janitor.sandbox.openstack.errors import said
from janitor.sandbox.options import REGIONS
from janitor.sandbox.records import OURS

_UPDATED = "2026-04-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Entry:
    """One service of the catalogue; `path` is where a client is sent to, and `base` where it stands."""

    type: str
    name: str
    base: str
    path: str


IDENTITY = Entry("identity", "keystone", "/identity", "/identity")
IMAGE = Entry("image", "glance", "/image", "/image")
COMPUTE = Entry("compute", "nova", "/compute", f"/compute/v2.1/{OURS}")
VOLUME = Entry("volumev3", "cinderv3", "/volume", f"/volume/v3/{OURS}")


@dataclass(frozen=True, slots=True)
class Directory:
    """The services of a cloud at that origin. The first region stands at the top, others under their names."""

    origin: str
    regions: Sequence[str]
    entries: Sequence[Entry]

    def root(self, region: str) -> str:
        """The path under which the services of a region stand."""
        return "" if region == REGIONS[0] else f"/{region}"

    def catalogue_v2(self) -> list[dict[str, object]]:
        """The catalogue as Identity v2.0 has it."""
        return [
            {
                "type": entry.type,
                "name": entry.name,
                "endpoints": [{"region": region, "publicURL": self._url(entry, region)} for region in self.regions],
                "endpoints_links": [],
            }
            for entry in self.entries
        ]

    def catalogue_v3(self) -> list[dict[str, object]]:
        """The catalogue as Identity v3 has it."""
        return [
            {
                "id": entry.name,
                "type": entry.type,
                "name": entry.name,
                "endpoints": [
                    {
                        "id": f"{entry.name}-{region}",
                        "interface": "public",
                        "region": region,
                        "region_id": region,
                        "url": self._url(entry, region),
                    }
                    for region in self.regions
                ],
            }
            for entry in self.entries
        ]

    def _url(self, entry: Entry, region: str) -> str:
        root = "" if entry is IDENTITY else self.root(region)
        return f"{self.origin}{root}{entry.path}"

    def documents(self, entry: Entry, root: str) -> Iterator[tuple[str, Callable[[Asked], Response]]]:
        """The paths under a service's base where it tells of its versions, each with what it says."""
        base = f"{self.origin}{root}{entry.base}"
        versions = [_version(word, f"{base}/{folder}/") for word, folder in _VERSIONS[entry.type]]
        listed: object = {"values": versions} if entry is IDENTITY else versions
        for path in ("", "/"):
            yield path, partial(_tell, {"versions": listed}, 200 if entry is COMPUTE else 300)
        for version, (_, folder) in zip(versions, _VERSIONS[entry.type], strict=True):
            if entry is not IMAGE:
                document = {"versions": [version]} if entry is VOLUME else {"version": version}
                for slash in ("", "/"):
                    yield f"/{folder}{slash}", partial(_tell, document, 200)


_VERSIONS = {
    "identity": (("v3.14", "v3"), ("v2.0", "v2.0")),
    "image": (("v2.17", "v2"),),
    "compute": (("v2.1", "v2.1"),),
    "volumev3": (("v3.0", "v3"),),
}
_LATEST = {"v2.1": ("2.1", "2.96"), "v3.0": ("3.0", "3.71")}


def _tell(document: object, status: int, _asked: Asked) -> Response:
    return said(document, status)


def _version(word: str, url: str) -> dict[str, object]:
    written: dict[str, object] = {
        "id": word,
        "status": "stable" if word in ("v3.14", "v2.0") else "CURRENT",
        "updated": _UPDATED,
        "links": [{"rel": "self", "href": url}],
    }
    if word in _LATEST:
        written["min_version"], written["version"] = _LATEST[word]
    return written
