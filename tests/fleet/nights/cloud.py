"""The sandbox of all accounts, and Slack, as a process of their own on the simulated clock.

It writes the configuration of a fleet, prints a line, and writes all that it saw into a file each time it reads a line.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from janitor.sandbox.models import OURS, StoredImage
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox, running
from janitor.sandbox.slack.replies import Reply
from tests.fleet.nights.clock import Clock
from tests.sandbox.senders import sender_of
from tests.slack_stand_in import SlackStandIn

AFTER, NOTICE = timedelta(days=8), timedelta(hours=12)
MOST_AT_ONCE = 2
DELETING = "deleting"
"""The file with the worker that deleted last, and the account."""
_POLICIES = {
    "policies": [
        {
            "name": "old",
            "match": {"name": "*"},
            "expire": {"after": f"{AFTER.days}d"},
            "notice": f"{NOTICE.seconds // 3600}h",
        }
    ]
}
_REST = {
    "limits": {"max_deletions": 1000, "max_share": "100%", "max_shrink": "100%"},
    "concurrency": {"deletions": MOST_AT_ONCE},
}


class _Slack(SlackStandIn):
    """Knows when it accepted each message, by the real clock."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def answer(self, path: str, authorization: str | None, body: bytes) -> Reply:
        reply = super().answer(path, authorization, body)
        with self._lock:
            self.times += [time.time()] * (len(self.posted) - len(self.times))
        return reply


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m tests.fleet.nights.cloud")
    parser.add_argument("folder", type=Path)
    for option in ("accounts", "images", "seed", "shards", "latency"):
        parser.add_argument(f"--{option}", type=int, required=True)
    words = parser.parse_args()
    clock = Clock(words.folder / "clock")
    latency = timedelta(milliseconds=words.latency)
    options = Options(accounts=words.accounts, images=words.images, seed=words.seed, latency=latency)
    with _Slack() as slack, running(options, clock) as sandbox:
        slack.clock = clock
        began = {name: dict(member.account.images) for name, member in sandbox.members.items()}
        _write(words.folder, words.shards, sandbox, slack)
        threading.Thread(target=_tell_who_deletes, args=(sandbox, words.folder / DELETING), daemon=True).start()
        _say("ready")
        for line in sys.stdin:
            seen = {"images": list(_images(sandbox, began)), "deletions": list(_deletions(sandbox))}
            Path(line.strip()).write_text(json.dumps({**seen, "messages": _messages(slack)}))
            _say("written")


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _tell_who_deletes(sandbox: Sandbox, file: Path) -> None:
    """Keep in a file who sent the last deletion in which account; it is as old as that."""
    known, new = 0, file.with_suffix(".new")
    while True:
        deletions = sandbox.deletions
        if len(deletions) > known:
            known = len(deletions)
            new.write_text(f"{sender_of(deletions[-1])} {deletions[-1].account}")
            new.replace(file)
        time.sleep(0.01)


def _write(folder: Path, shards: int, sandbox: Sandbox, slack: SlackStandIn) -> None:
    bot = {"token": slack.token, "channel": "#all", "base_url": slack.base_url}
    accounts = yaml.safe_load(sandbox.accounts_text())
    for account in accounts:
        account["channel"] = f"#{account['name']}"
        slack.join(account["channel"])
    whole = yaml.safe_load(sandbox.configuration(mode="delete", policies="policies.yaml", shards=str(shards)))
    for name, document in (
        ("accounts", accounts),
        ("policies", _POLICIES),
        ("janitor", {**whole, **_REST, "slack": bot}),
    ):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(document))


def _images(sandbox: Sandbox, began: dict[str, dict[str, StoredImage]]) -> Iterator[dict[str, Any]]:
    """Every image there was: whether it is there, may go, must stay, and when it expired."""
    for name, images in began.items():
        account = sandbox.members[name].account
        used = {instance.image for instance in account.instances.values()}
        for image in images.values():
            guarded = image.is_public or image.protected or image.owner != OURS or image.id in used
            plain = image.status == "active" and image.visibility == "private" and image.name
            yield {
                "account": name,
                "image": image.id,
                "there": image.id in account.images,
                "guarded": guarded,
                "free": bool(plain) and not guarded,
                "expires": (image.created_at + AFTER).timestamp(),
            }


def _deletions(sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    for request in sandbox.deletions:
        yield {
            "account": request.account,
            "image": request.image,
            "sender": sender_of(request) or "nobody",
            "arrived": request.arrival.at.timestamp(),
        }


def _messages(slack: _Slack) -> list[dict[str, Any]]:
    with slack._lock:
        names = {channel.id: channel.name for channel in slack.channels.values()}
        return [
            {
                "text": posted.text,
                "blocks": posted.blocks,
                "channel": names.get(posted.channel or "", posted.channel),
                "at": at,
            }
            for posted, at in zip(slack.posted, slack.times, strict=True)
        ]


if __name__ == "__main__":
    main()
