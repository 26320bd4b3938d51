"""An OpenStack cloud on loopback whose services can use images in every way, and runs of the janitor against it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import stamina
import yaml

from janitor.cli import configuration
from janitor.cloud.openstack.client import OpenStackClient
from janitor.cloud.service import Sources
from janitor.core.decision import Decision
from janitor.core.result import Mode, RunResult
from janitor.core.usage import EarlierUsage, Usage
from janitor.run.sites import Choice, chosen
from janitor.transport import HttpOptions
from tests import runs
from tests.identity_stand_in import grant
from tests.loopback import Answered, Asked, Loopback
from tests.openstack_account import NOW, PASSWORD, PROJECT, USERNAME, entry, no, page_of

POLICY = 'policies: [{name: all, match: {name: "*"}, expire: {after: 14d}}]'
OFFERED = (2, 96)


@dataclass
class UsageCloud:
    """What stands where is said by `catalogue`: (type, region, path), or with an interface behind; a path is a service.

    `images` are by the path of an image service; `servers` and `volumes` by the path of theirs. Servers named in `down`
    are in a cell that is down. `versions` says whether compute knows microversions. `stacks` are id -> (name,
    parameters, template), and `updated` their times. `failing` are paths, or the ends of them, that answer so.
    """

    catalogue: list[tuple[Any, ...]] = field(
        default_factory=lambda: [("image", "R1", "/image"), ("compute", "R1", "/compute")]
    )
    images: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    servers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    volumes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    deleted_servers: list[dict[str, Any]] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    most_servers: int = 1000
    unlisted_servers: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: bool = True
    clusters: list[dict[str, Any]] = field(default_factory=list)
    node_groups: dict[str, list[dict[str, Any]] | None] = field(default_factory=dict)
    shown_groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    templates: list[dict[str, Any]] | None = field(default_factory=list)
    stacks: dict[str, tuple[str, Any, Any]] = field(default_factory=dict)
    updated: dict[str, str | None] = field(default_factory=dict)
    nested: set[str] = field(default_factory=set)
    stack_status: str = "UPDATE_COMPLETE"
    now: datetime = NOW
    failing: dict[str, Answered] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    root: str = ""
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> Answered:
        self.asked.append(asked)
        if asked.path.endswith("/tokens"):
            return self._token()
        for path, answered in self.failing.items():
            if asked.path.endswith(path):
                return answered
        place = max((one[2] for one in self.catalogue if asked.path.startswith(one[2])), key=len, default="")
        rest = asked.path.removeprefix(place)
        if "/images" in rest:
            return self._images(asked, place, rest.partition("/images")[2].strip("/"))
        if rest.endswith("/servers/detail"):
            return self._servers(asked, self.servers.get(place, []))
        if rest.endswith("/volumes/detail"):
            return Answered({"volumes": page_of("/", self.volumes.get(place, []), asked.query)[0]})
        return self._others(asked, rest)

    def _token(self) -> Answered:
        token = {"id": "t0ken-of-usage", "issued_at": _iso(self.now), "expires": _iso(self.now + timedelta(hours=1))}
        services: list[dict[str, Any]] = []
        for kind, region, path, *interface in self.catalogue:
            url = {f"{interface[0] if interface else 'public'}URL": self.root + path, "region": region}
            services.append({"type": kind, "name": kind, "endpoints": [url]})
        user = {"id": "u", "username": USERNAME, "name": USERNAME, "roles": [], "roles_links": []}
        tenant = {"tenant": {"id": PROJECT, "name": "project", "enabled": True}}
        return Answered({"access": {"token": token | tenant, "serviceCatalog": services, "user": user, "metadata": {}}})

    def _images(self, asked: Asked, place: str, rest: str) -> Answered:
        images = self.images.setdefault(place, [])
        if not rest:
            beside = asked.query.get("os_hidden") or asked.query.get("visibility")
            page, link = page_of("/v2/images", [] if beside else images, asked.query)
            return Answered({"images": page} | ({"next": link} if link else {}))
        found = next((image for image in images if image["id"] == rest.removesuffix("/members")), None)
        if found is None:
            return no(404)
        if rest.endswith("/members"):
            return Answered({"members": []})
        if asked.method == "DELETE":
            images.remove(found)
            self.gone.add(found["id"])
            return Answered(status=204)
        return Answered(found)

    def _servers(self, asked: Asked, servers: list[dict[str, Any]]) -> Answered:
        wanted = asked.headers.get("openstack-api-version", "").removeprefix("compute ")
        new = self.versions and bool(wanted) and tuple(map(int, wanted.split("."))) >= (2, 69)
        # As Nova does: a limit, a marker or a filter leaves the stubs out.
        new = new and not asked.query
        stubs = [{"id": one["id"], "status": "UNKNOWN", "created": "x"} for one in servers if one["id"] in self.down]
        listed = [one for one in servers if one["id"] not in self.down] + (stubs if new else [])
        if "changes-since" in asked.query:
            listed = [*listed, *self.deleted_servers]
        headers = {"OpenStack-API-Version": f"compute {wanted}"} if self.versions and wanted else {}
        limit = min(int(asked.query.get("limit", self.most_servers)), self.most_servers)
        page, link = page_of("/servers", listed, {**asked.query, "limit": str(limit)})
        links = [{"rel": "next", "href": link}] if link else []
        return Answered({"servers": page, "servers_links": links}, headers=headers)

    def _others(self, asked: Asked, rest: str) -> Answered:
        words = rest.strip("/").split("/")
        match words:
            case [_, "servers", server] if server in self.unlisted_servers:
                return Answered({"server": self.unlisted_servers[server]})
            case ["clusters"]:
                return Answered({"clusters": _page(self.clusters, asked.query)})
            case ["clusters", cluster] if any(one["uuid"] == cluster for one in self.clusters):
                return Answered({"uuid": cluster, "name": cluster})
            case ["clusters", cluster, "nodegroups"] if self.node_groups.get(cluster) is not None:
                return Answered({"nodegroups": _page(self.node_groups[cluster] or [], asked.query)})
            case ["clusters", _, "nodegroups", group] if group in self.shown_groups:
                return Answered(self.shown_groups[group])
            case ["clustertemplates"] if self.templates is not None:
                return Answered({"clustertemplates": _page(self.templates, asked.query)})
            case ["stacks"]:
                return self._stacks(asked)
            case ["stacks", _, stack] if stack in self.stacks:
                return Answered({"stack": {"id": stack, "parameters": self.stacks[stack][1]}})
            case ["stacks", _, stack, "template"] if stack in self.stacks:
                return Answered(self.stacks[stack][2])
        return no(404)

    def _stacks(self, asked: Asked) -> Answered:
        nested = asked.query.get("show_nested") == "true"
        listed = [
            {
                "id": stack,
                "stack_name": name,
                "stack_status": self.stack_status,
                "creation_time": "2026-01-01T00:00:00Z",
                "updated_time": self.updated.get(stack),
            }
            for stack, (name, _, _) in self.stacks.items()
            if nested or stack not in self.nested
        ]
        return Answered({"stacks": page_of("/", listed, asked.query)[0]})

    def calls(self, *ends: str) -> list[str]:
        """The paths that were asked and end so."""
        return [asked.path for asked in self.asked if asked.path.endswith(ends)]


def _page(entries: Sequence[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    ids = [None, *(one["uuid"] for one in entries)]
    start = ids.index(query.get("marker"))
    return list(entries[start : start + int(query["limit"])])


def _iso(instant: datetime) -> str:
    return instant.isoformat()[:19] + "Z"


@contextmanager
def connected(cloud: UsageCloud, sources: Sources | None = None, **keys: Any) -> Iterator[OpenStackClient]:
    """A client of the cloud's first image service."""
    from janitor.cloud.openstack.keystone import spelled_out

    with stamina.set_testing(True, attempts=1), Loopback(cloud.answer) as listening:
        cloud.root = listening.url
        identity = spelled_out(f"{listening.url}/v2.0", PROJECT, USERNAME, PASSWORD)
        place = grant(identity).catalogue.image_places()[0]
        options = HttpOptions(attempts=1)
        client = OpenStackClient(
            identity, place, "R1", options, sources=sources or Sources(), clock=lambda: NOW, **keys
        )
        try:
            yield client
        finally:
            client.close()


