"""Pictures of Slack messages, for people to look at: `python -m tests.pictures OUT [MESSAGES.json …]`.

Each file holds one message, `{"text": …, "blocks": […], "replies": [a message, …]}`, or a list of them, and its picture
has its name. Without a file, the program itself runs against the sandbox, once for each kind of message that there is:
NAME.png is the first message, and NAME-all.png has its thread, too.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from janitor.sandbox.configuration import slack_text
from janitor.sandbox.options import Options
from janitor.sandbox.server import running
from janitor.sandbox.slack.state import CHANNEL
from janitor.sandbox.slack.workspace import Workspace
from tests.browser import Page, Unavailable, browsing
from tests.notify.slack.listening.announced import until
from tests.sandbox.slack.app import someone_listens
from tests.sandbox.slack.messages import client
from tests.slack_stand_in import SlackStandIn

Message = dict[str, Any]

POLICIES = """\
policies:
  - name: ci-images
    description: CI bakes are rebuilt every night; two months cover a rollback.
    contact: "#team-web"
    match: {name: ["ci-*", "bake-*", "nightly-*"]}
    expire: {after: 60d}
    notice: %(notice)s
  - name: snapshots
    description: Snapshots from before an upgrade.
    contact: kim@example.com
    match: {name: "*snapshot*"}
    expire: {after: 90d}
    notice: %(notice)s
"""
MORE = """\
timezone: Asia/Seoul
cost: {per_gib_month: 0.05, currency: USD}
limits: {max_deletions: %(most)s, max_share: 100%%}
"""


@dataclass(frozen=True)
class Scene:
    """What is to be told: with which notice, limit and mode, and whether the cloud answers."""

    notice: str = "0"
    most: int = 1_000
    mode: str = "delete"
    answers: bool = True


SCENES = {
    "announcement": Scene(notice="2d"),
    "over-limit": Scene(most=10),
    "failed-target": Scene(answers=False),
    "deleted": Scene(),
    "dry-run": Scene(mode="dry-run"),
}


def picture_of(page: Page, messages: Iterable[Message]) -> bytes:
    """A PNG of a channel in which these were posted, each with its replies in its thread."""
    with SlackStandIn() as slack:
        web = client(slack)
        for message in messages:
            first = web.chat_postMessage(channel=CHANNEL, text=message["text"], blocks=message.get("blocks", []))
            for reply in message.get("replies", []):
                told = {"text": reply["text"], "blocks": reply.get("blocks", [])}
                web.chat_postMessage(channel=CHANNEL, thread_ts=first["ts"], **told)
        page.open(slack.address)
        return page.picture(".channel")


def pictures_of(page: Page, scene: Scene, folder: Path) -> tuple[bytes, bytes]:
    """PNGs of the first message, and of it with its thread, that a run posts in this folder."""
    with SlackStandIn() as slack, running(Options(images=60)) as sandbox:
        named = slack_text(slack.address, slack.base_url, slack.token, slack.app_token, CHANNEL)
        text = sandbox.configuration(mode=scene.mode, slack=named)
        text = re.sub(r"(?m)^timezone: .*\n", "", text).replace('name: "sandbox"', "name: prod")
        if not scene.answers:
            text = re.sub(r"endpoint: .*", "endpoint: http://127.0.0.1:9/", text)
        (folder / "janitor.yaml").write_text(text + MORE % {"most": scene.most})
        (folder / "policies").mkdir()
        (folder / "policies" / "all.yaml").write_text(POLICIES % {"notice": scene.notice})
        with _listening(folder, slack):
            subprocess.run(_command("run"), cwd=folder, capture_output=True, check=False)
        assert slack.posted
        page.open(slack.address)
        return page.picture(".channel > article"), page.picture(".channel")


@contextmanager
def _listening(folder: Path, slack: Workspace) -> Iterator[None]:
    with subprocess.Popen(_command("serve", "--listen-only"), cwd=folder, stderr=subprocess.DEVNULL) as process:
        try:
            assert slack.sockets.wait_for(1)
            assert until(lambda: someone_listens(folder / "sandbox.db"), 60)
            yield
        finally:
            process.terminate()


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "janitor", *words, "-c", "janitor.yaml"]


def made(page: Page, files: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Every picture, and its name."""
    for file in files:
        messages = json.loads(Path(file).read_text("utf-8"))
        yield Path(file).stem, picture_of(page, messages if isinstance(messages, list) else [messages])
    for name, scene in {} if files else SCENES.items():
        with tempfile.TemporaryDirectory() as folder:
            first, everything = pictures_of(page, scene, Path(folder))
        yield name, first
        yield f"{name}-all", everything


def main(out: str, *files: str) -> int:
    """Make the pictures; exit code 1, and the reason, without a browser."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as profile, browsing(Path(profile)) as page:
            for name, octets in made(page, files):
                (folder / f"{name}.png").write_bytes(octets)
                print(folder / f"{name}.png")
    except Unavailable as why:
        print(why, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 1 else __doc__)
