"""Faults of an OpenStack sandbox: the same words, with HTTP statuses for codes and the calls of these services."""

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from janitor.errors import ConfigurationError
from janitor.sandbox.calls import CALLS, Api
from janitor.sandbox.faults import Fault, Faults, Rule, faults_of
from janitor.sandbox.faults.file import load_faults, parse_faults
from janitor.sandbox.flags import options_from
from tests.conftest import Desk
from tests.sandbox.clock import START
from tests.sandbox.faults.rules import one
from tests.sandbox.openstack.client import Client, client_of
from tests.sandbox.openstack.paths import CLUSTERS, IMAGES, REFERENCE, SERVERS, STACKS, VOLUMES
from tests.sandbox.ways import WAYS, printed


@pytest.fixture(params=WAYS)
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client of a project with images: what holds behind a socket holds without one."""
    with client_of(way=request.param, images=100) as client:
        yield client


@pytest.fixture
def quick() -> Iterator[Client]:
    """The same without a socket only, where the way there does not matter."""
    with client_of(images=100) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "where"),
    [
        (IMAGES, ("message",)),
        (f"{IMAGES}/x", ("message",)),
        (f"{IMAGES}/x/members", ("message",)),
        (SERVERS, ("{}", "message")),
        (VOLUMES, ("{}", "message")),
        (CLUSTERS, ("errors", "0", "detail")),
        (STACKS, ("error", "message")),
        ("/image", ("message",)),
    ],
)
@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 413, 500, 503])
def test_a_result_code_is_that_status_as_the_service_words_it(
    quick: Client, path: str, where: tuple[str, ...], code: int
) -> None:
    quick.sandbox.faults = one(Fault.RESULT_CODE, code=code)
    response = quick.send("GET", path, headers={"Accept": "application/json"})
    assert response.status_code == code
    assert quick.sandbox.requests[-1].code is None, "the account was not asked"
    told = response.json()
    for key in where:
        if code == 401 and key not in told:
            break  # these services leave that word to Keystone
        told = next(iter(told.values())) if key == "{}" else told[0] if key == "0" else told[key]
    assert told
    assert ("www-authenticate" in response.headers) is (code == 401)


@pytest.mark.parametrize("code", [401, 403, 503])
def test_a_result_code_of_identity_is_an_error_of_keystone(quick: Client, code: int) -> None:
    quick.sandbox.faults = one(Fault.RESULT_CODE, code=code, calls=frozenset({"issue-token"}))
    for path in ("/identity/v2.0/tokens", "/identity/v3/auth/tokens"):
        response = quick.send("POST", path, json={})
        assert (response.status_code, response.json()["error"]["code"]) == (code, code)


def test_a_result_code_for_a_deletion_leaves_the_image_there(quick: Client) -> None:
    image = quick.own()
    quick.sandbox.faults = one(Fault.RESULT_CODE, 1, code=409, calls=frozenset({"delete-image"}))
    assert quick.send("DELETE", f"{IMAGES}/{image}").status_code == 409
    assert image in quick.sandbox.account.images
    assert quick.send("DELETE", f"{IMAGES}/{image}").status_code == 204


def test_an_http_error_and_a_foreign_body_come_from_a_gateway(client: Client) -> None:
    for fault, status in ((Fault.HTTP_ERROR, 503), (Fault.FOREIGN_BODY, 200)):
        client.sandbox.faults = one(fault)
        for path in (IMAGES, SERVERS, VOLUMES, "/identity"):
            response = client.send("GET", path, headers={"Accept": "application/json"})
            assert (response.status_code, "gateway" in response.text) == (status, True)
            assert "x-openstack-request-id" not in response.headers


def test_a_body_is_cut_off_half_way(client: Client) -> None:
    client.sandbox.faults = one(Fault.CUT_OFF_BODY, 1, calls=frozenset({"list-images"}))
    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection without sending complete"):
        client.send("GET", IMAGES)


def test_a_dead_token_is_dead_in_every_service_until_a_new_one_is_issued(client: Client) -> None:
    client.sandbox.faults = one(Fault.DEAD_TOKEN, 1)
    assert [client.send("GET", path).status_code for path in (IMAGES, SERVERS, VOLUMES)] == [401, 401, 401]
    client.sign_in_by_application()
    assert [client.send("GET", path).status_code for path in (IMAGES, SERVERS, VOLUMES)] == [200, 200, 200]


def test_a_vanished_marker_is_deleted_by_somebody_just_before(client: Client) -> None:
    image = client.own()
    client.sandbox.faults = one(Fault.VANISHED_MARKER)
    response = client.send("GET", f"{IMAGES}?marker={image}")
    assert (response.status_code, f"No image found with ID {image}" in response.text) == (400, True)
    assert image not in client.sandbox.account.images


@pytest.mark.parametrize(
    ("path", "kind"),
    [(IMAGES, "images"), (SERVERS, "servers"), (VOLUMES, "volumes")],
    ids=["image", "server", "volume"],
)
def test_a_repeated_page_is_the_one_before_of_the_same_list(client: Client, path: str, kind: str) -> None:
    client.sandbox.faults = one(Fault.REPEATED_PAGE, 3, calls=frozenset({f"list-{kind}"}))
    for other in {IMAGES, SERVERS, VOLUMES} - {path}:
        client.send("GET", other)
    first = client.ids(f"{path}?limit=3", kind)
    second = client.ids(f"{path}?limit=3&marker={first[-1]}", kind)
    for other in {IMAGES, SERVERS, VOLUMES} - {path}:
        client.send("GET", other)
    assert client.ids(f"{path}?limit=3&marker={second[-1]}", kind) == second
    assert set(first).isdisjoint(second)


@pytest.mark.parametrize(
    ("path", "kind"),
    [(IMAGES, "images"), (SERVERS, "servers"), (VOLUMES, "volumes")],
    ids=["image", "server", "volume"],
)
def test_a_truncated_list_ends_with_an_empty_page_that_has_no_next(client: Client, path: str, kind: str) -> None:
    client.sandbox.faults = one(Fault.TRUNCATED_LIST, 2, calls=frozenset({f"list-{kind}"}))
    first = client.ids(f"{path}?limit=3", kind)
    page = client.send("GET", f"{path}?limit=3&marker={first[-1]}").json()
    assert page[kind] == []
    assert not page.keys() & {"next", f"{kind}_links"}
    assert len(client.ids(f"{path}?limit=3&marker={first[-1]}", kind)) == 3


def test_empty_instances_and_empty_volumes_each_empty_one_list(client: Client) -> None:
    client.sandbox.faults = one(Fault.EMPTY_INSTANCES)
    assert client.send("GET", SERVERS).json() == {"servers": []}
    assert client.ids(VOLUMES, "volumes")
    client.sandbox.faults = one(Fault.EMPTY_VOLUMES)
    assert client.send("GET", VOLUMES).json() == {"volumes": []}
    assert client.ids(SERVERS, "servers")
    assert client.ids(IMAGES, "images")


def test_empty_clusters_and_empty_stacks_each_empty_one_list(client: Client) -> None:
    lists = {CLUSTERS: "clusters", STACKS: "stacks"}
    for fault, path in ((Fault.EMPTY_CLUSTERS, CLUSTERS), (Fault.EMPTY_STACKS, STACKS)):
        client.sandbox.faults = one(fault)
        for other, kind in lists.items():
            answer = client.send("GET", other)
            assert answer.status_code == 200
            assert bool(answer.json()[kind]) is (other != path)
        assert client.ids(SERVERS, "servers")


def versioned(client: Client, path: str, version: str = "2.69") -> httpx.Response:
    return client.send("GET", path, headers={"OpenStack-API-Version": f"compute {version}"})


def in_the_second_cell(client: Client) -> set[str]:
    return {server.id for server in client.sandbox.account.instances.values() if server.cell == 2}


def test_a_down_cell_is_left_out_before_microversion_2_69(client: Client) -> None:
    everything = set(client.ids(SERVERS, "servers"))
    down = in_the_second_cell(client)
    assert 0 < len(down) < len(everything) / 2
    client.sandbox.faults = one(Fault.DOWN_CELL)
    assert set(client.ids(SERVERS, "servers")) == everything - down
    listed = versioned(client, SERVERS, "2.68").json()["servers"]
    assert {server["id"] for server in listed} == everything - down
    client.sandbox.faults = Faults()
    assert set(client.ids(SERVERS, "servers")) == everything


def test_a_down_cell_is_listed_as_stubs_from_microversion_2_69_on(client: Client) -> None:
    client.sandbox.faults = one(Fault.DOWN_CELL)
    listed = versioned(client, SERVERS).json()["servers"]
    assert {server["id"] for server in listed} == client.sandbox.account.instances.keys()
    stubs = [server for server in listed if server["status"] == "UNKNOWN"]
    assert {stub["id"] for stub in stubs} == in_the_second_cell(client)
    assert {*stubs[0]} == {"id", "status", "tenant_id", "created", "links"}
    last = client.sandbox.requests[-1]
    assert (last.name, last.code, last.faults) == ("list-servers", 0, ("down-cell",))


@pytest.mark.parametrize(
    "query", ["limit=1000", "changes-since=2020-01-01T00:00:00Z", "sort_key=name", "status=ACTIVE"]
)
def test_no_stubs_are_listed_where_a_page_an_order_or_a_filter_is_asked_for(quick: Client, query: str) -> None:
    quick.sandbox.faults = one(Fault.DOWN_CELL)
    listed = versioned(quick, f"{SERVERS}?{query}").json()["servers"]
    assert listed
    assert not {server["id"] for server in listed} & in_the_second_cell(quick)


def test_a_marker_in_a_down_cell_is_an_error_of_the_service(quick: Client) -> None:
    quick.sandbox.faults = one(Fault.DOWN_CELL)
    marker = next(iter(in_the_second_cell(quick)))
    assert versioned(quick, f"{SERVERS}?marker={marker}").status_code == 500


def test_a_server_of_a_down_cell_is_shown_with_its_image_from_2_69_on(quick: Client) -> None:
    account = quick.sandbox.account
    named = next(one for one in account.instances.values() if one.cell == 1 and one.image)
    account.change_instance(named.id, cell=2)
    path = SERVERS.replace("detail", named.id)
    assert quick.send("GET", path).json()["server"]["status"] == named.status
    quick.sandbox.faults = one(Fault.DOWN_CELL)
    assert quick.send("GET", path).status_code == 500
    shown = versioned(quick, path).json()["server"]
    assert (shown["status"], shown["image"]["id"]) == ("UNKNOWN", named.image)


@pytest.mark.parametrize(("parameters", "status", "text"), [({}, 503, "gateway"), ({"status": 200}, 200, "Sign in")])
def test_an_unreadable_reference_is_an_error_or_a_page_to_sign_in(
    client: Client, parameters: dict[str, Any], status: int, text: str
) -> None:
    client.sandbox.faults = one(Fault.UNREADABLE_REFERENCE, **parameters)
    bearer = {"Authorization": f"Bearer {client.sandbox.options.reference_token}"}
    answer = client.send("GET", REFERENCE, headers=bearer)
    assert (answer.status_code, text in answer.text) == (status, True)
    assert answer.headers["content-type"].startswith("text/html")
    assert client.send("GET", IMAGES).status_code == 200


def test_a_deletion_not_done_is_accepted_and_the_image_stays(client: Client) -> None:
    image = client.own()
    client.sandbox.faults = one(Fault.DELETION_NOT_DONE, 1)
    assert client.send("DELETE", f"{IMAGES}/{image}").status_code == 204
    assert client.send("GET", f"{IMAGES}/{image}").status_code == 200
    assert client.send("DELETE", f"{IMAGES}/{image}").status_code == 204
    assert client.send("GET", f"{IMAGES}/{image}").status_code == 404


def test_a_deletion_unacknowledged_is_done_without_an_answer(client: Client) -> None:
    image = client.own()
    client.sandbox.faults = one(Fault.DELETION_UNACKNOWLEDGED, 1)
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected without sending"):
        client.send("DELETE", f"{IMAGES}/{image}")
    last = client.sandbox.requests[-1]
    assert (last.name, last.image, last.code, last.faults) == ("delete-image", image, 0, ("deletion-unacknowledged",))
    assert client.send("DELETE", f"{IMAGES}/{image}").status_code == 404


def test_a_clock_that_is_off_dates_answers_and_tokens_of_both_versions(client: Client) -> None:
    offset = timedelta(minutes=-10)
    client.sandbox.faults = one(Fault.CLOCK_OFF, offset=offset)
    by_v2, by_v3 = client.sign_in(), client.sign_in_by_application()
    wrong = START + timedelta(hours=1) + offset
    assert by_v2["token"]["expires"] == f"{wrong:%Y-%m-%dT%H:%M:%SZ}"
    assert by_v3["expires_at"] == f"{wrong:%Y-%m-%dT%H:%M:%S.000000Z}"
    response = client.send("GET", IMAGES)  # the token is as good as any
    assert response.status_code == 200
    assert parsedate_to_datetime(response.headers["date"]) == START + offset


def test_chances_of_calls_for_one_image_do_not_depend_on_their_order() -> None:
    found = []
    for backwards in (False, True):
        with client_of(images=100) as client:
            client.sandbox.faults = Faults(3, (Rule(Fault.HTTP_ERROR, frozenset({"show-image"}), probability=0.4),))
            for image in sorted(client.sandbox.account.images, reverse=backwards):
                client.send("GET", f"{IMAGES}/{image}")
            found.append({one.image: one.faults for one in client.sandbox.requests if one.faults})
    assert found[0] == found[1]
    assert 20 < len(found[0]) < 60


# The file.

EVERYTHING = """\
seed: 7
faults:
  - {fault: http-error, status: 502, probability: 0.05}
  - {fault: result-code, code: 409, at: [2, 5], call: delete-image}
  - {fault: too-many-requests, retry_after: 3s, at: 4}
  - {fault: cut-off-body, call: [list-images, list-servers], probability: 0.1, times: 2}
  - {fault: foreign-body, call: any, times: 1}
  - {fault: dropped-connection, call: discover}
  - {fault: delay, delay: 1m30s, call: show-image}
  - {fault: dead-token, call: list-members, at: [3]}
  - {fault: vanished-marker, at: [2]}
  - {fault: repeated-page, at: [2]}
  - {fault: truncated-list, at: [3], call: list-volumes}
  - {fault: empty-instances, at: [1], call: list-servers}
  - {fault: empty-volumes, at: [1]}
  - {fault: empty-clusters, at: [1]}
  - {fault: empty-stacks, probability: 0.5}
  - {fault: down-cell, call: list-servers}
  - {fault: unreadable-reference, status: 200, at: [1]}
  - {fault: deletion-not-done, at: [1]}
  - {fault: deletion-unacknowledged, at: [2]}
  - {fault: clock-off, offset: -10m, call: issue-token}
