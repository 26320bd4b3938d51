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

    `kept` is by the ids of announcements. `approvers`: there are some, who may keep for longer, or end an exemption.
    """
    return [block for each in blocks for block in _answered(dict(each), kept, zone, approvers=approvers)]


def _answered(block: Block, kept: Mapping[str, Kept], zone: tzinfo, *, approvers: bool) -> Iterator[Block]:
    kind, _, name = str(block.get("block_id", "")).partition(".")
    if block["type"] == "actions" and kind == "keep" and name in kept:
        yield _context(_said(kept[name], zone))
        if approvers and kept[name].ended_at is None:
            yield _for_approvers(name)
    elif block["type"] == "actions" and kind == "menu":
        yield from _answered_menu(block, kept, zone)
    else:
        yield block


def _answered_menu(block: Block, kept: Mapping[str, Kept], zone: tzinfo) -> Iterator[Block]:
    menu, *others = block["elements"]
    left = [option for option in menu["options"] if option["value"] not in kept]
    names: dict[str, list[str]] = {}
    for option in menu["options"]:
        if option["value"] in kept:
            names.setdefault(_said(kept[option["value"]], zone), []).append(option["text"]["text"])
    for said, images in names.items():
        yield _context(f"{said}: {fitted(', '.join(images), _NAMES)}")
    if left:
        yield {**block, "elements": [{**menu, "options": left}, *others]}


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
    menu = {
        "type": "static_select",
        "action_id": f"more.{name}",
        "placeholder": _plain("For approvers"),
        "options": [*options, {"text": _plain("End the exemption"), "value": f"end.{name}"}],
    }
    return _actions(f"more.{name}", [menu])


def _actions(name: str, elements: Sequence[Block]) -> Block:
    return {"type": "actions", "block_id": name, "elements": list(elements)}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}
