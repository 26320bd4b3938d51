"""What Slack takes as a button or a menu, and as the texts in them.

Limits: docs.slack.dev/reference/block-kit, block elements and composition objects.
"""

from collections.abc import Iterator
from typing import Any

_BUTTON = {"text", "action_id", "url", "value", "style", "confirm", "accessibility_label"}
_MENU = {"placeholder", "options", "option_groups", "action_id", "initial_option", "confirm", "focus_on_load"}
_CONFIRM = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
_MOST_OPTIONS = 100
_PLAIN = frozenset({"plain_text"})
_ANY = frozenset({"plain_text", "mrkdwn"})


def text_holds(text: Any, limit: int = 3_000, kinds: frozenset[str] = _ANY) -> bool:
    """Whether this is a text object of one of these types, of 1 to `limit` characters."""
    if not isinstance(text, dict) or text.get("type") not in kinds:
        return False
    if not set(text) <= {"type", "text", "emoji" if text["type"] == "plain_text" else "verbatim"}:
        return False
    return isinstance(text.get("text"), str) and 1 <= len(text["text"]) <= limit


def plain_holds(text: Any, limit: int) -> bool:
    """Whether this is a plain text of at most that many characters."""
    return text_holds(text, limit, _PLAIN)


def element_holds(element: Any) -> bool:
    """Whether this is a button or a menu that Slack takes."""
    if not isinstance(element, dict) or not _word_holds(element.get("action_id"), 255):
        return False
    if "confirm" in element and not _confirm_holds(element["confirm"]):
        return False
    match element.get("type"):
        case "button":
            return _button_holds(element)
        case "static_select":
            return _menu_holds(element)
        case _:
            return False


def texts_of_element(element: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The texts that a button or a menu shows."""
    yield from (element[key] for key in ("text", "placeholder") if isinstance(element.get(key), dict))
    yield from (option["text"] for option in options_of(element))


def options_of(element: dict[str, Any]) -> list[dict[str, Any]]:
    """All options of a menu; none of a button."""
    groups = [group["options"] for group in element.get("option_groups", ())]
    return [option for options in (element.get("options", ()), *groups) for option in options]


def _word_holds(word: Any, limit: int) -> bool:
    return word is None or (isinstance(word, str) and 1 <= len(word) <= limit)


def _button_holds(button: dict[str, Any]) -> bool:
    return (
        set(button) <= _BUTTON | {"type"}
        and plain_holds(button.get("text"), 75)
        and _word_holds(button.get("value"), 2_000)
        and _word_holds(button.get("url"), 3_000)
        and _word_holds(button.get("accessibility_label"), 75)
        and button.get("style", "primary") in ("primary", "danger")
    )


def _menu_holds(menu: dict[str, Any]) -> bool:
    if not set(menu) <= _MENU | {"type"} or ("options" in menu) == ("option_groups" in menu):
        return False
    if "placeholder" in menu and not plain_holds(menu["placeholder"], 150):
        return False
    holds = _options_hold(menu["options"]) if "options" in menu else _groups_hold(menu["option_groups"])
    return holds and ("initial_option" not in menu or menu["initial_option"] in options_of(menu))


def _groups_hold(groups: Any) -> bool:
    return (
        isinstance(groups, list)
        and 1 <= len(groups) <= _MOST_OPTIONS
        and all(
            isinstance(group, dict)
            and set(group) == {"label", "options"}
            and plain_holds(group["label"], 75)
            and _options_hold(group["options"])
            for group in groups
        )
    )


def _options_hold(options: Any) -> bool:
    if not isinstance(options, list) or not 1 <= len(options) <= _MOST_OPTIONS:
        return False
    return all(_option_holds(option) for option in options)


def _option_holds(option: Any) -> bool:
    return (
        isinstance(option, dict)
        and {"text", "value"} <= set(option) <= {"text", "value", "description"}
        and plain_holds(option["text"], 75)
        and isinstance(option["value"], str)
        and _word_holds(option["value"], 150)
        and ("description" not in option or plain_holds(option["description"], 75))
    )


def _confirm_holds(confirm: Any) -> bool:
    return (
        isinstance(confirm, dict)
        and set(_CONFIRM) <= set(confirm) <= {*_CONFIRM, "style"}
        and all(plain_holds(confirm[key], limit) for key, limit in _CONFIRM.items())
    )
