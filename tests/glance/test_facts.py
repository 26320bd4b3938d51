"""What a real Glance does: the facts on which the janitor's OpenStack client relies."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.glance.cloud import Cloud
from tests.glance.identity import Person
from tests.glance.images import Images

NOW = datetime.now(UTC)
MANY = 1_100
AT_ONCE = 8
ROUNDS = 5


@dataclass
class Scene:
    """Two projects: what people of ours and theirs can do, and an administrator."""

    cloud: Cloud
    me: Person
    other: Person
    ours: Images
    theirs: Images
    admin: Images

    def active(self, images: Images | None = None, **fields: Any) -> str:
        images = images or self.ours
        return images.upload(images.create(**fields))

    def with_status(self, status: str) -> str:
        """An image of ours, with its data, on which that status is written."""
        image_id = self.active()
        self.cloud.database.write(image_id, status=status)
        return image_id

    def deactivated(self) -> str:
        image_id = self.active()
        self.ours.deactivate(image_id)
        return image_id

    def published(self, images: Images | None = None) -> str:
        image_id = self.active(images)
        self.admin.change(image_id, visibility="public")
        return image_id

    def given(self, answer: str) -> str:
        """An image of ours that they may use, and their answer to that."""
        image_id = self.active()
        self.ours.share(image_id, self.other.project_id)
        self.theirs.reply(image_id, self.other.project_id, answer)
        return image_id

    def offered(self, answer: str | None = None) -> str:
        """An image of theirs that we may use, and our answer to that, if one was given."""
        image_id = self.active(self.theirs)
        self.theirs.share(image_id, self.me.project_id)
        if answer is not None:
            self.ours.reply(image_id, self.me.project_id, answer)
        return image_id

    def kernel_in_need(self) -> str:
        """An image of ours that another one of ours names as its kernel."""
        kernel = self.active(disk_format="aki", container_format="aki")
        self.active(disk_format="ami", container_format="ami", kernel_id=kernel)
        return kernel

    def without_data(self) -> str:
        image_id = self.active()
        self.cloud.stored(image_id).unlink()
        return image_id

    def stuck_in_the_store(self) -> str:
        """An active image whose data the store cannot remove: there is a folder in its place."""
        image_id = self.without_data()
        self.cloud.stored(image_id).mkdir()
        return image_id


@pytest.fixture(scope="module")
def scene(cloud: Cloud) -> Scene:
    me, other = cloud.member(), cloud.member()
    return Scene(cloud, me, other, cloud.images(me), cloud.images(other), cloud.images(cloud.admin))


def text_of(answer: httpx.Response) -> str:
    return " ".join(answer.text.split())


# Deleting

NOTHING_STOPS_IT: dict[str, Callable[[Scene], str]] = {
    "active": lambda scene: scene.active(),
    "queued": lambda scene: scene.ours.create(),
    "uploading": lambda scene: scene.ours.stage(scene.ours.create()),
    "saving": lambda scene: scene.with_status("saving"),
    "importing": lambda scene: scene.with_status("importing"),
    "deactivated": Scene.deactivated,
    "killed": lambda scene: scene.with_status("killed"),
    "pending_delete": lambda scene: scene.with_status("pending_delete"),
    "hidden": lambda scene: scene.active(os_hidden=True),
    "own-community": lambda scene: scene.active(visibility="community"),
    "own-public": Scene.published,
    "own-shared-and-accepted": lambda scene: scene.given("accepted"),
    "kernel-of-another-image": Scene.kernel_in_need,
    "data-missing-in-the-store": Scene.without_data,
}


@pytest.mark.parametrize("make", NOTHING_STOPS_IT.values(), ids=NOTHING_STOPS_IT.keys())
def test_an_image_of_ours_is_deleted_once_and_unknown_from_then_on(scene: Scene, make: Callable[[Scene], str]) -> None:
    image_id = make(scene)
    answer = scene.ours.delete(image_id)
    assert (answer.status_code, answer.content) == (204, b"")
    again = scene.ours.delete(image_id)
    assert (again.status_code, scene.ours.get(image_id).status_code) == (404, 404)
    assert f"Failed to find image {image_id} to delete" in text_of(again)


REFUSED: dict[str, tuple[Callable[[Scene], str], int, int, str]] = {
    "protected": (lambda scene: scene.active(protected=True), 403, 200, "is protected and cannot be deleted."),
    "their-public": (lambda scene: scene.published(scene.theirs), 403, 200, "You are not authorized to complete"),
    "their-community": (
        lambda scene: scene.active(scene.theirs, visibility="community"), 403, 200, "You are not authorized",
    ),
    "offered-to-us": (Scene.offered, 403, 200, "You are not authorized to complete delete_image action."),
    "accepted-by-us": (lambda scene: scene.offered("accepted"), 403, 200, "You are not authorized to complete"),
    "rejected-by-us": (lambda scene: scene.offered("rejected"), 403, 200, "You are not authorized to complete"),
    "their-private": (lambda scene: scene.active(scene.theirs, visibility="private"), 404, 404, "Failed to find image"),
    "their-shared-not-with-us": (lambda scene: scene.active(scene.theirs), 404, 404, "Failed to find image"),
    "stuck-in-the-store": (Scene.stuck_in_the_store, 403, 200, "You cannot delete file"),
    "half-deleted": (
        lambda scene: scene.with_status("deleted"),
        400,
        200,
        "Image status transition from deleted to deleted is not allowed",
    ),
    "status-that-glance-does-not-know": (
        lambda scene: scene.with_status("shelved"), 500, 200, "The server has either erred",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "status", "seen", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_deletion_that_is_refused_changes_nothing(
    scene: Scene, make: Callable[[Scene], str], status: int, seen: int, words: str
) -> None:
    image_id = make(scene)
    before = scene.ours.get(image_id)
    answer = scene.ours.delete(image_id)
    assert (answer.status_code, before.status_code) == (status, seen)
    assert words in text_of(answer)
    if seen == 200:
        assert scene.ours.get(image_id).json() == before.json()


def test_a_reader_lists_and_may_not_delete(scene: Scene) -> None:
    image_id = scene.active()
    reader = scene.cloud.images(scene.cloud.colleague(scene.me, "reader"))
    assert image_id in reader.ids()
    assert reader.delete(image_id).status_code == 403


def test_only_an_administrator_publishes(scene: Scene) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        scene.ours.change(scene.active(), visibility="public")


def test_an_administrator_lists_and_may_delete_what_is_everybodys(scene: Scene) -> None:
    image_id = scene.active(scene.theirs, visibility="private")
    assert image_id in scene.admin.ids(limit=1000)
    assert scene.admin.delete(image_id).status_code == 204


# Several deletions at once


@pytest.fixture
def crowded(cloud: Cloud) -> Iterator[None]:
    cloud.restart_glance(workers=3)
    yield
    cloud.restart_glance()


def deleted_at_once(images: Images) -> dict[str, int]:
    """What parallel deletions of a few images answered, by id."""
    ids = [images.upload(images.create()) for _ in range(3 * AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return dict(zip(ids, threads.map(lambda image_id: images.delete(image_id).status_code, ids), strict=True))


def test_one_worker_stands_parallel_deletions(scene: Scene) -> None:
    answers = deleted_at_once(scene.ours)
    assert set(answers.values()) == {204}
    assert not answers.keys() & scene.ours.ids(limit=1000)


@pytest.mark.usefixtures("crowded")
def test_several_workers_fail_and_leave_images_as_they_were_or_half_deleted(scene: Scene) -> None:
    """A half-deleted image is listed with the status deleted, and cannot be deleted any more."""
    answers: dict[str, int] = {}
    for _ in range(ROUNDS):
        answers |= deleted_at_once(scene.ours)
        if {204, 500} <= set(answers.values()):
            break
    left = {image["id"]: image["status"] for image in scene.ours.listed(limit=1000)}
    assert set(answers.values()) == {204, 500}
    assert not {image_id for image_id, status in answers.items() if status == 204} & left.keys()
    failed = [image_id for image_id, status in answers.items() if status == 500]
    assert {left[image_id] for image_id in failed} <= {"active", "deleted"}
    again = {image_id: scene.ours.delete(image_id).status_code for image_id in failed}
    assert again == {image_id: 204 if left[image_id] == "active" else 400 for image_id in failed}


# Listing

LISTS: dict[str, tuple[dict[str, str | int], set[str]]] = {
    "plain": ({}, {"own", "own-community", "own-public", "half-deleted", "their-public", "accepted"}),
    "hidden": ({"os_hidden": "true"}, {"hidden"}),
    "by-owner": ({"owner": "ME"}, {"own", "own-community", "own-public", "half-deleted"}),
    "hidden-by-owner": ({"owner": "ME", "os_hidden": "true"}, {"hidden"}),
    "every-visibility": (
        {"visibility": "all"},
        {"own", "own-community", "own-public", "half-deleted", "their-public", "their-community", "accepted"},
    ),
    "every-answer": (
        {"member_status": "all"},
        {"own", "own-community", "own-public", "half-deleted", "their-public", "offered", "accepted", "rejected"},
    ),
    "shared": ({"visibility": "shared"}, {"own", "half-deleted", "accepted"}),
    "killed": ({"status": "killed"}, set()),
    "deleted": ({"status": "deleted"}, {"half-deleted"}),
}


@pytest.fixture(scope="module")
def shown(scene: Scene) -> dict[str, str]:
    """Images that some list or other shows or does not, by id."""
    made = {
        "own": scene.active(),
        "own-community": scene.active(visibility="community"),
        "own-public": scene.published(),
        "hidden": scene.active(os_hidden=True),
        "killed": scene.with_status("killed"),
        "shelved": scene.with_status("shelved"),
        "half-deleted": scene.with_status("deleted"),
        "their-private": scene.active(scene.theirs, visibility="private"),
        "their-public": scene.published(scene.theirs),
        "their-community": scene.active(scene.theirs, visibility="community"),
        "offered": scene.offered(),
        "accepted": scene.offered("accepted"),
        "rejected": scene.offered("rejected"),
    }
    return {image_id: name for name, image_id in made.items()}


@pytest.mark.parametrize(("query", "names"), LISTS.values(), ids=LISTS.keys())
def test_a_list_shows(scene: Scene, shown: dict[str, str], query: dict[str, str | int], names: set[str]) -> None:
    mine = {key: scene.me.project_id if value == "ME" else value for key, value in query.items()}
    assert {shown[image_id] for image_id in scene.ours.ids(limit=1000, **mine) & shown.keys()} == names


def test_what_no_list_shows_is_there_by_id(scene: Scene, shown: dict[str, str]) -> None:
    for name in ("killed", "shelved", "offered", "rejected", "their-community", "hidden"):
        [image_id] = [image_id for image_id, called in shown.items() if called == name]
        assert scene.ours.get(image_id).status_code == 200, name


def test_an_image_says_who_owns_it_and_all_the_rest(scene: Scene) -> None:
    tags = ["janitor-keep-until=2026-12-31", "nightly"]
    image_id = scene.active(tags=tags, base_image_ref="another", os_distro="ubuntu")
    scene.cloud.database.write(image_id, created_at=datetime(2024, 2, 29, 12, 30, 59, 999_999, tzinfo=UTC))
    image = scene.ours.get(image_id).json()
    assert sorted(image["tags"]) == tags
    assert {key: image[key] for key in ("owner", "name", "visibility", "os_hidden", "protected", "created_at")} == {
        "owner": scene.me.project_id,
        "name": None,
        "visibility": "shared",
        "os_hidden": False,
        "protected": False,
        "created_at": "2024-02-29T12:30:59Z",
    }
    assert (image["base_image_ref"], image["os_distro"], "properties" in image) == ("another", "ubuntu", False)


def test_a_part_is_named_by_any_text_as_it_was_written(scene: Scene) -> None:
    """As long as an operator sets no schema of properties, which would have ids or nothing there."""
    strange = str(uuid.uuid4()).upper()
    image = scene.ours.get(scene.ours.create(kernel_id=strange, ramdisk_id="initrd")).json()
    assert (image["kernel_id"], image["ramdisk_id"]) == (strange, "initrd")
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        scene.ours.create(kernel_id=None)


def test_a_queued_image_has_no_size(scene: Scene) -> None:
    assert scene.ours.get(scene.ours.create()).json()["size"] is None


def test_members_are_listed_with_their_answers(scene: Scene) -> None:
    image_id = scene.active()
    scene.ours.share(image_id, scene.other.project_id)
    path = f"/v2/images/{image_id}/members"
    assert members(scene.ours.client.get(path)) == {scene.other.project_id: "pending"}
    scene.theirs.reply(image_id, scene.other.project_id, "accepted")
    assert members(scene.ours.client.get(path)) == {scene.other.project_id: "accepted"}
    assert members(scene.ours.client.get(f"/v2/images/{scene.active()}/members")) == {}
    private = scene.active(visibility="private")
    assert scene.ours.client.get(f"/v2/images/{private}/members").status_code == 403


def members(answer: httpx.Response) -> dict[str, str]:
    return {member["member_id"]: member["status"] for member in answer.raise_for_status().json()["members"]}


# Paging


@pytest.fixture(scope="module")
def crowd(cloud: Cloud) -> Images:
    """The images of a project with more than a page of them."""
    owner = cloud.member()
    cloud.database.add(MANY, owner.project_id, NOW)
    return cloud.images(owner)


def test_pages_are_of_25_unless_asked_and_of_1000_at_most(crowd: Images) -> None:
    assert [len(own(crowd.page(**query))) for query in ({}, {"limit": 1000}, {"limit": 5000})] == [25, 1000, 1000]


def own(answer: httpx.Response) -> list[dict[str, Any]]:
    page: list[dict[str, Any]] = answer.raise_for_status().json()["images"]
    return page


def test_next_leads_through_the_whole_list_newest_first(crowd: Images) -> None:
    listed = [image for image in crowd.listed(limit=1000) if (image["name"] or "").startswith("ci-web-")]
    assert len({image["id"] for image in listed}) == len(listed) == MANY
    assert all(newer["created_at"] > older["created_at"] for newer, older in pairwise(listed))


def test_next_is_a_path_with_the_last_id_as_its_marker_which_the_next_page_leaves_out(crowd: Images) -> None:
    page = crowd.page(limit=10).json()
    last = page["images"][-1]["id"]
    assert page["next"] == f"/v2/images?limit=10&marker={last}"
    assert last not in {image["id"] for image in own(crowd.client.get(page["next"]))}


def test_a_list_that_fills_its_last_page_has_an_empty_one_after_it(scene: Scene) -> None:
    owner = scene.cloud.member()
    images = scene.cloud.images(owner)
    for _ in range(2):
        images.create()
    page = images.page(limit=2, owner=owner.project_id).json()
    assert own(images.client.get(page["next"])) == []


def test_a_marker_that_is_gone_is_an_error_to_a_member_and_none_to_an_administrator(scene: Scene) -> None:
    gone = scene.active()
    scene.ours.delete(gone)
    answer = scene.ours.page(marker=gone)
    assert answer.status_code == 400
    assert f"No image found with ID {gone}" in text_of(answer)
    assert scene.admin.page(marker=gone).status_code == 200
    assert scene.admin.page(marker="never-was").status_code == 400


@pytest.mark.parametrize(("limit", "words"), [("-1", "limit param must be positive"), ("x", "must be an integer")])
def test_a_limit_that_is_none(scene: Scene, limit: str, words: str) -> None:
    answer = scene.ours.page(limit=limit)
    assert (answer.status_code, words in text_of(answer)) == (400, True)


# The form of answers


def test_errors_are_pages_unless_json_is_asked_for(scene: Scene) -> None:
    path = f"/v2/images/{scene.active(protected=True)}"
    page = scene.ours.client.delete(path)
    document = scene.ours.client.delete(path, headers={"Accept": "application/json"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert document.headers["Content-Type"] == "application/json"
    assert (document.json()["code"], document.json()["title"]) == ("403 Forbidden", "Forbidden")


def test_every_answer_names_its_request_but_a_refused_token(scene: Scene) -> None:
    refused = scene.ours.client.get("/v2/images", headers={"X-Auth-Token": "none"})
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (
        401,
        f'Keystone uri="{scene.me.auth_url}"',
    )
    assert "x-openstack-request-id" not in refused.headers
    for answer in (scene.ours.page(), scene.ours.get("no-such-image"), scene.ours.delete("no-such-image")):
        assert answer.headers["x-openstack-request-id"].startswith("req-")


def test_a_list_is_no_head(scene: Scene) -> None:
    assert scene.ours.client.head("/v2/images").status_code == 405
