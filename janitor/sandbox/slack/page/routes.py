"""The page to look at the workspace and to click: its routes, and who may use them.

Whoever gets a page of another origin to talk to it, or another name to resolve to loopback, is refused.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from janitor.sandbox.slack.page import actions
from janitor.sandbox.slack.page.channels import page_of
from janitor.sandbox.slack.replies import Refusal, Reply, json_reply
from janitor.sandbox.slack.workspace import Workspace

_ASSETS = Path(__file__).parent / "assets"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""The names of this machine for itself."""
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
_ACTIONS = {
    "/page/click": actions.click,
    "/page/sockets": actions.break_sockets,
    "/page/calls": actions.break_calls,
}

Headers = Mapping[str, str]
"""The header lines of a request, by their names in lower case."""


def refusal_of(headers: Headers, names: Collection[str]) -> Reply | None:
    """The answer to a request for a server that has none of these names, or from a page of another origin."""
    host = headers.get("host", "")
    if _name(f"//{host}") not in names:
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
    if path not in _ACTIONS:
        return None
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return Reply(415, "only JSON, which no form of another page can send", {"Content-Type": "text/plain"})
    try:
        return _guarded(json_reply(_ACTIONS[path](workspace, json.loads(body))))
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
        "hows": _options((how, how) for how in actions.HOWS),
        "breaks": _options((name, name) for name in actions.SOCKETS),
        "outages": _options((name, name) for name in actions.OUTAGES),
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
