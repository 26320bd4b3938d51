"""The channels as HTML, as people see them in Slack: messages, threads, files, buttons, and warnings beside them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from html import escape
from itertools import count
from typing import Any

from janitor.sandbox.slack.clicks import Click
from janitor.sandbox.slack.elements import options_of
from janitor.sandbox.slack.messages import named_blocks
from janitor.sandbox.slack.page.mrkdwn import Names, html_of
from janitor.sandbox.slack.state import Channel, File, Posted
from janitor.sandbox.slack.workspace import Workspace

_APP = "Image Janitor"


def page_of(workspace: Workspace) -> str:
    """Everything that people see, a section for each channel."""
    return "".join(_channel(workspace, channel) for channel in list(workspace.channels.values()))


def _channel(workspace: Workspace, channel: Channel) -> str:
    everything = [*workspace.posted, *workspace.ephemeral]
    here = sorted((one for one in everything if workspace.place_of(one) is channel), key=lambda one: one.ts or "")
    first = [one for one in here if one.thread is None]
    inside = "".join(_with_thread(workspace, channel, one, here) for one in first)
    return (
        f'<section class="channel" aria-label="{escape(channel.name)}"><h2>{escape(channel.name)}</h2>'
        f'<p class="about">{_members(workspace, channel)}</p>{inside or "<p class=about>No messages.</p>"}</section>'
    )


def _members(workspace: Workspace, channel: Channel) -> str:
    names = [workspace.people[one].name for one in channel.members if one in workspace.people]
    kind = "private, " if channel.private else "archived, " if channel.archived else ""
    return f"{kind}{escape(', '.join(names))}"


def _with_thread(workspace: Workspace, channel: Channel, first: Posted, here: Iterable[Posted]) -> str:
    replies = [one for one in here if one.thread is not None and one.thread == first.ts]
    files = [one for one in workspace.files if one.channel == channel.id and one.thread == first.ts]
    shown = _message(workspace, channel, first)
    if not replies and not files:
        return shown
    inside = "".join([*(_message(workspace, channel, one) for one in replies), *map(_file, files)])
    said = f"{len(replies)} repl{'y' if len(replies) == 1 else 'ies'}"
    return f'{shown}<details class="thread" open><summary>{said}</summary>{inside}</details>'


def _file(file: File) -> str:
    size = len(file.content.encode(errors="replace"))
    return f'<p class="file"><b>{escape(file.name)}</b> {escape(file.title)}, {size:,} bytes</p>'


def _message(workspace: Workspace, channel: Channel, posted: Posted) -> str:
    names = names_of(workspace)
    blocks = "".join(_blocks(posted, names)) if posted.blocks else f"<div>{html_of(posted.text, names)}</div>"
    only = (
        "" if posted.only_to is None else f'<p class="only">Only visible to {escape(_name(names, posted.only_to))}</p>'
    )
    edited = '<small class="edited">(edited)</small>' if posted.edited else ""
    warning = _warning(workspace.clicks, posted, channel)
    return (
        f'<article class="message{" alone" if posted.only_to else ""}" data-channel="{escape(channel.id)}"'
        f' data-ts="{escape(posted.ts or "")}" data-text="{escape(posted.text)}">{only}'
        f'<p class="author"><b>{_APP}</b> <small>APP</small> <time>{_time(posted.ts)}</time></p>'
        f"{blocks}{edited}{warning}</article>"
    )


def names_of(workspace: Workspace) -> Names:
    """How people and channels are called, by their ids."""
    people = {person.id: person.name for person in workspace.people.values()}
    return people | {channel.id: channel.name for channel in list(workspace.channels.values())}


def _name(names: Names, person: str) -> str:
    return names.get(person, person)


def _time(ts: str | None) -> str:
    try:
        return datetime.fromtimestamp(float(ts or "0"), UTC).strftime("%d %b %H:%M UTC")
    except (ValueError, OverflowError):
        return ""


def _warning(clicks: Iterable[Click], posted: Posted, channel: Channel) -> str:
    """What Slack shows beside a button that was clicked last, if the app did not acknowledge it in time."""
    here = [click for click in list(clicks) if click.is_of(posted.ts, channel.id)]
    if not here or not here[-1].warned:
        return ""
    why = "the app does not listen" if here[-1].lost else "the app did not answer within 3 seconds"
    return f'<p class="warning" role="alert">⚠ The click had no effect that Slack knows of: {why}.</p>'


# Blocks.


def _blocks(posted: Posted, names: Names) -> Iterator[str]:
    for number, block in enumerate(named_blocks(posted)):
        yield f'<div class="{escape(block["type"])}" data-block="{number}">{_block(block, names)}</div>'


def _block(block: dict[str, Any], names: Names) -> str:
    match block["type"]:
        case "header":
            return f"<h3>{escape(block['text']['text'])}</h3>"
        case "section":
            return "".join(_section(block, names))
        case "context":
            return " ".join(f"<span>{_text(text, names)}</span>" for text in block["elements"])
        case "actions":
            return "".join(_elements(block["elements"]))
        case _:
            return "<hr>"


def _section(block: dict[str, Any], names: Names) -> Iterator[str]:
    if "text" in block:
        yield f'<div class="text">{_text(block["text"], names)}</div>'
    yield from (f'<div class="field">{_text(field, names)}</div>' for field in block.get("fields", ()))
    if "accessory" in block:
        yield "".join(_elements([block["accessory"]]))


def _text(text: dict[str, Any], names: Names) -> str:
    return html_of(text["text"], names) if text["type"] == "mrkdwn" else escape(text["text"])


def _elements(elements: Iterable[dict[str, Any]]) -> Iterator[str]:
    for number, element in enumerate(elements):
        yield (_button if element["type"] == "button" else _menu)(element, f'data-element="{number}"{_asked(element)}')


def _asked(element: dict[str, Any]) -> str:
    """What is asked before a click counts."""
    confirm = element.get("confirm")
    return f' data-confirm="{escape(confirm["title"]["text"])}: {escape(confirm["text"]["text"])}"' if confirm else ""


def _button(button: dict[str, Any], marks: str) -> str:
    return f'<button class="{escape(button.get("style", "plain"))}" {marks}>{escape(button["text"]["text"])}</button>'


def _menu(menu: dict[str, Any], marks: str) -> str:
    label = menu["placeholder"]["text"] if "placeholder" in menu else "Choose an option"
    numbers = count()
    if "option_groups" in menu:
        options = "".join(
            f'<optgroup label="{escape(group["label"]["text"])}">'
            f"{''.join(_option(option, next(numbers)) for option in group['options'])}</optgroup>"
            for group in menu["option_groups"]
        )
    else:
        options = "".join(_option(option, next(numbers)) for option in options_of(menu))
    first = f'<option value="" selected>{escape(label)}</option>'
    return f'<select aria-label="{escape(label)}" {marks}>{first}{options}</select>'


def _option(option: dict[str, Any], number: int) -> str:
    return f'<option value="{number}">{escape(option["text"]["text"])}</option>'
