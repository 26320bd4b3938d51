"""What uses images, by every service that can: what is read, what makes it doubtful, and what is remembered."""

from datetime import timedelta
from typing import Any

import pytest

from janitor.cloud.service import Need, Sources
from janitor.core.usage import EarlierUsage, Reading, Source, StackContent, Unread, Usage, UserKind
from tests.loopback import Answered
from tests.openstack_account import NOW, PROJECT, entry, no, server, volume
from tests.usage_cloud import UsageCloud, usage_of, users

DAY = timedelta(days=1)
A, B, C = (f"{letter * 8}-1111-4222-8333-944444444444" for letter in "abc")
GLANCE = ("image", "R1", "/image")
NOVA = ("compute", "R1", "/compute")
MAGNUM = ("container-infra", "R1", "/magnum/v1")
HEAT = ("orchestration", "R1", "/heat/v1/p70j3ct")
CINDER = ("volumev3", "R1", "/cinder/v3/p70j3ct")


def images(**names: str) -> dict[str, list[dict[str, Any]]]:
    given = names or {"a": "web", "b": "db", "c": "other"}
    ids = {"a": A, "b": B, "c": C}
    return {"/image": [entry(ids[key], name=name) for key, name in given.items()]}


# Servers: a list that is valid and incomplete


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


# Every endpoint that may use the images


def test_two_computes_of_one_region_and_one_without_are_all_asked() -> None:
    nova = [("compute", None, "/cells"), NOVA, ("compute", "R1", "/second")]
    cloud = UsageCloud([GLANCE, *nova], images=images())
    cloud.servers = {"/cells": [server("s1", {"id": A})], "/compute": [server("s2", {"id": B})]}
    cloud.servers["/second"] = [server("s3", {"id": C})]
    usage = usage_of(cloud)
    assert set(users(usage)) == {A, B, C}
    assert usage.instances == 3
    assert [user.source for user in usage.by_image[A]] == ["servers"]
    assert [user.source for user in usage.by_image[B]] == ["servers in R1 (/compute)"]


def test_one_endpoint_that_cannot_be_read_leaves_its_source_unread() -> None:
    cloud = UsageCloud([GLANCE, NOVA, ("compute", "R2", "/second")], images=images())
    cloud.servers = {"/compute": [server("s1", {"id": A})]}
    cloud.failing = {"/second/v2.1/servers/detail": no(403, "not for you")}
    usage = usage_of(cloud)
    assert 'servers in R2: GET /servers/detail: HTTP 403 "not for you"' in str(usage.problem)
    optional = usage_of(cloud, Sources(servers=Need.OPTIONAL))
    assert (set(users(optional)), optional.unread) == ({A}, frozenset({Unread(Source.SERVERS, "servers in R2")}))
    assert "servers in R2 could not be read, but are optional here" in optional.remarks[0]


def test_a_service_asked_by_another_interface_is_said() -> None:
    cloud = UsageCloud([GLANCE, NOVA, ("block-store", "other", "/cinder/v3/p70j3ct", "internal")], images=images())
    cloud.volumes = {"/cinder/v3/p70j3ct": [volume("v1", A)]}
    usage = usage_of(cloud)
    assert users(usage) == {A: ["volume v1"]}
    assert usage.remarks == ("volumes in other asked at its internal URL: it has no usable public URL",)


def test_what_was_asked_is_told_with_numbers() -> None:
    cloud = UsageCloud([GLANCE, NOVA, CINDER], images=images())
    cloud.servers = {"/compute": [server("s1", {"id": A}), server("s2", {"id": A}), server("s3", "")]}
    missing = "not asked: the catalogue has no such service"
    assert usage_of(cloud).readings == (
        Reading(Source.SERVERS, "R1", "/compute", users=2, images=1),
        Reading(Source.VOLUMES, "R1", "/cinder/v3/{project}"),
        Reading(Source.CLUSTERS, problem=missing),
        Reading(Source.STACKS, problem=missing),
        Reading(Source.SNAPSHOTS, problem="not asked: turned off"),
    )


# What was read before and is not there tonight


READ = EarlierUsage(read=frozenset({(Source.SERVERS, "R1"), (Source.CLUSTERS, "R1"), (Source.SERVERS, "R2")}))


