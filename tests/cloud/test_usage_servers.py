"""What servers and volumes use: lists that are valid and incomplete, and records that do not say."""

from typing import Any

import pytest

from janitor.cloud.service import Need, Sources
from janitor.core.usage import EarlierUsage, Source, Unread
from tests.cloud.usage_services import CINDER, GLANCE, NOVA, A, B, C, cluster, group, images, magnum
from tests.factories import DAY
from tests.loopback import Answered
from tests.openstack_account import NOW, no, server
from tests.usage_cloud import UsageCloud, usage_of, users


def test_servers_are_asked_for_in_the_version_that_leaves_none_out() -> None:
    cloud = UsageCloud(images=images(), servers={"/compute": [server("s1", {"id": A})]})
    assert users(usage_of(cloud)) == {A: ["instance name of s1"]}
    asked = [one for one in cloud.asked if one.path.endswith("/servers/detail")]
    assert {one.headers["openstack-api-version"] for one in asked} == {"compute 2.69"}


def test_servers_of_a_cell_that_is_down_make_all_servers_unread() -> None:
    cloud = UsageCloud(images=images(), servers={"/compute": [server("s1", {"id": A})]}, down={"s1"})
    usage = usage_of(cloud)
    assert "listed as UNKNOWN without its image" in str(usage.problem)
    assert "`usage: {servers: optional}`" in str(usage.problem)


SAYING_NOTHING: tuple[object, ...] = (
    *(" ", "\t", [], ["x"], {}, {"id": None}, {"id": " "}, {"id": 5}, {"imageId": A}, 0, False),
    *("https://glance.example", "https://g/v2/images/", "https://g/v2/images?id=", "urn:", "urn:image:", "/v2/images"),
)


@pytest.mark.parametrize(
    ("facts", "read"),
    [
        pytest.param({"status": "UNKNOWN", "image": {"id": A}}, True, id="unknown-with-an-image"),
        pytest.param({"status": "UNKNOWN", "image": ""}, False, id="unknown-without"),
        pytest.param({"status": "ACTIVE"}, False, id="no-key"),
        pytest.param({"status": "ACTIVE", "image": ""}, True, id="from-a-volume"),
        pytest.param({"status": "ACTIVE", "image": None}, True, id="null"),
        pytest.param({"status": "ACTIVE", "imageId": A}, False, id="another-key"),
        pytest.param({"status": "ACTIVE", "image": {"id": ""}}, False, id="blank-id"),
        pytest.param({"status": "ACTIVE", "image": f"https://g/v2/images/{A}"}, True, id="a-url"),
        *(pytest.param({"image": said}, False, id=f"image-{at}") for at, said in enumerate(SAYING_NOTHING)),
        *(
            pytest.param({"image": "", "imageRef": said}, False, id=f"ref-{at}")
            for at, said in enumerate(SAYING_NOTHING)
        ),
    ],
)
def test_what_a_server_says_of_its_image(facts: dict[str, Any], read: bool) -> None:
    cloud = UsageCloud(images=images(), servers={"/compute": [{"id": "s1", "name": "x", **facts}]})
    assert (usage_of(cloud).problem is None) is read


def test_a_person_may_say_that_servers_of_no_image_leave_the_key_out() -> None:
    cloud = UsageCloud(images=images(), servers={"/compute": [{"id": "s1", "status": "ACTIVE"}]})
    assert "`usage: {imageless: none}`" in str(usage_of(cloud).problem)
    assert users(usage_of(cloud, imageless=True)) == {}


