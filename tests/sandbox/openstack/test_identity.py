"""Identity of the sandbox: tokens of both versions, the catalogue that they carry, and what needs one."""

from datetime import timedelta
from typing import Any

import pytest

from janitor.sandbox.calls import Api
from janitor.sandbox.models import OURS
from janitor.sandbox.options import Options
from tests.sandbox.clock import Clock
from tests.sandbox.openstack.client import OTHER, UNKNOWN, Client, by_application, client_of
from tests.sandbox.openstack.paths import CLUSTERS, IMAGES, SERVERS, STACKS, VOLUMES

SERVICES = {"identity", "image", "compute", "volumev3", "container-infra", "orchestration"}


# Tokens


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


# Services


PROJECT_PATHS = [SERVERS, VOLUMES]
MORE_PATHS = [CLUSTERS, STACKS]
IMAGE_PATHS = [IMAGES, f"{IMAGES}/{UNKNOWN}", f"{IMAGES}/{UNKNOWN}/members"]


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
