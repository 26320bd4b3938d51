"""The cloud around Glance: its tokens are real and end, and the stand-ins serve those whom Nova and Cinder would."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.glance.cloud import LIFETIME, Cloud
from tests.glance.configuration import REGION
from tests.glance.identity import Person
from tests.glance.patience import until
from tests.glance.servers import plain_environment, python
from tests.glance.stand_ins import Nova

SHORT = timedelta(seconds=3)


def token_of(person: Person) -> dict[str, Any]:
    token: dict[str, Any] = person.sign_in().json()["token"]
    return token


def services(person: Person) -> dict[str, str]:
    """The public URL of each service in the region, by type."""
    return {
        service["type"]: endpoint["url"]
        for service in token_of(person)["catalog"]
        for endpoint in service["endpoints"]
        if (endpoint["interface"], endpoint["region"]) == ("public", REGION)
    }


def lifetime(person: Person) -> timedelta:
    token = token_of(person)
    return datetime.fromisoformat(token["expires_at"]) - datetime.fromisoformat(token["issued_at"])


def get(url: str, token: str, version: str | None = None) -> httpx.Response:
    asked = {} if version is None else {"OpenStack-API-Version": f"compute {version}"}
    return httpx.get(url, headers={"X-Auth-Token": token} | asked, timeout=30, verify=False, trust_env=False)


def every(noun: str, url: str, token: str, limit: int = 1000) -> list[str]:
    """The names on all pages of a list, by its links."""
    names: list[str] = []
    following: str | None = f"{url}/{noun}/detail?limit={limit}"
    while following is not None:
        page = get(following, token).raise_for_status().json()
        names += [record["name"] for record in page[noun]]
        following = next((link["href"] for link in page.get(f"{noun}_links", ()) if link["rel"] == "next"), None)
    return names


# Tokens


def test_the_catalogue_names_every_service(cloud: Cloud) -> None:
    member = cloud.member()
    assert services(member) == {
        "identity": f"{cloud.keystone.url}/v3",
        "image": cloud.glance.url,
        "compute": f"{cloud.nova.loopback.url}/v2.1",
        "volumev3": f"{cloud.cinder.loopback.url}/v3/{member.project_id}",
    }


def test_a_wrong_password_gets_no_token(cloud: Cloud) -> None:
    member = cloud.member()
    stranger = Person(member.auth_url, member.user_id, member.username, "wrong", member.project_id, member.project_name)
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        stranger.token()


def test_a_token_lasts_as_long_as_keystone_is_told(cloud: Cloud) -> None:
    assert lifetime(cloud.member()) == pytest.approx(LIFETIME, abs=timedelta(seconds=1))


def test_a_token_that_ends_is_refused_and_one_from_before_or_after_is_not(cloud: Cloud) -> None:
    member = cloud.member()
    before = cloud.images(member)
    cloud.restart_keystone(SHORT)
    try:
        assert lifetime(member) == pytest.approx(SHORT, abs=timedelta(seconds=1))
        images = cloud.images(member)
        assert images.page().status_code == 200
        until(lambda: images.page().status_code == 401)
        assert images.delete("anything").status_code == 401
        assert [cloud.images(member).page().status_code, before.page().status_code] == [200, 200]
    finally:
        cloud.restart_keystone()


def test_an_application_credential_gets_tokens_until_it_ends(cloud: Cloud) -> None:
    member = cloud.member()

    def status(auth: dict[str, str]) -> int:
        credential = {"id": auth["application_credential_id"], "secret": auth["application_credential_secret"]}
        body = {"auth": {"identity": {"methods": ["application_credential"], "application_credential": credential}}}
        return httpx.post(f"{auth['auth_url']}/auth/tokens", json=body, timeout=30, trust_env=False).status_code

    assert status(cloud.identity.application_credential(member, "lasting")) == 201
    ending = cloud.identity.application_credential(member, "ending", datetime.now(UTC) + timedelta(seconds=1))
    until(lambda: status(ending) == 401)


def test_someone_without_a_role_in_the_project_gets_no_token(cloud: Cloud) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        cloud.outsider().token()


# An independent reader

READ = """
import json, openstack
cloud = openstack.connect()
lists = cloud.image.images(), cloud.compute.servers(limit=2), cloud.block_storage.volumes(limit=2)
print(json.dumps([sorted(entry.name for entry in entries) for entries in lists]))
"""


def test_openstacksdk_reads_all_of_it(cloud: Cloud) -> None:
    """By OS_ variables, the catalogue, and the links between pages."""
    member = cloud.member()
    images = cloud.images(member)
    for number in range(3):
        images.create(f"image-{number}", visibility="private")
        cloud.nova.boot(f"web-{number}", member.project_id, None)
        cloud.cinder.create(f"disk-{number}", member.project_id, None)
    read = subprocess.run(
        [python(), "-W", "ignore", "-c", READ],
        env=plain_environment(member.variables()),
        capture_output=True,
        text=True,
        check=True,
    )
    ours = [
        [name for name in names if name.split("-")[0] in ("image", "web", "disk")] for names in json.loads(read.stdout)
    ]
    assert ours == [[f"{word}-{number}" for number in range(3)] for word in ("image", "web", "disk")]


# Nova and Cinder


def test_each_project_lists_its_own_servers_and_volumes_on_all_pages(cloud: Cloud) -> None:
    mine, theirs = cloud.member(), cloud.member()
    for person in (mine, theirs):
        for number in range(5):
            cloud.nova.boot(f"web-{number} of {person.project_name}", person.project_id, "an-image")
            cloud.cinder.create(f"disk-{number} of {person.project_name}", person.project_id, "an-image")
    token, urls = mine.token(), services(mine)
    for limit in (2, 5, 1000):
        assert every("servers", urls["compute"], token, limit) == [f"web-{n} of {mine.project_name}" for n in range(5)]
        assert every("volumes", urls["volumev3"], token, limit) == [
            f"disk-{n} of {mine.project_name}" for n in range(5)
        ]


def test_a_page_may_be_shorter_than_was_asked_for(cloud: Cloud) -> None:
    mine = cloud.member()
    for number in range(5):
        cloud.nova.boot(f"web-{number}", mine.project_id, None)
    cloud.nova.most = 2
    try:
        assert len(every("servers", services(mine)["compute"], mine.token())) == 5
    finally:
        cloud.nova.most = 1000


def test_a_server_made_from_a_volume_names_no_image_and_the_volume_does(cloud: Cloud) -> None:
    mine = cloud.member()
    cloud.nova.boot("from an image", mine.project_id, "i1")
    cloud.nova.boot("from a volume", mine.project_id, None)
    cloud.cinder.create("root", mine.project_id, "i2")
    cloud.cinder.create("data", mine.project_id, None)
    token, urls = mine.token(), services(mine)
    servers = get(f"{urls['compute']}/servers/detail", token).json()["servers"]
    volumes = get(f"{urls['volumev3']}/volumes/detail", token).json()["volumes"]
    assert [server["image"] and server["image"]["id"] for server in servers] == ["i1", ""]
    assert [volume.get("volume_image_metadata", {}).get("image_id") for volume in volumes] == ["i2", None]


def test_the_stand_ins_know_no_stranger_and_fail_when_told_to(cloud: Cloud) -> None:
    mine, theirs = cloud.member(), cloud.member()
    servers = f"{services(mine)['compute']}/servers/detail"
    assert get(servers, "no token").status_code == 401
    assert get(f"{services(mine)['volumev3']}/volumes/detail", theirs.token()).status_code == 404
    assert get(f"{servers}?marker=nobody", mine.token()).status_code == 400
    cloud.nova.status = 503
    try:
        assert get(servers, mine.token()).status_code == 503
    finally:
        cloud.nova.status = None


# A cell that is down


@pytest.fixture
def nova(cloud: Cloud) -> Iterator[Nova]:
    """Nova on its own, in no catalogue."""
    with Nova(cloud.identity) as alone:
        yield alone


def test_microversions_are_answered_in_and_those_that_are_not_offered_are_refused(cloud: Cloud, nova: Nova) -> None:
    token, url = cloud.member().token(), f"{nova.endpoint}/servers/detail"

    def heard(version: str | None) -> tuple[int, str | None]:
        answer = get(url, token, version)
        return answer.status_code, answer.headers.get("OpenStack-API-Version")

    assert [heard(version) for version in (None, "2.69", "2.97")] == [
        (200, "compute 2.1"),
        (200, "compute 2.69"),
        (406, None),
    ]
    nova.newest = None
    assert heard("2.69") == (200, None)


def test_servers_of_a_cell_that_is_down_are_stubs_at_most_and_only_without_a_limit(cloud: Cloud, nova: Nova) -> None:
    mine = cloud.member()
    up, down = (nova.boot(name, mine.project_id, "an-image") for name in ("up", "down"))
    nova.down = {down}
    token, url = mine.token(), f"{nova.endpoint}/servers/detail"

    def shown(query: str = "", version: str | None = "2.69") -> dict[str, str]:
        servers = get(url + query, token, version).raise_for_status().json()["servers"]
        return {server["id"]: server["status"] for server in servers}

    assert shown() == {up: "ACTIVE", down: "UNKNOWN"}
    assert "image" not in get(url, token, "2.69").json()["servers"][1]
    for query, version in (("", "2.68"), ("", None), ("?limit=1000", "2.69"), ("?changes-since=2026-01-01", "2.69")):
        assert shown(query, version) == {up: "ACTIVE"}
    assert shown(f"?marker={up}") == {}
    assert get(f"{url}?marker={down}", token, "2.69").status_code == 500


def test_a_server_that_has_ended_is_only_among_what_changed(cloud: Cloud, nova: Nova) -> None:
    mine = cloud.member()
    ended = nova.boot("web-1", mine.project_id, "an-image")
    nova.end(ended)
    token, url = mine.token(), f"{nova.endpoint}/servers/detail"
    assert get(url, token).json()["servers"] == []
    (server,) = get(f"{url}?changes-since=2026-01-01T00:00:00Z", token).json()["servers"]
    assert (server["id"], server["status"]) == (ended, "DELETED")
