"""Clicks: which button or option of which message, by whom, and what Slack tells the app about it.

The payload is docs.slack.dev/reference/interaction-payloads/block_actions-payload, the envelope that of Socket Mode.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from janitor.sandbox.slack.blocks import elements_of
from janitor.sandbox.slack.elements import options_of
from janitor.sandbox.slack.messages import as_sent
from janitor.sandbox.slack.people import APP, OTHER_APP, OTHER_TEAM, TEAM, Person
from janitor.sandbox.slack.state import Channel, Posted

IN_TIME = timedelta(seconds=3)
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Control:
    """A button or menu of a message by its place, and the option that is chosen in a menu."""

    block: int
    element: int
    option: int | None = None


@dataclass(slots=True)
class Click:
    """What one click sent to the app, and what became of it.

    It is `lost` where no socket was open. `acknowledged` is when the app acknowledged it, and with which payload in
    `answers`; `envelope` is what was sent, word for word.
    """

    payload: dict[str, Any]
    clock: Callable[[], datetime]
    envelope_id: str = field(default_factory=lambda: f"envelope-{next(_numbers):08d}")
    tried: bool = False
    sent: list[datetime] = field(default_factory=list)
    acknowledged: list[datetime] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    _heard: threading.Event = field(default_factory=threading.Event)

    @property
    def envelope(self) -> str:
        """What goes over the socket."""
        head = {"envelope_id": self.envelope_id, "type": "interactive", "accepts_response_payload": True}
        return json.dumps({**head, "payload": self.payload})

    @property
    def lost(self) -> bool:
        """Whether it was to be sent, and never reached a socket."""
        return self.tried and not self.sent

    @property
    def in_time(self) -> bool:
        """Whether it was acknowledged within the three seconds that Slack waits."""
        return bool(self.sent and self.acknowledged) and self.acknowledged[0] - self.sent[0] <= IN_TIME

    @property
    def warned(self) -> bool:
        """Whether Slack shows a warning beside the button by now: lost, or not acknowledged in time."""
        if self.acknowledged:
            return not self.in_time
        return self.lost or (bool(self.sent) and self.clock() - self.sent[0] > IN_TIME)

    def is_of(self, ts: str | None, channel: str) -> bool:
        """Whether it was on this message."""
        container = self.payload["container"]
        return (container["message_ts"], container["channel_id"]) == (ts, channel)

    def wait(self, seconds: float = 30) -> bool:
        """Wait until it is acknowledged, at most for that time; whether it was."""
        return self._heard.wait(seconds)

    def hear(self, answer: Any) -> None:
        """The app acknowledges it."""
        self.acknowledged.append(self.clock())
        self.answers.append(answer)
        self._heard.set()


def control_named(posted: Posted, wanted: str) -> Control:
    """The first button or option of a message that has this label, action id or value. Raises LookupError."""
    for block_number, block in enumerate(posted.blocks):
        for number, element in enumerate(elements_of(block)):
            if wanted in (element.get("action_id"), element.get("value"), element.get("text", {}).get("text")):
                return Control(block_number, number)
            for option_number, option in enumerate(options_of(element)):
                if wanted in (option["value"], option["text"]["text"]):
                    return Control(block_number, number, option_number)
    raise LookupError(f"the message has no button or option {wanted!r}")


def payload_of(posted: Posted, channel: Channel, control: Control, by: Person, stamp: str) -> dict[str, Any]:
    """What Slack tells the app about a click; without the address for answers."""
    message = as_sent(posted)
    thread = {} if posted.thread is None else {"thread_ts": posted.thread}
    container = {"type": "message", "message_ts": posted.ts, "channel_id": channel.id, "is_ephemeral": False, **thread}
    return {
        "type": "block_actions",
        "user": {"id": by.id, "username": by.name, "name": by.name, "team_id": by.team},
        "api_app_id": APP,
        "token": "stand-in-verification-token",
        "container": container,
        "trigger_id": f"{stamp}.trigger",
        "team": {"id": TEAM, "domain": "stand-in"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel.id, "name": "directmessage" if channel.direct else channel.name.removeprefix("#")},
        "message": message,
        "state": {"values": {}},
        "actions": [_action(message["blocks"][control.block], control, stamp)],
    }


def _action(block: dict[str, Any], control: Control, stamp: str) -> dict[str, Any]:
    element = elements_of(block)[control.element]
    told = {"action_id": element["action_id"], "block_id": block["block_id"], "action_ts": stamp}
    told |= {key: element[key] for key in ("type", "text", "value", "style", "placeholder") if key in element}
    if element["type"] == "static_select":
        if control.option is None:
            raise LookupError("of a menu, an option is chosen")
        told["selected_option"] = options_of(element)[control.option]
    return told


Forgery = Callable[[dict[str, Any]], dict[str, Any]]


def of_another_team(payload: dict[str, Any]) -> dict[str, Any]:
    """The same click in another workspace, where the same app is installed."""
    return {**payload, "team": {"id": OTHER_TEAM, "domain": "elsewhere"}}


def of_another_app(payload: dict[str, Any]) -> dict[str, Any]:
    """The same click on the message of another app."""
    return {**payload, "api_app_id": OTHER_APP}


def by_another_team(payload: dict[str, Any]) -> dict[str, Any]:
    """The same click by somebody with the same id in another workspace."""
    return {**payload, "user": {**payload["user"], "team_id": OTHER_TEAM}}


def with_value(value: str) -> Forgery:
    """The same click with another value, such as one that is unknown, or of another message."""

    def forged(payload: dict[str, Any]) -> dict[str, Any]:
        return {**payload, "actions": [_with_value(action, value) for action in payload["actions"]]}

    return forged


def _with_value(action: dict[str, Any], value: str) -> dict[str, Any]:
    if action["type"] == "button":
        return {**action, "value": value}
    return {**action, "selected_option": {**action["selected_option"], "value": value}}


FORGERIES: dict[str, Forgery] = {
    "another team": of_another_team,
    "another app": of_another_app,
    "a person of another team": by_another_team,
    "an unknown value": with_value("forged-value"),
}