def test_a_service_that_was_read_before_is_unread_and_not_absent() -> None:
    usage = usage_of(UsageCloud(images=images()), earlier=READ)
    gone = "the catalogue no longer has the service in {}, which the last accepted survey read"
    assert f"clusters in R1: {gone.format('R1')}" in str(usage.problem)
    assert f"servers in R2: {gone.format('R2')}" in str(usage.problem)
    sources = Sources(clusters=Need.OFF, servers=Need.OPTIONAL)
    lifted = usage_of(UsageCloud(images=images()), sources, READ)
    assert (lifted.problem, lifted.unread) == (None, frozenset({Unread(Source.SERVERS, "servers in R2")}))


def test_one_of_several_services_of_a_region_is_unread_and_not_absent_either() -> None:
    both = EarlierUsage(read=frozenset({(Source.SERVERS, "R1")}), places={(Source.SERVERS, "R1"): 2})
    usage = usage_of(UsageCloud(images=images()), earlier=both)
    assert "servers in R1: the catalogue has 1 such service in R1, the last accepted survey read 2" in str(
        usage.problem
    )
    lifted = usage_of(UsageCloud(images=images()), Sources(servers=Need.OPTIONAL), both)
    assert (lifted.problem, lifted.unread) == (None, frozenset({Unread(Source.SERVERS, "servers in R1")}))


@pytest.mark.parametrize(
    ("part", "told_by", "covered"),
    [
        ("servers in R1", "servers in R1 (/compute-2)", True),
        ("servers in R1 (/compute-2)", "servers in R1", True),
        ("servers in R1 (/compute-2)", "servers in R1 (/compute)", False),
        ("servers in R1", "servers in R10", False),
        ("", "servers in R1", True),
    ],
)
def test_an_unread_region_covers_all_its_endpoints_and_the_other_way_round(
    part: str, told_by: str, covered: bool
) -> None:
    assert Unread(Source.SERVERS, part).covers(UserKind.INSTANCE, told_by) is covered


@pytest.mark.parametrize("service", [MAGNUM, HEAT, CINDER], ids=["clusters", "stacks", "volumes"])
def test_a_service_that_exists_and_refuses_keeps_everything_unless_it_is_optional(
    service: tuple[str, str, str],
) -> None:
    cloud = UsageCloud([GLANCE, NOVA, service], images=images())
    cloud.failing = {end: no(403, "Policy does not allow it") for end in ("templates", "stacks", "volumes/detail")}
    source = {MAGNUM: "clusters", HEAT: "stacks", CINDER: "volumes"}[service]
    usage = usage_of(cloud)
    assert f"write `usage: {{{source}: optional}}` on the target" in str(usage.problem)
    optional = usage_of(cloud, Sources(**{source: Need.OPTIONAL}))
    assert (optional.problem, optional.unread) == (None, frozenset({Unread(Source(source), f"{source} in R1")}))
    assert len(optional.remarks) == 1


# Clusters


def cluster(name: str = "k8s", **facts: Any) -> dict[str, Any]:
    return {"uuid": f"c-{name}", "name": name, "cluster_template_id": "t1", **facts}


def group(name: str, **facts: Any) -> dict[str, Any]:
    return {"uuid": f"g-{name}", "name": name, "node_count": 0, **facts}


def magnum(**parts: Any) -> UsageCloud:
    return UsageCloud([GLANCE, NOVA, MAGNUM], images=images(), **parts)


def test_node_groups_use_their_image_also_without_nodes_by_id_or_name() -> None:
    cloud = magnum(
        clusters=[cluster(), cluster("second")],
        node_groups={
            "c-k8s": [group("workers", image_id=A), group("gpu", image_id="db")],
            "c-second": [group("only-shown")],
        },
        shown_groups={"g-only-shown": group("only-shown", image_id=C.upper())},
    )
    assert users(usage_of(cloud)) == {
        A: ["node group workers of cluster k8s"],
        B: ["node group gpu of cluster k8s"],
        C: ["node group only-shown of cluster second"],
    }
    asked = [one for one in cloud.asked if "/magnum/" in one.path]
    assert {one.headers["openstack-api-version"] for one in asked} == {"container-infra latest"}


