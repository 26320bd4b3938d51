"""Clouds with services that use images."""

from typing import Any

from tests.openstack_account import entry
from tests.usage_cloud import UsageCloud

A, B, C = (f"{letter * 8}-1111-4222-8333-944444444444" for letter in "abc")
GLANCE = ("image", "R1", "/image")
NOVA = ("compute", "R1", "/compute")
MAGNUM = ("container-infra", "R1", "/magnum/v1")
HEAT = ("orchestration", "R1", "/heat/v1/p70j3ct")
CINDER = ("volumev3", "R1", "/cinder/v3/p70j3ct")


def images(**names: str) -> dict[str, list[dict[str, Any]]]:
    given = names or {"a": "web", "b": "db", "c": "other"}
    ids = {"a": A, "b": B, "c": C}
    return {"/image": [entry(ids[key], name=name) for key, name in given.items()]}


def cluster(name: str = "k8s", **facts: Any) -> dict[str, Any]:
    return {"uuid": f"c-{name}", "name": name, "cluster_template_id": "t1", **facts}


def group(name: str, **facts: Any) -> dict[str, Any]:
    return {"uuid": f"g-{name}", "name": name, "node_count": 0, **facts}


def magnum(**parts: Any) -> UsageCloud:
    return UsageCloud([GLANCE, NOVA, MAGNUM], images=images(), **parts)
