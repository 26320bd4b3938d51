"""What Slack tells of a click, as a value: everything in it is foreign, and what is missing stays empty.

The payload: docs.slack.dev/reference/interaction-payloads/block_actions-payload.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from janitor.core.clicks.click import Click, Person, Place, Wish
from janitor.escaping import visible

_KEEP = re.compile(r"keep\.([1-9][0-9]{0,2})\..*")
_MORE = re.compile(r"more\..*")
_CHOICE = re.compile(r"(?:keep\.([1-9][0-9]{0,2})|end)\.(.+)")
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Received:
    """A click as it arrived: None where it is none of ours, or cannot be read; who clicked where, and where to answer.

    `thread` is the time stamp of the message in whose thread it was, if it was in one.
    """

    click: Click | None
    person: Person
    place: Place
    thread: str | None
    answer_to: object


def read(payload: Mapping[str, Any]) -> Received:
    """A click as it arrived."""
    user, container = _object(payload, "user"), _object(payload, "container")
    person = Person(_text(user, "id"), _name(user), _text(user, "team_id"))
    place = Place(_text(container, "channel_id"), _text(container, "message_ts"))
    thread = _text(container, "thread_ts") or _text(_object(payload, "message"), "thread_ts") or None
    wanted = _wanted(payload.get("actions"))
    click = None
    if wanted is not None and payload.get("type") == "block_actions":
        team, app = _text(_object(payload, "team"), "id"), _text(payload, "api_app_id")
        click = Click(team, app, person, place, *wanted)
    return Received(click, person, place, thread, payload.get("response_url"))


def _wanted(actions: object) -> tuple[Wish, int, str] | None:
    """What one action asks for, for how many days, and of what.

    An action `keep.30.…` is for what its value, or that of the option chosen, is the id of. Of `more.…` the option
    says all: `keep.90.ID` or `end.ID`.
    """
    if not isinstance(actions, list) or len(actions) != 1 or not isinstance(actions[0], dict):
        return None
    action, value = _text(actions[0], "action_id"), _text(_object(actions[0], "selected_option"), "value")
    of = value or _text(actions[0], "value")
    if keep := _KEEP.fullmatch(action):
        return (Wish.KEEP, int(keep[1]), of) if of else None
    chosen = _CHOICE.fullmatch(value) if _MORE.fullmatch(action) else None
    if chosen is None:
        return None
    return (Wish.KEEP, int(chosen[1]), chosen[2]) if chosen[1] else (Wish.END, 0, chosen[2])


def _object(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = of.get(key)
    return value if isinstance(value, dict) else {}


def _text(of: Mapping[str, Any], key: str) -> str:
    """An id, or another text that a program made; nothing where it is not one."""
    value = of.get(key)
    return value if isinstance(value, str) and value.isascii() and value.isprintable() else ""


def _name(user: Mapping[str, Any]) -> str:
    """The name for people: visible, in one line, and not long."""
    names = (user.get(key) for key in ("username", "name"))
    name = next((name for name in names if isinstance(name, str) and name.strip()), "")
    return " ".join(visible(name).split())[:_LONGEST_NAME]
