"""Faults on demand: a sandbox does wrong what its faults file says, when it says so, and the same way every time."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from janitor.cloud.toast.client import ToastClient
from janitor.core.planning.deletion import Answer
from janitor.errors import ConfigurationError, Unavailable
from janitor.sandbox.calls import CALLS, Api
from janitor.sandbox.faults import Fault, Faults, Rule, faults_of, reach
from janitor.sandbox.faults.file import load_faults, parse_faults, written
from janitor.sandbox.flags import options_from
from janitor.sandbox.models import StoredImage
from janitor.sandbox.options import Options
from janitor.sandbox.request_log import Call
from janitor.sandbox.server import Sandbox, running
from janitor.transport import HttpOptions
from tests.conftest import Desk
from tests.documentation import blocks, document
from tests.in_process import in_process

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Client:
    """Sends what it is told to, and gives back whatever comes."""

    def __init__(self, sandbox: Sandbox, transport: httpx.BaseTransport | None, clock: Clock) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.base = f"{sandbox.url}/v1.0/appkeys/{sandbox.options.appkey}"
        self.http = httpx.Client(transport=transport, trust_env=False, verify=False, timeout=5)
        self.token = ""

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        return self.http.request(method, self.base + path, headers={"X-Auth-Token": self.token}, **request)

    def ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.send(method, path, **request).json()
        return answer

    def code(self, method: str, path: str, **request: Any) -> int:
        code: int = self.ask(method, path, **request)["header"]["resultCode"]
        return code

    def sign_in(self) -> dict[str, Any]:
        options = self.sandbox.options
        answer = self.ask(
            "POST", "/tokens", json={"auth": {"username": options.username, "password": options.password}}
        )
        token: dict[str, Any] = answer["access"]["token"]
        self.token = token["id"]
        return token

    def ids(self, **query: Any) -> list[str]:
        return [image["id"] for image in self.ask("GET", "/images", params=query)["images"]]

    def delete(self, image_id: str) -> int:
        return self.code("DELETE", "/images", params={"id": image_id})

    def own(self, count: int = 1) -> list[StoredImage]:
        """Images that the account would let go."""
        account = self.sandbox.account
        return [image for image in account.images.values() if account.is_deletable(image.id)][:count]

    def faults(self) -> list[tuple[str, int, tuple[str, ...]]]:
        """What struck which call, by the sandbox's log of requests."""
        return [(one.name, one.ordinal, one.faults) for one in self.sandbox.requests if one.faults]


@contextmanager
def behind(kind: str, options: Options) -> Iterator[Client]:
    clock = Clock()
    if kind == "socket":
        with running(options, clock) as sandbox:
            client = Client(sandbox, None, clock)
            yield client
            client.http.close()
    else:
        sandbox, transport = in_process(options, clock)
        client = Client(sandbox, transport, clock)
        yield client
        client.http.close()


