"""What an OpenStack cloud uses of its images: servers, volumes and snapshots, and which of them are required."""

import pytest

from janitor.cloud.service import Need, Sources
from janitor.core.image import Image
from janitor.core.names.image_ids import folded
from janitor.core.usage import EarlierUsage, Source, Unread, User
from janitor.transport import HttpOptions
from tests.loopback import Answered
from tests.openstack_account import (
    COMPUTE,
    SERVERS,
    TOKENS,
    VOLUME,
    VOLUMES,
    Cloud,
    calls,
    entry,
    images_of,
    no,
    server,
    serving,
    volume,
)

EVERYTHING = Sources(snapshots=Need.REQUIRED)

OPTIONAL = Sources(volumes=Need.OPTIONAL)
NOTHING = Sources(*[Need.OFF] * 5)


def used(cloud: Cloud, sources: Sources = EVERYTHING, images: list[Image] | None = None) -> dict[str, list[str]]:
    with serving(cloud, sources=sources) as (client, _):
        usage = client.usage(images or [], EarlierUsage())
    assert usage.problem is None, usage.problem
    return {image: [f"{user.kind} {user.id}" for user in users] for image, users in usage.by_image.items()}


def test_servers_volumes_and_snapshots_use_images() -> None:
    cloud = Cloud(
        entries=[entry("snap", base_image_ref="BASE "), entry("base"), entry("own", base_image_ref="own")],
        servers=[server("s1", {"id": "A"}), server("s2", ""), server("s3", None), server("s4", {"id": "a"})],
        volumes=[volume("v1", "b"), volume("v2")],
    )
    assert used(cloud, images=images_of(cloud)) == {
        "a": ["instance s1", "instance s4"],
        "b": ["volume v1"],
        "base": ["image snap"],
    }


def test_a_base_of_what_is_gone_is_nobodys() -> None:
    cloud = Cloud(entries=[entry("snap", base_image_ref="base", status="pending_delete")])
    assert used(cloud, images=images_of(cloud)) == {}


def test_a_shelved_server_needs_the_image_that_it_was_put_into() -> None:
    cloud = Cloud(
        entries=[entry("shelf", instance_uuid="s1"), entry("backup", instance_uuid="s2")],
        servers=[server("s1", {"id": "a"}, status="SHELVED_OFFLOADED"), server("s2", {"id": "a"})],
    )
    assert used(cloud, images=images_of(cloud)) == {"a": ["instance s1", "instance s2"], "shelf": ["instance s1"]}


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"instance_uuid": "S1 "}, id="in-other-letters"),
        pytest.param({"instance_uuid": ["s1"]}, id="unreadable"),
        pytest.param({"properties": "none"}, id="no-properties-to-be-read"),
    ],
)
def test_what_a_shelved_server_may_be_kept_in_is_used_by_it(facts: dict[str, object]) -> None:
    cloud = Cloud(entries=[entry("shelf", **facts)], servers=[server("s1", None, status="shelved")])
    assert used(cloud, Sources(), images_of(cloud)) == {"shelf": ["instance s1"]}


def test_users_are_read_to_the_last_page() -> None:
    cloud = Cloud(servers=[server(f"s{n}", {"id": f"a{n}"}) for n in range(5)])
    with serving(cloud, HttpOptions(page_size=2)) as (client, listening):
        usage = client.usage([], EarlierUsage())
    assert (sorted(usage.by_image), usage.instances) == ([f"a{n}" for n in range(5)], 5)
    assert {asked.path for asked in listening.asked[1:]} == {f"{COMPUTE}/servers/detail", f"{VOLUME}/volumes/detail"}


def test_every_source_that_there_is_is_required_unless_a_target_says_otherwise() -> None:
    cloud = Cloud(entries=[entry("snap", base_image_ref="base")])
    assert used(cloud, Sources(), images_of(cloud)) == {}
    for call, lifted in ((VOLUMES, "`usage: {volumes: optional}`"), (SERVERS, "`usage: {servers: optional}`")):
        with serving(cloud.scripted(call, no(403))) as (client, _):
            assert lifted in str(client.usage([], EarlierUsage()).problem)


def test_off_is_not_asked() -> None:
    with serving(Cloud(), sources=NOTHING) as (client, listening):
        assert client.usage([], EarlierUsage()).by_image == {}
    assert calls(listening) == [TOKENS]


UNREADABLE = {"volume_image_metadata": {"image_id": 1}}
FAILING = {
    "server-without-id": (SERVERS, Answered({"servers": [{"name": "x", "image": ""}]})),
    "server-no-object": (SERVERS, Answered({"servers": ["s1"]})),
    "unreadable-image": (SERVERS, Answered({"servers": [server("s1", 7)]})),
    "image-without-id": (SERVERS, Answered({"servers": [server("s1", {"links": []})]})),
    "no-list": (SERVERS, Answered({"servers": None})),
    "html": (SERVERS, Answered(b"<html>hello</html>")),
    "refused": (SERVERS, no(403)),
    "unreadable-metadata": (VOLUMES, Answered({"volumes": [{"id": "v1", "volume_image_metadata": "x"}]})),
    "unreadable-volume-image": (
        VOLUMES,
        Answered({"volumes": [{"id": "v", "volume_image_metadata": {"image_id": 1}}]}),
    ),
}