def test_cluster_templates_use_theirs_and_stand_for_groups_that_do_not_say() -> None:
    cloud = magnum(
        templates=[{"uuid": "t1", "name": "small", "image_id": "web"}],
        clusters=[cluster(), cluster("old")],
        node_groups={"c-k8s": [group("workers")], "c-old": None},
        shown_groups={"g-workers": group("workers", image_id=None)},
    )
    assert users(usage_of(cloud)) == {
        A: ["cluster old", "cluster template small", "node group workers of cluster k8s"],
    }


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"clusters": [cluster()], "node_groups": {"c-k8s": [group("w", image_id=7)]}}, id="no-text"),
        pytest.param({"clusters": [cluster()], "node_groups": {"c-k8s": None}}, id="no-template-of-it"),
        pytest.param({"templates": [{"uuid": "t1", "name": "x"}]}, id="template-without-image"),
        pytest.param({"templates": None}, id="no-templates"),
        pytest.param({"clusters": [{"name": "x"}]}, id="cluster-without-id"),
        pytest.param({"clusters": [cluster(imageRef=[1])], "node_groups": {"c-k8s": []}}, id="another-key-no-text"),
        pytest.param({"clusters": [cluster(image_id="https://g/v2/images")]}, id="a-url-of-none"),
    ],
)
def test_a_cluster_whose_images_cannot_be_told_makes_clusters_unread(parts: dict[str, Any]) -> None:
    assert "clusters in R1: " in str(usage_of(magnum(**parts)).problem)


@pytest.mark.parametrize("kind", ["kubernetes", " Kubernetes", "KUBERNETES"])
def test_a_service_of_nhn_cloud_needs_no_templates_however_its_type_is_written(kind: str) -> None:
    cloud = magnum(templates=None, clusters=[cluster(image_id=A)], node_groups={"c-k8s": []})
    cloud.catalogue[2] = (kind, "R1", "/magnum/v1")
    assert set(users(usage_of(cloud))) == {A}


def test_behind_a_gateway_every_service_is_asked_below_its_own_path() -> None:
    cloud = UsageCloud(
        [
            ("image", "R1", "/gw/v1/glance/v2"),
            ("compute", "R1", "/gw/v1/nova"),
            ("volumev3", "R1", f"/gw/v1/cinder/v3/{PROJECT}"),
            ("container-infra", "R1", "/gw/v2/magnum/v1"),
            ("orchestration", "R1", f"/gw/v2/heat/v1/{PROJECT}"),
        ],
        images={"/gw/v1/glance/v2": [entry(A)]},
        servers={"/gw/v1/nova": [server("s1", {"id": A})]},
    )
    assert users(usage_of(cloud)) == {A: ["instance name of s1"]}
    asked = {one.path for one in cloud.asked if one.path.startswith("/gw/")}
    assert asked == {
        "/gw/v1/glance/v2/images",
        "/gw/v1/nova/v2.1/servers/detail",
        f"/gw/v1/cinder/v3/{PROJECT}/volumes/detail",
        "/gw/v2/magnum/v1/clusters",
        "/gw/v2/magnum/v1/clustertemplates",
        f"/gw/v2/heat/v1/{PROJECT}/stacks",
    }


def test_the_image_that_a_cluster_says_itself_counts_beside_those_of_its_groups() -> None:
    cloud = magnum(clusters=[cluster(image_id=A)], node_groups={"c-k8s": [group("w", image_id=B)]})
    assert set(users(usage_of(cloud))) == {A, B}
    cloud = magnum(clusters=[cluster(image_id=A)], node_groups={"c-k8s": []})
    assert set(users(usage_of(cloud))) == {A}
    cloud = magnum(clusters=[cluster(imageId=A)], node_groups={"c-k8s": [group("w", image_id=B, imageRef=C)]})
    assert set(users(usage_of(cloud))) == {A, B, C}


def test_a_cluster_without_any_node_group_is_of_its_templates_image_or_in_doubt() -> None:
    templates = [{"uuid": "t1", "name": "small", "image_id": "web"}]
    cloud = magnum(clusters=[cluster()], node_groups={"c-k8s": []}, templates=templates)
    assert users(usage_of(cloud))[A] == ["cluster k8s", "cluster template small"]
    cloud = magnum(clusters=[cluster()], node_groups={"c-k8s": []})
    assert "the image of cluster k8s is unknown" in str(usage_of(cloud).problem)


