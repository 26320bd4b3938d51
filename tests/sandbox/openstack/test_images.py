"""An image is shown, shared, deleted and refused as Glance 33 does it; the wording is measured there."""

from typing import Any

import pytest

from janitor.sandbox.models import OURS
from tests.sandbox.openstack.client import OTHER, SHELF, THIRD, UNKNOWN, Client, an_image, put

# What is shown


def test_an_image_is_written_as_glance_writes_it(client: Client) -> None:
    properties = {"os_distro": "ubuntu", "base_image_ref": UNKNOWN}
    image = an_image(properties=properties, tags=("nightly", "b"), members={OTHER: "accepted"}, visibility="shared")
    put(client, image)
    [written] = client.listed()
    assert len(written.pop("checksum")) == 32
    assert len(written.pop("os_hash_value")) == 128
    assert written == {
        "id": image.id,
        "name": "ci-web-1",
        "status": "active",
        "visibility": "shared",
        "protected": False,
        "owner": OURS,
        "os_hidden": False,
        "tags": ["nightly", "b"],
        "size": 2**30,
        "virtual_size": None,
        "min_disk": 20,
        "min_ram": 0,
        "disk_format": "qcow2",
        "container_format": "bare",
        "os_hash_algo": "sha512",
        "created_at": "2026-11-22T03:00:00Z",
        "updated_at": "2026-11-22T03:04:00Z",
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
        "os_distro": "ubuntu",
        "base_image_ref": UNKNOWN,
    }
    assert client.send("GET", f"/image/v2/images/{image.id}").json().items() >= written.items()


def test_an_upload_has_no_checksum_and_no_size_yet(client: Client) -> None:
    put(client, an_image(status="queued", size=None))
    [written] = client.listed()
    assert (written["size"], written["checksum"], written["os_hash_algo"]) == (None, None, None)


# One image


@pytest.mark.parametrize(
    ("name", "shown", "deleted", "message"),
    [
        ("own", 200, 204, ""),
        ("queued", 200, 403, "Image {} is protected and cannot be deleted."),
        ("killed", 200, 204, ""),
        ("deleted", 404, 404, "Failed to find image {} to delete"),
        ("pending-delete", 200, 204, ""),
        ("hidden", 200, 204, ""),
        ("own-public", 200, 204, ""),
        ("own-community", 200, 204, ""),
        ("own-shared", 200, 204, ""),
        ("vendor", 200, 403, "You are not authorized to complete delete_image action."),
        ("their-community", 200, 403, "You are not authorized to complete delete_image action."),
        ("accepted", 200, 403, "You are not authorized to complete delete_image action."),
        ("pending", 200, 403, "You are not authorized to complete delete_image action."),
        ("not-for-us", 404, 404, "Failed to find image {} to delete"),
        ("their-private", 404, 404, "Failed to find image {} to delete"),
    ],
)
def test_who_sees_an_image_by_its_id_and_who_deletes_it(
    client: Client, name: str, shown: int, deleted: int, message: str
) -> None:
    put(client, *SHELF)
    [image] = [image for image in SHELF if image.name == name]
    assert client.status("GET", f"/{image.id}") == shown
    response = client.send("DELETE", f"/image/v2/images/{image.id}")
    assert response.status_code == deleted
    assert message.format(image.id) in response.text
    assert (image.id in client.sandbox.account.images) is (deleted != 204)
    assert client.sandbox.requests[-1].code == (0 if deleted == 204 else deleted)
    if deleted == 204:
        assert response.content == b""
        again = client.send("DELETE", f"/image/v2/images/{image.id}")
        assert (again.status_code, f"Failed to find image {image.id} to delete" in again.text) == (404, True)


@pytest.mark.parametrize("status", ["queued", "saving", "uploading", "importing", "deactivated"])
def test_nothing_stops_a_deletion_of_an_upload_in_progress(client: Client, status: str) -> None:
    image = an_image(status=status)
    put(client, image)
    assert client.status("DELETE", f"/{image.id}") == 204