@pytest.mark.parametrize(("call", "answer"), FAILING.values(), ids=FAILING)
def test_usage_in_doubt_is_no_usage(call: str, answer: Answered) -> None:
    with serving(Cloud().scripted(call, *[answer] * 3), sources=EVERYTHING) as (client, _):
        usage = client.usage([], EarlierUsage())
    assert usage.problem is not None
    assert usage.by_image == {}


def test_a_source_that_is_optional_may_fail_and_it_is_said() -> None:
    cloud = Cloud(servers=[server("s1", {"id": "a"})]).scripted(VOLUMES, no(403, "not you"))
    with serving(cloud, sources=OPTIONAL) as (client, _):
        usage = client.usage([], EarlierUsage())
    assert usage.by_image == {"a": (User("s1", "name of s1", source="servers in KR1"),)}
    assert usage.unread == {Unread(Source.VOLUMES, "volumes in KR1")}
    said = 'volumes in KR1 could not be read, but are optional here: GET /volumes/detail: HTTP 403 "not you"'
    assert usage.remarks == (said,)


@pytest.mark.parametrize(
    ("sources", "answers", "counted"),
    [
        pytest.param(Sources(), (), 2, id="those-made-of-images"),
        pytest.param(OPTIONAL, (no(403),), None, id="not-read"),
        pytest.param(Sources(volumes=Need.OFF), (), None, id="off"),
    ],
)
def test_volumes_are_counted_where_they_are_read(
    sources: Sources, answers: tuple[Answered, ...], counted: int | None
) -> None:
    cloud = Cloud(volumes=[volume("v1", "a"), volume("v2", "a"), volume("v3")]).scripted(VOLUMES, *answers)
    with serving(cloud, sources=sources) as (client, _):
        assert client.usage([], EarlierUsage()).volumes == counted


def test_a_cloud_without_volumes_has_none() -> None:
    with serving(Cloud(volumes=None)) as (client, _):
        usage = client.usage([], EarlierUsage())
    assert (usage.by_image, usage.remarks) == ({}, ())


def test_of_what_a_catalogue_leaves_out_nothing_is_known_where_it_is_asked_for() -> None:
    with serving(Cloud(volumes=None), sources=OPTIONAL) as (client, _):
        assert client.usage([], EarlierUsage()).unread == {Unread(Source.VOLUMES)}


def test_a_source_that_is_required_must_be_there() -> None:
    with serving(Cloud(volumes=None), sources=Sources(volumes=Need.REQUIRED)) as (client, _):
        assert "volumes: the catalogue has no such service" in str(client.usage([], EarlierUsage()).problem)


def test_a_snapshot_may_name_its_base_by_url() -> None:
    cloud = Cloud(
        entries=[entry("snap", base_image_ref="https://g/v2/images/BASE/file"), entry("none", base_image_ref="")]
    )
    with serving(cloud, sources=EVERYTHING) as (client, _):
        usage = client.usage(list(client.images()), EarlierUsage())
    assert [user.name for user in usage.by_image[folded("base")]] == ["name of snap"]


def test_a_snapshot_may_name_its_base_by_name() -> None:
    cloud = Cloud(entries=[entry("snap", base_image_ref="name of base"), entry("base")])
    assert "base" in used(cloud, images=images_of(cloud))


@pytest.mark.parametrize("base", [["x"], " ", "https://g/v2/images/", "None"])
def test_snapshots_in_doubt_keep_everything_where_they_are_required(base: object) -> None:
    cloud = Cloud(entries=[entry("snap", base_image_ref=base)])
    with serving(cloud, sources=EVERYTHING) as (client, _):
        usage = client.usage(images_of(cloud), EarlierUsage())
    assert "the base of image snap cannot be read" in str(usage.problem)


def test_an_image_whose_links_lead_to_another_one_uses_both() -> None:
    linked = [{"rel": "bookmark", "href": f"http://n/compute/images/{one}"} for one in ("b", "a")]
    cloud = Cloud(
        entries=[entry("a"), entry("b"), entry("c")],
        servers=[server("s1", {"id": "a", "links": [*linked, {"href": "http://n/"}, {"href": 5}, "x"]})],
    )
    assert used(cloud, images=images_of(cloud)) == {"a": ["instance s1"], "b": ["instance s1"]}


@pytest.mark.parametrize("prefix", ["OS-EXT-SRV-ATTR:", ""])
def test_a_server_uses_the_kernel_and_ramdisk_that_it_names(prefix: str) -> None:
    parts = {f"{prefix}kernel_id": "a", f"{prefix}ramdisk_id": "b"}
    none = {f"{prefix}kernel_id": "", f"{prefix}ramdisk_id": None}
    cloud = Cloud(
        entries=[entry("a"), entry("b"), entry("c")],
        servers=[{**server("s1", {"id": "c"}), **parts}, {**server("s2", ""), **none}],
    )
    assert used(cloud, images=images_of(cloud)) == {one: ["instance s1"] for one in "abc"}
