"""The sandbox keeps what the vendor's Compute API v1.0 page promises, and each option changes what it says."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import yaml
from starlette.responses import Response

from janitor.errors import UsageError
from janitor.sandbox.flags import FLAGS, options_from
from janitor.sandbox.models import MISSING, StoredImage
from janitor.sandbox.options import Absent, Booleans, MarkerReading, Options, SortDirection, Times
from janitor.sandbox.request_log import Call
from janitor.sandbox.server import Sandbox, running, serve

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
UNKNOWN = "00000000-0000-4000-a000-000000000000"


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class Client:
    """Speaks to a sandbox as the vendor's page says; `token` is sent while it is not None."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.base = f"{sandbox.url}/v1.0/appkeys/{sandbox.options.appkey}"
        self.http = httpx.Client(trust_env=False, verify=False)  # no TLS here: nothing to load
        self.token: str | None = None

    def send(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        headers = {} if self.token is None else {"X-Auth-Token": self.token}
        response = self.http.request(method, self.base + path, headers=headers, **request)
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json;charset=UTF-8"
        answer: dict[str, Any] = response.json()
        assert next(iter(answer)) == "header"
        assert answer["header"]["isSuccessful"] is (answer["header"]["resultCode"] == 0)
        return answer

    def code(self, method: str, path: str, **request: Any) -> int:
        code: int = self.send(method, path, **request)["header"]["resultCode"]
        return code

    def sign_in(self) -> dict[str, Any]:
        options = self.sandbox.options
        auth = {"username": options.username, "password": options.password}
        access: dict[str, Any] = self.send("POST", "/tokens", json={"auth": auth})["access"]
        self.token = access["token"]["id"]
        return access

    def page(self, **query: Any) -> list[dict[str, Any]]:
        images: list[dict[str, Any]] = self.send("GET", "/images", params=query)["images"]
        return images

    def ids(self, **query: Any) -> list[str]:
        return [image["id"] for image in self.page(**query)]

    def image(self, image_id: str) -> dict[str, Any]:
        return next(image for image in self.page() if image["id"] == image_id)


@contextmanager
def client_of(options: Options | None = None, clock: Clock | None = None) -> Iterator[Client]:
    with running(options or Options(images=50), clock or Clock()) as sandbox:
        client = Client(sandbox)
        try:
            client.sign_in()
            yield client
        finally:
            client.http.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(clock: Clock) -> Iterator[Client]:
    with client_of(clock=clock) as client:
        yield client


@pytest.fixture(scope="module")
def standing() -> Iterator[Sandbox]:
    with running(Options(images=50), Clock()) as sandbox:
        yield sandbox


@pytest.fixture
def reader(standing: Sandbox) -> Iterator[Client]:
    """A client of a sandbox that no test changes."""
    client = Client(standing)
    client.sign_in()
    yield client
    client.http.close()


def own_image(client: Client, **wanted: Any) -> StoredImage:
    """An image of the account that nothing protects, changed as wanted."""
    used = {instance.image for instance in client.sandbox.account.instances.values()}
    free = next(
        image
        for image in client.sandbox.account.images.values()
        if image.status == "active" and not image.is_public and not image.protected and image.id not in used
    )
    return client.sandbox.account.change_image(free.id, **wanted)


def newest_first(client: Client) -> list[str]:
    images = client.sandbox.account.images.values()
    return [image.id for image in sorted(images, key=lambda image: (image.created_at, image.id), reverse=True)]


# Tokens.


def test_a_token_is_dated_in_the_two_shapes_of_the_vendors_sample(reader: Client) -> None:
    access = reader.sign_in()
    assert access["token"]["issued_at"] == "2026-11-23T03:00:00.000000"
    assert access["token"]["expires"] == "2026-11-23T04:00:00Z"
    assert len(access["token"]["id"]) == 32
    assert access["user"]["id"] == reader.sandbox.options.username
    assert access["user"]["roles"][0].keys() == {"name"}


def test_a_token_is_good_until_it_expires_and_not_a_second_longer(client: Client, clock: Clock) -> None:
    clock.forward(minutes=59, seconds=59)
    assert client.code("GET", "/images") == 0
    assert client.code("GET", "/tokens", params={"id": client.token}) == 0
    clock.forward(seconds=1)
    assert client.code("GET", "/images") == -3
    assert client.code("GET", "/tokens", params={"id": client.token}) == 50404


def test_the_lifetime_of_a_token_can_be_chosen(clock: Clock) -> None:
    with client_of(Options(images=1, token_lifetime=timedelta(seconds=10)), clock) as client:
        clock.forward(seconds=10)
        assert client.code("GET", "/images") == -3


def test_a_token_can_be_looked_up_without_one(reader: Client) -> None:
    token, reader.token = reader.token, None
    assert reader.send("GET", "/tokens", params={"id": token})["access"]["token"]["id"] == token


def test_tokens_can_be_revoked_before_their_time(client: Client) -> None:
    client.sandbox.account.revoke_tokens()
    assert client.code("GET", "/images") == -3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b'{"auth":{"username":"sandbox@example.com","password":"wrong"}}', 50401, id="wrong-password"),
        pytest.param(b'{"auth":{"username":"x","password":"sandbox-password"}}', 50401, id="wrong-username"),
        pytest.param(b'{"auth":{"username":"\\ud800","password":"x"}}', 50401, id="half-a-character"),
        pytest.param(b'{"auth":{"username":"x"}}', -4, id="no-password"),
        pytest.param(b'{"auth":{"username":"x","password":1}}', -4, id="password-no-text"),
        pytest.param(b'{"auth":"x"}', -4, id="auth-no-object"),
        pytest.param(b"[]", -4, id="body-no-object"),
        pytest.param(b"auth=me", -8, id="not-json"),
        pytest.param(b"", -8, id="empty"),
        pytest.param(b"\xff\xfe{}", -8, id="not-unicode"),
        pytest.param(b"[" * 200_000, -8, id="bottomless"),
    ],
)
def test_bad_token_requests_are_refused(reader: Client, body: bytes, code: int) -> None:
    assert reader.code("POST", "/tokens", content=body) == code


