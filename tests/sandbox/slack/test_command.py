"""`janitor sandbox --slack`: the printed configuration posts to a page, and Ctrl-C ends both."""

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import yaml

from janitor.errors import UsageError
from janitor.sandbox.options import Options
from janitor.sandbox.server import serve
from janitor.sandbox.slack.people import LEE
from tests.conftest import Desk
from tests.notify.slack.listening.announced import until
from tests.sandbox.slack.app import someone_listens

POLICIES = "policies: [{name: old, match: {name: '*'}, expire: {after: 90d}, notice: 2d}]\n"


@contextmanager
def embedded(desk: Desk, *words: str) -> Iterator["tuple[str, subprocess.Popen[str]]"]:
    """The address of the page of a sandbox that runs as a command, and the command."""
    command = desk.command("sandbox", "--port", "0", "--slack", "--slack-port", "0", "--write", "janitor.yaml", *words)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, **desk.settings_for_process()) as process:
        assert process.stderr is not None
        try:
            yield next(line for line in process.stderr if "Its Slack is at" in line).split()[4], process
        finally:
            process.terminate()
            process.communicate(timeout=20)


def get(address: str) -> str:
    return httpx.get(address, trust_env=False).text


def test_the_written_configuration_posts_to_the_page(desk: Desk) -> None:
    with embedded(desk, "--images", "40") as (page, process):
        desk.write("policies/old.yaml", POLICIES)
        config: dict[str, Any] = yaml.safe_load((desk.folder / "janitor.yaml").read_text())
        assert config["slack"]["base_url"] == f"{page}api/"
        assert "No messages." in get(page)
        assert desk.janitor("run", "--dry-run").returncode == 0
        shown = get(page)
        assert 'aria-label="#cloud-images"' in shown
        assert "DRY RUN" in shown
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    with pytest.raises(httpx.ConnectError):
        get(page)


def test_it_has_channels_for_teams(desk: Desk) -> None:
    with embedded(desk, "--images", "1") as (page, _process):
        assert [name for name in ("#cloud-images", "#team-data", "#team-web") if f"<h2>{name}</h2>" in get(page)] == [
            "#cloud-images",
            "#team-data",
            "#team-web",
        ]


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        options = Options(port=0, images=1, slack=True, slack_port=other.getsockname()[1])
        with pytest.raises(UsageError, match=r"is taken: .*--slack-port 0"):
            serve(options, announce=lambda _: pytest.fail("must not be announced"))


def test_a_port_that_is_none() -> None:
    with pytest.raises(UsageError, match="port 65536"):
        Options(slack_port=65536)


def buttons_of(shown: str) -> Iterator[dict[str, str]]:
    """Every button of the page, as what a click on it says."""
    for article in shown.split("<article ")[1:]:
        marks = dict(re.findall(r'data-(channel|ts)="([^"]+)"', article))
        for block in article.split("data-block=")[1:]:
            number = block.split('"')[1]
            yield from (
                {**marks, "block": number, "element": element, "label": label}
                for element, label in re.findall(r'<button [^>]*data-element="(\d+)"[^>]*>([^<]+)<', block)
            )


def test_a_click_on_the_page_keeps_an_image(desk: Desk) -> None:
    with embedded(desk, "--images", "40") as (page, _process):
        desk.write("policies/old.yaml", POLICIES)
        config = (desk.folder / "janitor.yaml").read_text()
        config = re.sub(r'policies: "[^"]+"', "policies: policies", config.replace('"dry-run"', '"delete"'))
        desk.write("janitor.yaml", config + "limits: {max_deletions: 1000, max_share: 100%}\n")
        with listening(desk):
            done = desk.janitor("run")
            assert done.returncode == 0, done.stderr
            assert "Keep 30 days" in get(page), done.stderr
            button = next(button for button in buttons_of(get(page)) if button["label"] == "Keep 30 days")
            told = post(f"{page}page/click", {**button, "option": None, "by": LEE.id, "how": "genuine"})
            assert told in ({"done": "acknowledged"}, {"done": "not acknowledged within 3 seconds"})
            assert until(lambda: "kept by @lee until" in get(page).replace('<b class="mention">@lee</b>', "@lee"), 60)
        assert "@lee" in desk.janitor("keep", "--list").stdout


@contextmanager
def listening(desk: Desk) -> Iterator[None]:
    """While `janitor serve` listens to clicks."""
    pipe = subprocess.PIPE
    command = desk.command("serve", "--listen-only", "-v")
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, **desk.settings_for_process()) as process:
        assert process.stderr is not None
        try:
            next(line for line in process.stderr if "listening team=" in line)
            assert until(lambda: someone_listens(desk.folder / "sandbox.db"), 60)
            yield
        finally:
            process.terminate()
            process.communicate(timeout=20)


def post(address: str, given: object) -> Any:
    return httpx.post(address, json=given, trust_env=False, timeout=30).json()
