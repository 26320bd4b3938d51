"""The calls that put a file into a thread: get an address, send the bytes there, and say where the file belongs."""

import json
from typing import Any

from janitor.sandbox.slack.messages import Arguments, must_take_files
from janitor.sandbox.slack.replies import Refusal, Reply
from janitor.sandbox.slack.state import File, State

UPLOAD = "/upload/v1/"


def upload_url(state: State, given: Arguments, address: str) -> dict[str, Any]:
    """files.getUploadURLExternal."""
    if not given.get("filename") or not str(given.get("length", "")).isdecimal():
        raise Refusal("invalid_arguments")
    file = f"F0{len(state.uploads):04d}"
    state.uploads[file] = (given["filename"], int(given["length"]), b"")
    return {"file_id": file, "upload_url": f"{address}{UPLOAD}{file}"}


def upload(state: State, file: str, authorization: str | None, body: bytes) -> Reply:
    """The bytes of a file; the token has no business there."""
    if file not in state.uploads or authorization is not None or len(body) != state.uploads[file][1]:
        return Reply(400, "bad upload")
    state.uploads[file] = (*state.uploads[file][:2], body)
    return Reply(200, f"OK - {len(body)}")


def complete_upload(state: State, given: Arguments) -> dict[str, Any]:
    """files.completeUploadExternal."""
    named = _files(given.get("files"))
    channel, thread = given.get("channel_id"), given.get("thread_ts")
    must_take_files(state, channel, thread)
    if any(file["id"] not in state.uploads for file in named):
        raise Refusal("file_not_found")
    found = [(file.get("title"), *state.uploads[file["id"]]) for file in named]
    if any(length != len(body) for *_, length, body in found):
        raise Refusal("file_update_failed")
    state.files += [File(name, title or name, body.decode(), str(channel), thread) for title, name, _, body in found]
    return {"files": [{"id": file["id"]} for file in named]}


def _files(given: Any) -> list[dict[str, Any]]:
    """The files that are named, which a form has as JSON."""
    try:
        files = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        files = None
    if not isinstance(files, list) or not files or not all(isinstance(file, dict) and "id" in file for file in files):
        raise Refusal("invalid_arguments")
    return files