def test_a_node_group_may_be_of_any_image_whose_name_cannot_be_read() -> None:
    cloud = magnum(clusters=[cluster()], node_groups={"c-k8s": [group("w", image_id="some name")]})
    cloud.images = {"/image": [entry(A, name=7), entry(B)]}
    assert set(users(usage_of(cloud))) == {A}


def test_a_cluster_that_is_gone_when_it_is_opened_is_no_fault() -> None:
    cloud = magnum(clusters=[cluster()], node_groups={})
    cloud.failing = {"/clusters/c-k8s": no(404)}
    assert users(usage_of(cloud)) == {}


def test_kubernetes_of_nhn_cloud_has_no_templates() -> None:
    cloud = UsageCloud([GLANCE, NOVA, ("kubernetes", "R1", "/magnum/v1")], images=images(), templates=None)
    cloud.clusters, cloud.node_groups = [cluster()], {"c-k8s": [group("w", image_id=A)]}
    assert users(usage_of(cloud)) == {A: ["node group w of cluster k8s"]}


# Stacks


def heat(**parts: Any) -> UsageCloud:
    return UsageCloud([GLANCE, NOVA, HEAT], images=images(), **parts)


@pytest.mark.parametrize(
    ("parameters", "template", "used"),
    [
        ({"image": A}, {}, {A: "stack web-stack, parameter image"}),
        ({"image": A.upper()}, {}, {A: "stack web-stack, parameter image"}),
        ({"image": "db"}, {}, {B: "stack web-stack, parameter image"}),
        ({"image": "db2", "x": "adb"}, {}, {}),
        ({}, {"resources": {"s": {"properties": {"image": "other"}}}}, {C: "stack web-stack, template"}),
        ({"list": f"x, {A} ,y"}, {}, {A: "stack web-stack, parameter list"}),
        ({"json": f'{{"images": ["{B}", "web"]}}'}, {}, {A: "", B: ""}),
        ({"url": f"https://g/v2/images/{C}/file"}, {}, {C: "stack web-stack, parameter url"}),
        ({"text": f'"{{\\"image\\": \\"{B}\\"}}"'}, {}, {B: "stack web-stack, parameter text"}),
        ({}, {"user_data": f"#cloud-config\nimage: {A}\n"}, {A: "stack web-stack, template"}),
    ],
)
def test_every_word_of_a_stack_that_is_an_id_or_a_name_is_a_use(
    parameters: dict[str, Any], template: dict[str, Any], used: dict[str, str]
) -> None:
    found = users(usage_of(heat(stacks={"k1": ("web-stack", parameters, template)})))
    assert set(found) == set(used)
    assert all(found[image] == [words] for image, words in used.items() if words)


def test_a_number_may_be_the_name_of_an_image() -> None:
    cloud = heat(stacks={"k1": ("one", {}, {"image": 20240101, "size": 22.04, "flag": True})})
    cloud.images = images(a="20240101", b="22.04", c="True")
    assert set(users(usage_of(cloud))) == {A, B}


def test_nested_stacks_are_read_too() -> None:
    cloud = heat(stacks={"k1": ("top", {}, {}), "k2": ("top-inner", {"image": A}, {})}, nested={"k2"})
    assert users(usage_of(cloud)) == {A: ["stack top-inner, parameter image"]}


def test_a_stack_that_has_not_changed_is_not_opened_again() -> None:
    cloud = heat(stacks={"k1": ("one", {"image": "web"}, {}), "k2": ("two", {}, {"image": B})})
    first = usage_of(cloud)
    known = EarlierUsage(stacks=first.stacks)
    cloud.asked.clear()
    assert users(usage_of(cloud, earlier=known)) == users(first)
    assert not cloud.calls("/k1", "/k2", "/template")
    cloud.updated["k2"] = "2026-11-22T00:00:00Z"
    cloud.stacks["k2"] = ("two", {"image": C}, {})
    assert set(users(usage_of(cloud, earlier=known))) == {A, C}
    assert cloud.calls("/k1") == []