@pytest.fixture(params=["socket", "in-process"])
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A signed-in client: what holds behind a socket holds without one."""
    with behind(request.param, Options(images=60)) as client:
        client.sign_in()
        yield client


@pytest.fixture
def quick() -> Iterator[Client]:
    """The same without a socket only, where the way there does not matter."""
    with behind("in-process", Options(images=60)) as client:
        client.sign_in()
        yield client


def one(fault: Fault, *at: int, seed: int = 0, **parameters: Any) -> Faults:
    return Faults(seed, (Rule(fault, at=frozenset(at), **parameters),))


# What each fault does.


def test_an_http_error_is_answered_and_the_account_is_not_asked(client: Client) -> None:
    [image] = client.own()
    client.sandbox.faults = one(Fault.HTTP_ERROR, 1, status=502)
    assert client.send("DELETE", "/images", params={"id": image.id}).status_code == 502
    assert image.id in client.sandbox.account.images
    assert client.sandbox.requests[-1].code is None
    assert client.delete(image.id) == 0


@pytest.mark.parametrize("code", [-1, -2, -3, -4, -5, -6, -7, -8, 10404, 30400, 30404, 30409, 30500, 50401])
def test_each_code_is_answered_in_the_documented_form(quick: Client, code: int) -> None:
    [image] = quick.own()
    quick.sandbox.faults = one(Fault.RESULT_CODE, code=code)
    response = quick.send("DELETE", "/images", params={"id": image.id})
    header = response.json()["header"]
    assert (response.status_code, header["isSuccessful"], header["resultCode"]) == (200, False, code)
    assert isinstance(header["resultMessage"], str)
    assert image.id in quick.sandbox.account.images


def test_too_many_requests_say_how_long_to_wait(client: Client) -> None:
    client.sandbox.faults = one(Fault.TOO_MANY_REQUESTS, 1, retry_after=timedelta(seconds=7))
    response = client.send("GET", "/images")
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert client.ids()


def test_a_body_is_cut_off_half_way_after_the_account_did_as_asked(client: Client) -> None:
    [image] = client.own()
    client.sandbox.faults = one(Fault.CUT_OFF_BODY, 1)
    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection without sending complete"):
        client.send("DELETE", "/images", params={"id": image.id})
    assert image.id not in client.sandbox.account.images
    assert client.delete(image.id) == -5


def test_a_foreign_body_is_a_web_page_where_json_should_be(client: Client) -> None:
    client.sandbox.faults = Faults(
        0, tuple(Rule(Fault.FOREIGN_BODY, at=frozenset({n}), status=s) for n, s in [(1, None), (2, 404)])
    )
    for status in (200, 404):
        response = client.send("GET", "/images")
        assert (response.status_code, response.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert response.text.startswith("<html>")


def test_a_dropped_connection_gives_no_answer_and_asks_nobody(client: Client) -> None:
    [image] = client.own()
    client.sandbox.faults = one(Fault.DROPPED_CONNECTION, 1)
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected without sending"):
        client.send("DELETE", "/images", params={"id": image.id})
    assert client.sandbox.requests[-1].code is None
    assert client.delete(image.id) == 0


def test_a_delay_holds_back_an_answer_that_the_account_has_given(client: Client) -> None:
    [image] = client.own()
    client.sandbox.faults = one(Fault.DELAY, 1, delay=timedelta(minutes=5))
    with pytest.raises(httpx.ReadTimeout):
        client.send("DELETE", "/images", params={"id": image.id}, timeout=0.05)
    assert image.id not in client.sandbox.account.images
    assert client.delete(image.id) == -5


def test_a_delay_within_patience_only_costs_time(client: Client) -> None:
    client.sandbox.faults = one(Fault.DELAY, delay=timedelta(milliseconds=5))
    assert len(client.ids()) > 40
    assert client.faults() == [("list-images", 1, ("delay",))]


def test_a_dead_token_is_dead_until_a_new_one_is_issued(client: Client) -> None:
    client.sandbox.faults = one(Fault.DEAD_TOKEN, 2)
    assert [client.code("GET", "/images") for _ in range(3)] == [0, -3, -3]
    client.sign_in()
    assert client.code("GET", "/images") == 0


def test_a_vanished_marker_is_deleted_by_somebody_just_before(client: Client) -> None:
    [image] = client.own()
    client.sandbox.faults = one(Fault.VANISHED_MARKER)
    assert image.id in client.ids()  # no marker, nothing vanishes
    assert client.code("GET", "/images", params={"marker": image.id}) == 30400
    assert image.id not in client.ids()
    assert client.faults() == [("list-images", 2, ("vanished-marker",))]


def test_only_an_image_vanishes_that_its_owner_could_delete(quick: Client) -> None:
    account = quick.sandbox.account
    stay = [image.id for image in account.images.values() if not account.is_deletable(image.id)]
    used = {instance.image for instance in account.instances.values()}
    assert {"public", "protected", "used"} == {
        kind
        for image in map(account.images.get, stay)
        if image
        for kind, holds in (("public", image.is_public), ("protected", image.protected), ("used", image.id in used))
        if holds
    }
    quick.sandbox.faults = one(Fault.VANISHED_MARKER)
    for marker in stay:
        assert quick.code("GET", "/images", params={"marker": marker}) == 0
    assert quick.faults() == []


def test_a_repeated_page_is_the_one_before_whatever_was_asked_between(client: Client) -> None:
    client.sandbox.faults = one(Fault.REPEATED_PAGE, 1, 3)
    first = client.ids(limit=5)  # there is none before it
    second = client.ids(limit=5, marker=first[-1])
    assert set(first).isdisjoint(second)
    client.ask("GET", "/instances")
    assert client.ids(limit=5, marker=second[-1]) == second
    assert client.faults() == [("list-images", 3, ("repeated-page",))]


def test_a_truncated_list_ends_with_an_empty_page(client: Client) -> None:
    client.sandbox.faults = one(Fault.TRUNCATED_LIST, 2)
    first = client.ids(limit=5)
    assert client.ids(limit=5, marker=first[-1]) == []
    assert len(client.ids(limit=5, marker=first[-1])) == 5


@pytest.mark.parametrize("path", ["/instances", "/instances-detail"])
def test_an_empty_instance_list_is_a_success_without_instances(quick: Client, path: str) -> None:
    quick.sandbox.faults = one(Fault.EMPTY_INSTANCES, 1)
    answer = quick.ask("GET", path)
    assert (answer["header"]["resultCode"], answer["instances"]) == (0, [])
    assert quick.ask("GET", path)["instances"]


def test_a_deletion_not_done_is_accepted_and_the_image_stays(client: Client) -> None:
    [image] = client.own()
    client.sandbox.faults = one(Fault.DELETION_NOT_DONE, 1)
    assert client.delete(image.id.upper()) == 0
    assert client.sandbox.account.images[image.id] == image
    assert image.id in client.ids()
    assert client.delete(image.id) == 0
    assert image.id not in client.ids()


def test_a_deletion_not_done_is_refused_where_it_would_be(quick: Client) -> None:
    protected = next(image for image in quick.sandbox.account.images.values() if image.protected)
    quick.sandbox.faults = one(Fault.DELETION_NOT_DONE)
    assert quick.delete(protected.id) == 30403
    assert quick.delete("00000000-0000-4000-a000-000000000000") == -5


def test_an_upload_whose_deletion_is_not_done_goes_on(quick: Client) -> None:
    account = quick.sandbox.account
    stopped = next(instance for instance in account.instances.values() if instance.status == "STOP")
    image = account.upload_image(stopped.id, "snapshot")
    quick.sandbox.faults = one(Fault.DELETION_NOT_DONE)
    assert quick.delete(image.id) == 0
    quick.clock.now += timedelta(minutes=1)
    assert account.images[image.id].status == "active"


def test_a_deletion_unacknowledged_is_done_without_an_answer(client: Client) -> None:
    [image] = client.own()
    client.sandbox.faults = one(Fault.DELETION_UNACKNOWLEDGED, 1)
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected without sending"):
        client.send("DELETE", "/images", params={"id": image.id})
    last = client.sandbox.requests[-1]
    assert (last.image, last.code, last.faults) == (image.id, 0, ("deletion-unacknowledged",))
    assert client.delete(image.id) == -5


@pytest.mark.parametrize("offset", [timedelta(hours=-2), timedelta(minutes=10)], ids=["slow", "fast"])
def test_a_clock_that_is_off_dates_answers_and_tokens(client: Client, offset: timedelta) -> None:
    client.sandbox.faults = one(Fault.CLOCK_OFF, offset=offset)
    token = client.sign_in()
    assert token["expires"] == f"{START + timedelta(hours=1) + offset:%Y-%m-%dT%H:%M:%SZ}"
    assert token["issued_at"] == f"{START + offset:%Y-%m-%dT%H:%M:%S.000000}"
    response = client.send("GET", "/images")  # the token is as good as any
    assert response.json()["header"]["resultCode"] == 0
    assert parsedate_to_datetime(response.headers["date"]) == START + offset
    shown = client.ask("GET", "/tokens", params={"id": client.token})
    assert shown["access"]["token"]["expires"] == token["expires"]


def test_a_clock_that_is_off_dates_errors_as_well(quick: Client) -> None:
    rules = (Rule(Fault.CLOCK_OFF, offset=timedelta(hours=1)), Rule(Fault.HTTP_ERROR))
    quick.sandbox.faults = Faults(0, rules)
    response = quick.send("POST", "/tokens", json={})
    assert (response.status_code, parsedate_to_datetime(response.headers["date"])) == (503, START + timedelta(hours=1))
    quick.sandbox.faults = Faults(0, rules[:1])
    assert quick.code("POST", "/tokens", json={}) == -4  # no token to date


# When a fault strikes.


def test_ordinals_count_the_calls_of_the_rule_since_the_faults_were_set(quick: Client) -> None:
    quick.ids()
    quick.sandbox.faults = one(Fault.RESULT_CODE, 2, 5, calls=frozenset({"list-images"}))
    codes = [(quick.code("GET", "/images"), quick.code("GET", "/instances"))[0] for _ in range(6)]
    assert codes == [0, -1, 0, 0, -1, 0]


def test_the_first_rule_that_is_due_strikes_and_the_others_still_count(quick: Client) -> None:
    quick.sandbox.faults = Faults(
        0,
        (
            Rule(Fault.RESULT_CODE, at=frozenset({1}), code=-1),
            Rule(Fault.RESULT_CODE, at=frozenset({1, 2}), code=-2),
        ),
    )
    assert [quick.code("GET", "/images") for _ in range(3)] == [-1, -2, 0]


def test_a_rule_that_cannot_strike_leaves_the_call_to_the_next(quick: Client) -> None:
    quick.sandbox.faults = Faults(0, (Rule(Fault.REPEATED_PAGE), Rule(Fault.RESULT_CODE, times=1)))
    assert [quick.code("GET", "/images") for _ in range(2)] == [-1, 0]


def test_a_delay_and_a_clock_go_with_another_fault(quick: Client) -> None:
    quick.sandbox.faults = Faults(
        0,
        (
            Rule(Fault.HTTP_ERROR),
            Rule(Fault.RESULT_CODE),
            Rule(Fault.DELAY, delay=timedelta(seconds=1)),
            Rule(Fault.CLOCK_OFF, offset=timedelta(hours=1)),
        ),
    )
    response = quick.send("GET", "/images")
    assert response.status_code == 503
    assert quick.faults() == [("list-images", 1, ("http-error", "delay", "clock-off"))]


def test_a_late_answer_may_never_come(client: Client) -> None:
    client.sandbox.faults = Faults(
        0, (Rule(Fault.DROPPED_CONNECTION), Rule(Fault.DELAY, delay=timedelta(milliseconds=5)))
    )
    with pytest.raises(httpx.RemoteProtocolError):
        client.send("GET", "/images")


def test_times_limit_the_strikes(quick: Client) -> None:
    quick.sandbox.faults = one(Fault.RESULT_CODE, times=2)
    assert [quick.code("GET", "/images") for _ in range(4)] == [-1, -1, 0, 0]


def test_a_fault_lasts_by_the_sandboxs_clock(quick: Client) -> None:
    quick.sandbox.faults = one(Fault.RESULT_CODE, 2, lasting=timedelta(minutes=10))
    codes = []
    for minutes in (0, 1, 5, 10, 11):
        quick.clock.now = START + timedelta(minutes=minutes)
        codes.append(quick.code("GET", "/images"))
    assert codes == [0, -1, -1, -1, 0]


def test_faults_that_are_set_anew_begin_anew(quick: Client) -> None:
    faults = one(Fault.RESULT_CODE, 1)
    for _ in range(2):
        quick.sandbox.faults = faults
        assert [quick.code("GET", "/images") for _ in range(2)] == [-1, 0]
    quick.sandbox.faults = Faults()
    assert quick.sandbox.faults == Faults()
    assert quick.code("GET", "/images") == 0


def some(seed: int) -> Faults:
    return Faults(seed, (Rule(Fault.RESULT_CODE, probability=0.3), Rule(Fault.HTTP_ERROR, probability=0.3)))


def struck(seed: int, calls: str) -> list[tuple[str, int, tuple[str, ...]]]:
    paths = {"i": "/images", "d": "/instances-detail"}
    with behind("in-process", Options(images=5)) as client:
        client.sign_in()
        client.sandbox.faults = some(seed)
        for call in calls:
            client.send("GET", paths[call])
        return client.faults()


def test_the_same_seed_and_calls_give_the_same_faults() -> None:
    runs = [struck(seed, "id" * 40) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    assert 20 < len(runs[0]) < 60


def test_how_calls_of_different_names_take_turns_makes_no_difference() -> None:
    assert sorted(struck(1, "id" * 40)) == sorted(struck(1, "i" * 40 + "d" * 40))


def test_which_deletions_are_struck_does_not_depend_on_their_order() -> None:
    found = []
    for backwards in (False, True):
        with behind("in-process", Options(images=200)) as client:
            client.sign_in()
            client.sandbox.faults = some(3)
            for image in sorted(client.own(60), key=lambda image: image.id, reverse=backwards):
                client.send("DELETE", "/images", params={"id": image.id})
            found.append({one.image: one.faults for one in client.sandbox.requests if one.faults})
    assert found[0] == found[1]
    assert found[0]


def test_many_threads_at_once_see_the_same_faults() -> None:
    found = []
    for threads in (1, 8):
        with behind("in-process", Options(images=200)) as client, ThreadPoolExecutor(threads) as pool:
            client.sign_in()
            client.sandbox.faults = some(5)
            images = [image.id for image in client.own(80)]
            list(pool.map(lambda image: client.send("DELETE", "/images", params={"id": image}), images))
            found.append({one.image: one.faults for one in client.sandbox.requests if one.image})
    assert found[0] == found[1]


def test_probability_is_what_it_says() -> None:
    with behind("in-process", Options(images=5)) as client:
        client.sandbox.faults = one(Fault.HTTP_ERROR, seed=9, probability=0.1)
        for _ in range(1000):
            client.send("GET", "/images")
        assert 70 <= len(client.faults()) <= 130
        client.sandbox.faults = one(Fault.HTTP_ERROR, probability=0)
        assert client.send("GET", "/images").status_code == 200


def test_a_hook_stands_before_the_faults() -> None:
    async def hook(call: Call, answer: Callable[[], Any]) -> Response:
        if call.ordinal == 1:
            return Response("withheld", 418)
        response: Response = await answer()
        return response

    sandbox, transport = in_process(Options(images=5, faults=one(Fault.HTTP_ERROR, 1)), Clock(), hook)
    client = Client(sandbox, transport, Clock())
    assert [client.send("GET", "/images").status_code for _ in range(3)] == [418, 503, 200]
    assert client.faults() == [("list-images", 2, ("http-error",))]


# What the janitor's own client makes of them.


@contextmanager
def reached(options: Options, kind: str) -> Iterator[tuple[Sandbox, ToastClient]]:
    """A sandbox and the janitor's own client of it, which tries again without waiting."""
    with ExitStack() as stack:
        stack.enter_context(stamina.set_testing(True, attempts=9))
        http_transport: httpx.BaseTransport | None = None
        if kind == "socket":
            sandbox = stack.enter_context(running(options))
        else:
            sandbox, http_transport = in_process(options)
        patience = HttpOptions(timeout=timedelta(milliseconds=200), attempts=9)
        account = (options.appkey, options.username, options.password)
        client = ToastClient(sandbox.url, *account, patience, http_transport=http_transport)
        stack.callback(client.close)
        yield sandbox, client


