"""The calls about messages: post, change, show to one person, answer a click, and by webhook."""

from dataclasses import replace
from typing import Any

from janitor.sandbox.slack.blocks import fault
from janitor.sandbox.slack.people import APP, BOT, BOT_USER, TEAM
from janitor.sandbox.slack.replies import Refusal
from janitor.sandbox.slack.state import Channel, Posted, State

Arguments = dict[str, Any]


def post_message(state: State, given: Arguments) -> dict[str, Any]:
    """chat.postMessage. A person's id stands for the direct messages with that person."""
    wanted = given.get("channel")
    channel = state.direct_channel(wanted) if wanted in state.people else state.channel(wanted)
    posted = _accepted(state, channel, given, Posted("", [], wanted, given.get("thread_ts")))
    if wanted in state.people:
        posted = replace(posted, channel=channel.id)
    state.posted.append(posted)
    return {"channel": channel.id, "ts": posted.ts, "message": as_sent(posted)}


def update(state: State, given: Arguments) -> dict[str, Any]:
    """chat.update. It wants the channel's id, as Slack does."""
    channel = state.channel(given.get("channel"), by_name=False)
    before = state.message(channel, given.get("ts"))
    if before is None:
        raise Refusal("message_not_found")
    after = replace(before, **_content(given), edited=True)
    state.posted[state.posted.index(before)] = after
    return {"channel": channel.id, "ts": after.ts, "text": after.text, "message": as_sent(after)}


def post_ephemeral(state: State, given: Arguments) -> dict[str, Any]:
    """chat.postEphemeral: for one person, who must be in the channel."""
    channel = state.channel(given.get("channel"))
    if given.get("user") not in channel.members:
        raise Refusal("user_not_in_channel")
    seed = Posted("", [], given["channel"], given.get("thread_ts"), only_to=given["user"])
    posted = _accepted(state, channel, given, seed)
    state.ephemeral.append(posted)
    return {"message_ts": posted.ts}


def post_by_webhook(state: State, given: Any) -> None:
    """An incoming webhook. Raises Refusal."""
    _must_have_room(state)
    problem = fault(given)
    if problem is not None:
        raise Refusal(problem)
    state.posted.append(Posted(**_content(given), ts=state.stamp()))


def answer_click(state: State, given: Any, clicked: Posted, person: str) -> None:
    """A post to a `response_url`: an answer to the person who clicked, unless it says otherwise. Raises Refusal."""
    if not isinstance(given, dict):
        raise Refusal("invalid_payload")
    if given.get("delete_original"):
        state.posted.remove(_present(state, clicked))
    elif given.get("replace_original"):
        before = _present(state, clicked)
        state.posted[state.posted.index(before)] = replace(before, **_content(given), edited=True)
    else:
        everyone = given.get("response_type") == "in_channel"
        seed = Posted(
            "", [], clicked.channel, given.get("thread_ts"), state.stamp(), False, None if everyone else person
        )
        (state.posted if everyone else state.ephemeral).append(replace(seed, **_content(given)))


def as_sent(posted: Posted) -> dict[str, Any]:
    """A message as Slack gives it back."""
    sent = {"type": "message", "user": BOT_USER, "bot_id": BOT, "app_id": APP, "team": TEAM, "ts": posted.ts}
    thread = {} if posted.thread is None else {"thread_ts": posted.thread}
    edited = {"edited": {"user": BOT_USER, "ts": posted.ts}} if posted.edited else {}
    return {**sent, "text": posted.text, "blocks": named_blocks(posted), **thread, **edited}


def named_blocks(posted: Posted) -> list[dict[str, Any]]:
    """The blocks with the names that Slack gives to those that have none."""
    return [{"block_id": f"b{number}", **_named(block)} for number, block in enumerate(posted.blocks)]


def _named(block: dict[str, Any]) -> dict[str, Any]:
    if block["type"] == "actions":
        elements = [{"action_id": f"a{number}", **element} for number, element in enumerate(block["elements"])]
        return {**block, "elements": elements}
    return {**block, "accessory": {"action_id": "a0", **block["accessory"]}} if "accessory" in block else block


def _present(state: State, clicked: Posted) -> Posted:
    channel = state.place_of(clicked)
    found = None if channel is None else state.message(channel, clicked.ts)
    if found is None:
        raise Refusal("message_not_found")
    return found


def _accepted(state: State, channel: Channel, given: Arguments, seed: Posted) -> Posted:
    if channel.archived:
        raise Refusal("is_archived")
    if BOT_USER not in channel.members:
        raise Refusal("not_in_channel")
    _must_be_a_thread(state, channel, seed.thread)
    _must_have_room(state)
    return replace(seed, **_content(given), ts=state.stamp())


def _must_be_a_thread(state: State, channel: Channel, thread: object) -> None:
    """A thread is one of the channel's own messages, and none that stands in a thread itself."""
    opened = None if thread is None else state.message(channel, thread)
    if thread is not None and (opened is None or opened.thread is not None):
        raise Refusal("thread_not_found")


def _must_have_room(state: State) -> None:
    if state.refuse_after is not None and len(state.posted) >= state.refuse_after:
        raise Refusal("action_prohibited")


def _content(given: Arguments) -> dict[str, Any]:
    problem = fault(given)
    if problem is not None:
        raise Refusal(problem)
    return {"text": given["text"], "blocks": given.get("blocks", [])}


def must_take_files(state: State, channel: object, thread: object) -> Channel:
    """Where files are put: unlike messages, they take a channel by its id alone. Raises Refusal."""
    if not isinstance(channel, str) or channel[:1] not in ("C", "D"):
        raise Refusal("invalid_arguments")
    found = state.channel(channel, by_name=False)
    if BOT_USER not in found.members:
        raise Refusal("not_in_channel")
    _must_be_a_thread(state, found, thread)
    return found
