"""Which services of a catalogue can use the images of one place: every one of them, none chosen by chance."""

from collections.abc import Iterable
from typing import Any

import pytest

from janitor.cloud.openstack.catalogue import Catalogue, EndpointPreferences, ImagePlace
from janitor.cloud.openstack.service_types import TYPES, Listed, Service, listed_in, unasked_in
from janitor.cloud.openstack.urls import normalised, unversioned, versioned

P = "p70j3ct"
Entries = Iterable[tuple[str | None, ...]]


def catalogue(*services: tuple[str, Entries], secure: bool = False, **preferences: EndpointPreferences) -> Catalogue:
    """A catalogue of these services, each with its (region, interface, url) or (region, url) endpoints."""
    entries: list[dict[str, Any]] = []
    for kind, endpoints in services:
        written = []
        for one in endpoints:
            region, interface, url = (one[0], "public", one[1]) if len(one) == 2 else one
            written.append({"region_name": region, "interface": interface, "url": url})
        entries.append({"type": kind, "endpoints": written})
    wanted = {Service[name.upper()]: preference for name, preference in preferences.items()}
    return Catalogue(tuple(listed_in(entries)), wanted, P, unasked_in(entries), secure)


def asked(found: Catalogue, service: Service = Service.COMPUTE, place: int = 0, region: str | None = None) -> list[str]:
    """The URLs that are asked, in any order, and the reasons for those that are not."""
    endpoints = found.using(service, found.image_places()[place], region)
    return sorted(f"{one.url}: {one.problem}" if one.problem else one.url for one in endpoints)


# Where images are


def test_one_image_service_of_two_regions_is_one_place() -> None:
    found = catalogue(("image", [("R1", "http://glance:9292/v2/"), ("R2", "http://GLANCE:9292"), ("R3", "http://g3")]))
    assert [(place.url, place.regions) for place in found.image_places()] == [
        ("http://glance:9292/v2", ("R1", "R2")),
        ("http://g3", ("R3",)),
    ]
    assert found.image_regions == ("R1", "R2", "R3")


def test_a_configured_url_is_the_only_place_and_stands_everywhere() -> None:
    found = catalogue(("image", [("R1", "http://g1")]), image=EndpointPreferences(url="http://mine"))
    assert found.image_places() == [ImagePlace("http://mine", (), everywhere=True)]


def test_a_place_by_http_is_not_one_to_send_a_token_to_that_came_by_https() -> None:
    found = catalogue(("image", [("R1", "http://g1")]), secure=True)
    assert "never sent over http" in str(found.image_places()[0].problem)
    both = catalogue(("image", [("R1", "http://g1")]), ("image", [("R1", "https://g1")]), secure=True)
    assert [(place.url, place.problem) for place in both.image_places()] == [("https://g1", None)]


# Who may use them

TWO_COMPUTES: tuple[str, Entries] = ("compute", [("R1", "http://n1"), ("R2", "http://n2")])


@pytest.mark.parametrize(
    ("images", "reached"),
    [
        pytest.param([("R1", "http://g"), ("R2", "http://g/")], ["http://n1", "http://n2"], id="the-same-service"),
        pytest.param([("R1", "http://g")], ["http://n1", "http://n2"], id="none-of-its-own"),
        pytest.param([("R1", "http://g1"), ("R2", "http://g2")], ["http://n1"], id="another-of-its-own"),
        pytest.param(
            [
                ("R1", "http://g1"),
                ("R2", "http://g2"),
                ("R2", "internal", "http://i"),
                ("R1", "internal", "http://i/v2"),
            ],
            ["http://n1", "http://n2"],
            id="the-same-by-another-interface",
        ),
        pytest.param([("R1", "http://g1"), ("R2", "internal", "http://i2")], ["http://n1"], id="an-internal-one"),
        pytest.param([(None, "http://g")], ["http://n1", "http://n2"], id="images-in-no-region"),
    ],
)
def test_services_of_every_region_that_may_use_the_images_are_asked(images: Entries, reached: list[str]) -> None:
    assert asked(catalogue(("image", images), TWO_COMPUTES), region="R1") == reached


