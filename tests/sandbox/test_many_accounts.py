"""A sandbox of many accounts: each is one of its own, below its own path."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx
import pytest
import yaml

from janitor.clock import utc_now
from janitor.sandbox.calls import Api
from janitor.sandbox.faults import Fault, Faults, Rule
from janitor.sandbox.members import Member
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox, running
from tests.in_process import in_process
from tests.sandbox.clock import Clock
from tests.sandbox.compute_v1.client import Client, own_image
from tests.sandbox.openstack.client import Client as OpenStackClient
from tests.sandbox.ways import signed_in

ONE, TWO = "account-0001", "account-0002"
FAILING = Faults(rules=(Rule(Fault.RESULT_CODE, frozenset({"list-images"}), code=-1),))


@pytest.fixture
def two() -> Iterator[Sandbox]:
    with running(Options(accounts=2, images=30), Clock()) as sandbox:
        yield sandbox


@contextmanager
def client_of(member: Member, transport: httpx.BaseTransport | None = None) -> Iterator[Client]:
    with signed_in(Client(member, transport)) as client:
        yield client


def test_every_account_has_images_of_its_own(two: Sandbox) -> None:
    with client_of(two.members[ONE]) as one, client_of(two.members[TWO]) as other:
        assert {*one.ids()} == two.members[ONE].account.images.keys()
        assert {*other.ids()} == two.members[TWO].account.images.keys()
        assert not {*one.ids()} & {*other.ids()}
        doomed = own_image(one)
        assert other.code("DELETE", "/images", params={"id": doomed.id}) == -5
        assert one.code("DELETE", "/images", params={"id": doomed.id}) == 0
        assert (len(one.ids()), len(other.ids())) == (29, 30)


def test_an_account_is_that_of_a_sandbox_with_its_seed_whenever_it_is_asked_for() -> None:
    clock = Clock()
    sandbox, _ = in_process(Options(accounts=3, images=30, seed=7), clock)
    begun = clock()
    clock.forward(days=3)
    third = sandbox.members["account-0003"].account.images
    clock.now = begun
    alone, _ = in_process(Options(images=30, seed=9), clock)
    assert third == alone.account.images


def test_credentials_and_tokens_of_one_account_open_no_other(two: Sandbox) -> None:
    with client_of(two.members[ONE]) as one, client_of(two.members[TWO]) as other:
        wrong = [
            one.http.get(f"{two.members[TWO].url}/v1.0/appkeys/{key}/images", headers={"X-Auth-Token": token or ""})
            for key, token in (
                (other.sandbox.options.appkey, one.token),
                (one.sandbox.options.appkey, other.token),
            )
        ]
        assert [answer.json()["header"]["resultCode"] for answer in wrong] == [-3, -3]
        options = one.sandbox.options
        for username, password in ((options.username, None), (None, options.password)):
            own = other.sandbox.options
            auth = {"username": username or own.username, "password": password or own.password}
            assert other.code("POST", "/tokens", json={"auth": auth}) == 50401


def test_requests_are_recorded_with_their_account_and_counted_by_it(two: Sandbox) -> None:
    with client_of(two.members[ONE]) as one, client_of(two.members[TWO]) as other:
        other.page()
        one.page()
    seen = [(one.account, one.name, one.ordinal, one.path) for one in two.requests]
    assert seen == [
        (ONE, "issue-token", 1, "/tokens"),
        (TWO, "issue-token", 1, "/tokens"),
        (TWO, "list-images", 1, "/images"),
        (ONE, "list-images", 1, "/images"),
    ]
    assert [each.name for each in two.members[TWO].requests] == ["issue-token", "list-images"]
    assert two.members[ONE].requests == tuple(each for each in two.requests if each.account == ONE)


def test_what_is_of_one_account_is_asked_of_a_member(two: Sandbox) -> None:
    with pytest.raises(LookupError, match="has 2 accounts: choose one of its `members`"):
        _ = two.account
    with pytest.raises(KeyError):
        two.members["account-0003"]
    assert list(two.members) == [ONE, TWO]


def test_a_sandbox_with_one_account_has_it_as_a_member() -> None:
    sandbox, _ = in_process(Options(images=3))
    assert list(sandbox.members) == ["sandbox"]
    assert sandbox.members["sandbox"].account is sandbox.account


# Deletions


def test_a_deletion_is_recorded_with_when_it_came_and_ended_and_who_sent_it(two: Sandbox) -> None:
    before = utc_now()
    with client_of(two.members[ONE]) as one:
        doomed = own_image(one)
        headers = {"User-Agent": "worker-7", "X-Auth-Token": one.token or ""}
        one.http.delete(f"{one.base}/images?id={doomed.id}", headers=headers)
        one.code("DELETE", "/images", params={"id": doomed.id})
    first, second = two.deletions
    assert (first.account, first.image, first.status, first.code) == (ONE, doomed.id, 200, 0)
    assert (second.status, second.code) == (200, -5)
    assert before <= first.arrival.at <= first.answered_at <= second.arrival.at <= utc_now()
    assert first.at == two.members[ONE].account.clock()
    assert first.arrival.headers["user-agent"] == "worker-7"
    assert first.arrival.port > 0
    assert two.members[ONE].deletions == two.deletions
    assert two.members[TWO].deletions == ()


@pytest.mark.parametrize("where", ["arrival.headers", "anything"])
def test_no_secret_is_recorded(two: Sandbox, where: str) -> None:
    member = two.members[ONE]
    with client_of(member) as one:
        one.code("DELETE", "/images", params={"id": own_image(one).id})
        token = one.token or ""
    recorded = repr([each.arrival.headers for each in two.requests] if where == "arrival.headers" else two.requests)
    assert not [secret for secret in (token, member.options.appkey, member.options.password) if secret in recorded]


def test_of_an_answer_that_is_not_sent_no_status_is_recorded(two: Sandbox) -> None:
    two.members[ONE].faults = Faults(rules=(Rule(Fault.DELETION_UNACKNOWLEDGED),))
    with client_of(two.members[ONE]) as one, pytest.raises(httpx.RemoteProtocolError):
        one.code("DELETE", "/images", params={"id": own_image(one).id})
    [deletion] = two.deletions
    assert (deletion.code, deletion.status, deletion.faults) == (0, None, ("deletion-unacknowledged",))


def test_the_deletions_can_be_read_while_it_runs(two: Sandbox) -> None:
    with client_of(two.members[ONE]) as one:
        doomed = own_image(one)
        one.code("DELETE", "/images", params={"id": doomed.id})
    [recorded] = two.deletions
    read = [httpx.get(f"{root}/sandbox/deletions", trust_env=False).json()["deletions"] for root in roots(two)]
    assert read[0] == read[1]
    assert read[2] == []
    [told] = read[0]
    assert (told["account"], told["image"], told["status"], told["code"]) == (ONE, doomed.id, 200, 0)
    assert datetime.fromisoformat(told["arrived_at"]) == recorded.arrival.at
    assert datetime.fromisoformat(told["answered_at"]) == recorded.answered_at
    assert told["headers"] == dict(recorded.arrival.headers)


def roots(sandbox: Sandbox) -> tuple[str, str, str]:
    return sandbox.origin, sandbox.members[ONE].origin, sandbox.members[TWO].origin


# Faults


def code_of(member: Member) -> int:
    with client_of(member) as client:
        return client.code("GET", "/images")


def test_faults_are_of_all_accounts_or_of_one(two: Sandbox) -> None:
    two.faults = FAILING
    assert [code_of(member) for member in two.members.values()] == [-1, -1]
    two.members[TWO].faults = Faults()
    assert [code_of(member) for member in two.members.values()] == [-1, 0]
    two.faults = Faults()
    assert [code_of(member) for member in two.members.values()] == [0, 0]


def test_faults_that_were_set_before_an_account_was_asked_for_are_its_own() -> None:
    sandbox, transport = in_process(Options(accounts=2, images=5, faults=FAILING))
    with client_of(sandbox.members[TWO], transport) as client:
        assert client.code("GET", "/images") == -1


def test_faults_are_set_below_the_path_of_one_account_or_at_the_root_for_all(two: Sandbox) -> None:
    whole, _, second = roots(two)
    document = {"faults": [{"fault": "result-code", "code": -1, "call": "list-images"}]}
    with httpx.Client(trust_env=False) as http:
        http.put(f"{second}/sandbox/faults", json=document)
        assert [code_of(member) for member in two.members.values()] == [0, -1]
        http.put(f"{whole}/sandbox/faults", json=document)
        assert [code_of(member) for member in two.members.values()] == [-1, -1]
        http.delete(f"{whole}/sandbox/faults")
        assert [code_of(member) for member in two.members.values()] == [0, 0]


def test_chances_differ_from_account_to_account_and_not_from_time_to_time() -> None:
    faults = Faults(rules=(Rule(Fault.RESULT_CODE, frozenset({"list-images"}), probability=0.5, code=-1),))

    def drawn() -> list[list[int]]:
        sandbox, transport = in_process(Options(accounts=3, images=5, faults=faults), Clock())
        struck = []
        for member in sandbox.members.values():
            with client_of(member, transport) as client:
                struck.append([client.code("GET", "/images") for _ in range(16)])
        return struck

    first = drawn()
    assert first == drawn()
    assert len({tuple(codes) for codes in first}) == 3


# What else is there


@pytest.mark.parametrize("path", ["/", "/compute/v1.0/appkeys/x/images", "/accounts/nobody/image/v2/images/x"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_beside_the_accounts_nothing_is_there_that_looks_like_an_image_that_is_gone(method: str, path: str) -> None:
    sandbox, transport = in_process(Options(accounts=2, images=5, api=Api.OPENSTACK))
    with httpx.Client(transport=transport) as http:
        answer = http.request(method, f"{sandbox.origin}{path}")
    assert answer.status_code == 421
    assert "/accounts/NAME" in answer.text


def test_openstack_accounts_have_their_services_below_their_own_paths() -> None:
    with running(Options(accounts=2, images=30, api=Api.OPENSTACK, regions=2), Clock()) as sandbox:
        for member in sandbox.members.values():
            with signed_in(OpenStackClient(member)) as client:
                listed = {image["id"] for image in client.listed()}
            assert listed <= member.account.images.keys()
            assert len(listed) > 20
            assert {*member.accounts} == {"RegionOne", "RegionTwo"}
        held = [account.images.keys() for member in sandbox.members.values() for account in member.accounts.values()]
    assert len({image for images in held for image in images}) == 120


@pytest.mark.parametrize("api", list(Api))
def test_the_accounts_are_listed_without_making_them(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox, _ = in_process(Options(accounts=3, images=5, api=api))
    made = {name: yaml.safe_load(member.api.target(name)) for name, member in sandbox.members.items()}
    again, _ = in_process(Options(accounts=3, images=5, api=api))
    monkeypatch.setattr("janitor.sandbox.members.many.make_api", lambda *_: pytest.fail("none is needed"))
    listed = yaml.safe_load(again.accounts_text())
    assert listed == [target for [target] in made.values()]
    assert len({entry["password"] for entry in listed}) == 3


def test_an_account_that_many_ask_for_at_once_is_made_once() -> None:
    sandbox, _ = in_process(Options(accounts=2, images=200))
    found: list[Any] = []
    start = threading.Barrier(4)

    def ask() -> None:
        start.wait()
        found.append(sandbox.members[TWO])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(member) for member in found}) == 1


def test_an_account_costs_nothing_before_it_is_asked_for() -> None:
    sandbox, transport = in_process(Options(accounts=1000, images=100))
    with client_of(sandbox.members["account-1000"], transport) as client:
        assert len(client.ids()) == 100
    assert len(sandbox.members._made) == 2, "the first, whose paths all have, and the one that was asked for"