ASKED = [("GET", "/images"), ("DELETE", f"/images?id={UNKNOWN}"), ("GET", "/instances"), ("GET", "/instances-detail")]


@pytest.mark.parametrize(("method", "path"), [*ASKED, ("POST", f"/instances/{UNKNOWN}/action")])
@pytest.mark.parametrize("token", [None, "", "nonsense"], ids=["none", "empty", "wrong"])
def test_every_call_but_those_for_tokens_needs_one(reader: Client, method: str, path: str, token: str | None) -> None:
    reader.token = token
    assert reader.code(method, path) == -3


@pytest.mark.parametrize(("method", "path"), [*ASKED, ("POST", "/tokens"), ("GET", "/tokens?id=x")])
def test_another_appkey_is_refused(reader: Client, method: str, path: str) -> None:
    reader.base += "x"
    assert reader.code(method, path) == -3


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/flavors"), ("PUT", "/images"), ("DELETE", "/tokens"), ("GET", "/images/"), ("DELETE", "/images/x")],
)
def test_what_the_api_does_not_know_is_not_supported_and_never_nonexistent(
    reader: Client, method: str, path: str
) -> None:
    assert reader.code(method, path) == -7
    assert reader.http.request(method, reader.sandbox.url + path).json()["header"]["resultCode"] == -7


# The image list.


def test_an_image_is_written_as_on_the_vendors_page(reader: Client) -> None:
    for written in reader.page():
        stored = reader.sandbox.account.images[written["id"]]
        assert list(written) == [
            *("createdAt", "diskFormat", "id", "isPublic", "minDisk", "minRam"),
            *("name", "properties", "protected", "size", "status", "updatedAt"),
        ]
        assert written["name"] == stored.name
        assert written["isPublic"] is stored.is_public
        assert written["protected"] is stored.protected
        assert written["size"] == stored.size
        assert written["createdAt"] == f"{stored.created_at:%Y-%m-%dT%H:%M:%SZ}"
        assert written["properties"] == stored.properties