def test_with_a_configured_image_url_every_regions_services_are_asked() -> None:
    images = ("image", [("R1", "http://g1"), ("R2", "http://g2")])
    found = catalogue(images, TWO_COMPUTES, image=EndpointPreferences(url="http://mine"))
    assert asked(found, region="R1") == ["http://n1", "http://n2"]


@pytest.mark.parametrize("services", [1, 2], ids=["of-one-entry", "of-two-entries"])
def test_every_service_of_a_kind_is_asked_also_the_one_without_a_region(services: int) -> None:
    endpoints: list[tuple[str | None, ...]] = [(None, "http://cells"), ("R1", "http://n1"), ("R1", "http://n2")]
    parts = [endpoints] if services == 1 else [endpoints[:1], endpoints[1:2], endpoints[2:]]
    found = catalogue(("image", [("R1", "http://g")]), *(("compute", part) for part in parts))
    assert asked(found) == ["http://cells", "http://n1", "http://n2"]


@pytest.mark.parametrize("alias", ["block-storage", "volumev3", "volumev2", "volume", "block-store"])
def test_a_service_is_known_by_every_alias(alias: str) -> None:
    found = catalogue(("image", [("R1", "http://g")]), (alias, [("another name of R1", f"http://c/v3/{P}")]))
    assert asked(found, Service.VOLUME) == [f"http://c/v3/{P}"]


def test_the_aliases_are_those_of_the_authority_and_what_nhn_cloud_says() -> None:
    assert {"container-infra", "container-infrastructure", "kubernetes"} < set(TYPES[Service.CLUSTERS])
    assert TYPES[Service.STACKS] == ("orchestration",)


def test_versions_of_one_service_are_asked_once_by_the_newest() -> None:
    found = catalogue(
        ("image", [("R1", "http://g")]),
        ("volumev2", [("R1", f"http://c:8776/v2/{P}")]),
        ("volumev3", [("R1", f"http://c:8776/v3/{P}")]),
        ("block-storage", [("R1", f"http://other:8776/v3/{P}")]),
    )
    assert asked(found, Service.VOLUME) == [f"http://c:8776/v3/{P}", f"http://other:8776/v3/{P}"]


def test_interfaces_of_one_service_are_one_endpoint_the_wanted_first() -> None:
    endpoints: Entries = [("R1", "internal", "http://i1"), ("R1", "http://p1"), ("R2", "internal", "http://i2")]
    found = catalogue(("image", [("R1", "http://g")]), ("compute", endpoints))
    by_url = {one.url: one.note for one in found.using(Service.COMPUTE, found.image_places()[0], "R1")}
    assert by_url == {"http://p1": None, "http://i2": "at its internal URL: it has no usable public URL"}


def test_a_token_that_came_by_https_goes_to_no_http() -> None:
    endpoints: Entries = [("R1", "http://p1"), ("R1", "internal", "https://i1"), ("R2", "http://p2")]
    found = catalogue(("image", [("R1", "https://g")]), ("compute", endpoints))
    told = "its URL is http, but the token came by https and is never sent over http"
    assert asked(found) == [f"http://p2: {told}", "https://i1"]


@pytest.mark.parametrize("url", [None, "", "ftp://x", "http://[", "http://x:99999", "n1"])
def test_a_service_without_a_usable_url_is_there_all_the_same(url: str | None) -> None:
    found = catalogue(("image", [("R1", "http://g")]), ("compute", [("R1", url)]))
    [endpoint] = found.using(Service.COMPUTE, found.image_places()[0], "R1")
    assert endpoint.problem == "the catalogue has no usable URL for it"


def test_more_places_by_another_interface_are_further_services() -> None:
    endpoints: Entries = [("R1", "http://n1"), ("R1", "internal", "http://n1/v2.1"), ("R1", "internal", "http://n2")]
    assert asked(catalogue(("image", [("R1", "http://g")]), ("compute", endpoints))) == ["http://n1", "http://n2"]
    usual: Entries = [("R1", "http://n1"), ("R1", "internal", "http://i1"), ("R1", "admin", "http://a1")]
    assert asked(catalogue(("image", [("R1", "http://g")]), ("compute", usual))) == ["http://n1"]