"""


def test_every_fault_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(EVERYTHING)
    faults = load_faults(path, Api.OPENSTACK)
    assert [rule.fault for rule in faults.rules] == list(faults_of(Api.OPENSTACK)) == list(Fault)
    assert faults.rules[1] == Rule(Fault.RESULT_CODE, frozenset({"delete-image"}), frozenset({2, 5}), code=409)
    assert options_from({"api": "openstack", "faults": str(path)}).faults == faults


@pytest.mark.parametrize("call", CALLS[Api.OPENSTACK])
def test_every_call_can_be_named(call: str) -> None:
    text = f"faults:\n  - {{fault: http-error, call: {call}}}\n"
    [rule] = parse_faults("f", text.encode(), Api.OPENSTACK).rules
    assert rule.calls == {call}


@pytest.mark.parametrize(
    ("api", "line", "problem"),
    [
        (Api.OPENSTACK, "{fault: http-error, call: list-instances}", 'faults[0].call: "list-instances" is not a call'),
        (Api.OPENSTACK, "{fault: http-error, call: list-server}", 'is not a call, did you mean "list-servers"?'),
        (
            Api.OPENSTACK,
            "{fault: result-code, code: -1}",
            "faults[0].code: -1 is not an HTTP status of an error, from 400",
        ),
        (Api.OPENSTACK, "{fault: result-code, code: 30404}", "faults[0].code: 30404 is not an HTTP status of an error"),
        (Api.OPENSTACK, "{fault: result-code}", "faults[0]: result-code needs the key `code`"),
        (
            Api.OPENSTACK,
            "{fault: empty-volumes, call: list-servers}",
            "faults[0].call: empty-volumes does not apply to list-servers, only list-volumes",
        ),
        (Api.TOAST, "{fault: http-error, call: list-servers}", 'faults[0].call: "list-servers" is not a call'),
        (Api.TOAST, "{fault: empty-volumes}", 'faults[0].fault: "empty-volumes" is not a fault'),
    ],
)
def test_what_another_api_has_is_unknown_and_told_with_its_line(api: Api, line: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_faults("f.yaml", f"faults:\n  - {line}\n".encode(), api)
    [found] = caught.value.problems
    assert str(found).startswith("f.yaml:2: ")
    assert problem in str(found)


def test_the_endpoint_takes_the_faults_of_its_own_api(client: Client) -> None:
    url = f"{client.sandbox.origin}/sandbox/faults"
    sent = {"seed": 0, "faults": [{"fault": "empty-volumes", "at": [1]}]}
    assert client.http.put(url, json=sent).json() == sent
    assert client.ids(VOLUMES, "volumes") == []
    wrong = client.http.put(url, json={"faults": [{"fault": "http-error", "call": "show-token"}]})
    assert (wrong.status_code, client.http.get(url).json()) == (400, sent)


def test_the_command_serves_openstack_with_a_faults_file(desk: Desk) -> None:
    desk.write("faults.yaml", "faults:\n  - {fault: result-code, code: 500, call: issue-token}\n")
    with printed(desk, "identity", "--api", "openstack", "--faults", "faults.yaml") as url:
        answer = httpx.post(f"{url}/tokens", trust_env=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, 500)


def test_the_command_refuses_a_call_of_the_other_api_with_the_line(desk: Desk) -> None:
    desk.write("f.yaml", "faults:\n  - fault: http-error\n    call: detail-instances\n")
    result = desk.janitor("sandbox", "--api", "openstack", "--port", "0", "--faults", "f.yaml")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith('f.yaml:3: faults[0].call: "detail-instances" is not a call')
