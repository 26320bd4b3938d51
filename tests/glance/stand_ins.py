"""The parts of Nova and Cinder from which usage is read: the detailed lists, paged and by project, with real tokens.

Neither can be run from the package registry alone. Their formats, and Nova's behaviour while a cell is down, follow the
compute and block storage API guides.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from tests.glance.identity import Identity
from tests.loopback import Answered, Asked, Loopback

Record = dict[str, Any]

_HEADER, _SINCE = "OpenStack-API-Version", "changes-since"
_OLDEST, _WITH_STUBS = (2, 1), (2, 69)


class StandIn:
    """A service with one detailed list, for the length of a `with`.

    `most` is the most that it gives a page; with a `status` it answers every request with that.
    """

    noun: str
    owner_key: str

    def __init__(self, identity: Identity) -> None:
        self.records: list[Record] = []
        self.most = 1000
        self.status: int | None = None
        self.loopback = Loopback(self._answer)
        self._project_of: Callable[[str], str | None] = identity.project_of

    def __enter__(self) -> Self:
        self.loopback.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.loopback.__exit__(kind, error, trace)

    def of(self, project_id: str) -> list[Record]:
        """Every record of a project."""
        return [record for record in self.records if record[self.owner_key] == project_id]

    def path(self, project_id: str) -> str:
        """Where the list of a project is."""
        raise NotImplementedError

    def _answer(self, asked: Asked) -> Answered:
        if self.status is not None:
            return Answered(b"<html>the stand-in was told to fail</html>", self.status, {"Content-Type": "text/html"})
        project = self._project_of(asked.headers.get("x-auth-token", ""))
        if project is None:
            return Answered({"error": {"code": 401, "title": "Unauthorized"}}, 401)
        if (asked.method, asked.path) != ("GET", self.path(project)):
            return Answered({"itemNotFound": {"code": 404, "message": "The resource could not be found."}}, 404)
        return self._list(asked, self.of(project))

    def _list(self, asked: Asked, records: list[Record]) -> Answered:
        return self._page(asked, records)

    def _page(self, asked: Asked, records: list[Record]) -> Answered:
        limit = min(int(asked.query.get("limit", self.most)), self.most)
        ids = [record["id"] for record in records]
        marker = asked.query.get("marker")
        if marker is not None and marker not in ids:
            return Answered({"badRequest": {"code": 400, "message": f"marker [{marker}] not found"}}, 400)
        start = 0 if marker is None else ids.index(marker) + 1
        page = records[start : start + limit]
        body: Record = {self.noun: page}
        if start + limit < len(records):
            query = urlencode({**asked.query, "marker": page[-1]["id"]})
            body[f"{self.noun}_links"] = [{"rel": "next", "href": f"{self.loopback.url}{asked.path}?{query}"}]
        return Answered(body)


class Nova(StandIn):
    """The servers of the cloud, or of one region of it.

    `newest` is the newest microversion; without one there are none: the header is not looked at. Servers named in
    `down` are in a cell that is down, and so are in no list. From microversion 2.69 on they are stubs behind the
    others, but only on a page of a list without a limit, a marker, an order or a filter, and if they have room there.
    """

    noun, owner_key = "servers", "tenant_id"

    def __init__(self, identity: Identity) -> None:
        super().__init__(identity)
        self.newest: tuple[int, int] | None = (2, 96)
        self.down: set[str] = set()

    def _list(self, asked: Asked, records: list[Record]) -> Answered:
        version = self._version(asked.headers)
        if version is None:
            return Answered({"computeFault": {"code": 406, "message": "Version is not supported by the API."}}, 406)
        if asked.query.get("marker") in self.down:
            return Answered({"computeFault": {"code": 500, "message": "Unexpected API Error."}}, 500)
        up = [record for record in records if record["id"] not in self.down]
        answer = self._page(asked, [record for record in up if record["status"] != "DELETED" or _SINCE in asked.query])
        if version >= _WITH_STUBS and not asked.query:
            stubs = [_stub(record) for record in records if record["id"] in self.down]
            answer.body["servers"] += stubs[: self.most - len(answer.body["servers"])]
        told = {} if self.newest is None else {_HEADER: "compute {}.{}".format(*version), "Vary": _HEADER}
        return replace(answer, headers=told)

    def _version(self, headers: Mapping[str, str]) -> tuple[int, int] | None:
        """The microversion to answer in; None for one that is not offered."""
        asked = re.fullmatch(r"compute ([0-9]+)\.([0-9]+)", headers.get(_HEADER.lower(), ""))
        if self.newest is None or asked is None:
            return _OLDEST
        version = int(asked[1]), int(asked[2])
        return version if _OLDEST <= version <= self.newest else None

    @property
    def endpoint(self) -> str:
        return f"{self.loopback.url}/v2.1"

    def path(self, project_id: str) -> str:
        return "/v2.1/servers/detail"

    def boot(self, name: str, project_id: str, image_id: str | None, status: str = "ACTIVE") -> str:
        """The id of a new server made from an image, or from a volume if None: that shows no image."""
        links = [{"rel": "bookmark", "href": f"{self.loopback.url}/images/{image_id}"}]
        server: Record = {
            "id": str(uuid.uuid4()),
            "name": name,
            "status": status,
            "tenant_id": project_id,
            "image": "" if image_id is None else {"id": image_id, "links": links},
            "created": "2026-11-01T00:00:00Z",
            "updated": "2026-11-01T00:00:00Z",
            "metadata": {},
            "os-extended-volumes:volumes_attached": [],
        }
        self.records.append(server)
        return str(server["id"])

    def end(self, server_id: str) -> None:
        """Delete a server: from then on only a list of what changed shows it."""
        (server,) = (record for record in self.records if record["id"] == server_id)
        server["status"] = "DELETED"


def _stub(server: Record) -> Record:
    return {key: server[key] for key in ("id", "tenant_id", "created")} | {"status": "UNKNOWN", "links": []}


class Cinder(StandIn):
    """The volumes of the cloud."""

    noun, owner_key = "volumes", "os-vol-tenant-attr:tenant_id"

    @property
    def endpoint(self) -> str:
        return f"{self.loopback.url}/v3/$(project_id)s"

    def path(self, project_id: str) -> str:
        return f"/v3/{project_id}/volumes/detail"

    def create(self, name: str, project_id: str, image_id: str | None) -> str:
        """The id of a new volume, filled from an image if one is given."""
        volume: Record = {
            "id": str(uuid.uuid4()),
            "name": name,
            "status": "in-use",
            "size": 20,
            "bootable": "false" if image_id is None else "true",
            "attachments": [],
            "metadata": {},
            "created_at": "2026-11-01T00:00:00.000000",
            self.owner_key: project_id,
        }
        if image_id is not None:
            volume["volume_image_metadata"] = {"image_id": image_id, "image_name": "", "size": "2147483648"}
        self.records.append(volume)
        return str(volume["id"])
