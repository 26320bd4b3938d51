"""What uses images in a sandbox, as Nova, Magnum and Heat tell it, and as no API does; and the truth about it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from janitor.sandbox.account import Account
from janitor.sandbox.calls import Api
from janitor.sandbox.launchers import StoredCluster, StoredClusterTemplate, StoredNodeGroup, StoredStack
from janitor.sandbox.models import OURS
from janitor.sandbox.options import Options
from janitor.sandbox.server import running
from tests.sandbox.clock import START, Clock
from tests.sandbox.openstack.client import OTHER, UNKNOWN, Client, an_image, by_application, client_of, put

SERVERS = f"/compute/v2.1/{OURS}/servers/detail"
CLUSTERS = "/container-infra/v1/clusters"
TEMPLATES = "/container-infra/v1/clustertemplates"
STACKS = f"/orchestration/v1/{OURS}/stacks"
REFERENCE = "/references/launch-templates.json"
LATEST = {"OpenStack-API-Version": "container-infra latest"}
BEARER = {"Authorization": f"Bearer {Options().reference_token}"}


def an_id(number: int) -> str:
    return str(UUID(int=number, version=4))


def ask(client: Client, path: str, **headers: str) -> httpx.Response:
    return client.send("GET", path, headers=headers)


# Microversions of compute.


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        pytest.param({}, "2.1", id="none"),
        pytest.param({"OpenStack-API-Version": "compute 2.69"}, "2.69", id="asked"),
        pytest.param({"OpenStack-API-Version": "compute latest"}, "2.96", id="latest"),
        pytest.param({"OpenStack-API-Version": "volume 3.0, compute 2.42"}, "2.42", id="of-several"),
        pytest.param({"OpenStack-API-Version": "volume 3.0"}, "2.1", id="of-another"),
        pytest.param({"X-OpenStack-Nova-API-Version": "2.7"}, "2.7", id="older-header"),
    ],
)
def test_an_answer_says_in_which_microversion_it_is(client: Client, headers: dict[str, str], told: str) -> None:
    response = ask(client, SERVERS, **headers)
    assert response.status_code == 200
    assert response.headers["openstack-api-version"] == f"compute {told}"
    assert response.headers["x-openstack-nova-api-version"] == told
    assert response.headers["vary"] == "OpenStack-API-Version, X-OpenStack-Nova-API-Version"


@pytest.mark.parametrize(
    ("version", "status", "message"),
    [
        ("2.97", 406, "Version 2.97 is not supported by the API. Minimum is 2.1 and maximum is 2.96."),
        ("2.0", 406, "Version 2.0 is not supported by the API."),
        ("3.1", 406, "Version 3.1 is not supported by the API."),
        ("2", 400, "API Version String 2 is of invalid format."),
        ("2.069", 400, "API Version String 2.069 is of invalid format."),
        ("new", 400, "API Version String new is of invalid format."),
    ],
)
def test_a_microversion_that_is_not_offered_is_refused(client: Client, version: str, status: int, message: str) -> None:
    for name, prefix in (("OpenStack-API-Version", "compute "), ("X-OpenStack-Nova-API-Version", "")):
        response = ask(client, SERVERS, **{name: prefix + version})
        [error] = response.json().values()
        assert (response.status_code, error["code"]) == (status, status)
        assert message in error["message"]


def test_the_newest_microversion_can_be_an_older_one() -> None:
    with client_of(compute_microversion="2.60") as client:
        assert ask(client, SERVERS, **{"OpenStack-API-Version": "compute 2.60"}).status_code == 200
        assert ask(client, SERVERS, **{"OpenStack-API-Version": "compute 2.69"}).status_code == 406
        [version] = ask(client, "/compute").json()["versions"]
        assert (version["min_version"], version["version"]) == ("2.1", "2.60")


def test_a_cloud_without_microversions_looks_at_no_header_and_sends_none() -> None:
    with client_of(compute_microversion="none") as client:
        response = ask(client, SERVERS, **{"OpenStack-API-Version": "compute 2.69"})
        assert response.status_code == 200
        assert not response.headers.keys() & {"openstack-api-version", "x-openstack-nova-api-version"}
        [version] = ask(client, "/compute").json()["versions"]
        assert (version["min_version"], version["version"]) == ("", "")


# Servers that come and go.


def listed(client: Client, query: str = "", path: str = SERVERS) -> dict[str, str]:
    return {server["id"]: server["status"] for server in ask(client, path + query).json()["servers"]}


def since(moment: Any) -> str:
    return f"?changes-since={moment:%Y-%m-%dT%H:%M:%SZ}"


def test_changes_since_lists_what_changed_and_what_was_deleted() -> None:
    clock = Clock()
    with client_of(clock, images=50) as client:
        account = client.sandbox.account
        gone, rebuilt, taken, kept = list(account.instances)[:4]
        clock.now += timedelta(minutes=30)
        account.delete_server(gone)
        account.rebuild_server(rebuilt, an_id(7))
        account.remove_instance(taken)
        booted = account.boot_server(account.instances[kept], name="new", image=an_id(8))
        assert listed(client).keys() == account.instances.keys()
        changed = listed(client, since(clock.now))
        assert changed == {gone: "DELETED", rebuilt: account.instances[rebuilt].status, booted.id: booted.status}
        assert not listed(client, since(clock.now + timedelta(seconds=1)))
        assert kept in listed(client, since(START - timedelta(days=900)))


@pytest.mark.parametrize("text", ["2026-11-23T03:00:00", "2026-11-23T03:00:00%2B00:00", "2026-11-23"])
def test_changes_since_takes_iso_times(client: Client, text: str) -> None:
    assert listed(client, f"?changes-since={text}") == {}


@pytest.mark.parametrize("text", ["yesterday", "1700000000x", ""])
def test_changes_since_something_else_is_a_bad_request(client: Client, text: str) -> None:
    response = ask(client, f"{SERVERS}?changes-since={text}")
    assert response.status_code == 400
    assert "is not a 'date-time'" in response.json()["badRequest"]["message"]


def test_a_deleted_server_is_shown_to_nobody(full: Client) -> None:
    server = next(iter(full.sandbox.account.instances))
    path = SERVERS.replace("detail", server)
    assert ask(full, path).json()["server"]["id"] == server
    full.sandbox.account.delete_server(server)
    assert ask(full, path).status_code == 404


# Several computes, and regions that share their images.


def endpoints(client: Client, kind: str) -> list[tuple[str | None, str]]:
    catalogue = client.sign_in()["serviceCatalog"]
    return [
        (place.get("region"), place["publicURL"].removeprefix(client.origin))
        for entry in catalogue
        if entry["type"] == kind
        for place in entry["endpoints"]
    ]


def test_the_second_compute_has_no_region_stands_first_and_has_servers_of_its_own() -> None:
    with client_of(images=200, computes=3) as client:
        places = endpoints(client, "compute")
        assert places == [
            (None, f"/compute-2/v2.1/{OURS}"),
            ("RegionOne", f"/compute/v2.1/{OURS}"),
            ("RegionOne", f"/compute-3/v2.1/{OURS}"),
        ]
        found = [listed(client, path=f"{path}/servers/detail").keys() for _, path in places]
        assert all(found)
        assert sum(map(len, found)) == len(client.sandbox.account.instances)
        elsewhere = next(iter(found[0]))
        assert ask(client, f"/compute-2/v2.1/{OURS}/servers/{elsewhere}").status_code == 200
        assert ask(client, SERVERS.replace("detail", elsewhere)).status_code == 404
        assert set().union(*found) == client.sandbox.account.instances.keys()
        response = client.send("POST", "/identity/v3/auth/tokens", json=by_application(Options().application_secret))
        computes = [entry for entry in response.json()["token"]["catalog"] if entry["type"] == "compute"]
        assert [entry["endpoints"][0]["region_id"] for entry in computes] == [None, "RegionOne", "RegionOne"]


def test_one_compute_has_the_servers_that_it_has_beside_others() -> None:
    with client_of(images=200) as one, client_of(images=200, computes=2) as two:
        assert listed(one) == listed(two)


def test_regions_can_share_their_images() -> None:
    with client_of(images=100, regions=2, shared_images=True) as client:
        assert {path for _, path in endpoints(client, "image")} == {"/image"}
        assert [region for region, _ in endpoints(client, "image")] == ["RegionOne", "RegionTwo"]
        assert len({path for _, path in endpoints(client, "compute")}) == 2
        first, second = client.sandbox.accounts.values()
        assert first.images == second.images
        assert not first.instances.keys() & second.instances.keys()
        there = listed(client, path=f"/RegionTwo{SERVERS}")
        assert there.keys() == second.instances.keys()
        server = next(one for one in second.instances.values() if one.image in first.images)
        assert f"server {server.name}" in first.uses()[str(server.image)]
        assert first.uses() == second.uses()
        put(client, an_image("ci-new", 1))
        assert an_image("ci-new", 1).id in second.images
        assert ask(client, "/RegionTwo/image/v2/images").status_code == 404


def test_the_catalogue_can_have_the_image_service_of_both_regions_in_the_first_only() -> None:
    with client_of(images=100, regions=2, image_in_first=True) as client:
        assert endpoints(client, "image") == [("RegionOne", "/image")]
        assert [region for region, _ in endpoints(client, "compute")] == ["RegionOne", "RegionTwo"]
        first, second = client.sandbox.accounts.values()
        assert first.images == second.images


def test_the_volume_service_can_have_another_region_and_another_interface() -> None:
    with client_of(images=100, volume_region="kr-east", volume_interface="internal") as client:
        [entry] = [one for one in client.sign_in()["serviceCatalog"] if one["type"] == "volumev3"]
        url = f"{client.origin}/volume/v3/{OURS}"
        assert entry["endpoints"] == [{"region": "kr-east", "internalURL": url}]
        response = client.send("POST", "/identity/v3/auth/tokens", json=by_application(Options().application_secret))
        [entry] = [one for one in response.json()["token"]["catalog"] if one["type"] == "volumev3"]
        [place] = entry["endpoints"]
        assert (place["interface"], place["region"], place["region_id"]) == ("internal", "kr-east", "kr-east")


@pytest.mark.parametrize("alias", ["block-store", "block-storage", "volumev2"])
def test_the_volume_service_can_have_another_type(alias: str) -> None:
    with client_of(images=100, volume_type=alias) as client:
        [(_, path)] = endpoints(client, alias)
        assert not endpoints(client, "volumev3")
        assert ask(client, f"{path}/volumes/detail").json()["volumes"]


# Clusters.


def a_cluster(account: Account, number: int, *groups: StoredNodeGroup) -> StoredCluster:
    cluster = StoredCluster(an_id(number), f"c{number}", an_id(99), groups, START)
    account.put_cluster(cluster)
    return cluster


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


# Stacks.


def a_stack(client: Client, number: int, **fields: Any) -> StoredStack:
    stack = StoredStack(an_id(number), f"s{number}", START - timedelta(days=number), **fields)
    client.sandbox.account.put_stack(stack)
    return stack


def names(client: Client, query: str = "") -> list[str]:
    page = ask(client, STACKS + query).json()
    assert page.keys() == {"stacks"}, "there is no next link"
    return [stack["stack_name"] for stack in page["stacks"]]


def test_stacks_are_listed_newest_first_from_a_marker_and_nested_ones_on_demand(client: Client) -> None:
    for number in (1, 2, 3):
        a_stack(client, number)
    a_stack(client, 4, parent=an_id(1))
    assert names(client) == names(client, "?show_nested=false") == ["s1", "s2", "s3"]
    assert names(client, "?show_nested=true") == ["s1", "s2", "s3", "s4"]
    assert names(client, "?limit=2") == ["s1", "s2"]
    assert names(client, f"?limit=2&marker={an_id(2)}") == ["s3"]
    assert names(client, f"?limit=2&marker={an_id(3)}") == []
    assert names(client, f"?limit=2&marker={UNKNOWN}") == ["s1", "s2"]


def test_a_stack_shows_its_parameters_and_its_template(client: Client) -> None:
    template = {"resources": {"server": {"properties": {"image": "ci-web-1"}}}}
    stack = a_stack(client, 1, parameters={"image": an_id(9)}, template=template)
    shown = ask(client, f"{STACKS}/{stack.name}/{stack.id}").json()["stack"]
    assert shown["parameters"] == {
        "OS::stack_id": stack.id,
        "OS::stack_name": "s1",
        "OS::project_id": OURS,
        "image": an_id(9),
    }
    assert (shown["stack_status"], shown["updated_time"], shown["parent"]) == ("CREATE_COMPLETE", None, None)
    assert ask(client, f"{STACKS}/{stack.name}/{stack.id}/template").json() == template


def test_an_update_dates_a_stack_and_a_deleted_one_is_gone_with_what_is_nested_in_it() -> None:
    clock = Clock()
    with client_of(clock) as client:
        for number, parent in ((1, None), (2, an_id(1)), (3, an_id(2)), (4, None)):
            a_stack(client, number, parent=parent)
        clock.now += timedelta(minutes=30)
        client.sandbox.account.update_stack(an_id(1), parameters={"image": an_id(8)})
        shown = ask(client, f"{STACKS}/s1/{an_id(1)}").json()["stack"]
        assert (shown["updated_time"], shown["stack_status"]) == ("2026-11-23T03:30:00Z", "UPDATE_COMPLETE")
        assert shown["parameters"]["image"] == an_id(8)
        client.sandbox.account.delete_stack(an_id(1))
        assert names(client, "?show_nested=true") == ["s4"]
        for path in (f"{STACKS}/s1/{an_id(1)}", f"{STACKS}/s1/{an_id(1)}/template"):
            assert ask(client, path).json()["error"]["type"] == "EntityNotFound"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{STACKS}?limit=x", 400),
        (f"{STACKS}?show_nested=maybe", 400),
        (f"{STACKS}/other", 404),
        (f"{STACKS}/other/{an_id(1)}", 404),
        (f"{STACKS}/s1/{UNKNOWN}", 404),
        (f"/orchestration/v1/{OTHER}/stacks", 403),
    ],
)
def test_what_heat_does_not_answer(client: Client, path: str, status: int) -> None:
    a_stack(client, 1)
    response = ask(client, path)
    assert (response.status_code, response.json()["code"]) == (status, status)


# The document of launch templates.


@pytest.mark.parametrize("api", list(Api))
def test_the_document_names_own_images_by_id_and_by_name(api: Api) -> None:
    with running(Options(api=api, images=100), lambda: START) as sandbox:
        url = sandbox.origin + REFERENCE
        found = httpx.get(url, headers=BEARER, trust_env=False).json()["launch_templates"]
        own = [image for image in sandbox.account.images.values() if image.owner == OURS]
        words = {template["image"] for template in found}
        assert words & {image.id for image in own}
        assert words & {image.name for image in own}
        assert words <= {image.id for image in own} | {image.name for image in own}
        sandbox.account.put_launch_template("moved", "ci-web-1")
        sandbox.account.remove_launch_template(found[0]["name"])
        again = httpx.get(url, headers=BEARER, trust_env=False).json()["launch_templates"]
        assert {one["name"] for one in again} == {"moved", *(one["name"] for one in found[1:])}
        recorded = sandbox.requests[-1]
        assert (recorded.name, recorded.path, recorded.code) == ("read-reference", REFERENCE, 0)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}])
def test_the_document_opens_with_its_own_token_only(client: Client, headers: dict[str, str]) -> None:
    response = ask(client, REFERENCE, **headers)
    assert response.status_code == 401
    assert "launch_templates" not in response.text


# The truth.


def test_uses_are_those_of_every_source_by_id_and_by_name(client: Client) -> None:
    account = client.sandbox.account
    images = [an_image(f"ci-{number}", number) for number in range(1, 10)]
    twins = [an_image("twin", age) for age in (20, 21)]
    kernel, ramdisk = an_image("vmlinuz", 30), an_image("initrd", 31)
    whole = an_image("uec", 32, properties={"kernel_id": kernel.id, "ramdisk_id": ramdisk.id})
    put(client, *images, *twins, kernel, ramdisk, whole, an_image("twin", 22, owner=OTHER))
    assert account.uses() == {kernel.id: {f"image {whole.id}"}, ramdisk.id: {f"image {whole.id}"}}
    a_cluster(account, 1, StoredNodeGroup(an_id(11), "none", images[0].id, 0))
    account.put_cluster_template(StoredClusterTemplate(an_id(21), "t", "twin", START))
    a_stack(client, 1, parameters={"image": images[1].id, "flavor": "twin-small", "empty": ""})
    a_stack(client, 2, template={"resources": [{"image": "ci-3"}]}, parent=an_id(1))
    account.put_launch_template("web", "ci-4")
    account.put_launch_template("old", UNKNOWN)
    uses = dict(account.uses())
    assert uses.pop(kernel.id) == uses.pop(ramdisk.id)
    assert uses == {
        images[0].id: {"node group none of cluster c1"},
        images[1].id: {"stack s1"},
        images[2].id: {"stack s2"},
        images[3].id: {"launch template web"},
        twins[0].id: {"cluster template t"},
        twins[1].id: {"cluster template t"},
        UNKNOWN: {"launch template old"},
    }
    account.change_image(whole.id, status="pending_delete")
    assert kernel.id not in account.uses()


def told_by_apis(client: Client) -> dict[str, set[str]]:
    """Words that name images, by the service that tells them."""
    servers = ask(client, SERVERS).json()["servers"]
    volumes = ask(client, f"/volume/v3/{OURS}/volumes/detail").json()["volumes"]
    groups = {
        ask(client, f"{CLUSTERS}/{cluster['uuid']}/nodegroups/{group['uuid']}", **LATEST).json()["image_id"]
        for cluster in ask(client, CLUSTERS).json()["clusters"]
        for group in ask(client, f"{CLUSTERS}/{cluster['uuid']}/nodegroups", **LATEST).json()["nodegroups"]
    }
    return {
        "servers": {server["image"]["id"] for server in servers if server["image"]},
        "volumes": {one["volume_image_metadata"]["image_id"] for one in volumes if "volume_image_metadata" in one},
        "groups": groups,
        "templates": {one["image_id"] for one in ask(client, TEMPLATES).json()["clustertemplates"]},
        "references": {one["image"] for one in ask(client, REFERENCE, **BEARER).json()["launch_templates"]},
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_truth_of_a_fleet_is_what_its_services_tell(seed: int) -> None:
    with client_of(images=200, seed=seed) as client:
        uses, images = client.sandbox.account.uses(), client.sandbox.account.images
        told = told_by_apis(client)
        for word in set().union(*told.values()):
            by_name = [image.id for image in images.values() if image.name == word and image.owner == OURS]
            assert by_name or word in uses
            assert set(by_name) <= uses.keys()
        others = {user.split()[0] for users in uses.values() for user in users}
        assert others == {"server", "volume", "node", "cluster", "stack", "launch"}


@pytest.mark.parametrize(
    ("option", "user"), [("no_volumes", "volume "), ("no_clusters", "node group "), ("no_stacks", "stack ")]
)
def test_a_service_that_does_not_exist_uses_nothing(option: str, user: str) -> None:
    def used(**options: Any) -> bool:
        with client_of(images=100, **options) as client:
            return any(one.startswith(user) for users in client.sandbox.account.uses().values() for one in users)

    assert used()
    assert not used(**{option: True})


def test_a_deleted_server_uses_nothing_and_one_in_a_second_compute_does() -> None:
    with client_of(images=100, computes=2) as client:
        account = client.sandbox.account
        server = next(one for one in account.instances.values() if one.compute)
        user = f"server {server.name}"
        assert user in account.uses()[str(server.image)]
        account.delete_server(server.id)
        assert user not in account.uses().get(str(server.image), set())


# The fleet.


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_fleet_has_node_groups_and_stacks_of_every_kind(seed: int) -> None:
    with client_of(images=200, seed=seed) as client:
        account = client.sandbox.account
        groups = [group for cluster in account.clusters.values() for group in cluster.groups]
        assert 3 <= len(account.clusters) <= 5
        assert {group.nodes > 0 for group in groups} == {group.unlisted_image for group in groups} == {True, False}
        stacks = list(account.stacks.values())
        assert 5 <= len(stacks) <= 10
        assert {stack.parent is None for stack in stacks} == {stack.updated_at is None for stack in stacks}
        assert {"image" in stack.parameters for stack in stacks} == {True, False}
        own = {image.id for image in account.images.values() if image.owner == OURS}
        assert {group.image for group in groups} <= own
        assert any(stack.words() & own for stack in stacks)
        assert any(not stack.words() & own for stack in stacks), "some name theirs by name"


def test_kernels_are_there_when_asked_for() -> None:
    with client_of(images=200) as plain, client_of(images=200, kernels=True) as full:
        assert not any("kernel_id" in image.properties for image in plain.sandbox.account.images.values())
        images = full.sandbox.account.images
        assert len(images) == 200
        written = {image["id"]: image for image in full.listed()}
        whole = [image for image in written.values() if image["disk_format"] == "ami"]
        assert len(whole) == 2
        for image in whole:
            kernel, ramdisk = written[image["kernel_id"]], written[image["ramdisk_id"]]
            assert (kernel["disk_format"], ramdisk["disk_format"]) == ("aki", "ari")
            assert kernel["container_format"] == "aki"
        uses = full.sandbox.account.uses()
        kernels = [image for image in images.values() if image.disk_format in ("aki", "ari")]
        assert [image.id in uses for image in kernels].count(True) >= 4
        assert any(image.disk_format == "aki" and image.id not in uses for image in kernels)


@pytest.mark.parametrize("images", [0, 1, 3, 26, 51, 99])
def test_a_small_fleet_has_exactly_as_many_images_with_kernels_too(images: int) -> None:
    with client_of(images=images, kernels=True, computes=3) as client:
        assert len(client.sandbox.account.images) == images
