"""When a fault strikes: at the calls, for as long and as often as its rule says, and the same way every time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from janitor.sandbox.calls import CALLS, Api
from janitor.sandbox.faults import Fault, Faults, Rule, reach
from janitor.sandbox.options import Options
from janitor.sandbox.request_log import Call
from tests.in_process import in_process
from tests.sandbox.clock import START, Clock
from tests.sandbox.compute_v1.client import Client, client_of
from tests.sandbox.faults.rules import one

# What a rule says


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


def test_a_fault_lasts_by_the_sandboxs_clock(quick: Client, clock: Clock) -> None:
    quick.sandbox.faults = one(Fault.RESULT_CODE, 2, lasting=timedelta(minutes=10))
    codes = []
    for minutes in (0, 1, 5, 10, 11):
        clock.now = START + timedelta(minutes=minutes)
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


# The same way every time


def some(seed: int) -> Faults:
    return Faults(seed, (Rule(Fault.RESULT_CODE, probability=0.3), Rule(Fault.HTTP_ERROR, probability=0.3)))


def struck(seed: int, calls: str) -> list[tuple[str, int, tuple[str, ...]]]:
    paths = {"i": "/images", "d": "/instances-detail"}
    with client_of(Options(images=5), way="in-process") as client:
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
        with client_of(Options(images=200), way="in-process") as client:
            client.sandbox.faults = some(3)
            for image in sorted(client.own(60), key=lambda image: image.id, reverse=backwards):
                client.send("DELETE", "/images", params={"id": image.id})
            found.append({one.image: one.faults for one in client.sandbox.requests if one.faults})
    assert found[0] == found[1]
    assert found[0]


def test_many_threads_at_once_see_the_same_faults() -> None:
    found = []
    for threads in (1, 8):
        with client_of(Options(images=200), way="in-process") as client, ThreadPoolExecutor(threads) as pool:
            client.sandbox.faults = some(5)
            images = [image.id for image in client.own(80)]
            list(pool.map(lambda image: client.send("DELETE", "/images", params={"id": image}), images))
            found.append({one.image: one.faults for one in client.sandbox.requests if one.image})
    assert found[0] == found[1]


def test_probability_is_what_it_says() -> None:
    with client_of(Options(images=5), way="in-process") as client:
        client.sandbox.faults = one(Fault.HTTP_ERROR, seed=9, probability=0.1)
        for _ in range(1000):
            client.send("GET", "/images")
        assert 70 <= len(client.faults()) <= 130
        client.sandbox.faults = one(Fault.HTTP_ERROR, probability=0)
        assert client.send("GET", "/images").status_code == 200


# What can be struck


def test_a_hook_stands_before_the_faults() -> None:
    async def hook(call: Call, answer: Callable[[], Any]) -> Response:
        if call.ordinal == 1:
            return Response("withheld", 418)
        response: Response = await answer()
        return response

    sandbox, transport = in_process(Options(images=5, faults=one(Fault.HTTP_ERROR, 1)), Clock(), hook)
    client = Client(sandbox, transport)
    assert [client.send("GET", "/images").status_code for _ in range(3)] == [418, 503, 200]
    assert client.faults() == [("list-images", 2, ("http-error",))]


def test_every_call_can_be_struck() -> None:
    for api in Api:
        assert {call for fault in Fault for call in reach(fault, api)} == set(CALLS[api])