@pytest.mark.parametrize("kind", ["socket", "in-process"])
def test_a_real_client_comes_through_a_storm(kind: str) -> None:
    rules = tuple(
        Rule(fault, probability=0.04, delay=timedelta(seconds=1), code=-2, retry_after=timedelta())
        for fault in faults_of(Api.TOAST)
        if fault not in (Fault.EMPTY_INSTANCES, Fault.CLOCK_OFF, Fault.VANISHED_MARKER, Fault.DELETION_NOT_DONE)
    )
    with reached(Options(images=300, page_cap=20, faults=Faults(4, rules)), kind) as (sandbox, client):
        listed = [image.id for image in client.images()]
        assert sorted(listed) == sorted(sandbox.account.images)
        doomed = next(image for image in sandbox.account.images if sandbox.account.is_deletable(image))
        sandbox.faults = one(Fault.DELETION_UNACKNOWLEDGED, 1)
        assert client.delete(doomed) is Answer.ACCEPTED
        assert {fault for call in sandbox.requests for fault in call.faults} >= {"http-error", "cut-off-body"}


def test_a_lasting_outage_is_one_that_patience_does_not_outlast() -> None:
    faults = one(Fault.HTTP_ERROR, 2, calls=frozenset({"list-images"}), lasting=timedelta(hours=1))
    with (
        reached(Options(images=50, page_cap=20, faults=faults), "in-process") as (_, client),
        pytest.raises(Unavailable, match="HTTP 503"),
    ):
        list(client.images())


