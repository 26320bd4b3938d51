"""A sandbox serves by its own clock, records what it is asked, and ends with its block or on a signal."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import yaml
from starlette.responses import Response

from janitor.errors import UsageError
from janitor.sandbox.options import Options
from janitor.sandbox.request_log import Call
from janitor.sandbox.server import running, serve
from tests.in_process import in_process
from tests.sandbox.clock import START, Clock
from tests.sandbox.compute_v1.client import Client, client_of, own_image
from tests.sandbox.ways import signed_in

# What tests and simulations rely on


def test_every_request_is_recorded_without_the_appkey(client: Client, clock: Clock) -> None:
    doomed = own_image(client)
    client.page(limit=3)
    clock.forward(seconds=1)
    client.code("DELETE", "/images", params={"id": doomed.id})
    client.code("GET", "/nowhere")
    client.token = None
    client.code("GET", "/instances")
    recorded = client.sandbox.requests
    assert [(one.name, one.ordinal, one.method, one.path, one.image, one.code) for one in recorded] == [
        ("issue-token", 1, "POST", "/tokens", None, 0),
        ("list-images", 1, "GET", "/images", None, 0),
        ("delete-image", 1, "DELETE", "/images", doomed.id, 0),
        ("unknown", 1, "GET", "/nowhere", None, -7),
        ("list-instances", 1, "GET", "/instances", None, -3),
    ]
    assert recorded[1].query == {"limit": "3"}
    assert (recorded[1].at, recorded[2].at) == (START, START + timedelta(seconds=1))
    assert not any(client.sandbox.options.appkey in repr(one) for one in recorded)


def test_a_hook_sees_each_call_and_may_do_as_it_likes() -> None:
    seen: list[tuple[str, int]] = []

    async def hook(call: Call, answer: Callable[[], Awaitable[Response]]) -> Response:
        seen.append((call.name, call.ordinal))
        match call.name, call.ordinal:
            case "list-images", 1:
                return Response("<html>gateway</html>", 502)
            case "delete-image", 1:
                await answer()
                return Response("lost", 504, headers={"Date": "Thu, 01 Jan 1970 00:00:00 GMT"})
        return await answer()

    with running(Options(images=20), Clock(), hook) as sandbox, signed_in(Client(sandbox)) as client:
        image = own_image(client)
        headers = {"X-Auth-Token": client.token or ""}
        assert client.http.get(f"{client.base}/images", headers=headers).status_code == 502
        lost = client.http.delete(f"{client.base}/images?id={image.id}", headers=headers)
        assert (lost.status_code, lost.headers["date"]) == (504, "Thu, 01 Jan 1970 00:00:00 GMT")
        assert image.id not in client.ids()
    assert seen == [("issue-token", 1), ("list-images", 1), ("delete-image", 1), ("list-images", 2)]
    assert [one.code for one in sandbox.requests] == [0, None, 0, 0]


def test_a_sandbox_without_sockets_has_no_time_to_wait() -> None:
    async def hook(_call: Call, answer: Callable[[], Any]) -> Response:
        import asyncio

        await asyncio.sleep(0)
        response: Response = await answer()
        return response

    sandbox, transport = in_process(Options(images=5), Clock(), hook)
    with pytest.raises(RuntimeError, match="nothing in it may wait"):
        Client(sandbox, transport).send("GET", "/images")


def test_the_date_header_is_the_sandboxs_own_clock(client: Client, clock: Clock) -> None:
    clock.forward(days=-400)
    assert client.http.get(f"{client.base}/images").headers["date"] == "Sun, 19 Oct 2025 03:00:00 GMT"


def test_latency_is_spent_on_requests_side_by_side() -> None:
    with client_of(Options(images=5, latency=timedelta(milliseconds=150))) as client:
        took: list[timedelta] = []

        def ask() -> None:
            headers = {"X-Auth-Token": client.token or ""}
            took.append(httpx.get(f"{client.base}/images", headers=headers, trust_env=False).elapsed)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert min(took) >= timedelta(milliseconds=150)


def test_several_sandboxes_run_beside_each_other_and_know_nothing_of_each_other() -> None:
    with client_of(Options(images=20, seed=1)) as one, client_of(Options(images=30, seed=2)) as other:
        assert (len(one.ids()), len(other.ids())) == (20, 30)
        other.token = one.token
        assert other.code("GET", "/images") == -3


def test_a_sandbox_is_gone_when_its_block_ends() -> None:
    before = set(threading.enumerate())
    with running(Options(images=1)) as sandbox:
        url = sandbox.url
        assert httpx.get(url, trust_env=False).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)
    assert set(threading.enumerate()) <= before


def test_a_sandbox_ends_with_its_block_even_when_that_fails() -> None:
    with pytest.raises(ZeroDivisionError), running(Options(images=1)) as sandbox:
        raise ZeroDivisionError
    with pytest.raises(httpx.ConnectError):
        httpx.get(sandbox.url, trust_env=False)


# The foreground


def test_a_port_that_is_taken_is_a_usage_error_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=rf"port {port} on 127\.0\.0\.1 is taken: .*--port 0"):
            serve(Options(port=port, images=1), announce=lambda _: pytest.fail("must not be announced"))


FOREGROUND = """
import logging
from janitor.sandbox.options import Options
from janitor.sandbox.server import serve
logging.basicConfig(level=logging.INFO)
serve(Options(port=0, images=5), announce=lambda text: print(text + "---", flush=True), policies="p")
print("ended")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_the_foreground_announces_itself_and_ends_cleanly_on_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", FOREGROUND],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        text = "".join(iter(process.stdout.readline, "---\n"))
        configuration = yaml.safe_load(text)
        with httpx.Client(trust_env=False) as http:  # its idle connection must not hold the end up
            assert http.get(configuration["targets"][0]["endpoint"]).json()["header"]["resultCode"] == -7
            process.send_signal(number)
            assert process.wait(timeout=20) == 0
        assert process.stdout.read() == "ended\n"
        errors = process.stderr.read()
    assert configuration["policies"] == "p"
    assert "Traceback" not in errors
    assert "sandbox-listening" in errors
