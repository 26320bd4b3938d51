"""Servers that come and go: what changed is listed on demand, and who was deleted is shown to nobody."""

from datetime import timedelta
from typing import Any

import pytest

from tests.sandbox.clock import START, Clock
from tests.sandbox.openstack.client import Client, ask, client_of, servers_of
from tests.sandbox.openstack.launchers import an_id
from tests.sandbox.openstack.paths import SERVERS


def since(moment: Any) -> str:
    return f"?changes-since={moment:%Y-%m-%dT%H:%M:%SZ}"


def test_changes_since_lists_what_changed_and_what_was_deleted() -> None:
    clock = Clock()
    with client_of(clock, images=50) as client:
        account = client.sandbox.account
        gone, rebuilt, taken, kept = list(account.instances)[:4]
        clock.now += timedelta(minutes=30)
        account.delete_server(gone)
        account.rebuild_server(rebuilt, an_id(7))
        account.remove_instance(taken)
        booted = account.boot_server(account.instances[kept], name="new", image=an_id(8))
        assert servers_of(client).keys() == account.instances.keys()
        changed = servers_of(client, since(clock.now))
        assert changed == {gone: "DELETED", rebuilt: account.instances[rebuilt].status, booted.id: booted.status}
        assert not servers_of(client, since(clock.now + timedelta(seconds=1)))
        assert kept in servers_of(client, since(START - timedelta(days=900)))


@pytest.mark.parametrize("text", ["2026-11-23T03:00:00", "2026-11-23T03:00:00%2B00:00", "2026-11-23"])
def test_changes_since_takes_iso_times(client: Client, text: str) -> None:
    assert servers_of(client, f"?changes-since={text}") == {}


@pytest.mark.parametrize("text", ["yesterday", "1700000000x", ""])
def test_changes_since_something_else_is_a_bad_request(client: Client, text: str) -> None:
    response = ask(client, f"{SERVERS}?changes-since={text}")
    assert response.status_code == 400
    assert "is not a 'date-time'" in response.json()["badRequest"]["message"]


def test_a_deleted_server_is_shown_to_nobody(full: Client) -> None:
    server = next(iter(full.sandbox.account.instances))
    path = SERVERS.replace("detail", server)
    assert ask(full, path).json()["server"]["id"] == server
    full.sandbox.account.delete_server(server)
    assert ask(full, path).status_code == 404
