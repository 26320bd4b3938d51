"""What Slack takes as a message: text, blocks and their limits.

Limits: docs.slack.dev/reference/block-kit, and for `msg_blocks_too_long` what was seen. Stricter than Slack in one
thing: a message with blocks has a text too, as notifications and screen readers get nothing else.
"""

from typing import Any

from janitor.sandbox.slack.elements import element_holds, plain_holds, text_holds, texts_of_element

_BLOCK_KEYS = {
    "header": {"text"},
    "section": {"text", "fields", "accessory", "expand"},
    "context": {"elements"},
    "actions": {"elements"},
    "divider": set[str](),
}
_MOST_TEXT = 40_000
_MOST_BLOCKS = 50
_MOST_IN_BLOCKS = 13_200


def fault(message: Any) -> str | None:
    """The word with which Slack refuses this message, or None."""
    if not isinstance(message, dict):
        return "invalid_payload"
    text = message.get("text")
    if not isinstance(text, str) or not text.strip():
        return "no_text"
    if len(text) > _MOST_TEXT:
        return "msg_too_long"
    return _fault_of_blocks(message.get("blocks", []))


def _fault_of_blocks(blocks: Any) -> str | None:
    if not isinstance(blocks, list) or len(blocks) > _MOST_BLOCKS or not all(_block_holds(block) for block in blocks):
        return "invalid_blocks"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if not _are_names(ids):
        return "invalid_blocks"
    if sum(len(text["text"]) for text in texts_of(blocks)) >= _MOST_IN_BLOCKS:
        return "msg_blocks_too_long"
    return None


def texts_of(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every text object of these blocks, those of buttons and menus too."""
    return [text for block in blocks for text in _texts_of_block(block)]


def elements_of(block: dict[str, Any]) -> list[dict[str, Any]]:
    """The buttons and menus of a block."""
    if block["type"] == "actions":
        return list(block["elements"])
    return [block["accessory"]] if "accessory" in block else []


def _texts_of_block(block: dict[str, Any]) -> list[dict[str, Any]]:
    shown = [block[key] for key in ("text",) if block.get(key) is not None]
    shown += block.get("fields", ())
    shown += block["elements"] if block["type"] == "context" else ()
    return shown + [text for element in elements_of(block) for text in texts_of_element(element)]


def _are_names(ids: list[Any]) -> bool:
    """Whether these are names, each given once."""
    return all(isinstance(name, str) and 1 <= len(name) <= 255 for name in ids) and len(set(ids)) == len(ids)


def _block_holds(block: Any) -> bool:
    if not isinstance(block, dict) or block.get("type") not in _BLOCK_KEYS:
        return False
    if not set(block) <= _BLOCK_KEYS[block["type"]] | {"type", "block_id"}:
        return False
    match block["type"]:
        case "header":
            return plain_holds(block.get("text"), 150)
        case "section":
            return _section_holds(block)
        case "context":
            elements = block.get("elements")
            return isinstance(elements, list) and 1 <= len(elements) <= 10 and all(text_holds(e) for e in elements)
        case "actions":
            return _actions_hold(block.get("elements"))
        case _:
            return True


def _section_holds(block: dict[str, Any]) -> bool:
    fields = block.get("fields", [])
    if not isinstance(fields, list) or len(fields) > 10 or not all(text_holds(text, 2_000) for text in fields):
        return False
    if "accessory" in block and not element_holds(block["accessory"]):
        return False
    return text_holds(block["text"]) if "text" in block else bool(fields)


def _actions_hold(elements: Any) -> bool:
    if not isinstance(elements, list) or not 1 <= len(elements) <= 25:
        return False
    if not all(element_holds(element) for element in elements):
        return False
    # Unique within the block that holds them, which is what Slack asks for.
    return _are_names([element["action_id"] for element in elements if "action_id" in element])