@pytest.mark.parametrize("sort", list(SortDirection))
@pytest.mark.parametrize("marker", list(MarkerReading))
@pytest.mark.parametrize("cap", [1000, 7])
def test_pages_follow_creation_order_marker_reading_and_cap(
    sort: SortDirection, marker: MarkerReading, cap: int
) -> None:
    with client_of(Options(images=50, sort=sort, marker=marker, page_cap=cap)) as client:
        expected = newest_first(client)
        if sort is SortDirection.ASC:
            expected.reverse()
        assert client.ids() == expected[:cap]
        for limit in (1, 5, 20):
            for place in (0, 30, 48, 49):
                start = place + (marker is MarkerReading.EXCLUSIVE)
                ids = client.ids(limit=limit, marker=expected[place])
                assert ids == expected[start : start + min(limit, cap)]


def test_images_of_the_same_instant_are_each_listed_once() -> None:
    with client_of() as client:
        for image_id in client.sandbox.account.images:
            client.sandbox.account.change_image(image_id, created_at=START)
        listed: list[str] = []
        while page := client.ids(limit=7, **({"marker": listed[-1]} if listed else {})):
            listed += page
        assert listed == newest_first(client)


def test_an_image_that_is_added_or_dated_anew_takes_its_place_in_the_list(client: Client) -> None:
    account, before = client.sandbox.account, client.ids()
    added = replace(account.images[before[10]], id=UNKNOWN, created_at=START)
    account.put_image(added)
    assert client.ids() == [UNKNOWN, *before]
    account.change_image(UNKNOWN, created_at=START - timedelta(days=9999))
    assert client.ids() == [*before, UNKNOWN]


@pytest.mark.parametrize("limit", ["0", "-1", "ten", "1.5", "", " 5", "²", "9" * 5000])
def test_a_bad_limit_is_an_invalid_parameter(reader: Client, limit: str) -> None:
    assert reader.code("GET", "/images", params={"limit": limit}) == -4


def test_a_marker_must_be_an_image_that_exists(client: Client) -> None:
    doomed = own_image(client)
    assert client.code("GET", "/images", params={"marker": doomed.id.upper()}) == 0
    client.sandbox.account.remove_image(doomed.id)
    refusal = client.send("GET", "/images", params={"marker": doomed.id})["header"]
    assert refusal["resultCode"] == 30400
    assert f"no image found with id {doomed.id}" in refusal["resultMessage"]
    assert client.code("GET", "/images", params={"marker": "nonsense"}) == -4


def test_booleans_and_numbers_can_be_strings() -> None:
    with client_of(Options(images=50, booleans=Booleans.STRING)) as client:
        for written in client.page():
            stored = client.sandbox.account.images[written["id"]]
            assert written["isPublic"] == str(stored.is_public).lower()
            assert written["protected"] == str(stored.protected).lower()
            assert written["size"] == (None if stored.size is None else str(stored.size))
            assert written["minDisk"] == str(stored.min_disk)
        flavor = client.send("GET", "/instances-detail")["instances"][0]["flavor"]
        assert isinstance(flavor["ram"], str)


def test_times_can_have_fractions_and_no_zone() -> None:
    with client_of(Options(images=50, times=Times.FRACTION)) as client:
        for written in client.page():
            stored = client.sandbox.account.images[written["id"]]
            assert written["createdAt"] == f"{stored.created_at:%Y-%m-%dT%H:%M:%S.%f}"


def test_times_can_be_mixed_within_one_image() -> None:
    with client_of(Options(images=50, times=Times.MIXED)) as client:
        shapes = {(image["createdAt"][-1] == "Z", image["updatedAt"][-1] == "Z") for image in client.page()}
        assert shapes == {(True, False), (False, True)}


