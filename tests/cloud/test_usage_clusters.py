"""What clusters use: the images of their node groups and templates, by id or name, and what is unknown."""

from typing import Any

import pytest

from tests.cloud.usage_services import GLANCE, NOVA, A, B, C, cluster, group, images, magnum
from tests.openstack_account import PROJECT, entry, no, server
from tests.usage_cloud import UsageCloud, usage_of, users


def test_node_groups_use_their_image_also_without_nodes_by_id_or_name() -> None:
    cloud = magnum(
        clusters=[cluster(), cluster("second")],
        node_groups={
            "c-k8s": [group("workers", image_id=A), group("gpu", image_id="db")],
            "c-second": [group("only-shown")],
        },
        shown_groups={"g-only-shown": group("only-shown", image_id=C.upper())},
    )
    assert users(usage_of(cloud)) == {
        A: ["node group workers of cluster k8s"],
        B: ["node group gpu of cluster k8s"],
        C: ["node group only-shown of cluster second"],
    }
    asked = [one for one in cloud.asked if "/magnum/" in one.path]
    assert {one.headers["openstack-api-version"] for one in asked} == {"container-infra latest"}


def test_cluster_templates_use_theirs_and_stand_for_groups_that_do_not_say() -> None:
    cloud = magnum(
        templates=[{"uuid": "t1", "name": "small", "image_id": "web"}],
        clusters=[cluster(), cluster("old")],
        node_groups={"c-k8s": [group("workers")], "c-old": None},
        shown_groups={"g-workers": group("workers", image_id=None)},
    )
    assert users(usage_of(cloud)) == {
        A: ["cluster old", "cluster template small", "node group workers of cluster k8s"],
    }


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"clusters": [cluster()], "node_groups": {"c-k8s": [group("w", image_id=7)]}}, id="no-text"),
        pytest.param({"clusters": [cluster()], "node_groups": {"c-k8s": None}}, id="no-template-of-it"),
        pytest.param({"templates": [{"uuid": "t1", "name": "x"}]}, id="template-without-image"),
        pytest.param({"templates": None}, id="no-templates"),
        pytest.param({"clusters": [{"name": "x"}]}, id="cluster-without-id"),
        pytest.param({"clusters": [cluster(imageRef=[1])], "node_groups": {"c-k8s": []}}, id="another-key-no-text"),
        pytest.param({"clusters": [cluster(image_id="https://g/v2/images")]}, id="a-url-of-none"),
    ],
)
def test_a_cluster_whose_images_cannot_be_told_makes_clusters_unread(parts: dict[str, Any]) -> None:
    assert "clusters in R1: " in str(usage_of(magnum(**parts)).problem)


@pytest.mark.parametrize("kind", ["kubernetes", " Kubernetes", "KUBERNETES"])
def test_a_service_of_nhn_cloud_needs_no_templates_however_its_type_is_written(kind: str) -> None:
    cloud = magnum(templates=None, clusters=[cluster(image_id=A)], node_groups={"c-k8s": []})
    cloud.catalogue[2] = (kind, "R1", "/magnum/v1")
    assert set(users(usage_of(cloud))) == {A}


def test_behind_a_gateway_every_service_is_asked_below_its_own_path() -> None:
    cloud = UsageCloud(
        [
            ("image", "R1", "/gw/v1/glance/v2"),
            ("compute", "R1", "/gw/v1/nova"),
            ("volumev3", "R1", f"/gw/v1/cinder/v3/{PROJECT}"),
            ("container-infra", "R1", "/gw/v2/magnum/v1"),
            ("orchestration", "R1", f"/gw/v2/heat/v1/{PROJECT}"),
        ],
        images={"/gw/v1/glance/v2": [entry(A)]},
        servers={"/gw/v1/nova": [server("s1", {"id": A})]},
    )
    assert users(usage_of(cloud)) == {A: ["instance name of s1"]}
    asked = {one.path for one in cloud.asked if one.path.startswith("/gw/")}
    assert asked == {
        "/gw/v1/glance/v2/images",
        "/gw/v1/nova/v2.1/servers/detail",
        f"/gw/v1/cinder/v3/{PROJECT}/volumes/detail",
        "/gw/v2/magnum/v1/clusters",
        "/gw/v2/magnum/v1/clustertemplates",
        f"/gw/v2/heat/v1/{PROJECT}/stacks",
    }


def test_the_image_that_a_cluster_says_itself_counts_beside_those_of_its_groups() -> None:
    cloud = magnum(clusters=[cluster(image_id=A)], node_groups={"c-k8s": [group("w", image_id=B)]})
    assert set(users(usage_of(cloud))) == {A, B}
    cloud = magnum(clusters=[cluster(image_id=A)], node_groups={"c-k8s": []})
    assert set(users(usage_of(cloud))) == {A}
    cloud = magnum(clusters=[cluster(imageId=A)], node_groups={"c-k8s": [group("w", image_id=B, imageRef=C)]})
    assert set(users(usage_of(cloud))) == {A, B, C}


def test_a_cluster_without_any_node_group_is_of_its_templates_image_or_in_doubt() -> None:
    templates = [{"uuid": "t1", "name": "small", "image_id": "web"}]
    cloud = magnum(clusters=[cluster()], node_groups={"c-k8s": []}, templates=templates)
    assert users(usage_of(cloud))[A] == ["cluster k8s", "cluster template small"]
    cloud = magnum(clusters=[cluster()], node_groups={"c-k8s": []})
    assert "the image of cluster k8s is unknown" in str(usage_of(cloud).problem)


def test_a_node_group_may_be_of_any_image_whose_name_cannot_be_read() -> None:
    cloud = magnum(clusters=[cluster()], node_groups={"c-k8s": [group("w", image_id="some name")]})
    cloud.images = {"/image": [entry(A, name=7), entry(B)]}
    assert set(users(usage_of(cloud))) == {A}


def test_a_cluster_that_is_gone_when_it_is_opened_is_no_fault() -> None:
    cloud = magnum(clusters=[cluster()], node_groups={})
    cloud.failing = {"/clusters/c-k8s": no(404)}
    assert users(usage_of(cloud)) == {}


def test_kubernetes_of_nhn_cloud_has_no_templates() -> None:
    cloud = UsageCloud([GLANCE, NOVA, ("kubernetes", "R1", "/magnum/v1")], images=images(), templates=None)
    cloud.clusters, cloud.node_groups = [cluster()], {"c-k8s": [group("w", image_id=A)]}
    assert users(usage_of(cloud)) == {A: ["node group w of cluster k8s"]}
