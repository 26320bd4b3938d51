"""What uses images in a sandbox: the truth about it, and the document that no API shows."""

from typing import Any

import httpx
import pytest

from janitor.sandbox.calls import Api
from janitor.sandbox.launchers import StoredClusterTemplate, StoredNodeGroup
from janitor.sandbox.models import OURS
from janitor.sandbox.options import Options
from janitor.sandbox.server import running
from tests.sandbox.clock import START
from tests.sandbox.openstack.client import BEARER, LATEST, OTHER, UNKNOWN, Client, an_image, ask, client_of, put
from tests.sandbox.openstack.launchers import a_cluster, a_stack, an_id
from tests.sandbox.openstack.paths import CLUSTERS, REFERENCE, SERVERS, TEMPLATES, VOLUMES

# The document of launch templates


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


# The truth


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
    volumes = ask(client, VOLUMES).json()["volumes"]
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
