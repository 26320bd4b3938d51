"""Stacks, their parameters and templates, as Heat shows them."""

from datetime import timedelta

import pytest

from janitor.sandbox.models import OURS
from tests.sandbox.clock import Clock
from tests.sandbox.openstack.client import OTHER, UNKNOWN, Client, ask, client_of
from tests.sandbox.openstack.launchers import a_stack, an_id
from tests.sandbox.openstack.paths import STACKS


def names(client: Client, query: str = "") -> list[str]:
    page = ask(client, STACKS + query).json()
    assert page.keys() == {"stacks"}, "there is no next link"
    return [stack["stack_name"] for stack in page["stacks"]]


def test_stacks_are_listed_newest_first_from_a_marker_and_nested_ones_on_demand(client: Client) -> None:
    for number in (1, 2, 3):
        a_stack(client, number)
    a_stack(client, 4, parent=an_id(1))
    assert names(client) == names(client, "?show_nested=false") == ["s1", "s2", "s3"]
    assert names(client, "?show_nested=true") == ["s1", "s2", "s3", "s4"]
    assert names(client, "?limit=2") == ["s1", "s2"]
    assert names(client, f"?limit=2&marker={an_id(2)}") == ["s3"]
    assert names(client, f"?limit=2&marker={an_id(3)}") == []
    assert names(client, f"?limit=2&marker={UNKNOWN}") == ["s1", "s2"]


def test_a_stack_shows_its_parameters_and_its_template(client: Client) -> None:
    template = {"resources": {"server": {"properties": {"image": "ci-web-1"}}}}
    stack = a_stack(client, 1, parameters={"image": an_id(9)}, template=template)
    shown = ask(client, f"{STACKS}/{stack.name}/{stack.id}").json()["stack"]
    assert shown["parameters"] == {
        "OS::stack_id": stack.id,
        "OS::stack_name": "s1",
        "OS::project_id": OURS,
        "image": an_id(9),
    }
    assert (shown["stack_status"], shown["updated_time"], shown["parent"]) == ("CREATE_COMPLETE", None, None)
    assert ask(client, f"{STACKS}/{stack.name}/{stack.id}/template").json() == template


def test_an_update_dates_a_stack_and_a_deleted_one_is_gone_with_what_is_nested_in_it() -> None:
    clock = Clock()
    with client_of(clock) as client:
        for number, parent in ((1, None), (2, an_id(1)), (3, an_id(2)), (4, None)):
            a_stack(client, number, parent=parent)
        clock.now += timedelta(minutes=30)
        client.sandbox.account.update_stack(an_id(1), parameters={"image": an_id(8)})
        shown = ask(client, f"{STACKS}/s1/{an_id(1)}").json()["stack"]
        assert (shown["updated_time"], shown["stack_status"]) == ("2026-11-23T03:30:00Z", "UPDATE_COMPLETE")
        assert shown["parameters"]["image"] == an_id(8)
        client.sandbox.account.delete_stack(an_id(1))
        assert names(client, "?show_nested=true") == ["s4"]
        for path in (f"{STACKS}/s1/{an_id(1)}", f"{STACKS}/s1/{an_id(1)}/template"):
            assert ask(client, path).json()["error"]["type"] == "EntityNotFound"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{STACKS}?limit=x", 400),
        (f"{STACKS}?show_nested=maybe", 400),
        (f"{STACKS}/other", 404),
        (f"{STACKS}/other/{an_id(1)}", 404),
        (f"{STACKS}/s1/{UNKNOWN}", 404),
        (f"/orchestration/v1/{OTHER}/stacks", 403),
    ],
)
def test_what_heat_does_not_answer(client: Client, path: str, status: int) -> None:
    a_stack(client, 1)
    response = ask(client, path)
    assert (response.status_code, response.json()["code"]) == (status, status)
