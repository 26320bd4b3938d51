"""The channels that there are: each kind has a row here."""

import json
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass

from janitor.config import Settings
from janitor.config.channels import ChannelSchema, ChannelSchemas
from janitor.core.policy import Policy
from janitor.notify.channel import Channel, Sending
from janitor.notify.file.channel import FileChannel, FileSchema
from janitor.notify.slack import reports as slack
from janitor.store import KeptReport

Policies = Sequence[Policy] | None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of channel: the key of janitor.yaml that configures it, and the channels that are configured by that.

    `schema` is what an item of `channels` holds, for a kind that is configured there.
    """

    key: str
    configured: Callable[[Settings, Policies, Sending], Iterable[Channel]]
    schema: type[ChannelSchema] | None = None


KINDS = {
    slack.KIND: Kind("slack", slack.configured),
    FileChannel.kind: Kind("channels", FileChannel.configured, FileSchema),
}
SCHEMAS: ChannelSchemas = {name: kind.schema for name, kind in KINDS.items() if kind.schema is not None}


def configured(settings: Settings, policies: Policies = None, sending: Sending | None = None) -> list[Channel]:
    """The channels of this configuration. `policies` is None where they cannot be read."""
    sending = sending or Sending()
    return [channel for kind in KINDS.values() for channel in kind.configured(settings, policies, sending)]


def kind_of(kept: KeptReport) -> str:
    """The kind of channel that a kept report is for: an object names it, and a list holds messages of Slack's."""
    words = json.loads(kept.messages_json)
    return words["kind"] if isinstance(words, dict) else slack.KIND


def of_its_kind(kept: KeptReport, channels: Iterable[Channel]) -> list[Channel]:
    """The channels of the kind that a kept report is for."""
    kind = kind_of(kept)
    return [channel for channel in channels if channel.kind == kind]


def channel_for(kept: KeptReport, channels: Iterable[Channel], holding: Container[str]) -> Channel | None:
    """The channel that a kept report goes to now: the one that it was for, or else the first of its kind.

    Channels that nobody needs to read are all sent every run: such a report goes to none of those `holding` it or a
    report of their own of the same run.
    """
    same = of_its_kind(kept, channels)
    own = next((channel for channel in same if channel.name == kept.channel), None)
    return own or next((channel for channel in same if channel.announces or channel.name not in holding), None)
