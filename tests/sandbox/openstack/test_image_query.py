"""The list of images is paged, filtered and ordered as Glance does it, and rejected in its words."""

import pytest

from janitor.sandbox.models import OURS
from janitor.sandbox.options import MarkerReading, SortDirection
from tests.sandbox.openstack.client import ALL, OWN, SHELF, UNKNOWN, Client, an_image, client_of, put

# Pages


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


# Filters and order


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