@pytest.mark.parametrize(
    ("status", "opened"), [("UPDATE_COMPLETE", False), ("CREATE_FAILED", False), ("UPDATE_IN_PROGRESS", True)]
)
def test_a_stack_that_is_changing_is_opened_each_time(status: str, opened: bool) -> None:
    cloud = heat(stacks={"k1": ("one", {"image": "web"}, {})}, stack_status=status)
    known = EarlierUsage(stacks=usage_of(cloud).stacks)
    cloud.asked.clear()
    usage_of(cloud, earlier=known)
    assert bool(cloud.calls("/k1")) is opened


def test_what_is_remembered_of_a_stack_tells_nothing_of_its_secrets() -> None:
    cloud = heat(stacks={"k1": ("one", {"password": "hunter2"}, {})})
    assert "hunter2" not in repr(usage_of(cloud).stacks)


def test_an_image_named_only_now_is_found_in_what_is_remembered() -> None:
    cloud = heat(stacks={"k1": ("one", {"image": "tomorrow"}, {})})
    known = EarlierUsage(stacks=usage_of(cloud).stacks)
    cloud.images = images(a="tomorrow")
    assert set(users(usage_of(cloud, earlier=known))) == {A}


@pytest.mark.parametrize(
    ("stack", "failing"),
    [
        pytest.param(("one", None, {}), {}, id="no-parameters"),
        pytest.param(("one", {}, {}), {"/template": no(404)}, id="no-template"),
        pytest.param(("one", {}, {}), {"/template": no(403)}, id="template-refused"),
        pytest.param(("one", {}, {}), {"/k1": no(500)}, id="broken"),
    ],
)
def test_a_stack_that_cannot_be_read_makes_stacks_unread(stack: Any, failing: dict[str, Answered]) -> None:
    assert "stacks in R1: " in str(usage_of(heat(stacks={"k1": stack}, failing=failing)).problem)


def test_a_stack_that_is_gone_when_it_is_opened_is_no_fault() -> None:
    assert users(usage_of(heat(stacks={"k1": ("one", {}, {})}, failing={"/k1": no(404)}))) == {}


def test_an_answer_about_another_stack_or_node_group_tells_nothing_of_this_one() -> None:
    cloud = heat(stacks={"k1": ("one", {"image": A}, {})})
    cloud.failing = {"/k1": Answered({"stack": {"id": "k2", "parameters": {}}})}
    assert "the answer is for another stack, not one" in str(usage_of(cloud).problem)
    cloud = magnum(clusters=[cluster()], node_groups={"c-k8s": [group("w")]}, templates=[])
    cloud.shown_groups = {"g-w": group("x", image_id=A)}
    assert "the answer is for another one, not w" in str(usage_of(cloud).problem)


@pytest.mark.parametrize("error", ["broken", {"code": 500, "message": "x"}], ids=["text", "object"])
def test_an_error_in_an_answer_that_says_200_is_an_error(error: object) -> None:
    cloud = heat(failing={"/stacks": Answered({"stacks": [], "error": error})})
    assert "HTTP 200 with an error in its body" in str(usage_of(cloud).problem)


def test_an_image_whose_name_cannot_be_read_may_be_the_one_that_is_named() -> None:
    cloud = heat(stacks={"k1": ("one", {}, {})})
    cloud.images = {"/image": [entry(A, name=7)]}
    assert set(users(usage_of(cloud))) == {A}


def test_stacks_of_a_service_that_is_unread_tonight_are_remembered() -> None:
    known = EarlierUsage(stacks={"k9": StackContent("v", {})})
    cloud = heat(failing={"/stacks": no(403)})
    assert usage_of(cloud, Sources(stacks=Need.OPTIONAL), known).stacks == known.stacks
    assert usage_of(heat(), earlier=known).stacks == {}


# Bounds


def test_no_source_is_asked_once_for_each_image() -> None:
    cloud = UsageCloud([GLANCE, NOVA, CINDER, MAGNUM, HEAT])
    cloud.images = {"/image": [entry(f"i{number}") for number in range(50)]}
    usage: Usage = usage_of(cloud)
    assert usage.problem is None
    assert len([one for one in cloud.asked if "/images" not in one.path]) < 12
