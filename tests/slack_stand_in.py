"""A stand-in for Slack: `chat.postMessage`, incoming webhooks and file uploads, as strict as the real one.

    with SlackStandIn() as slack:
        SlackChannel(webhook_url=slack.webhook_url).send(messages)
        assert len(slack.posted) == len(messages)

What it took stands in `posted` and `files`, every request in `requests` and its path in `paths`. Replies put into
`script` are given first, one a request, whatever the request holds; those in `refusals` to requests of that path. From
`refuse_after` messages on it takes no more, and `before` is called with every request. The next `unanswered` requests
are carried out, and the connection is dropped instead of saying so. Its answers tell the time of `clock`, where it has
one. A `Workspace` is the same without a server: whoever carries the requests asks it for its `answer`.
Limits: docs.slack.dev, and for `msg_blocks_too_long` what was seen.
"""

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

TOKEN = "xoxb-stand-in-secret"
WEBHOOK_PATH = "/services/T000/B000/webhook-secret"
CHANNEL = "#cloud-images"
GET_URL = "/api/files.getUploadURLExternal"
UPLOAD = "/upload/v1/"
COMPLETE = "/api/files.completeUploadExternal"

_BLOCK_KEYS = {
    "header": {"text"},
    "section": {"text", "fields"},
    "context": {"elements"},
    "divider": set[str](),
}


@dataclass(frozen=True)
class Reply:
    """A scripted answer; without a status the connection is dropped unanswered."""

    status: int | None = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


DROPPED = Reply(None)


def rate_limited(seconds: int | str | None) -> Reply:
    """429, with or without Retry-After."""
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return Reply(429, '{"ok": false, "error": "ratelimited"}', headers)


@dataclass(frozen=True)
class Posted:
    """A message that was accepted; `channel` is as requested, None for the webhook.

    `thread` is the time stamp of the message that it answers.
    """

    text: str
    blocks: list[dict[str, Any]]
    channel: str | None = None
    thread: str | None = None
    ts: str | None = None

    @property
    def shown(self) -> str:
        """All text of the blocks, as sent."""
        return "\n".join(text["text"] for text in texts_of(self.blocks))


@dataclass(frozen=True)
class File:
    """A file in a thread."""

    name: str
    title: str
    content: str
    channel: str
    thread: str | None


class Workspace:
    """What Slack takes, refuses and remembers, under an address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.posted: list[Posted] = []
        self.requests: list[dict[str, Any]] = []
        self.authorizations: list[str | None] = []
        self.paths: list[str] = []
        self.files: list[File] = []
        self.script: deque[Reply] = deque()
        self.refusals: dict[str, Reply] = {}
        self.refuse_after: int | None = None
        self.unanswered = 0
        self.before: Callable[[], object] = lambda: None
        self.clock: Callable[[], datetime] | None = None
        self.members_of: set[str] = {CHANNEL}
        self._uploads: dict[str, tuple[str, int, bytes]] = {}

    @property
    def webhook_url(self) -> str:
        return self.address + WEBHOOK_PATH

    @property
    def base_url(self) -> str:
        return f"{self.address}/api/"

    def answer(self, path: str, authorization: str | None, body: bytes) -> Reply:
        """What Slack would say to this request."""
        self.before()
        self.authorizations.append(authorization)
        try:
            message = json.loads(body)
        except ValueError:
            message = dict(parse_qsl(body.decode())) if path.startswith("/api/") else None
        self.requests.append(message)
        self.paths.append(path)
        if self.script:
            return self.script.popleft()
        reply = self._done(path, authorization, body, message)
        if self.unanswered:
            self.unanswered -= 1
            return DROPPED
        return reply

    def _done(self, path: str, authorization: str | None, body: bytes, message: Any) -> Reply:
        if path in self.refusals:
            return self.refusals[path]
        if path == WEBHOOK_PATH:
            return self._webhook(message)
        if path.startswith(UPLOAD):
            return self._upload(path.removeprefix(UPLOAD), authorization, body)
        return self._call(path, authorization, message)

    def _call(self, path: str, authorization: str | None, message: Any) -> Reply:
        if path == "/api/chat.postMessage":
            return self._post_message(authorization, message)
        if path in (GET_URL, COMPLETE):
            problem = _unauthorized(authorization)
            if problem is not None:
                return _json({"ok": False, "error": problem})
            return self._upload_url(message) if path == GET_URL else self._complete(message)
        return Reply(404, "no_service" if path.startswith("/services/") else '{"ok": false, "error": "unknown_method"}')

    def _webhook(self, message: Any) -> Reply:
        problem = self._full() or fault(message)
        if problem is not None:
            return Reply(400, problem)
        self.posted.append(Posted(message["text"], message.get("blocks", [])))
        return Reply(200, "ok", {"Content-Type": "text/html"})

    def _full(self) -> str | None:
        full = self.refuse_after is not None and len(self.posted) >= self.refuse_after
        return "action_prohibited" if full else None

    def _post_message(self, authorization: str | None, message: Any) -> Reply:
        problem = self._stranger(authorization, message) or self._full() or fault(message)
        if problem is not None:
            return _json({"ok": False, "error": problem})
        channel, thread, ts = message["channel"], message.get("thread_ts"), f"{len(self.posted) + 1}.0"
        self.posted.append(Posted(message["text"], message.get("blocks", []), channel, thread, ts))
        return _json({"ok": True, "channel": self.id_of(channel), "ts": ts, "message": {}})

    def _stranger(self, authorization: str | None, message: Any) -> str | None:
        problem = _unauthorized(authorization)
        if problem is not None or not isinstance(message, dict):
            return problem or "channel_not_found"
        return self._misplaced(message.get("channel"), message.get("thread_ts"))

    def _misplaced(self, channel: object, thread: object) -> str | None:
        """Why nothing can stand there. A thread is one of the channel's own messages."""
        here = [name for name in self.members_of if channel in (name, self.id_of(name))]
        if not here:
            return "channel_not_found"
        opened = [posted.ts for posted in self.posted if posted.channel in here and posted.thread is None]
        return None if thread is None or thread in opened else "thread_not_found"

    def id_of(self, channel: str) -> str:
        """Slack's own id of a channel."""
        return channel if channel.startswith("C0") else f"C0{sorted(self.members_of).index(channel)}"

    def _upload_url(self, message: dict[str, str]) -> Reply:
        if not message.get("filename") or not message.get("length", "").isdecimal():
            return _json({"ok": False, "error": "invalid_arguments"})
        file = f"F{len(self._uploads)}"
        self._uploads[file] = (message["filename"], int(message["length"]), b"")
        return _json({"ok": True, "file_id": file, "upload_url": f"{self.address}{UPLOAD}{file}"})

    def _upload(self, file: str, authorization: str | None, body: bytes) -> Reply:
        if file not in self._uploads or authorization is not None or len(body) != self._uploads[file][1]:
            return Reply(400, "bad upload")
        self._uploads[file] = (*self._uploads[file][:2], body)
        return Reply(200, f"OK - {len(body)}")

    def _complete(self, message: dict[str, str]) -> Reply:
        files = [(file, *self._uploads[file["id"]]) for file in json.loads(message["files"])]
        channel, thread = message["channel_id"], message.get("thread_ts")
        # Unlike messages, files take a channel by its id alone.
        problem = self._misplaced(channel, thread) if channel.startswith("C0") else "invalid_arguments"
        if problem is not None or any(length != len(body) for *_, length, body in files):
            return _json({"ok": False, "error": problem or "file_update_failed"})
        self.files += [File(name, file["title"], body.decode(), channel, thread) for file, name, _, body in files]
        return _json({"ok": True, "files": [{"id": file["id"]} for file, *_ in files]})


