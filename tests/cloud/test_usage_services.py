"""Every service that may use the images is asked, and one that was read before and is missing now is unread."""

import pytest

from janitor.cloud.service import Need, Sources
from janitor.core.names.image_ids import folded
from janitor.core.usage import EarlierUsage, Reading, Source, Unread, Usage, UserKind
from tests.cloud.usage_services import CINDER, GLANCE, HEAT, MAGNUM, NOVA, A, B, C, images
from tests.openstack_account import entry, no, server, volume
from tests.usage_cloud import UsageCloud, usage_of, users

# Every endpoint that may use the images


def test_two_computes_of_one_region_and_one_without_are_all_asked() -> None:
    nova = [("compute", None, "/cells"), NOVA, ("compute", "R1", "/second")]
    cloud = UsageCloud([GLANCE, *nova], images=images())
    cloud.servers = {"/cells": [server("s1", {"id": A})], "/compute": [server("s2", {"id": B})]}
    cloud.servers["/second"] = [server("s3", {"id": C})]
    usage = usage_of(cloud)
    assert set(users(usage)) == {A, B, C}
    assert usage.instances == 3
    assert [user.source for user in usage.by_image[folded(A)]] == ["servers"]
    assert [user.source for user in usage.by_image[folded(B)]] == ["servers in R1 (/compute)"]


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


# Bounds


def test_no_source_is_asked_once_for_each_image() -> None:
    cloud = UsageCloud([GLANCE, NOVA, CINDER, MAGNUM, HEAT])
    cloud.images = {"/image": [entry(f"i{number}") for number in range(50)]}
    usage: Usage = usage_of(cloud)
    assert usage.problem is None
    assert len([one for one in cloud.asked if "/images" not in one.path]) < 12
