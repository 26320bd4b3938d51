"""What is wrong in a configuration although each value is valid: contradictions, and keys that nothing knows."""

from collections.abc import Iterator
from pathlib import Path

from janitor.cloud.apis import APIS
from janitor.config.channels import ChannelSchemas, read_channels
from janitor.config.expansion import Expanded
from janitor.config.owners import read_owners
from janitor.config.schema import SettingsSchema
from janitor.config.targets import targets_in
from janitor.documents import Document, Fault, Keys
from janitor.documents.schema import UNKNOWN, check


def contradictions(document: Document) -> Iterator[Fault]:
    """Contradictions between keys that are each valid, found even where others are wrong."""
    if not isinstance(document.data, dict):
        return
    first: dict[str, int] = {}
    for keys, target in targets_in(document):
        name = target.get("name")
        if isinstance(name, str) and first.setdefault(name, keys[1]) != keys[1]:
            yield Fault((*keys, "name"), f'"{name}" is already the name of targets[{first[name]}]')
    slack = document.data.get("slack")
    if isinstance(slack, dict) and "app_token" in slack and "token" not in slack:
        yield Fault(("slack", "app_token"), "needs `token` too, a bot token: clicks are answered as the bot")
    if isinstance(slack, dict) and {"webhook_url", "token"} <= slack.keys():
        yield Fault(("slack",), "has both a webhook_url and a token: give either one or the other")
    elif isinstance(slack, dict) and "token" in slack and "channel" not in slack:
        yield Fault(("slack", "channel"), 'is missing: a token needs a channel, in quotes like "#cloud-images"')


def unknown_although_empty(expanded: Expanded, channels: ChannelSchemas, form: type[SettingsSchema]) -> Iterator[Fault]:
    """Keys without a value that nothing knows: a known key may be left empty, also one of a target of another API."""
    if not expanded.empty:
        return
    whole = expanded.with_empty
    _, wrong = check(form, whole)
    _, in_channels = read_channels(whole, channels, Path())
    _, in_owners = read_owners(whole)
    known = set(_known_to_some_api(whole))
    for fault in (*wrong, *in_channels, *in_owners):
        if fault.keys in expanded.empty and fault.keys not in known and fault.message.startswith(UNKNOWN):
            yield fault


def _known_to_some_api(document: Document) -> Iterator[Keys]:
    """The keys of targets that are unknown to their own API, but not to every one."""
    for place, _ in targets_in(document):
        faults = (check(api.schema, document, place)[1] for api in APIS.values())
        unknown = [{fault.keys for fault in some if fault.message.startswith(UNKNOWN)} for some in faults]
        yield from {keys for some in unknown for keys in some if not all(keys in others for others in unknown)}