# The file.

EVERYTHING = """\
seed: 7
faults:
  - {fault: http-error, status: 502, probability: 0.05}
  - {fault: result-code, code: -1, at: [2, 5], call: list-images}
  - {fault: too-many-requests, retry_after: 3s, at: 4}
  - {fault: cut-off-body, call: [list-images, detail-instances], probability: 0.1, times: 2}
  - {fault: foreign-body, call: any, times: 1}
  - {fault: dropped-connection, probability: 0}
  - {fault: delay, delay: 1m30s, probability: 1}
  - {fault: dead-token, call: delete-image, at: [3]}
  - {fault: vanished-marker, at: [2]}
  - {fault: repeated-page, at: [2]}
  - {fault: truncated-list, at: [3], lasting: 1h}
  - {fault: empty-instances, at: [1]}
  - {fault: unreadable-reference, status: 503}
  - {fault: deletion-not-done, at: [1]}
  - {fault: deletion-unacknowledged, at: [2]}
  - {fault: clock-off, offset: -10m}
"""


def test_every_fault_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(EVERYTHING)
    faults = load_faults(path)
    assert faults.seed == 7
    assert [rule.fault for rule in faults.rules] == list(faults_of(Api.TOAST))
    assert faults.rules[1] == Rule(Fault.RESULT_CODE, frozenset({"list-images"}), frozenset({2, 5}), code=-1)
    assert faults.rules[2].retry_after == timedelta(seconds=3)
    assert faults.rules[4] == Rule(Fault.FOREIGN_BODY, times=1)
    assert faults.rules[6].delay == timedelta(seconds=90)
    assert faults.rules[10].lasting == timedelta(hours=1)
    assert faults.rules[15].offset == timedelta(minutes=-10)
    assert options_from({"faults": str(path)}).faults == faults