def test_oddities_are_on_the_wire_as_they_are() -> None:
    with client_of(Options(images=300, oddities=True)) as client:
        by_name = {json.dumps(image["name"]): image for image in client.page()}
        assert by_name['"ci-odd-protected-1"']["protected"] == "maybe"
        assert "isPublic" not in by_name['"ci-odd-public-2"']
        assert by_name['"ci-odd-created-3"']["createdAt"] is None
        assert '"ci-half-\\ud83d-13"' in by_name


def test_a_test_can_put_anything_on_the_wire(client: Client) -> None:
    image = own_image(client, wire={"status": "importing", "size": MISSING, "extra": [1]})
    written = client.image(image.id)
    assert (written["status"], "size" in written, written["extra"]) == ("importing", False, [1])
    client.sandbox.account.change_image(image.id, wire={})
    assert client.image(image.id)["status"] == "active"


# Deleting.


def test_a_deleted_image_is_gone_and_nothing_else_is(client: Client) -> None:
    image, before = own_image(client), client.ids()
    answer = client.send("DELETE", "/images", params={"id": image.id})
    assert answer == {"header": {"isSuccessful": True, "resultCode": 0, "resultMessage": "SUCCESS"}}
    assert client.ids() == [image_id for image_id in before if image_id != image.id]


@pytest.mark.parametrize("status", ["queued", "saving", "killed", "deactivated"])
def test_nothing_stops_the_deletion_of_an_unfinished_image(client: Client, status: str) -> None:
    assert client.code("DELETE", "/images", params={"id": own_image(client, status=status).id}) == 0


REFUSED = {
    "public": ({"visibility": "public"}, 30403),
    "public-and-unprotected": ({"visibility": "public", "protected": False}, 30403),
    "protected": ({"protected": True}, 30403),
    "deleted-already": ({"status": "deleted"}, -5),
    "pending-delete": ({"status": "pending_delete"}, -5),
}


@pytest.mark.parametrize(("changes", "code"), REFUSED.values(), ids=REFUSED)
def test_some_images_are_not_deleted(client: Client, changes: dict[str, Any], code: int) -> None:
    image = own_image(client, **changes)
    assert client.code("DELETE", "/images", params={"id": image.id}) == code
    assert client.sandbox.account.images[image.id] == image


@pytest.mark.parametrize("status", ["ACTIVE", "STOP", "ERROR"])
def test_an_image_in_use_is_not_deleted_until_its_instance_is_gone(client: Client, status: str) -> None:
    image = own_image(client)
    instance = next(iter(client.sandbox.account.instances.values()))
    client.sandbox.account.change_instance(instance.id, image=image.id, status=status)
    assert client.code("DELETE", "/images", params={"id": image.id}) == 30409
    client.sandbox.account.remove_instance(instance.id)
    assert client.code("DELETE", "/images", params={"id": image.id}) == 0


@pytest.mark.parametrize("query", [{}, {"id": ""}, {"id": "nonsense"}, {"id": "../" + UNKNOWN}])
def test_a_malformed_id_is_an_invalid_parameter(reader: Client, query: dict[str, str]) -> None:
    assert reader.code("DELETE", "/images", params=query) == -4


@pytest.mark.parametrize(
    ("absent", "image_code", "instance_code"), [(Absent.NONEXISTENT, -5, -5), (Absent.NOT_FOUND, 30404, 10404)]
)
def test_what_is_not_there_has_the_code_chosen(absent: Absent, image_code: int, instance_code: int) -> None:
    with client_of(Options(images=20, absent=absent)) as client:
        image = own_image(client)
        assert client.code("DELETE", "/images", params={"id": image.id}) == 0
        assert client.code("DELETE", "/images", params={"id": image.id}) == image_code
        assert client.code("GET", "/instances", params={"id": UNKNOWN}) == instance_code


# Instances.


