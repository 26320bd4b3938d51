"""How Slack answers: what goes back over HTTP, and the words of refusal in it."""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """An answer; without a status the connection is dropped unanswered."""

    status: int | None = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


DROPPED = Reply(None)


class Refusal(Exception):
    """A call that Slack does not carry out: its word for why, and what else stands in the answer."""

    def __init__(self, error: str, **more: str) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


def rate_limited(seconds: int | str | None) -> Reply:
    """429, with or without Retry-After."""
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return Reply(429, '{"ok": false, "error": "ratelimited"}', headers)


def json_reply(value: dict[str, Any], status: int = 200) -> Reply:
    """An answer of the Web API."""
    return Reply(status, json.dumps(value), {"Content-Type": "application/json; charset=utf-8"})


def refused(refusal: Refusal) -> Reply:
    """A refusal of the Web API, which is an answer with status 200."""
    return json_reply({"ok": False, "error": refusal.error, **refusal.more})