def test_an_image_in_use_by_a_server_is_deleted_all_the_same(full: Client) -> None:
    account = full.sandbox.account
    used = {server.image for server in account.instances.values()}
    image = next(
        i for i in account.images.values() if i.id in used and i.owner == OURS and not i.protected and not i.held
    )
    assert full.status("DELETE", f"/{image.id}") == 204


def test_an_image_whose_data_is_in_use_is_a_conflict(client: Client) -> None:
    image = an_image(held=True)
    put(client, image)
    response = client.send("DELETE", f"/image/v2/images/{image.id}")
    assert response.status_code == 409
    assert f"Image {image.id} could not be deleted because it is in use: " in response.text
    assert image.id in client.sandbox.account.images


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [
        ("own-shared", 200, {OTHER: "pending"}),
        ("accepted", 200, {OURS: "accepted"}),
        ("pending", 200, {OURS: "pending"}),
        ("own", 403, "Only shared images have members."),
        ("own-public", 403, "Only shared images have members."),
        ("vendor", 403, "Only shared images have members."),
        ("not-for-us", 404, "not found."),
        ("their-private", 404, "not found."),
    ],
)
def test_members_of_an_image(client: Client, name: str, status: int, told: Any) -> None:
    put(client, *SHELF)
    [image] = [image for image in SHELF if image.name == name]
    response = client.send("GET", f"/image/v2/images/{image.id}/members", headers={"Accept": "application/json"})
    assert response.status_code == status
    if status == 200:
        document = response.json()
        assert {member["member_id"]: member["status"] for member in document["members"]} == told
        assert {member["image_id"] for member in document["members"]} == {image.id}
        assert document["schema"] == "/v2/schemas/members"
    else:
        assert told in response.json()["message"]


def test_a_member_sees_itself_only(client: Client) -> None:
    image = an_image(visibility="shared", owner=OTHER, members={OURS: "accepted", THIRD: "accepted"})
    put(client, image)
    members = client.send("GET", f"/image/v2/images/{image.id}/members").json()["members"]
    assert [member["member_id"] for member in members] == [OURS]


def test_an_error_is_a_web_page_or_json_as_asked_for(client: Client) -> None:
    image = an_image(protected=True)
    put(client, image)
    path, sentence = f"/image/v2/images/{image.id}", f"Image {image.id} is protected and cannot be deleted."
    page = client.send("DELETE", path)
    assert page.headers["content-type"].startswith("text/html")
    assert page.text == (
        "<html>\n <head>\n  <title>403 Forbidden</title>\n </head>\n <body>\n  <h1>403 Forbidden</h1>\n"
        f"  {sentence}<br /><br />\n\n\n\n </body>\n</html>"
    )
    document = client.send("DELETE", path, headers={"Accept": "application/json"})
    assert document.json() == {
        "message": f"{sentence}<br /><br />\n\n\n",
        "code": "403 Forbidden",
        "title": "Forbidden",
    }
    plain = client.send("DELETE", path, headers={"Accept": "text/plain"})
    assert plain.text == f"403 Forbidden\n\n{sentence}\n\n   "


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", "/image/v2/images", 405),
        ("PUT", "/image/v2/images", 405),
        ("POST", f"/image/v2/images/{UNKNOWN}", 405),
        ("GET", "/identity/v2.0/tokens", 405),
        ("GET", "/image/v2/nowhere", 404),
        ("GET", f"/image/v2/images/{UNKNOWN}", 404),
        ("GET", f"/compute/v2.1/{OURS}/flavors", 404),
        ("GET", "/nowhere", 404),
    ],
)
def test_what_a_service_does_not_know(client: Client, method: str, path: str, status: int) -> None:
    assert client.send(method, path).status_code == status
    assert client.sandbox.requests[-1].code == status