def test_instances_are_listed_in_brief_and_in_detail(reader: Client) -> None:
    stored = reader.sandbox.account.instances
    brief = reader.send("GET", "/instances")["instances"]
    detail = reader.send("GET", "/instances-detail")["instances"]
    assert [instance["id"] for instance in brief] == [instance["id"] for instance in detail] == list(stored)
    assert all(instance.keys() == {"id", "name", "status"} for instance in brief)
    assert detail[0]["image"] == stored[detail[0]["id"]].image
    assert detail[0]["flavor"].keys() == {"id", "name", "cpu", "ram"}
    assert {"addresses", "volumes", "securityGroups", "launchedAt", "createdAt", "updatedAt"} < detail[0].keys()


def test_one_instance_can_be_asked_for(reader: Client) -> None:
    wanted = list(reader.sandbox.account.instances)[1]
    for path in ("/instances", "/instances-detail"):
        assert [one["id"] for one in reader.send("GET", path, params={"id": wanted})["instances"]] == [wanted]
        assert reader.code("GET", path, params={"id": UNKNOWN}) == -5
        assert reader.code("GET", path, params={"id": "nonsense"}) == -4


@pytest.mark.parametrize("image", [None, "", MISSING], ids=["null", "empty", "missing"])
def test_an_instance_may_say_nothing_of_an_image(client: Client, image: Any) -> None:
    first = next(iter(client.sandbox.account.instances))
    client.sandbox.account.change_instance(first, image=image)
    written = client.send("GET", "/instances-detail", params={"id": first})["instances"][0]
    assert written.get("image", MISSING) == image


def upload(client: Client, status: str = "STOP", **body: Any) -> dict[str, Any]:
    instance = next(iter(client.sandbox.account.instances))
    client.sandbox.account.change_instance(instance, status=status)
    document = {"action": "uploadImage", "parameters": {"name": "스냅샷-1"}, **body}
    return client.send("POST", f"/instances/{instance}/action", json=document)


def test_an_image_made_of_an_instance_is_queued_then_saving_then_active(client: Client, clock: Clock) -> None:
    created = upload(client)["createdImage"]
    assert created["name"] == "스냅샷-1"
    seen = []
    for seconds in (0, 4, 1, 9, 1, 100):
        clock.forward(seconds=seconds)
        image = client.image(created["id"])
        seen.append((image["status"], image["size"] is None, image["updatedAt"][-3:]))
    assert seen == [
        ("queued", True, "00Z"),
        ("queued", True, "00Z"),
        ("saving", True, "05Z"),
        ("saving", True, "05Z"),
        ("active", False, "15Z"),
        ("active", False, "15Z"),
    ]
    assert client.ids()[0] == created["id"]


def test_an_upload_may_be_deleted_half_way(client: Client, clock: Clock) -> None:
    created = upload(client)["createdImage"]
    assert client.code("DELETE", "/images", params={"id": created["id"]}) == 0
    clock.forward(minutes=1)
    assert created["id"] not in client.ids()


@pytest.mark.parametrize("status", ["ACTIVE", "ERROR", "REBOOTING"])
def test_only_a_stopped_instance_can_be_made_an_image_of(client: Client, status: str) -> None:
    before = client.ids()
    assert upload(client, status)["header"]["resultCode"] == 10409
    assert client.ids() == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"action": "reboot"}, -7),
        ({"action": None}, -4),
        ({"parameters": None}, -4),
        ({"parameters": {"name": ""}}, -4),
        ({"parameters": {"name": 5}}, -4),
    ],
)
def test_bad_actions_are_refused(client: Client, body: dict[str, Any], code: int) -> None:
    assert upload(client, **body)["header"]["resultCode"] == code


@pytest.mark.parametrize(("instance", "code"), [(UNKNOWN, -5), ("nonsense", -4)])
def test_actions_need_an_instance(reader: Client, instance: str, code: int) -> None:
    body = {"action": "uploadImage", "parameters": {"name": "x"}}
    assert reader.code("POST", f"/instances/{instance}/action", json=body) == code


# What tests and simulations rely on.