def usage_of(
    cloud: UsageCloud, sources: Sources | None = None, earlier: EarlierUsage | None = None, **keys: Any
) -> Usage:
    """What the cloud's services use of its images."""
    with connected(cloud, sources, **keys) as client:
        return client.usage(list(client.images()), earlier or EarlierUsage())


def users(usage: Usage) -> dict[str, list[str]]:
    """The users of each image in words, with the problem where there is one."""
    assert usage.problem is None, usage.problem
    return {image: [f"{user.kind} {user.name or user.id}" for user in using] for image, using in usage.by_image.items()}


@dataclass
class Nights:
    """Runs of the janitor in a folder of their own, each at a time of its own."""

    folder: Path
    cloud: UsageCloud
    targets: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    rest: dict[str, Any] = field(default_factory=dict)
    policy: str = POLICY
    image_endpoint: str | None = None
    now: datetime = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)

    def run(
        self, *names: str, after: timedelta = timedelta(days=1), mode: Mode = Mode.DELETE, **keys: Any
    ) -> RunResult:
        """One run, so much later than the one before. The cloud is served for as long as it takes."""
        self.now += after
        self.cloud.now = self.now
        (self.folder / "policies.yaml").write_text(self.policy)
        with stamina.set_testing(True, attempts=1), Loopback(self.cloud.answer) as listening:
            self.cloud.root = listening.url
            self._configure(listening.url)
            settings, rules = configuration.load(self.folder / "janitor.yaml")
            choice: Choice = chosen(settings, names)
            return runs.perform(settings, rules, mode, choice, clock=lambda: self.now, **keys)

    def _configure(self, url: str) -> None:
        login = {"identity": f"{url}/v2.0", "tenant_id": PROJECT, "username": USERNAME, "password": PASSWORD}
        images = {} if self.image_endpoint is None else {"image_endpoint": url + self.image_endpoint}
        written = [{"name": "prod", "api": "openstack", **login, **images, **target} for target in self.targets]
        document = {
            "mode": "delete",
            "policies": "policies.yaml",
            "targets": written,
            "limits": {"max_share": "100%", "max_shrink": "100%"},
            "http": {"attempts": 1},
            **self.rest,
        }
        (self.folder / "janitor.yaml").write_text(yaml.safe_dump(document))


def reasons(result: RunResult) -> dict[str, str]:
    """The reason of each image's decision, by its id; of several targets the one that keeps it."""
    return {decision.image.id: decision.reason.value for target in result.targets for decision in target.decisions}


def decision(result: RunResult, image: str) -> Decision:
    """The decision on an image."""
    return next(one for target in result.targets for one in target.decisions if one.image.id == image)


__all__ = ["Nights", "UsageCloud", "connected", "decision", "entry", "reasons", "usage_of", "users"]
