"""The page to look at the workspace and to click: its routes, and who may use them.

Whoever gets a page of another origin to talk to it, or another name to resolve to loopback, is refused.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from janitor.sandbox.slack.clicks import FORGERIES, Click, Control
from janitor.sandbox.slack.page.channels import page_of
from janitor.sandbox.slack.replies import Refusal, Reply, json_reply
from janitor.sandbox.slack.sockets import Socket
from janitor.sandbox.slack.workspace import Workspace

_ASSETS = Path(__file__).parent / "assets"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_GUARDED = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_KINDS = {"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}
_HOWS = ("genuine", "twice", *FORGERIES)

_SOCKETS: Mapping[str, Callable[[Socket], object]] = {
    "warning": lambda socket: socket.disconnect("warning"),
    "refresh_requested": lambda socket: socket.disconnect("refresh_requested"),
    "link_disabled": lambda socket: socket.disconnect("link_disabled"),
    "silence": Socket.silence,
    "half a message": Socket.half_frame,
    "64 MiB": Socket.oversized,
    "garbage": Socket.garbage,
    "close": Socket.close,
    "reset": Socket.die,
}


Headers = Mapping[str, str]
"""The header lines of a request, by their names in lower case."""


def refusal_of(headers: Headers) -> Reply | None:
    """The answer to a request that is not meant for a server on loopback, or comes from a page of another origin."""
    host = headers.get("host", "")
    if _name(f"//{host}") not in _LOOPBACK:
        return Reply(403, "this is a server on loopback", {"Content-Type": "text/plain"})
    if headers.get("origin", f"http://{host}") != f"http://{host}" or headers.get("sec-fetch-site") == "cross-site":
        return Reply(403, "a page of another origin may not do that", {"Content-Type": "text/plain"})
    return None


def shown(workspace: Workspace, path: str, headers: Headers) -> Reply | None:
    """The page or a part of it; None if the path is no part of it."""
    path = path.partition("?")[0]
    if path == "/":
        return _guarded(Reply(200, _whole(workspace), {"Content-Type": "text/html; charset=utf-8"}))
    if path == "/page/channels":
        return _guarded(_channels(workspace, headers.get("if-none-match", "")))
    name = path.removeprefix("/page/")
    if name in _KINDS and path != name:
        return _guarded(Reply(200, (_ASSETS / name).read_text("utf-8"), {"Content-Type": _KINDS[name]}))
    return None


def done(workspace: Workspace, path: str, headers: Headers, body: bytes) -> Reply | None:
    """What somebody does on the page; None if the path is no part of it."""
    actions = {"/page/click": _click, "/page/sockets": _break}
    if path not in actions:
        return None
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return Reply(415, "only JSON, which no form of another page can send", {"Content-Type": "text/plain"})
    try:
        return _guarded(json_reply(actions[path](workspace, json.loads(body))))
    except (Refusal, ValueError, LookupError, TypeError) as error:
        return _guarded(json_reply({"error": str(error)}, 400))


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _guarded(reply: Reply) -> Reply:
    return Reply(reply.status, reply.body, {**reply.headers, **_GUARDED})


def _whole(workspace: Workspace) -> str:
    contents = _contents(workspace)
    parts = {
        "people": _options((person.id, person.name) for person in workspace.people.values()),
        "hows": _options((how, how) for how in _HOWS),
        "breaks": _options((name, name) for name in _SOCKETS),
        "mark": escape(_mark(contents)),
        "channels": contents,
    }
    page = (_ASSETS / "page.html").read_text("utf-8")
    before, *rest = page.split("{{")
    pieces = (piece.partition("}}") for piece in rest)
    return before + "".join(parts[name] + after for name, _, after in pieces)


def _options(pairs: Any) -> str:
    return "".join(f'<option value="{escape(value)}">{escape(label)}</option>' for value, label in pairs)


def _contents(workspace: Workspace) -> str:
    standing = len(workspace.sockets.open)
    about = f"{standing} socket{'' if standing == 1 else 's'} open" if standing else "the app does not listen"
    return f'<p class="about" id="sockets">{about}</p>{page_of(workspace)}'


def _mark(text: str) -> str:
    return f'"{hashlib.sha256(text.encode(errors="replace")).hexdigest()}"'


def _channels(workspace: Workspace, known: str) -> Reply:
    text = _contents(workspace)
    mark = _mark(text)
    if known == mark:
        return Reply(304, "", {"ETag": mark})
    return Reply(200, text, {"ETag": mark, "Content-Type": "text/html; charset=utf-8"})


def _click(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    channel = workspace.channel(given["channel"], by_name=False)
    posted = workspace.message(channel, given["ts"])
    if posted is None:
        raise LookupError("the message is gone")
    by, how = workspace.people[given["by"]], given["how"]
    if how not in _HOWS:
        raise LookupError(f"a click is one of {', '.join(_HOWS)}")
    control = Control(int(given["block"]), int(given["element"]), _number(given.get("option")))
    click = workspace.click(posted, control, by, FORGERIES.get(how))
    if how == "twice":
        workspace.send(click)
    if not click.lost:
        click.wait(workspace.patience.total_seconds())
    return _told(click)


def _told(click: Click) -> dict[str, Any]:
    return {"lost": click.lost, "acknowledged": bool(click.acknowledged), "in_time": click.in_time}


def _number(option: Any) -> int | None:
    return None if option is None else int(option)


def _break(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    struck = list(workspace.sockets.open)
    for socket in struck:
        _SOCKETS[given["do"]](socket)
    return {"sockets": len(struck)}
