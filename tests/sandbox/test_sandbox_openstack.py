"""The sandbox's OpenStack APIs answer as Keystone, Glance 33, Nova and Cinder do; the wording is measured there."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import yaml

from janitor.errors import UsageError
from janitor.sandbox.calls import Api
from janitor.sandbox.flags import options_from
from janitor.sandbox.models import MISSING, OURS
from janitor.sandbox.options import MarkerReading, Options, SortDirection
from janitor.sandbox.server import Sandbox, running
from tests.in_process import in_process
from tests.sandbox.openstack_client import (
    OTHER,
    THIRD,
    UNKNOWN,
    Client,
    Clock,
    an_image,
    by_application,
    client_of,
    put,
)

SERVICES = {"identity", "image", "compute", "volumev3", "container-infra", "orchestration"}


# Identity.


def test_a_v2_token_carries_the_catalogue_and_dates_of_two_shapes(client: Client) -> None:
    access = client.sign_in()
    assert access["token"]["issued_at"] == "2026-11-23T03:00:00.000000"
    assert access["token"]["expires"] == "2026-11-23T04:00:00Z"
    assert access["token"]["tenant"]["id"] == OURS
    assert access["user"]["username"] == client.sandbox.options.username
    found = {
        entry["type"]: (entry["endpoints"][0]["region"], entry["endpoints"][0]["publicURL"])
        for entry in access["serviceCatalog"]
    }
    assert found == {
        "identity": ("RegionOne", f"{client.origin}/identity"),
        "image": ("RegionOne", f"{client.origin}/image"),
        "compute": ("RegionOne", f"{client.origin}/compute/v2.1/{OURS}"),
        "volumev3": ("RegionOne", f"{client.origin}/volume/v3/{OURS}"),
        "container-infra": ("RegionOne", f"{client.origin}/container-infra/v1"),
        "orchestration": ("RegionOne", f"{client.origin}/orchestration/v1/{OURS}"),
    }


def by_password(**changes: Any) -> dict[str, Any]:
    options = Options(api=Api.OPENSTACK)
    user = {"name": options.username, "domain": {"id": "default"}, "password": options.password}
    identity = {"methods": ["password"], "password": {"user": {**user, **changes}}}
    return {"auth": {"identity": identity, "scope": {"project": {"id": OURS}}}}


def scoped(project: dict[str, Any]) -> dict[str, Any]:
    return {"auth": {**by_password()["auth"], "scope": {"project": project}}}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(by_password(), id="password"),
        pytest.param(by_password(domain={"name": "Default"}), id="domain-by-name"),
        pytest.param(scoped({"name": "sandbox", "domain": {"name": "Default"}}), id="project-by-name"),
        pytest.param({"auth": {"identity": by_password()["auth"]["identity"]}}, id="default-project"),
        pytest.param(by_application(Options().application_secret), id="application-credential"),
    ],
)
def test_a_v3_token_is_in_the_header_and_opens_the_services(client: Client, body: dict[str, Any]) -> None:
    response = client.send("POST", "/identity/v3/auth/tokens", json=body)
    assert response.status_code == 201
    token = response.json()["token"]
    assert (token["expires_at"], token["issued_at"]) == ("2026-11-23T04:00:00.000000Z", "2026-11-23T03:00:00.000000Z")
    assert token["project"]["id"] == OURS
    assert token["methods"] == body["auth"]["identity"]["methods"]
    assert {entry["type"] for entry in token["catalog"]} == SERVICES
    client.token = response.headers["x-subject-token"]
    assert client.status("GET", "") == 200


V2, V3 = "/identity/v2.0/tokens", "/identity/v3/auth/tokens"


def v2_body(**changes: Any) -> dict[str, Any]:
    options = Options()
    given = {"username": options.username, "password": options.password, **changes}
    return {"auth": {"tenantId": OURS, "passwordCredentials": given}}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param(V2, v2_body(password="wrong"), 401, id="v2-password"),
        pytest.param(V2, v2_body(username="wrong"), 401, id="v2-username"),
        pytest.param(
            V2, v2_body(username=Options().application, password=Options().application_secret), 401, id="v2-app"
        ),
        pytest.param(V2, {"auth": {**v2_body()["auth"], "tenantId": OTHER}}, 401, id="v2-tenant"),
        pytest.param(V2, {"auth": {"tenantId": OURS}}, 400, id="v2-nothing"),
        pytest.param(V2, [], 400, id="v2-list"),
        pytest.param(V3, by_password(password="wrong"), 401, id="v3-password"),
        pytest.param(V3, by_password(name="wrong"), 401, id="v3-name"),
        pytest.param(V3, by_password(id="wrong"), 401, id="v3-id"),
        pytest.param(V3, by_password(domain={"id": "other"}), 401, id="v3-domain"),
        pytest.param(V3, scoped({"id": OTHER}), 401, id="v3-project"),
        pytest.param(V3, scoped({"name": "sandbox", "domain": {"id": "other"}}), 401, id="v3-project-domain"),
        pytest.param(V3, by_application("wrong"), 401, id="v3-application"),
        pytest.param(V3, {"auth": {"identity": {"methods": ["totp"]}}}, 401, id="v3-method"),
        pytest.param(V3, {"auth": {}}, 400, id="v3-nothing"),
    ],
)
def test_bad_token_requests_are_refused_in_the_words_of_keystone(
    client: Client, path: str, body: Any, status: int
) -> None:
    response = client.send("POST", path, json=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, status)
    if status == 401:
        assert error["message"] == "The request you have made requires authentication."
        assert error["title"] == "Unauthorized"


def test_a_token_is_good_until_it_expires_and_not_a_second_longer() -> None:
    clock = Clock()
    with client_of(clock) as client:
        clock.now += timedelta(minutes=59, seconds=59)
        assert client.status("GET", "") == 200
        clock.now += timedelta(seconds=1)
        assert client.status("GET", "") == 401


PROJECT_PATHS = [f"/compute/v2.1/{OURS}/servers/detail", f"/volume/v3/{OURS}/volumes/detail"]
MORE_PATHS = ["/container-infra/v1/clusters", f"/orchestration/v1/{OURS}/stacks"]
IMAGE_PATHS = ["/image/v2/images", f"/image/v2/images/{UNKNOWN}", f"/image/v2/images/{UNKNOWN}/members"]


@pytest.mark.parametrize("path", [*IMAGE_PATHS, *PROJECT_PATHS, *MORE_PATHS])
@pytest.mark.parametrize("token", [None, "", "nonsense"], ids=["none", "empty", "wrong"])
def test_every_service_needs_a_token_and_says_where_to_get_one(client: Client, path: str, token: str | None) -> None:
    client.token = token
    response = client.send("GET", path)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == f'Keystone uri="{client.origin}/identity"'


def test_glance_says_401_as_a_web_page_without_a_request_id(client: Client) -> None:
    client.token = None
    response = client.send("GET", "/image/v2/images")
    assert response.headers["content-type"].startswith("text/html")
    assert "<h1>401 Unauthorized</h1>" in response.text
    assert "x-openstack-request-id" not in response.headers


def test_every_other_answer_has_a_request_id(client: Client) -> None:
    for path in (*IMAGE_PATHS, *PROJECT_PATHS, *MORE_PATHS, "/identity", "/image", "/nowhere"):
        assert client.send("GET", path).headers["x-openstack-request-id"].startswith("req-")


@pytest.mark.parametrize(
    ("path", "status", "versions"),
    [
        ("/identity", 300, ["v3.14", "v2.0"]),
        ("/identity/v3", 200, ["v3.14"]),
        ("/identity/v2.0/", 200, ["v2.0"]),
        ("/image", 300, ["v2.17"]),
        ("/image/", 300, ["v2.17"]),
        ("/compute", 200, ["v2.1"]),
        ("/compute/v2.1", 200, ["v2.1"]),
        ("/volume/", 300, ["v3.0"]),
        ("/volume/v3", 200, ["v3.0"]),
        ("/container-infra", 200, ["v1"]),
        ("/container-infra/v1/", 200, ["v1"]),
        ("/orchestration/", 300, ["v1.0"]),
    ],
)
def test_services_tell_their_versions_to_everybody(client: Client, path: str, status: int, versions: list[str]) -> None:
    client.token = None
    response = client.send("GET", path)
    told = response.json()
    found = told.get("versions", [told.get("version", told)])
    found = found["values"] if isinstance(found, dict) else found
    assert (response.status_code, [one["id"] for one in found]) == (status, versions)
    assert all(one["links"][0]["href"].startswith(client.origin) for one in found)


@pytest.mark.parametrize(
    ("option", "kind", "path"),
    [
        ("no_volumes", "volumev3", f"/volume/v3/{OURS}/volumes/detail"),
        ("no_clusters", "container-infra", "/container-infra/v1/clusters"),
        ("no_stacks", "orchestration", f"/orchestration/v1/{OURS}/stacks"),
    ],
)
def test_a_service_can_be_missing(option: str, kind: str, path: str) -> None:
    missing: dict[str, Any] = {option: True}
    with client_of(**missing) as client:
        assert {entry["type"] for entry in client.sign_in()["serviceCatalog"]} == SERVICES - {kind}
        assert client.send("GET", path).status_code == 404
    with client_of() as client:
        assert client.send("GET", path).status_code == 200


def test_two_regions_have_fleets_of_their_own_behind_one_token() -> None:
    with client_of(images=30, regions=2) as client:
        endpoints = {
            entry["type"]: {place["region"]: place["publicURL"] for place in entry["endpoints"]}
            for entry in client.sign_in()["serviceCatalog"]
        }
        assert endpoints["identity"]["RegionTwo"] == endpoints["identity"]["RegionOne"]
        found = {}
        for region in ("RegionOne", "RegionTwo"):
            client.root = endpoints["image"][region].removesuffix("/image")
            found[region] = {image["id"] for image in client.listed()}
            assert found[region] <= client.sandbox.accounts[region].images.keys()
        assert found["RegionOne"]
        assert found["RegionTwo"]
        assert not found["RegionOne"] & found["RegionTwo"]
        doomed = next(iter(found["RegionTwo"]))
        assert client.sandbox.accounts["RegionOne"].find_image(doomed) is None
    assert client.sandbox.requests[-1].path == "/RegionTwo/image/v2/images"


# The image list.


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


def test_pages_are_linked_as_long_as_they_are_full(client: Client) -> None:
    put(client, *(an_image(f"ci-{age}", age) for age in range(1, 7)))
    seen: list[str] = []
    path: str | None = "/v2/images?limit=2"
    paths = []
    while path:
        page = client.send("GET", f"/image{path}").json()
        assert (page["first"], page["schema"]) == ("/v2/images?limit=2", "/v2/schemas/images")
        seen += [image["name"] for image in page["images"]]
        path = page.get("next")
        paths.append(path)
    assert seen == [f"ci-{age}" for age in range(1, 7)]
    assert paths[0] == f"/v2/images?limit=2&marker={an_image('ci-2', 2).id}"
    assert len(paths) == 4, "the last page is full, and only the empty one after it has no link"
    assert "next" not in client.send("GET", "/image/v2/images?limit=7").json()


def test_the_limit_is_25_where_none_is_asked_for_and_1000_at_most() -> None:
    with client_of(images=1300) as client:
        assert [len(client.listed(query)) for query in ("", "?limit=5000", "?limit=0")] == [25, 1000, 0]


@pytest.mark.parametrize("cap", [7, 30])
def test_the_page_cap_can_be_lower(cap: int) -> None:
    with client_of(images=200, page_cap=cap) as client:
        assert [len(client.listed(query)) for query in ("", "?limit=1000")] == [min(cap, 25), cap]


@pytest.mark.parametrize("sort", list(SortDirection))
@pytest.mark.parametrize("marker", list(MarkerReading))
def test_order_and_markers_can_be_otherwise_as_for_v1(sort: SortDirection, marker: MarkerReading) -> None:
    with client_of(sort=sort, marker=marker) as client:
        images = [an_image(f"ci-{age}", age) for age in (1, 2, 3, 4)]
        put(client, *images)
        expected = ["ci-1", "ci-2", "ci-3", "ci-4"][:: 1 if sort is SortDirection.DESC else -1]
        assert client.names() == expected
        second = next(image for image in images if image.name == expected[1])
        start = 1 if marker is MarkerReading.INCLUSIVE else 2
        assert client.names(f"?marker={second.id}") == expected[start:]


SHELF = (
    an_image("own", 1, tags=("nightly",), properties={"os_distro": "rocky"}),
    an_image("raw", 2, disk_format="raw", size=3 * 2**30, tags=("nightly", "weekly")),
    an_image("queued", 3, status="queued", size=None, protected=True),
    an_image("killed", 4, status="killed"),
    an_image("deleted", 5, status="deleted"),
    an_image("pending-delete", 6, status="pending_delete"),
    an_image("hidden", 7, hidden=True),
    an_image("own-public", 8, visibility="public"),
    an_image("own-community", 9, visibility="community"),
    an_image("own-shared", 10, visibility="shared", members={OTHER: "pending"}),
    an_image("vendor", 11, visibility="public", owner=OTHER, protected=True),
    an_image("their-community", 12, visibility="community", owner=OTHER),
    an_image("accepted", 13, visibility="shared", owner=OTHER, members={OURS: "accepted"}),
    an_image("pending", 14, visibility="shared", owner=OTHER, members={OURS: "pending"}),
    an_image("rejected", 15, visibility="shared", owner=OTHER, members={OURS: "rejected"}),
    an_image("not-for-us", 16, visibility="shared", owner=OTHER, members={THIRD: "accepted"}),
    an_image("their-private", 17, owner=OTHER),
)
OWN = "own raw queued pending-delete own-public own-community own-shared"
ALL = f"{OWN} vendor accepted"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param("", ALL, id="default"),
        pytest.param("os_hidden=true", "hidden", id="hidden"),
        pytest.param("status=killed", "", id="killed-never"),
        pytest.param("status=deleted", "", id="deleted-never"),
        pytest.param("status=queued", "queued", id="status"),
        pytest.param("status=in:queued,pending_delete", "queued pending-delete", id="status-in"),
        pytest.param("visibility=public", "own-public vendor", id="public"),
        pytest.param("visibility=community", "own-community their-community", id="community"),
        pytest.param("visibility=shared", "own-shared accepted", id="shared"),
        pytest.param("visibility=shared&member_status=pending", "own-shared pending", id="member-pending"),
        pytest.param("member_status=all", f"{ALL} pending rejected", id="member-all"),
        pytest.param("visibility=all", f"{OWN} vendor their-community accepted", id="everything"),
        pytest.param(f"owner={OURS}", OWN, id="owner"),
        pytest.param("tag=nightly", "own raw", id="tag"),
        pytest.param("tag=nightly&tag=weekly", "raw", id="both-tags"),
        pytest.param("tag=no", "", id="no-such-tag"),
        pytest.param("name=vendor", "vendor", id="name"),
        pytest.param('name=in:own,"raw"', "own raw", id="name-in"),
        pytest.param("protected=true", "queued vendor", id="protected"),
        pytest.param("disk_format=raw", "raw", id="format"),
        pytest.param("size_min=2000000000", "raw", id="size-min"),
        pytest.param("size_max=2000000000&limit=2", "own pending-delete", id="size-max-and-limit"),
        pytest.param("os_distro=rocky", "own", id="property"),
        pytest.param("created_at=gte:2026-11-21T03:00:00Z", "own raw", id="created-at"),
        pytest.param("created_at=lt:2026-11-11T03:00:00", "accepted", id="created-before"),
        pytest.param("sort_key=name&limit=3", "vendor raw queued", id="sort-key"),
        pytest.param("sort_key=name&sort_dir=asc&limit=3", "accepted own own-community", id="ascending"),
        pytest.param("sort=disk_format:desc,name:asc&limit=2", "raw accepted", id="sort"),
        pytest.param("sort_dir=asc&limit=2", "accepted vendor", id="oldest-first"),
        pytest.param("sort_key=size&sort_dir=asc&limit=1", "queued", id="null-first"),
        pytest.param(
            f"sort_key=name&sort_dir=asc&marker={an_image('own', 1).id}&limit=2",
            "own-community own-public",
            id="sorted-marker",
        ),
        pytest.param(f"marker={an_image('killed', 4).id}&limit=2", "pending-delete own-public", id="killed-marker"),
        pytest.param(f"marker={an_image('pending', 14).id}", "", id="pending-marker"),
    ],
)  # fmt: skip
def test_filters_order_and_what_is_hidden(client: Client, query: str, names: str) -> None:
    put(client, *SHELF)
    assert client.names(f"?{query}") == names.split()


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("limit=-1", 400, "limit param must be positive"),
        ("limit=ten", 400, "limit param must be an integer"),
        (f"marker={UNKNOWN}", 400, f"No image found with ID {UNKNOWN}"),
        ("marker=nope", 400, "No image found with ID nope"),
        (f"marker={an_image('deleted', 5).id}", 400, f"No image found with ID {an_image('deleted', 5).id}"),
        (f"marker={an_image('their-private', 17).id}", 403, "Forbidding request, image"),
        ("os_hidden=maybe", 400, "Invalid value 'maybe' for 'os_hidden' filter."),
        ("protected=maybe", 400, "Invalid value 'maybe' for 'protected' filter."),
        ("visibility=odd", 400, "Invalid visibility value: odd"),
        ("member_status=odd", 400, "Invalid status: odd"),
        ("sort_key=owner", 400, "Invalid sort key: owner."),
        ("sort_dir=up", 400, "Invalid sort direction: up"),
        ("sort=name&sort_key=size", 400, "Old and new sorting syntax cannot be combined"),
        ("sort_key=size&sort_dir=asc&sort_dir=desc", 400, "Number of sort dirs does not match"),
        ("name=neq:x", 400, "Unable to filter by unknown operator"),
        ("size_min=x", 400, "Unable to filter on a range with a non-numeric value."),
        ("created_at=x", 400, "query filter format"),
    ],
)
def test_what_the_list_does_not_understand(client: Client, query: str, status: int, message: str) -> None:
    put(client, *SHELF)
    response = client.send("GET", f"/image/v2/images?{query}", headers={"Accept": "application/json"})
    assert response.status_code == status
    assert message in response.json()["message"]


# One image.


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


# Servers and volumes.


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


# What tests and simulations rely on.


def test_requests_are_recorded_with_0_for_yes_and_the_status_for_no(client: Client) -> None:
    image = an_image()
    put(client, image, an_image("p", protected=True))
    client.listed("?limit=3")
    for path in (f"/image/v2/images/{image.id}", f"/image/v2/images/{an_image('p').id}"):
        client.send("DELETE", path)
    client.send("GET", f"/image/v2/images/{image.id}")
    client.send("GET", f"/image/v2/images/{image.id}/members")
    for path in PROJECT_PATHS:
        client.send("GET", path)
    client.send("GET", "/image")
    recorded = [(one.name, one.method, one.image, one.code) for one in client.sandbox.requests]
    assert recorded == [
        ("issue-token", "POST", None, 0),
        ("list-images", "GET", None, 0),
        ("delete-image", "DELETE", image.id, 0),
        ("delete-image", "DELETE", an_image("p").id, 403),
        ("show-image", "GET", image.id, 404),
        ("list-members", "GET", image.id, 404),
        ("list-servers", "GET", None, 0),
        ("list-volumes", "GET", None, 0),
        ("discover", "GET", None, 0),
    ]
    assert client.sandbox.requests[1].query == {"limit": "3"}


def test_values_that_cannot_be_read_are_there_when_asked_for() -> None:
    with client_of(images=200) as plain, client_of(images=300, oddities=True) as odd:
        assert not any(image.wire for image in plain.sandbox.account.images.values())
        written = {image["name"]: image for image in odd.listed() if isinstance(image["name"], str)}
        assert written["ci-odd-protected-1"]["protected"] == "maybe"
        assert "visibility" not in written["ci-odd-visibility-2"]
        assert written["ci-odd-tags-13"]["tags"] == "nightly"
        stored = {image.name: image for image in odd.sandbox.account.images.values()}
        half = odd.send("GET", f"/image/v2/images/{stored['ci-odd-name-17'].id}")
        assert json.loads(half.content)["name"] == "ci-half-\ud83d-17"


def test_what_holds_without_sockets_holds_behind_one() -> None:
    with running(Options(api=Api.OPENSTACK, images=60)) as sandbox:
        client = Client(sandbox, None)
        client.sign_in()
        assert len(client.listed()) > 30
        assert client.send("HEAD", "/image/v2/images").status_code == 405
        doomed = next(i for i in sandbox.account.images if sandbox.account.is_deletable(i))
        assert client.status("DELETE", f"/{doomed}") == 204
        client.http.close()


# The configuration and the options.


def target_of(sandbox: Sandbox) -> tuple[dict[str, Any], str]:
    text = sandbox.configuration()
    [target] = yaml.safe_load(text)["targets"]
    return target, text


def test_the_configuration_names_the_sandbox() -> None:
    sandbox, _ = in_process(Options(api=Api.OPENSTACK, images=1, password='a "quoted" 한글 # pass'))
    target, _ = target_of(sandbox)
    assert target == {
        "name": "sandbox",
        "api": "openstack",
        "identity": f"{sandbox.origin}/identity/v2.0",
        "tenant_id": OURS,
        "username": sandbox.options.username,
        "password": 'a "quoted" 한글 # pass',
        "region": "RegionOne",
    }


def test_with_two_regions_the_configuration_takes_both() -> None:
    sandbox, _ = in_process(Options(api=Api.OPENSTACK, images=1, regions=2))
    assert target_of(sandbox)[0]["region"] == "*"


def test_the_configuration_says_how_to_write_a_clouds_yaml() -> None:
    sandbox, _ = in_process(Options(api=Api.OPENSTACK, images=1))
    _, text = target_of(sandbox)
    comment = text.partition("# clouds:\n")[2].splitlines()
    clouds = yaml.safe_load("clouds:\n" + "\n".join(line.removeprefix("#") for line in comment))["clouds"]
    assert clouds["sandbox"]["auth"]["auth_url"] == f"{sandbox.origin}/identity/v3"
    assert clouds["sandbox-application"]["auth"]["application_credential_id"] == sandbox.options.application


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"api": "openstack", "appkey": "x"}, "--appkey goes with --api toast only"),
        ({"api": "openstack", "booleans": "string"}, "--booleans goes with --api toast only"),
        ({"api": "toast", "regions": 2}, "--regions goes with --api openstack only"),
        ({"no_volumes": True}, "--no-volumes goes with --api openstack only"),
        ({"api": "openstack", "regions": 3}, "3 regions: choose 1 to 2"),
        ({"api": "openstack", "regions": 0}, "0 regions: choose 1 to 2"),
        ({"computes": 2}, "--computes goes with --api openstack only"),
        ({"api": "openstack", "computes": 4}, "4 computes: choose 1 to 3"),
        ({"api": "openstack", "shared_images": True}, "--shared-images needs --regions 2"),
        ({"api": "openstack", "image_in_first": True}, "--image-in-first needs --regions 2"),
        ({"api": "openstack", "volume_interface": "secret"}, "secret is not an interface of a service"),
        ({"api": "openstack", "volume_type": "disk"}, "disk is not a service type of volumes"),
        (
            {"api": "openstack", "compute_microversion": "new"},
            "new is not a microversion of compute: write one like 2.96, or none",
        ),
        ({"api": "openstack", "kubernetes": True, "no_clusters": True}, "--kubernetes does not go with --no-clusters"),
        ({"reference_token": "a b"}, "a reference token is made of visible ASCII"),
        ({"api": "azure"}, "'azure' is not a valid Api"),
    ],
    ids=str,
)
def test_options_that_cannot_be_are_usage_errors(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        options_from(wrong)
    assert str(caught.value) == f"sandbox: {sentence}"


def test_the_flags_of_openstack_become_options() -> None:
    given = {"api": "openstack", "regions": 2, "no_volumes": True}
    assert options_from(given) == replace(Options(), api=Api.OPENSTACK, regions=2, no_volumes=True)