class SlackStandIn(Workspace):
    """A workspace behind a server, on a free port of loopback while the `with` lasts."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.002})
        super().__init__(f"http://127.0.0.1:{self._server.server_port}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                reply = stand_in.answer(self.path, self.headers.get("Authorization"), body)
                if reply.status is None:
                    self.close_connection = True
                    return
                content = reply.body.encode()
                # Not the time of now, which tests do not go by.
                self.send_response_only(reply.status)
                if stand_in.clock is not None and "Date" not in reply.headers:
                    self.send_header("Date", format_datetime(stand_in.clock(), usegmt=True))
                for name, value in {"Content-Type": "text/html", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
                """Say nothing on stderr."""

        return Handler


def _unauthorized(authorization: str | None) -> str | None:
    if authorization is None:
        return "not_authed"
    return None if authorization == f"Bearer {TOKEN}" else "invalid_auth"


def _json(value: dict[str, Any]) -> Reply:
    return Reply(200, json.dumps(value), {"Content-Type": "application/json; charset=utf-8"})


def fault(message: Any) -> str | None:
    """The word with which Slack refuses this message, or None."""
    if not isinstance(message, dict):
        return "invalid_payload"
    text = message.get("text")
    if not isinstance(text, str) or not text.strip():
        return "no_text"
    if len(text) > 40_000:
        return "msg_too_long"
    blocks = message.get("blocks", [])
    if not isinstance(blocks, list) or len(blocks) > 50 or not all(_block_holds(block) for block in blocks):
        return "invalid_blocks"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(ids)) != len(ids) or any(not 1 <= len(name) <= 255 for name in ids):
        return "invalid_blocks"
    if sum(len(text["text"]) for text in texts_of(blocks)) >= 13_200:
        return "msg_blocks_too_long"
    return None


def texts_of(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every text object of these blocks."""
    return [
        text
        for block in blocks
        for text in (block.get("text"), *block.get("fields", ()), *block.get("elements", ()))
        if text is not None
    ]


def _block_holds(block: Any) -> bool:
    if not isinstance(block, dict) or block.get("type") not in _BLOCK_KEYS:
        return False
    if not set(block) <= _BLOCK_KEYS[block["type"]] | {"type", "block_id"}:
        return False
    match block["type"]:
        case "header":
            return _text_holds(block.get("text"), 150, {"plain_text"})
        case "section":
            return _section_holds(block)
        case "context":
            elements = block.get("elements")
            return isinstance(elements, list) and 1 <= len(elements) <= 10 and all(_text_holds(e) for e in elements)
        case _:
            return True


def _section_holds(block: dict[str, Any]) -> bool:
    fields = block.get("fields", [])
    if not isinstance(fields, list) or len(fields) > 10 or not all(_text_holds(text, 2_000) for text in fields):
        return False
    return _text_holds(block["text"]) if "text" in block else bool(fields)


def _text_holds(text: Any, limit: int = 3_000, kinds: frozenset[str] | set[str] = frozenset()) -> bool:
    if not isinstance(text, dict) or text.get("type") not in (kinds or {"plain_text", "mrkdwn"}):
        return False
    if not set(text) <= {"type", "text", "emoji" if text["type"] == "plain_text" else "verbatim"}:
        return False
    return isinstance(text.get("text"), str) and 1 <= len(text["text"]) <= limit
