"""Servers and volumes tell what they were made of, in the pages and the words of Nova and Cinder."""

from typing import Any

import pytest

from janitor.sandbox.models import MISSING, OURS
from tests.sandbox.openstack.client import OTHER, Client, client_of


def test_a_server_names_its_image_or_says_that_it_has_none(full: Client) -> None:
    account = full.sandbox.account
    for server in full.send("GET", f"/compute/v2.1/{OURS}/servers/detail").json()["servers"]:
        stored = account.instances[server["id"]].image
        assert server["image"] == "" if stored in (None, "", MISSING) else server["image"]["id"] == stored
        volumes = {volume.id for volume in account.volumes.values() if volume.instance == server["id"]}
        assert {volume["id"] for volume in server["os-extended-volumes:volumes_attached"]} == volumes


def test_a_volume_names_the_image_that_it_was_made_of_or_leaves_that_out(full: Client) -> None:
    account = full.sandbox.account
    made_of = set()
    for volume in full.send("GET", f"/volume/v3/{OURS}/volumes/detail").json()["volumes"]:
        stored = account.volumes[volume["id"]]
        assert ("volume_image_metadata" in volume) is (stored.image is not None)
        assert volume.get("volume_image_metadata", {}).get("image_id") == stored.image
        assert [attached["server_id"] for attached in volume["attachments"]] == [stored.instance] * bool(
            stored.instance
        )
        made_of.add(stored.image)
    assert None in made_of
    assert len(made_of) > 3


@pytest.mark.parametrize(
    ("kind", "path"), [("servers", "/compute/v2.1/{}/servers/detail"), ("volumes", "/volume/v3/{}/volumes/detail")]
)
def test_servers_and_volumes_come_in_linked_pages(full: Client, kind: str, path: str) -> None:
    account = full.sandbox.account
    held: Any = {"servers": account.instances, "volumes": account.volumes}[kind]
    url: str | None = f"{path.format(OURS)}?limit=4"
    ids: list[str] = []
    while url:
        page = full.send("GET", url).json()
        ids += [item["id"] for item in page[kind]]
        links = page.get(f"{kind}_links", [])
        assert [link["rel"] for link in links] == ["next"] * len(links)
        url = links[0]["href"].removeprefix(full.origin) if links else None
    newest_first = sorted(held.values(), key=lambda item: (item.created_at, item.id), reverse=True)
    assert ids == [item.id for item in newest_first]


@pytest.mark.parametrize(
    ("path", "status", "name", "message"),
    [
        (f"/compute/v2.1/{OURS}/servers/detail?marker=x", 400, "badRequest", "marker [x] not found"),
        (f"/compute/v2.1/{OURS}/servers/detail?limit=-1", 400, "badRequest", "does not match '^[0-9]*$'"),
        (f"/compute/v2.1/{OTHER}/servers/detail", 400, "badRequest", "doesn't match Context's project_id"),
        (f"/volume/v3/{OURS}/volumes/detail?marker=x", 404, "itemNotFound", "Volume x could not be found."),
        (f"/volume/v3/{OURS}/volumes/detail?limit=-1", 400, "badRequest", "limit param must be positive"),
        (f"/volume/v3/{OURS}/volumes/detail?limit=x", 400, "badRequest", "limit param must be an integer"),
    ],
)
def test_nova_and_cinder_say_no_in_their_own_way(full: Client, path: str, status: int, name: str, message: str) -> None:
    response = full.send("GET", path)
    assert response.status_code == status
    assert response.json()[name]["code"] == status
    assert message in response.json()[name]["message"]


def test_an_empty_or_huge_limit_is_the_cap() -> None:
    with client_of(images=100, page_cap=5) as client:
        for limit in ("", "0", "100000"):
            page = client.send("GET", f"/compute/v2.1/{OURS}/servers/detail?limit={limit}").json()
            assert len(page["servers"]) == 5
