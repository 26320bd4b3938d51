"""Buttons and menus by which people keep announced images, and what stands in their place once somebody has.

Values are opaque ids. `keep.30.…` and `more.…` are what `listening.payload` reads.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from janitor.core.clicks.announcement import Announced
from janitor.core.clicks.keeping import Kept
from janitor.core.clicks.permission import MOST_DAYS
from janitor.core.units import counted
from janitor.notify.slack.mrkdwn import fitted, wire_length
from janitor.report.wording import label_of, shortened

Block = dict[str, Any]

TERMS = (7, MOST_DAYS)
LONG_TERMS = ((90, "90 days"), (365, "a year"))
_MOST_OPTIONS = 100
_MOST_MENUS = 10
_LONGEST_OPTION = 75
_ID_SHOWN = 8
_WHO = 120
_NAMES = 1_500
_LONGEST_TEXT = 2_900
_MORE = "and others"
_MESSAGE_LIMIT = 12_000
_MENU_LIMIT = 9_000
"""How many characters a menu may take on the wire, so that it fits into a message with its heading."""


def image_buttons(announced: Announced) -> Block:
    """The buttons for one image: for each term one."""
    return _actions(f"keep.{announced.id}", [_keep_button(days, announced.id) for days in TERMS])


def _keep_button(days: int, of: str) -> Block:
    label = f"Keep {days} days"
    return {"type": "button", "action_id": f"keep.{days}.{of}", "value": of, "text": _plain(label)}


def group_menus(announced: Sequence[Announced], group: str) -> list[Block]:
    """The menus of the images of a group, each for a message of its own, with a button that keeps all of the group.

    `group` is the id for all of them. Of very many images the last are in no menu.
    """
    pages = _pages([_option(each) for each in announced])[:_MOST_MENUS]
    return [_menu(f"{group}.{number}", page, _keep_all(group, len(announced))) for number, page in enumerate(pages)]


def _menu(name: str, options: Sequence[Block], keep_all: Block) -> Block:
    menu = {
        "type": "static_select",
        "action_id": f"keep.{MOST_DAYS}.{name}",
        "placeholder": _plain(f"Keep one for {MOST_DAYS} days"),
        "options": list(options),
    }
    return _actions(f"menu.{name}", [menu, keep_all])


def _keep_all(group: str, images: int) -> Block:
    confirm = {
        "title": _plain("Keep all?"),
        "text": _plain(f"{counted(images)} will be kept for {MOST_DAYS} days."),
        "confirm": _plain("Keep all"),
        "deny": _plain("Cancel"),
    }
    button = {"type": "button", "action_id": f"keep.{MOST_DAYS}.all.{group}", "value": group}
    return {**button, "text": _plain("Keep all"), "confirm": confirm}


def _option(announced: Announced) -> Block:
    ending = f" ({shortened(announced.image, _ID_SHOWN)})"
    return {"text": _plain(label_of(announced.name, _LONGEST_OPTION - len(ending)) + ending), "value": announced.id}


def _pages(options: Iterable[Block]) -> list[list[Block]]:
    pages: list[list[Block]] = [[]]
    length = 0
    for option in options:
        added = wire_length(option) + 2
        if len(pages[-1]) == _MOST_OPTIONS or (pages[-1] and length + added > _MENU_LIMIT):
            pages.append([])
            length = 0
        pages[-1].append(option)
        length += added
    return [page for page in pages if page]


def answered(
    blocks: Sequence[Mapping[str, Any]], kept: Mapping[str, Kept], zone: tzinfo, *, approvers: bool
) -> list[Block]:
    """The blocks of a message once some of its images were kept: who kept which until when, in place of their buttons.

    `kept` is by the ids of announcements. `approvers`: there are some, who may keep for longer, or end an exemption;
    where that would make the message too large, they have no menu. They are never more blocks.
    """
    below = [_answered(dict(each), kept, zone, approvers=approvers) for each in blocks]
    shown = _noted([block for each in below for block in each], kept)
    if approvers and wire_length(shown) > _MESSAGE_LIMIT:
        return answered(blocks, kept, zone, approvers=False)
    return shown


def _noted(blocks: list[Block], kept: Mapping[str, Kept]) -> list[Block]:
    """The blocks, whose title may count images that were kept since, with how many these are below it."""
    count = sum(one.ended_at is None for one in kept.values())
    if not count or [block["type"] for block in blocks[:2]] != ["header", "context"]:
        return blocks
    title, context, *rest = blocks
    note = _mrkdwn(f"*{counted(count)} of this message kept since it was sent.*")
    return [title, {**context, "elements": [*context["elements"], note]}, *rest]


def _answered(block: Block, kept: Mapping[str, Kept], zone: tzinfo, *, approvers: bool) -> list[Block]:
    kind, _, name = str(block.get("block_id", "")).partition(".")
    if block["type"] == "actions" and kind == "keep" and name in kept:
        menu = {"accessory": _for_approvers(name)} if approvers and kept[name].ended_at is None else {}
        return [{"type": "section", "block_id": f"kept.{name}", "text": _mrkdwn(_said(kept[name], zone)), **menu}]
    if block["type"] == "actions" and kind == "menu":
        return list(_answered_menu(block, kept, zone))
    return [block]


def _answered_menu(block: Block, kept: Mapping[str, Kept], zone: tzinfo) -> Iterator[Block]:
    menu, *others = block["elements"]
    left = [option for option in menu["options"] if option["value"] not in kept]
    names: dict[str, list[str]] = {}
    for option in menu["options"]:
        if option["value"] in kept:
            names.setdefault(_said(kept[option["value"]], zone), []).append(option["text"]["text"])
    if names:
        lines = [f"{said}: {fitted(', '.join(images), _NAMES)}" for said, images in names.items()]
        yield {"type": "section", "text": _mrkdwn(_as_fit(lines))}
    if left:
        yield {**block, "elements": [{**menu, "options": left}, *others]}


def _as_fit(lines: Sequence[str]) -> str:
    """As many of these lines, from the first on, as a text may hold."""
    shown = list(lines)
    while len(shown) > 1 and wire_length("\n".join([*shown, _MORE])) > _LONGEST_TEXT:
        shown.pop()
    return "\n".join([*shown, *([_MORE] if len(shown) < len(lines) else [])])


def _said(kept: Kept, zone: tzinfo) -> str:
    """`kept by @lee until 26 Dec 2026`, in mrkdwn."""
    if kept.ended_at is not None:
        return f"no longer kept: {fitted(kept.ended_by or '', _WHO)} ended that on {day(kept.ended_at, zone)}"
    return f"kept by {fitted(kept.who, _WHO)} until {day(kept.until, zone)}"


def day(instant: datetime, zone: tzinfo) -> str:
    """A day as people write it: `26 Dec 2026`."""
    return f"{instant.astimezone(zone):%-d %b %Y}"


def _for_approvers(name: str) -> Block:
    options = [{"text": _plain(f"Keep for {words}"), "value": f"keep.{days}.{name}"} for days, words in LONG_TERMS]
    return {
        "type": "static_select",
        "action_id": f"more.{name}",
        "placeholder": _plain("For approvers"),
        "options": [*options, {"text": _plain("End the exemption"), "value": f"end.{name}"}],
    }


def _actions(name: str, elements: Sequence[Block]) -> Block:
    return {"type": "actions", "block_id": name, "elements": list(elements)}


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}
