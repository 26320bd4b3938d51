"""The channels that there are: each kind has a line here."""

import json
from collections.abc import Callable, Iterable, Sequence

from janitor.config import Settings
from janitor.core.policy import Policy
from janitor.notify.channel import Channel
from janitor.notify.file.channel import FileChannel
from janitor.notify.slack import reports as slack
from janitor.shutdown import Stop
from janitor.store import KeptReport

Policies = Sequence[Policy] | None

KINDS: dict[str, Callable[[Settings, Policies, Stop], Iterable[Channel]]] = {
    slack.KIND: slack.configured,
    FileChannel.kind: FileChannel.configured,
}
KEYS = {
    slack.KIND: "slack",
    FileChannel.kind: "channels",
}
"""By which key of janitor.yaml each kind is configured."""


def configured(settings: Settings, policies: Policies = None, stop: Stop | None = None) -> list[Channel]:
    """The channels of this configuration. `policies` is None where they cannot be read."""
    return [channel for of_kind in KINDS.values() for channel in of_kind(settings, policies, stop or Stop())]


def kind_of(kept: KeptReport) -> str:
    """The kind of channel that a kept report is for: an object says it, and a list is Slack's messages."""
    words = json.loads(kept.messages_json)
    return words["kind"] if isinstance(words, dict) else slack.KIND


def channel_for(kept: KeptReport, channels: Iterable[Channel]) -> Channel | None:
    """The channel that a kept report goes to now: the one that it was for, or else the first of its kind."""
    same = [channel for channel in channels if channel.kind == kind_of(kept)]
    return next((channel for channel in same if channel.name == kept.channel), same[0] if same else None)
