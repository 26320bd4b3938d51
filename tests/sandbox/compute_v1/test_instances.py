"""Instances of the sandbox are listed, and made images of, as the Compute API v1.0 page promises."""

from typing import Any

import pytest

from janitor.sandbox.models import MISSING
from tests.sandbox.clock import Clock
from tests.sandbox.compute_v1.client import UNKNOWN, Client


def test_instances_are_listed_in_brief_and_in_detail(reader: Client) -> None:
    stored = reader.sandbox.account.instances
    brief = reader.ask("GET", "/instances")["instances"]
    detail = reader.ask("GET", "/instances-detail")["instances"]
    assert [instance["id"] for instance in brief] == [instance["id"] for instance in detail] == list(stored)
    assert all(instance.keys() == {"id", "name", "status"} for instance in brief)
    assert detail[0]["image"] == stored[detail[0]["id"]].image
    assert detail[0]["flavor"].keys() == {"id", "name", "cpu", "ram"}
    assert {"addresses", "volumes", "securityGroups", "launchedAt", "createdAt", "updatedAt"} < detail[0].keys()


def test_one_instance_can_be_asked_for(reader: Client) -> None:
    wanted = list(reader.sandbox.account.instances)[1]
    for path in ("/instances", "/instances-detail"):
        assert [one["id"] for one in reader.ask("GET", path, params={"id": wanted})["instances"]] == [wanted]
        assert reader.code("GET", path, params={"id": UNKNOWN}) == -5
        assert reader.code("GET", path, params={"id": "nonsense"}) == -4


@pytest.mark.parametrize("image", [None, "", MISSING], ids=["null", "empty", "missing"])
def test_an_instance_may_say_nothing_of_an_image(client: Client, image: Any) -> None:
    first = next(iter(client.sandbox.account.instances))
    client.sandbox.account.change_instance(first, image=image)
    written = client.ask("GET", "/instances-detail", params={"id": first})["instances"][0]
    assert written.get("image", MISSING) == image


def upload(client: Client, status: str = "STOP", **body: Any) -> dict[str, Any]:
    instance = next(iter(client.sandbox.account.instances))
    client.sandbox.account.change_instance(instance, status=status)
    document = {"action": "uploadImage", "parameters": {"name": "스냅샷-1"}, **body}
    return client.ask("POST", f"/instances/{instance}/action", json=document)


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