def test_the_example_in_the_documents_loads_and_its_table_is_complete() -> None:
    page = document("docs/sandbox.md")
    [example] = [block for block in blocks("yaml", page) if "\nfaults:" in block]
    assert len(parse_faults("docs/sandbox.md", example.encode()).rules) == 6
    table = page.partition("| fault | what the client meets |")[2].partition("\n\n")[0]
    assert set(Fault) <= set(re.findall(r"`([a-z-]+)`", table))
    assert {call for calls in CALLS.values() for call in calls} <= set(re.findall(r"`([a-z-]+)`", page))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{fault: http-eror}", 'faults[1].fault: "http-eror" is not a fault, did you mean "http-error"?'),
        ("{at: [1]}", "faults[1].fault: is missing: say which, one of http-error, result-code"),
        (
            "{fault: delay, delay: 2s, probabilty: 0.1}",
            'faults[1].probabilty: unknown key, did you mean "probability"?',
        ),
        ("{fault: delay, delay: 2}", "faults[1].delay: is a number: write a duration with its unit, like 30s or 2m"),
        ("{fault: delay, delay: 0s}", 'faults[1].delay: "0s" must be greater than zero'),
        ("{fault: delay, delay: soon}", 'faults[1].delay: "soon" is not a duration like 30s or 2m'),
        ("{fault: delay}", "faults[1]: delay needs the key `delay`"),
        ("{fault: result-code}", "faults[1]: result-code needs the key `code`"),
        ("{fault: result-code, code: 0}", "faults[1].code: 0 is success"),
        ("{fault: clock-off}", "faults[1]: clock-off needs the key `offset`"),
        ("{fault: clock-off, offset: --1h}", 'faults[1].offset: "-1h" is not a duration'),
        ("{fault: http-error, status: 302}", "faults[1].status: 302 is not 200, nor an error from 400 to 599"),
        ("{fault: http-error, code: -1}", "faults[1].code: does not go with http-error, only with result-code"),
        (
            "{fault: delay, delay: 1s, status: 500}",
            "faults[1].status: does not go with delay, only with http-error",
        ),
        ("{fault: http-error, call: list-image}", 'faults[1].call: "list-image" is not a call, did you mean "list-im'),
        (
            "{fault: repeated-page, call: delete-image}",
            "faults[1].call: repeated-page does not apply to delete-image",
        ),
        ("{fault: http-error, at: [1, 0]}", "faults[1].at[1]: must be at least 1"),
        ("{fault: http-error, at: []}", "faults[1].at: must not be empty"),
        ("{fault: http-error, at: [1], probability: 0.5}", "faults[1].probability: is given beside `at`"),
        ("{fault: http-error, probability: 1.5}", "faults[1].probability: must be at most 1"),
        ("{fault: http-error, probability: -0.5}", "faults[1].probability: must be at least 0"),
        ("{fault: http-error, times: 0}", "faults[1].times: must be at least 1"),
        ("{fault: http-error, lasting: }", "faults[1].lasting: is empty"),
        ("http-error", "faults[1]: is text: write keys and values, like key: value"),
        ("{fault: http-error, fault: delay}", "faults[1].fault: is given twice, first in line 4"),
    ],
)
def test_a_wrong_file_is_told_with_its_line_and_key(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(f"seed: 1\nfaults:\n  - {{fault: http-error}}\n  - {line}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_faults(path)
    [found] = caught.value.problems
    assert str(found).startswith(f"{path}:4: {problem}")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("seed: 1\n", "faults: is missing: a faults file holds a list of faults under this key"),
        ("seed: one\nfaults: []\n", "seed: is text: write a whole number"),
        ("faults: [\n", "is not YAML"),
        ("- fault: delay\n", "is a list: write keys and values"),
    ],
)
def test_a_file_that_is_none_is_told_as_well(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_faults("faults.yaml", text.encode())
    assert problem in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_faults("f", b"seed: x\nfaults:\n  - fault: nonsense\n    times: 0\n  - fault: delay\n")
    assert [problem.line for problem in caught.value.problems] == [1, 3, 4, 5]


def _durations(least: int = 1) -> st.SearchStrategy[timedelta]:
    return st.integers(least, 10**6).map(lambda seconds: timedelta(seconds=seconds))


def _rules(api: Api) -> st.SearchStrategy[Rule]:
    def rule(fault: Fault) -> st.SearchStrategy[Rule]:
        parameters: dict[Fault, dict[str, st.SearchStrategy[Any]]] = {
            Fault.HTTP_ERROR: {"status": st.none() | st.integers(400, 599)},
            Fault.FOREIGN_BODY: {"status": st.sampled_from([None, 200, 502])},
            Fault.RESULT_CODE: {"code": st.integers(-8, -1) if api is Api.TOAST else st.integers(400, 599)},
            Fault.DELAY: {"delay": _durations()},
            Fault.CLOCK_OFF: {"offset": _durations().flatmap(lambda offset: st.sampled_from([offset, -offset]))},
            Fault.TOO_MANY_REQUESTS: {"retry_after": _durations(0)},
        }
        when: st.SearchStrategy[dict[str, Any]] = st.one_of(
            st.fixed_dictionaries({"at": st.frozensets(st.integers(1, 99), min_size=1)}),
            st.fixed_dictionaries({"probability": st.floats(0, 1)}),
        )
        return st.tuples(
            when,
            st.fixed_dictionaries(
                {
                    "calls": st.frozensets(st.sampled_from(sorted(reach(fault, api)))),
                    "times": st.none() | st.integers(1, 9),
                    "lasting": st.just(timedelta()) | _durations(),
                    **parameters.get(fault, {}),
                }
            ),
        ).map(lambda both: Rule(fault, **both[0], **both[1]))

    return st.sampled_from(faults_of(api)).flatmap(rule)


@pytest.mark.parametrize("api", list(Api))
@given(st.integers(), st.data())
def test_what_is_written_is_read_back(api: Api, seed: int, data: st.DataObject) -> None:
    faults = Faults(seed, tuple(data.draw(st.lists(_rules(api), max_size=4))))
    assert parse_faults("faults", json.dumps(written(faults)).encode(), api) == faults


# The endpoint, and the command.


def endpoint(client: Client) -> str:
    return str(httpx.URL(client.sandbox.url).join("/sandbox/faults"))


def test_faults_are_read_set_and_ended_while_the_sandbox_runs(client: Client) -> None:
    url = endpoint(client)
    assert client.http.get(url).json() == {"seed": 0, "faults": []}
    sent = {"seed": 3, "faults": [{"fault": "result-code", "code": -6, "at": [1], "call": ["list-images"]}]}
    assert client.http.put(url, json=sent).json() == sent
    assert client.http.get(url).json() == sent
    assert [client.code("GET", "/images") for _ in range(2)] == [-6, 0]
    assert client.http.put(url, content=EVERYTHING.encode()).status_code == 200
    assert client.sandbox.faults.seed == 7
    assert client.http.delete(url).json() == {"seed": 0, "faults": []}
    assert {one.name for one in client.sandbox.requests} == {"issue-token", "list-images"}


def test_wrong_faults_are_refused_and_change_nothing(client: Client) -> None:
    before = client.sandbox.faults = one(Fault.HTTP_ERROR, 9)
    for content, problem in (
        (
            b'{"faults": [{"fault": "dealy"}]}',
            'faults:1: faults[0].fault: "dealy" is not a fault, did you mean "delay"?',
        ),
        (b"", "faults:1: is empty"),
        (b"\xff", "faults:1: is not UTF-8 text"),
    ):
        answer = client.http.put(endpoint(client), content=content)
        assert (answer.status_code, answer.json()) == (400, {"problems": [problem]})
    assert client.sandbox.faults is before


def test_the_command_takes_a_faults_file(desk: Desk) -> None:
    desk.write("faults.yaml", "faults:\n  - {fault: http-error, status: 500, call: issue-token}\n")
    command = desk.command("sandbox", "--port", "0", "--images", "5", "--faults", "faults.yaml")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **desk.settings_for_process()
    ) as process:
        assert process.stdout is not None
        url = next(line for line in process.stdout if "endpoint:" in line).split('"')[1]
        answer = httpx.post(f"{url}/v1.0/appkeys/any/tokens", trust_env=False)
        process.terminate()
        process.stdout.read()
    assert answer.status_code == 500


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("faults:\n  - fault: empty-instance\n", 'f.yaml:2: faults[0].fault: "empty-instance" is not a fault, did you'),
        (None, "f.yaml: cannot be read: No such file or directory"),
    ],
)
def test_the_command_refuses_a_wrong_faults_file(desk: Desk, text: str | None, problem: str) -> None:
    if text is not None:
        desk.write("f.yaml", text)
    result = desk.janitor("sandbox", "--port", "0", "--faults", "f.yaml")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(problem)


def test_a_sandbox_without_sockets_has_no_time_to_wait() -> None:
    async def hook(_call: Call, answer: Callable[[], Any]) -> Response:
        import asyncio

        await asyncio.sleep(0)
        response: Response = await answer()
        return response

    sandbox, transport = in_process(Options(images=5), Clock(), hook)
    with pytest.raises(RuntimeError, match="nothing in it may wait"):
        Client(sandbox, transport, Clock()).send("GET", "/images")


def test_every_call_can_be_struck() -> None:
    for api in Api:
        assert {call for fault in Fault for call in reach(fault, api)} == set(CALLS[api])
