"""What stacks use: every word in them that names an image, none of their secrets, and what is remembered."""

from typing import Any
from urllib.parse import quote

import pytest

from janitor.cloud.service import Need, Sources
from janitor.core.usage import EarlierUsage, StackContent
from tests.cloud.usage_services import GLANCE, HEAT, NOVA, A, B, C, cluster, group, images, magnum
from tests.loopback import Answered
from tests.openstack_account import entry, no
from tests.usage_cloud import UsageCloud, usage_of, users


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


def test_a_word_that_is_the_id_of_one_image_and_the_name_of_another_is_a_use_of_both() -> None:
    for written in (A, f"https://g/v2/images/{A}"):
        cloud = heat(stacks={"k1": ("one", {"image": written}, {})})
        cloud.images = images(a="web", b=A)
        assert set(users(usage_of(cloud))) == {A, B}


@pytest.mark.parametrize("name", ["my image", "web:1.2", "ci-a"])
@pytest.mark.parametrize(
    "url", ["http://g/v2/images/{}", "glance://{}", "http://g/?name={}", "http://g/v2/images/{};v=1"]
)
def test_a_stack_may_name_an_image_in_a_url(url: str, name: str) -> None:
    written = {"json": f'{{"image": "{url.format(quote(name))}"}}'}
    for parameters in ({"image": url.format(quote(name))}, {"image": url.format(name)}, written):
        cloud = heat(stacks={"k1": ("one", parameters, {})})
        cloud.images = images(a=name, b="other")
        assert set(users(usage_of(cloud))) == {A}


def test_what_was_remembered_before_words_were_read_so_is_read_again() -> None:
    cloud = heat(stacks={"k1": ("one", {"image": "http://g/v2/images/db"}, {})})
    [content] = usage_of(cloud).stacks.values()
    before = StackContent(content.version.removeprefix("urls "), {})
    assert set(users(usage_of(cloud, earlier=EarlierUsage(stacks={"k1": before})))) == {B}


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