@pytest.mark.parametrize("key", ["imageId", "image_id", "imageRef", "image_ref", "Image", "imageUUID"])
@pytest.mark.parametrize("said", [A, f" {A.upper()} ", {"id": A}, f"https://g/v2/images/{A}/file", f"urn:image:{A}"])
def test_an_image_under_another_key_is_used_whatever_a_person_says(key: str, said: object) -> None:
    """Without the documented key it is unread, unless a person says that it is left out on purpose."""
    cloud = UsageCloud(images=images(), servers={"/compute": [{"id": "s1", "name": "x", "image": "", key: said}]})
    assert users(usage_of(cloud))[A] == ["instance x"]
    cloud.servers = {"/compute": [{"id": "s1", "name": "x", key: said}]}
    assert f'does not name its image, but has "{key}"' in str(usage_of(cloud).problem)
    assert users(usage_of(cloud, imageless=True))[A] == ["instance x"]


def test_a_server_that_has_only_the_name_of_an_image_is_not_of_none() -> None:
    cloud = UsageCloud(images=images(), servers={"/compute": [{"id": "s1", "imageName": "ubuntu"}]})
    assert 'but has "imageName"' in str(usage_of(cloud, imageless=True).problem)


@pytest.mark.parametrize(
    ("facts", "using"),
    [
        pytest.param({"volume_image_metadata": {"image_name": "x"}}, None, id="of-an-image-without-its-id"),
        pytest.param({"volume_image_metadata": {"image_id": " "}}, None, id="blank"),
        pytest.param({"volume_image_metadata": {"image_id": "https://g/v2/images/"}}, None, id="a-url-of-none"),
        pytest.param({"volume_image_metadata": {}, "status": "downloading"}, None, id="being-made"),
        pytest.param({"imageRef": ["x"]}, None, id="another-key-unreadable"),
        pytest.param({"volumeImageMetadata": {"image_id": A}}, None, id="another-name-for-all"),
        pytest.param({"imageRef": A}, {A: ["volume v1"]}, id="another-key"),
        pytest.param({"volume_image_metadata": {"imageId": A}}, {A: ["volume v1"]}, id="another-key-within"),
        pytest.param({"volume_image_metadata": {"os_distro": "ubuntu"}}, {}, id="properties-that-a-person-set"),
        pytest.param({"volume_image_metadata": None}, {}, id="null"),
    ],
)
def test_what_a_volume_says_of_its_image(facts: dict[str, Any], using: object) -> None:
    cloud = UsageCloud([GLANCE, NOVA, CINDER], images=images())
    cloud.volumes = {"/cinder/v3/p70j3ct": [{"id": "v1", "status": "in-use", **facts}]}
    usage = usage_of(cloud)
    assert (users(usage) if usage.problem is None else None) == using


@pytest.mark.parametrize("status", [400, 406])
def test_where_that_version_is_not_offered_it_is_done_without(status: int) -> None:
    cloud = UsageCloud(images=images(), servers={"/compute": [server("s1", {"id": A})]})
    answer = cloud.answer

    def refuse(asked: Any) -> Answered:
        return no(status) if "openstack-api-version" in asked.headers else answer(asked)

    cloud.answer = refuse  # type: ignore[method-assign]
    assert users(usage_of(cloud)) == {A: ["instance name of s1"]}


MISSING = EarlierUsage(servers={"s1": NOW - DAY, "s2": NOW - 2 * DAY, "s3": NOW - DAY})


@pytest.mark.parametrize("versions", [False, True], ids=["no-versions", "versions"])
def test_a_missing_server_is_explained_by_its_deletion_where_lists_may_leave_some_out(versions: bool) -> None:
    cloud = UsageCloud(images=images(), servers={"/compute": [server("s3", {"id": A})]}, versions=versions)
    cloud.deleted_servers = [server("s1", {"id": A}, status="DELETED"), server("s2", {"id": A}, status="ACTIVE")]
    usage = usage_of(cloud, earlier=MISSING)
    assert usage.ended == (set() if versions else {"s1"})
    questions = {one.query["changes-since"] for one in cloud.asked if "changes-since" in one.query}
    assert questions == (set() if versions else {"2026-11-21T02:00:00Z"})