def test_a_region_whose_image_url_cannot_be_read_has_none_of_its_own() -> None:
    found = catalogue(("image", [("R1", "http://g"), ("R2", None)]), TWO_COMPUTES)
    assert asked(found, region="R1") == ["http://n1", "http://n2"]


def test_a_configured_url_stands_for_its_own_region_and_the_others_are_asked_as_well() -> None:
    found = catalogue(
        ("image", [("R1", "http://g"), ("R2", "http://g")]),
        ("compute", [("R1", "http://n1"), ("R2", "http://n2"), ("R3", "http://n3")]),
        compute=EndpointPreferences(url="http://mine"),
    )
    endpoints = found.using(Service.COMPUTE, found.image_places()[0], None)
    assert {one.url: one.replaced for one in endpoints} == {
        "http://mine": False,
        "http://n1": True,
        "http://n2": True,
        "http://n3": False,
    }


# URLs


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://glance.example:443/v2", "https://GLANCE.example./", True),
        ("http://glance:9292", "http://glance:9292/v2/", True),
        (f"http://c/volume/v2/{P}", f"http://c//volume/v3/AUTH_{P}", True),
        ("http://gateway/v1/glance", "http://gateway/v1/nova", False),
        ("http://glance:9292", "https://glance:9292", False),
        ("http://[::1]:9292", "http://[::1]:9292/", True),
        ("http://glance:9292", "http://glance:9293", False),
    ],
)
def test_urls_of_one_service_are_alike(one: str, other: str, same: bool) -> None:
    assert (normalised(one, P) == normalised(other, P)) is same


@pytest.mark.parametrize(
    ("url", "full"),
    [
        ("http://n", "http://n/v2.1"),
        ("http://n/v2.1", "http://n/v2.1"),
        (f"http://n/v2/{P}", f"http://n/v2/{P}"),
        ("http://gw/v1/nova", "http://gw/v1/nova/v2.1"),
        ("http://gw/v1/nova/", "http://gw/v1/nova/v2.1"),
        ("http://gw/v1/nova/v2.1/", "http://gw/v1/nova/v2.1"),
        (f"http://gw/v1/nova/V2/{P}/", f"http://gw/v1/nova/V2/{P}"),
    ],
)
def test_only_a_version_at_the_end_is_one(url: str, full: str) -> None:
    assert versioned(url, "v2.1", P) == full


@pytest.mark.parametrize("end", ["", "/", "/v2", "/v2/", "/v2.0", "/V2", "/v1", f"/v2/{P}", f"/v2/{P}/"])
@pytest.mark.parametrize("root", ["http://gw/v1/glance", "http://gw", "http://gw/v2/v1/images", "http://gw/v2beta"])
def test_the_image_service_is_asked_in_the_version_that_we_speak(root: str, end: str) -> None:
    assert unversioned(root + end, P) == root


def test_of_two_versions_behind_a_gateway_the_newer_is_asked() -> None:
    urls = ["http://gw/v1/cinder/v2", "http://gw/v1/cinder/v3"]
    for order in (urls, urls[::-1]):
        found = catalogue(("image", [("R1", "http://g")]), *(("volumev3", [("R1", url)]) for url in order))
        assert [one.url for one in found.using(Service.VOLUME, found.image_places()[0], "R1")] == urls[1:]


def test_services_that_cannot_be_asked_are_named() -> None:
    found = catalogue(("image", [("R1", "http://g")]), ("database", []), ("trove", []), ("clustering", []), ("dns", []))
    assert found.unasked == ("clustering", "database")


def test_a_listed_url_names_its_service() -> None:
    found = catalogue(("image", [("R1", "http://g/")]), ("network", [("R1", "http://x")]))
    assert found.listed == (Listed(Service.IMAGE, "image", 0, "R1", "public", "http://g"),)
