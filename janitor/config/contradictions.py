"""Contradictions between keys of a configuration that are each valid."""

from collections.abc import Iterator

from janitor.config.targets import targets_in
from janitor.documents import Document, Fault


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
