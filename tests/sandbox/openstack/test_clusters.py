"""Clusters, their node groups and templates, as Magnum lists them."""

import pytest

from janitor.sandbox.launchers import StoredClusterTemplate, StoredNodeGroup
from tests.sandbox.clock import START
from tests.sandbox.openstack.client import LATEST, UNKNOWN, Client, ask, client_of, endpoints
from tests.sandbox.openstack.launchers import a_cluster, an_id
from tests.sandbox.openstack.paths import CLUSTERS, TEMPLATES


def test_clusters_come_in_pages_that_name_the_next(client: Client) -> None:
    for number in range(1, 6):
        a_cluster(client.sandbox.account, number)
    seen, url, pages = [], f"{CLUSTERS}?limit=2", 0
    while url:
        page = ask(client, url).json()
        seen += [cluster["uuid"] for cluster in page["clusters"]]
        url = page.get("next", "").removeprefix(client.origin)
        pages += 1
    assert (seen, pages) == ([an_id(number) for number in range(1, 6)], 3)
    assert "next" not in ask(client, CLUSTERS).json()
    assert ask(client, f"{CLUSTERS}?marker={UNKNOWN}").status_code == 404
    for limit in ("0", "-1", "x"):
        assert ask(client, f"{CLUSTERS}?limit={limit}").json()["errors"][0]["status"] == 400


def test_a_cluster_says_nothing_of_images_and_its_node_groups_do(client: Client) -> None:
    groups = (
        StoredNodeGroup(an_id(11), "workers", an_id(1), 3, 1, 5),
        StoredNodeGroup(an_id(12), "burst", an_id(2), 0, 0, 9, unlisted_image=True),
    )
    cluster = a_cluster(client.sandbox.account, 1, *groups)
    shown = ask(client, f"{CLUSTERS}/{cluster.id}").json()
    assert shown == ask(client, f"{CLUSTERS}/{cluster.name}").json()
    assert (shown["node_count"], "image_id" in shown) == (3, False)
    path = f"{CLUSTERS}/{cluster.id}/nodegroups"
    by_name = {group["name"]: group for group in ask(client, path, **LATEST).json()["nodegroups"]}
    assert by_name["workers"]["image_id"] == an_id(1)
    assert "image_id" not in by_name["burst"]
    assert by_name["burst"]["node_count"] == 0
    alone = ask(client, f"{path}/{an_id(12)}", **LATEST).json()
    assert (alone["image_id"], alone["node_count"], alone["max_node_count"]) == (an_id(2), 0, 9)
    assert ask(client, f"{path}/burst", **LATEST).json() == alone


@pytest.mark.parametrize(
    ("version", "status", "told"),
    [
        (None, 406, None),
        ("container-infra 1.8", 406, None),
        ("container-infra 1.9", 200, "container-infra 1.9"),
        ("container-infra latest", 200, "container-infra 1.11"),
        ("container-infra 1.99", 406, None),
        ("container-infra nine", 406, None),
        ("compute 2.69", 406, None),
    ],
)
def test_node_groups_need_a_microversion_that_has_them(
    client: Client, version: str | None, status: int, told: str | None
) -> None:
    cluster = a_cluster(client.sandbox.account, 1, StoredNodeGroup(an_id(11), "workers", an_id(1)))
    headers = {"OpenStack-API-Version": version} if version else {}
    for path in ("nodegroups", "nodegroups/workers"):
        response = ask(client, f"{CLUSTERS}/{cluster.id}/{path}", **headers)
        assert (response.status_code, response.headers.get("openstack-api-version")) == (status, told)
    assert ask(client, CLUSTERS).headers["openstack-api-version"] == "container-infra 1.1"


def test_cluster_templates_name_images_by_id_or_by_name(client: Client) -> None:
    for number, image in ((1, an_id(9)), (2, "ci-web-1")):
        template = StoredClusterTemplate(an_id(number), f"t{number}", image, START)
        client.sandbox.account.put_cluster_template(template)
    found = {one["name"]: one["image_id"] for one in ask(client, TEMPLATES).json()["clustertemplates"]}
    assert found == {"t1": an_id(9), "t2": "ci-web-1"}
    client.sandbox.account.remove_cluster_template(an_id(1))
    assert len(ask(client, TEMPLATES).json()["clustertemplates"]) == 1


def test_people_scale_node_groups_and_delete_clusters(client: Client) -> None:
    account = client.sandbox.account
    cluster = a_cluster(account, 1, StoredNodeGroup(an_id(11), "workers", an_id(1), 3))
    path = f"{CLUSTERS}/{cluster.id}/nodegroups"
    account.scale_node_group(cluster.id, an_id(11), 0)
    assert ask(client, f"{path}/workers", **LATEST).json()["node_count"] == 0
    account.put_node_group(cluster.id, StoredNodeGroup(an_id(12), "more", an_id(2)))
    assert len(ask(client, path, **LATEST).json()["nodegroups"]) == 2
    account.remove_node_group(cluster.id, an_id(11))
    assert ask(client, f"{path}/workers", **LATEST).status_code == 404
    account.delete_cluster(cluster.id)
    assert ask(client, path, **LATEST).status_code == ask(client, f"{CLUSTERS}/{cluster.id}").status_code == 404
    for wrong in (lambda: account.scale_node_group(cluster.id, an_id(11), 1), lambda: account.delete_cluster("x")):
        with pytest.raises(KeyError):
            wrong()


def test_nhn_cloud_calls_clusters_kubernetes_and_has_no_templates() -> None:
    with client_of(images=100, kubernetes=True) as client:
        [(_, path)] = endpoints(client, "kubernetes")
        assert not endpoints(client, "container-infra")
        clusters = ask(client, f"{path}/clusters").json()["clusters"]
        assert clusters
        assert ask(client, f"{path}/clusters/{clusters[0]['uuid']}/nodegroups", **LATEST).status_code == 200
        assert ask(client, f"{path}/clustertemplates").status_code == 404
        assert not any("cluster template" in user for users in client.sandbox.account.uses().values() for user in users)