def test_every_request_is_recorded_without_the_appkey(client: Client, clock: Clock) -> None:
    doomed = own_image(client)
    client.page(limit=3)
    clock.forward(seconds=1)
    client.code("DELETE", "/images", params={"id": doomed.id})
    client.code("GET", "/nowhere")
    client.token = None
    client.code("GET", "/instances")
    recorded = client.sandbox.requests
    assert [(one.name, one.ordinal, one.method, one.path, one.image, one.code) for one in recorded] == [
        ("issue-token", 1, "POST", "/tokens", None, 0),
        ("list-images", 1, "GET", "/images", None, 0),
        ("delete-image", 1, "DELETE", "/images", doomed.id, 0),
        ("unknown", 1, "GET", "/nowhere", None, -7),
        ("list-instances", 1, "GET", "/instances", None, -3),
    ]
    assert recorded[1].query == {"limit": "3"}
    assert (recorded[1].at, recorded[2].at) == (START, START + timedelta(seconds=1))
    assert not any(client.sandbox.options.appkey in repr(one) for one in recorded)


def test_a_hook_sees_each_call_and_may_do_as_it_likes() -> None:
    seen: list[tuple[str, int]] = []

    async def hook(call: Call, answer: Callable[[], Awaitable[Response]]) -> Response:
        seen.append((call.name, call.ordinal))
        match call.name, call.ordinal:
            case "list-images", 1:
                return Response("<html>gateway</html>", 502)
            case "delete-image", 1:
                await answer()
                return Response("lost", 504, headers={"Date": "Thu, 01 Jan 1970 00:00:00 GMT"})
        return await answer()

    with running(Options(images=20), Clock(), hook) as sandbox:
        client = Client(sandbox)
        client.sign_in()
        image = own_image(client)
        headers = {"X-Auth-Token": client.token or ""}
        assert client.http.get(f"{client.base}/images", headers=headers).status_code == 502
        lost = client.http.delete(f"{client.base}/images?id={image.id}", headers=headers)
        assert (lost.status_code, lost.headers["date"]) == (504, "Thu, 01 Jan 1970 00:00:00 GMT")
        assert image.id not in client.ids()
        client.http.close()
    assert seen == [("issue-token", 1), ("list-images", 1), ("delete-image", 1), ("list-images", 2)]
    assert [one.code for one in sandbox.requests] == [0, None, 0, 0]


def test_the_date_header_is_the_sandboxs_own_clock(client: Client, clock: Clock) -> None:
    clock.forward(days=-400)
    assert client.http.get(f"{client.base}/images").headers["date"] == "Sun, 19 Oct 2025 03:00:00 GMT"


def test_latency_is_spent_on_requests_side_by_side() -> None:
    with client_of(Options(images=5, latency=timedelta(milliseconds=150))) as client:
        took: list[timedelta] = []

        def ask() -> None:
            headers = {"X-Auth-Token": client.token or ""}
            took.append(httpx.get(f"{client.base}/images", headers=headers, trust_env=False).elapsed)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert min(took) >= timedelta(milliseconds=150)


def test_several_sandboxes_run_beside_each_other_and_know_nothing_of_each_other() -> None:
    with client_of(Options(images=20, seed=1)) as one, client_of(Options(images=30, seed=2)) as other:
        assert (len(one.ids()), len(other.ids())) == (20, 30)
        other.token = one.token
        assert other.code("GET", "/images") == -3


def test_a_sandbox_is_gone_when_its_block_ends() -> None:
    before = set(threading.enumerate())
    with running(Options(images=1)) as sandbox:
        url = sandbox.url
        assert httpx.get(url, trust_env=False).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)
    assert set(threading.enumerate()) <= before


def test_a_sandbox_ends_with_its_block_even_when_that_fails() -> None:
    with pytest.raises(ZeroDivisionError), running(Options(images=1)) as sandbox:
        raise ZeroDivisionError
    with pytest.raises(httpx.ConnectError):
        httpx.get(sandbox.url, trust_env=False)


