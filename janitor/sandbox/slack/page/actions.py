"""What somebody does on the page: click in many ways, and break what the app relies on."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from janitor.sandbox.slack.blocks import elements_of
from janitor.sandbox.slack.clicks import FORGERIES, Click, Control, Forgery, with_value
from janitor.sandbox.slack.replies import DROPPED, Reply, rate_limited
from janitor.sandbox.slack.sockets import Socket
from janitor.sandbox.slack.state import Posted
from janitor.sandbox.slack.workspace import Workspace

Given = dict[str, Any]

_TWICE, _LATE, _OF_ANOTHER = "twice", "ten seconds late", "the value of another message"
HOWS = ("genuine", _TWICE, _LATE, *FORGERIES, _OF_ANOTHER)
_SECONDS_LATE = 10

SOCKETS: Mapping[str, Callable[[Socket], object]] = {
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
OUTAGES: Mapping[str, Reply | None] = {
    "answered": None,
    "rate limited": rate_limited(7),
    "answered with 503": Reply(503, "<html><body>Service unavailable</body></html>"),
    "not answered": DROPPED,
}


def click(workspace: Workspace, given: Given) -> Given:
    """Somebody clicks. Raises LookupError or Refusal if there is nothing to click, or nobody who would."""
    channel = workspace.channel(given["channel"], by_name=False)
    posted = workspace.message(channel, given["ts"])
    if posted is None:
        raise LookupError("the message is gone")
    by, how = workspace.people[given["by"]], given["how"]
    if how not in HOWS:
        raise LookupError(f"a click is one of {', '.join(HOWS)}")
    option = None if given.get("option") is None else int(given["option"])
    control = Control(int(given["block"]), int(given["element"]), option)
    prepared = workspace.prepare(posted, control, by, _forgery(workspace, posted, how))
    return _sent(workspace, prepared, how)


def break_sockets(workspace: Workspace, given: Given) -> Given:
    """Something happens to every open socket. Raises LookupError."""
    struck, strike = list(workspace.sockets.open), SOCKETS[given["do"]]
    for socket in struck:
        strike(socket)
    return {"done": f"done to {len(struck)} socket{'' if len(struck) == 1 else 's'}"}


def break_calls(workspace: Workspace, given: Given) -> Given:
    """From now on, calls of the app are answered so. Raises LookupError."""
    workspace.outage = OUTAGES[given["do"]]
    return {"done": f"calls are {given['do']}"}


def _forgery(workspace: Workspace, posted: Posted, how: str) -> Forgery | None:
    if how != _OF_ANOTHER:
        return FORGERIES.get(how)
    others = (one for one in workspace.posted if one.ts != posted.ts)
    values = (
        element["value"]
        for one in others
        for block in one.blocks
        for element in elements_of(block)
        if "value" in element
    )
    value = next(values, None)
    if value is None:
        raise LookupError("no other message has a button with a value")
    return with_value(value)


def _sent(workspace: Workspace, prepared: Click, how: str) -> Given:
    if how == _LATE:
        late = threading.Timer(_SECONDS_LATE, workspace.send, [prepared])
        late.daemon = True
        late.start()
        return {"done": f"it will be sent in {_SECONDS_LATE} seconds"}
    for _ in range(2 if how == _TWICE else 1):
        workspace.send(prepared)
    if not prepared.lost:
        prepared.wait(workspace.patience.total_seconds())
    return {"done": _told(prepared)}


def _told(sent: Click) -> str:
    if sent.lost:
        return "lost: the app does not listen"
    return "acknowledged" if sent.in_time else "not acknowledged within 3 seconds"
