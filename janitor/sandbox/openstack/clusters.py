"""The cluster service over an account: clusters, their node groups and their templates, as Magnum lists them."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

from starlette.responses import Response

from janitor.sandbox.api import Asked
from janitor.sandbox.launchers import StoredCluster, StoredClusterTemplate, StoredNodeGroup
from janitor.sandbox.models import OURS
from janitor.sandbox.openstack.errors import said
from janitor.sandbox.openstack.images import zulu
from janitor.sandbox.openstack.microversions import CLUSTER_MICROVERSIONS as VERSIONS
from janitor.sandbox.openstack.pages import Item, after_marker
from janitor.sandbox.openstack.service import Service
from janitor.sandbox.refusals import Kind, Refusal, Resource

_OPENING = b'{"clusters":['
_NODE_GROUPS = (1, 9)
_CLUSTERS = "/v1/clusters"
_GROUPS = f"{_CLUSTERS}/{{cluster}}/nodegroups"


class Clusters:
    """The cluster service of one region; NHN Cloud's has no templates."""

    def __init__(self, service: Service, *, has_templates: bool) -> None:
        self._account = service.account
        templates = service.endpoint(
            "list-clustertemplates",
            "GET",
            "/v1/clustertemplates",
            self.list_templates,
            lambda _asked: said({"clustertemplates": []}),
            b'{"clustertemplates":[',
        )
        self.endpoints = (
            service.endpoint(
                "list-clusters", "GET", _CLUSTERS, self.list_clusters, lambda _asked: said({"clusters": []}), _OPENING
            ),
            service.endpoint("show-cluster", "GET", f"{_CLUSTERS}/{{cluster}}", self.show_cluster),
            service.endpoint("list-nodegroups", "GET", _GROUPS, self.list_groups),
            service.endpoint("show-nodegroup", "GET", f"{_GROUPS}/{{group}}", self.show_group),
            *((templates,) if has_templates else ()),
        )

    def list_clusters(self, asked: Asked) -> Response:
        """GET /v1/clusters."""
        version = VERSIONS.asked(asked.headers)
        listed = self._page(asked, "clusters", list(self._account.clusters.values()), _cluster)
        return said(listed, headers=VERSIONS.headers(version))

    def show_cluster(self, asked: Asked) -> Response:
        """GET /v1/clusters/{id or name}."""
        version = VERSIONS.asked(asked.headers)
        return said(_whole_cluster(self._cluster(asked)), headers=VERSIONS.headers(version))

    def list_groups(self, asked: Asked) -> Response:
        """GET /v1/clusters/{id or name}/nodegroups."""
        version = _with_groups(asked)
        groups = self._cluster(asked).groups
        return said(self._page(asked, "nodegroups", groups, _listed_group), headers=version)

    def show_group(self, asked: Asked) -> Response:
        """GET /v1/clusters/{id or name}/nodegroups/{id or name}."""
        version = _with_groups(asked)
        cluster = self._cluster(asked)
        wanted = asked.path["group"]
        for group in cluster.groups:
            if wanted in (group.id, group.name):
                return said(_whole_group(cluster, group), headers=version)
        raise Refusal(Kind.ABSENT, Resource.CLUSTER, f"Nodegroup {wanted} could not be found.")

    def list_templates(self, asked: Asked) -> Response:
        """GET /v1/clustertemplates."""
        version = VERSIONS.asked(asked.headers)
        listed = self._page(asked, "clustertemplates", list(self._account.cluster_templates.values()), _template)
        return said(listed, headers=VERSIONS.headers(version))

    def _cluster(self, asked: Asked) -> StoredCluster:
        wanted = asked.path["cluster"]
        for cluster in self._account.clusters.values():
            if wanted in (cluster.id, cluster.name):
                return cluster
        raise Refusal(Kind.ABSENT, Resource.CLUSTER, f"Cluster {wanted} could not be found.")

    def _page(
        self, asked: Asked, kind: str, items: Sequence[Item], write: Callable[[Item], Mapping[str, object]]
    ) -> Mapping[str, object]:
        """A page, with the URL of the next one as long as this one is full."""
        limit = self._account.page_size(_limit(asked.query.get("limit")))
        chosen = after_marker(asked, items, _unknown)[:limit]
        listed: dict[str, object] = {kind: [write(item) for item in chosen]}
        if len(chosen) == limit:
            query = urlencode({**asked.query, "limit": limit, "marker": chosen[-1].id})
            listed["next"] = f"http://{asked.headers.get('host', '')}{asked.url_path}?{query}"
        return listed


def _with_groups(asked: Asked) -> Mapping[str, str]:
    """The headers about the version, which must be one that has node groups."""
    version = VERSIONS.asked(asked.headers)
    if version < _NODE_GROUPS:
        message = "Version 1.9 is needed: the requested API is not supported in the version that was asked for."
        raise Refusal(Kind.NOT_ACCEPTABLE, Resource.CLUSTER, message)
    return VERSIONS.headers(version)


def _unknown(marker: str) -> Refusal:
    return Refusal(Kind.ABSENT, Resource.CLUSTER, f"{marker} could not be found.")


def _limit(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise Refusal(Kind.MALFORMED, Resource.CLUSTER, "Limit must be positive")
    return int(text)


def _cluster(cluster: StoredCluster) -> Mapping[str, object]:
    """A cluster as in the list: it does not name its images."""
    return {
        "uuid": cluster.id,
        "name": cluster.name,
        "cluster_template_id": cluster.template,
        "node_count": sum(group.nodes for group in cluster.groups),
        "master_count": 1,
        "create_timeout": 60,
        "status": cluster.status,
        "health_status": "HEALTHY",
        "stack_id": None,
        "keypair": "platform-team",
        "links": [],
    }


def _whole_cluster(cluster: StoredCluster) -> Mapping[str, object]:
    return {
        **_cluster(cluster),
        "project_id": OURS,
        "created_at": zulu(cluster.created_at),
        "coe_version": "v1.31.4",
        "labels": {},
        "faults": {},
    }


def _listed_group(group: StoredNodeGroup) -> Mapping[str, object]:
    written = _group(group)
    return {key: written[key] for key in written if not (key == "image_id" and group.unlisted_image)}


def _group(group: StoredNodeGroup) -> Mapping[str, object]:
    return {
        "uuid": group.id,
        "name": group.name,
        "flavor_id": "m2.c2m4",
        "image_id": group.image,
        "node_count": group.nodes,
        "role": group.role,
        "is_default": group.name.startswith("default-"),
        "status": "CREATE_COMPLETE",
        "stack_id": None,
    }


def _whole_group(cluster: StoredCluster, group: StoredNodeGroup) -> Mapping[str, object]:
    return {
        **_group(group),
        "cluster_id": cluster.id,
        "project_id": OURS,
        "min_node_count": group.least,
        "max_node_count": group.most,
        "node_addresses": [],
        "labels": {},
        "links": [],
    }


def _template(template: StoredClusterTemplate) -> Mapping[str, object]:
    return {
        "uuid": template.id,
        "name": template.name,
        "image_id": template.image,
        "coe": "kubernetes",
        "flavor_id": "m2.c2m4",
        "keypair_id": "platform-team",
        "public": False,
        "hidden": False,
        "created_at": zulu(template.created_at),
        "updated_at": None,
        "labels": {},
        "links": [],
    }