@pytest.mark.parametrize(
    ("shown", "doubted"),
    [
        pytest.param({"id": "s1", "status": "UNKNOWN"}, True, id="exists"),
        pytest.param({"id": "S1", "status": "ACTIVE"}, True, id="in-other-letters"),
        pytest.param({"id": "s1", "status": "DELETED"}, False, id="deleted"),
        pytest.param({"id": "s9", "status": "ACTIVE"}, False, id="another"),
        pytest.param(None, False, id="not-there"),
    ],
)
def test_a_list_that_leaves_out_a_server_that_exists_is_not_believed(shown: Any, doubted: bool) -> None:
    cloud = UsageCloud(images=images(), versions=False)
    cloud.unlisted_servers = {} if shown is None else {"s1": shown}
    usage = usage_of(cloud, earlier=MISSING)
    assert ("the list omits server s1, which exists" in str(usage.problem)) is doubted
    optional = usage_of(cloud, Sources(servers=Need.OPTIONAL), MISSING)
    assert (Unread(Source.SERVERS) in optional.unread) is doubted


def test_a_list_of_several_pages_may_be_incomplete_in_any_version() -> None:
    listed = [server(f"t{number}", {"id": A}) for number in range(5)]
    cloud = UsageCloud(images=images(), servers={"/compute": listed}, most_servers=2)
    cloud.unlisted_servers = {"s1": {"id": "s1", "status": "UNKNOWN"}}
    assert usage_of(cloud).instances == 5
    assert "the list omits server s1, which exists" in str(usage_of(cloud, earlier=MISSING).problem)


def test_a_server_that_is_told_as_deleted_and_alive_is_not_explained() -> None:
    cloud = UsageCloud(images=images(), versions=False)
    cloud.deleted_servers = [server("s1", {"id": A}, status=status) for status in ("DELETED", "ACTIVE")]
    cloud.deleted_servers[1]["id"] = "S1"
    assert usage_of(cloud, earlier=MISSING).ended == frozenset()


def test_a_list_that_is_known_to_be_complete_is_believed_of_missing_servers() -> None:
    cloud = UsageCloud(images=images(), unlisted_servers={"s1": {"id": "s1", "status": "ACTIVE"}})
    assert usage_of(cloud, earlier=MISSING).problem is None
    assert not cloud.calls("/servers/s1")


def test_where_deleted_servers_cannot_be_asked_for_nothing_is_explained() -> None:
    cloud = UsageCloud(images=images(), versions=False)
    answer = cloud.answer
    cloud.answer = lambda asked: no(403) if "changes-since" in asked.query else answer(asked)  # type: ignore[method-assign]
    usage = usage_of(cloud, earlier=MISSING)
    assert (usage.ended, usage.problem) == (frozenset(), None)


@pytest.mark.parametrize("same_page", [True, False], ids=["on-one-page", "on-two-pages"])
def test_a_server_that_is_listed_twice_uses_both_images(same_page: bool) -> None:
    listed = [server("s1", {"id": A}), server("s2", ""), server("s1", {"id": B}), server("s3", "")]
    cloud = UsageCloud(images=images(), servers={"/compute": listed}, most_servers=1000 if same_page else 2)
    usage = usage_of(cloud)
    assert set(users(usage)) == {A, B}
    assert usage.instances == 3


def test_a_list_that_promises_another_page_for_ever_is_not_believed() -> None:
    link = [{"rel": "next", "href": "http://x/servers?marker=s1"}]
    page = Answered({"servers": [server("s0", ""), server("s1", "")], "servers_links": link})
    cloud = UsageCloud(images=images(), failing={"/servers/detail": page})
    assert "the list announces another page" in str(usage_of(cloud).problem)


