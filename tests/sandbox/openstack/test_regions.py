"""Several computes, regions that share their images, and services that are elsewhere or have other names."""

import pytest

from janitor.sandbox.models import OURS
from tests.sandbox.openstack.client import an_image, ask, client_of, endpoints, put, servers_of
from tests.sandbox.openstack.paths import SERVERS


def test_the_second_compute_has_no_region_stands_first_and_has_servers_of_its_own() -> None:
    with client_of(images=200, computes=3) as client:
        places = endpoints(client, "compute")
        assert places == [
            (None, f"/compute-2/v2.1/{OURS}"),
            ("RegionOne", f"/compute/v2.1/{OURS}"),
            ("RegionOne", f"/compute-3/v2.1/{OURS}"),
        ]
        found = [servers_of(client, path=f"{path}/servers/detail").keys() for _, path in places]
        assert all(found)
        assert sum(map(len, found)) == len(client.sandbox.account.instances)
        elsewhere = next(iter(found[0]))
        assert ask(client, f"/compute-2/v2.1/{OURS}/servers/{elsewhere}").status_code == 200
        assert ask(client, SERVERS.replace("detail", elsewhere)).status_code == 404
        assert set().union(*found) == client.sandbox.account.instances.keys()
        computes = [entry for entry in client.sign_in_by_application()["catalog"] if entry["type"] == "compute"]
        assert [entry["endpoints"][0]["region_id"] for entry in computes] == [None, "RegionOne", "RegionOne"]


def test_one_compute_has_the_servers_that_it_has_beside_others() -> None:
    with client_of(images=200) as one, client_of(images=200, computes=2) as two:
        assert servers_of(one) == servers_of(two)


def test_regions_can_share_their_images() -> None:
    with client_of(images=100, regions=2, shared_images=True) as client:
        assert {path for _, path in endpoints(client, "image")} == {"/image"}
        assert [region for region, _ in endpoints(client, "image")] == ["RegionOne", "RegionTwo"]
        assert len({path for _, path in endpoints(client, "compute")}) == 2
        first, second = client.sandbox.accounts.values()
        assert first.images == second.images
        assert not first.instances.keys() & second.instances.keys()
        there = servers_of(client, path=f"/RegionTwo{SERVERS}")
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
        [entry] = [one for one in client.sign_in_by_application()["catalog"] if one["type"] == "volumev3"]
        [place] = entry["endpoints"]
        assert (place["interface"], place["region"], place["region_id"]) == ("internal", "kr-east", "kr-east")


@pytest.mark.parametrize("alias", ["block-store", "block-storage", "volumev2"])
def test_the_volume_service_can_have_another_type(alias: str) -> None:
    with client_of(images=100, volume_type=alias) as client:
        [(_, path)] = endpoints(client, alias)
        assert not endpoints(client, "volumev3")
        assert ask(client, f"{path}/volumes/detail").json()["volumes"]
