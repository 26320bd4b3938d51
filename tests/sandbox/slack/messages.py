"""Messages with buttons and menus, as the app posts them."""

from typing import Any

from slack_sdk import WebClient

from janitor.sandbox.slack.state import CHANNEL
from janitor.sandbox.slack.workspace import Workspace

SEVEN, THIRTY, KEEP_ALL, WEB_41 = "Keep 7 days", "Keep 30 days", "Keep all", "web-41"


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def button(text: str, value: str, **parts: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain(text), "value": value, **parts}


BLOCKS: list[dict[str, Any]] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*7 images* will be deleted."}},
    {
        "type": "actions",
        "block_id": "keep-1",
        "elements": [button(SEVEN, "a1:7", action_id="keep-7"), button(THIRTY, "a1:30", action_id="keep-30")],
    },
    {
        "type": "actions",
        "elements": [
            {
                "type": "static_select",
                "placeholder": plain("Keep an image"),
                "options": [{"text": plain(WEB_41), "value": "a1"}, {"text": plain("web-42"), "value": "a2"}],
            },
            button(KEEP_ALL, "all"),
        ],
    },
]


def client(slack: Workspace, token: str | None = None) -> WebClient:
    return WebClient(token or slack.token, base_url=slack.base_url)


def announce(slack: Workspace, channel: str = CHANNEL, **parts: Any) -> dict[str, Any]:
    """Post a message with buttons; Slack's answer."""
    answer = client(slack).chat_postMessage(channel=channel, text="7 images.", blocks=BLOCKS, **parts)
    assert isinstance(answer.data, dict)
    return answer.data