@pytest.mark.parametrize("status", [201, 202, 203, 206, 207])
def test_a_list_with_another_status_than_200_is_none(status: int) -> None:
    cloud = UsageCloud(images=images(), failing={"/servers/detail": Answered({"servers": []}, status=status)})
    assert f"HTTP {status}" in str(usage_of(cloud).problem)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"computeFault": {"code": 500, "message": "x"}}, "the list comes with computeFault"),
        ({"itemNotFound": {"message": "x"}}, "the list comes with itemNotFound"),
        ({"overLimit": {"code": 413}}, "the list comes with overLimit"),
        ({"errors": [{"status": 500}]}, "the list comes with errors"),
        ({"code": 500, "title": "x"}, "the list comes with a code and a message"),
        ({"code": 500, "message": "x"}, "the list comes with a code and a message"),
    ],
)
def test_a_list_beside_which_there_is_a_fault_is_none(fault: dict[str, object], said: str) -> None:
    cloud = UsageCloud(images=images(), failing={"/servers/detail": Answered({"servers": [], **fault})})
    assert said in str(usage_of(cloud).problem)


@pytest.mark.parametrize("word", ["ci-1", "null", "None", "unknown"])
def test_a_server_or_volume_of_what_is_no_id_leaves_uses_unread(word: str) -> None:
    cloud = UsageCloud(images=images(), servers={"/compute": [server("s1", word)]})
    assert f'cannot be read: "{word}"' in str(usage_of(cloud).problem)
    volume = {"id": "v1", "name": "v1", "status": "available", "volume_image_metadata": {"image_id": word}}
    cloud = UsageCloud([GLANCE, NOVA, CINDER], images=images(), volumes={"/cinder/v3/p70j3ct": [volume]})
    assert f'cannot be read: "{word}"' in str(usage_of(cloud).problem)


@pytest.mark.parametrize(("word", "read"), [("null", False), ("unknown", False), ("fedora-38", True)])
def test_a_cluster_of_an_image_that_somebody_did_not_know_leaves_uses_unread(word: str, read: bool) -> None:
    cloud = magnum(clusters=[cluster()], node_groups={"c-k8s": [group("w", image_id=word)]}, templates=[])
    assert (usage_of(cloud).problem is None) is read


def test_a_volume_uses_the_kernel_and_ramdisk_by_which_it_starts() -> None:
    cloud = UsageCloud([GLANCE, NOVA, CINDER], images=images())
    made_of = {"image_id": A, "kernel_id": B, "ramdisk_id": C}
    cloud.volumes = {"/cinder/v3/p70j3ct": [{"id": "v1", "volume_image_metadata": made_of}]}
    assert set(users(usage_of(cloud))) == {A, B, C}


def test_a_volume_that_is_being_made_of_an_image_does_not_say_which() -> None:
    cloud = UsageCloud([GLANCE, NOVA, CINDER], images=images())
    cloud.volumes = {"/cinder/v3/p70j3ct": [{"id": "v1", "status": "downloading"}]}
    assert "the image of volume v1 cannot be read" in str(usage_of(cloud).problem)


def test_an_id_may_be_written_without_its_dashes() -> None:
    cloud = UsageCloud(images=images(), servers={"/compute": [server("s1", {"id": A.replace("-", "")})]})
    assert A in users(usage_of(cloud))


def test_a_service_whose_catalogue_entry_is_empty_is_there_all_the_same() -> None:
    cloud = UsageCloud([GLANCE, NOVA, ("volumev3", None, None)], images=images())
    answer = cloud.answer

    def without_endpoints(asked: Any) -> Answered:
        given = answer(asked)
        if asked.path.endswith("/tokens"):
            for service in given.body["access"]["serviceCatalog"]:
                service["endpoints"] = [] if service["type"] == "volumev3" else service["endpoints"]
        return given

    cloud.answer = without_endpoints  # type: ignore[method-assign]
    cloud.catalogue[2] = ("volumev3", "R1", "/cinder")
    assert "volumes: the catalogue has no usable URL for it" in str(usage_of(cloud).problem)


def test_a_cloud_without_servers_is_said() -> None:
    assert usage_of(UsageCloud([GLANCE], images=images())).remarks == (
        "servers are not asked: the catalogue has no compute service",
    )