# The configuration, the options, and the foreground.


def test_the_configuration_names_the_sandbox() -> None:
    with running(Options(images=1, password='a "quoted" 한글 # pass')) as sandbox:
        text = sandbox.configuration(policies="/some where/policies", database="x.db", mode="delete")
    configuration = yaml.safe_load(text)
    assert configuration == {
        "mode": "delete",
        "database": "x.db",
        "policies": "/some where/policies",
        "timezone": "UTC",
        "targets": [
            {
                "name": "sandbox",
                "api": "toast",
                "endpoint": sandbox.url,
                "appkey": sandbox.options.appkey,
                "username": sandbox.options.username,
                "password": 'a "quoted" 한글 # pass',
            }
        ],
    }


def test_the_configuration_shows_how_references_are_declared() -> None:
    with running(Options(images=1, reference_token="a-token")) as sandbox:
        lines = sandbox.configuration().partition("# references:")[2].splitlines()[1:3]
        [declared] = yaml.safe_load("\n".join(line.removeprefix("#") for line in lines))
        answer = httpx.get(declared["url"], headers={"Authorization": f"Bearer {declared['token']}"}, trust_env=False)
    assert answer.status_code == 200
    assert answer.json().keys() == {"launch_templates"}


def test_flags_without_a_value_are_the_defaults() -> None:
    assert options_from({flag.field: None for flag in FLAGS}) == Options()
    assert options_from({flag.field: flag.default for flag in FLAGS}) == Options()


def test_flags_become_options() -> None:
    given = {"latency": 250, "token_lifetime": "10s", "marker": "inclusive", "booleans": "string", "port": 0}
    assert options_from(given) == replace(
        Options(),
        latency=timedelta(milliseconds=250),
        token_lifetime=timedelta(seconds=10),
        marker=MarkerReading.INCLUSIVE,
        booleans=Booleans.STRING,
        port=0,
    )


@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag.choices], ids=lambda flag: flag.name)
def test_every_choice_of_a_flag_can_be_taken(flag: Any) -> None:
    api = {} if flag.field == "api" or flag.help.startswith("v1.0") else {"api": "openstack"}
    taken = [options_from({**api, flag.field: choice}) for choice in flag.choices]
    assert [getattr(options, flag.field) for options in taken] == list(flag.choices)


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 70000},
        {"port": -1},
        {"images": -1},
        {"images": 10**9},
        {"page_cap": 0},
        {"latency": -1},
        {"token_lifetime": "an hour"},
        {"token_lifetime": "0s"},
        {"marker": "both"},
        {"appkey": "a/b"},
        {"username": ""},
        {"nonsense": 1},
    ],
    ids=str,
)
def test_options_that_cannot_be_are_usage_errors(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"^sandbox: "):
        options_from(wrong)


def test_a_port_that_is_taken_is_a_usage_error_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=rf"port {port} on 127\.0\.0\.1 is taken: .*--port 0"):
            serve(Options(port=port, images=1), announce=lambda _: pytest.fail("must not be announced"))


FOREGROUND = """
import logging
from janitor.sandbox.options import Options
from janitor.sandbox.server import serve
logging.basicConfig(level=logging.INFO)
serve(Options(port=0, images=5), announce=lambda text: print(text + "---", flush=True), policies="p")
print("ended")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_the_foreground_announces_itself_and_ends_cleanly_on_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", FOREGROUND],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        text = "".join(iter(process.stdout.readline, "---\n"))
        configuration = yaml.safe_load(text)
        with httpx.Client(trust_env=False) as http:  # its idle connection must not hold the end up
            assert http.get(configuration["targets"][0]["endpoint"]).json()["header"]["resultCode"] == -7
            process.send_signal(number)
            assert process.wait(timeout=20) == 0
        assert process.stdout.read() == "ended\n"
        errors = process.stderr.read()
    assert configuration["policies"] == "p"
    assert "Traceback" not in errors
    assert "sandbox-listening" in errors
