"""Secrets in clouds.yaml that YAML reads as something other than the text as written."""

import re
from collections.abc import Iterator

import yaml

SECRETS = ("password", "secret", "token", "passcode")
"""The endings of keys that hold secrets."""

_TEXT, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"
_SAME_AS_NUMBER = re.compile("0|[1-9][0-9]*")
_HALF = re.compile("[\ud800-\udfff]")


def altered(text: str, cloud: str) -> Iterator[tuple[int, str, str]]:
    """The line and key of each secret of a cloud that would not be sent as it is written, with what is wrong with it.

    `text` is YAML as PyYAML reads it, by YAML 1.1: there `0123` is 83, `yes` is true, and `2026-11-01` a date.
    """
    seen: set[int] = set()
    open_ = _named(cloud, _named("clouds", [yaml.compose(text, Loader=yaml.SafeLoader)]))
    while open_:
        node = open_.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            open_ += node.value
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                open_.append(value)
                if isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode) and _secret(key.value):
                    yield from ((value.start_mark.line + 1, key.value, wrong) for wrong in _wrong(value))


def _named(name: str, nodes: list[yaml.Node | None]) -> list[yaml.Node | None]:
    """The values of this key in these mappings."""
    pairs = (pair for node in nodes if isinstance(node, yaml.MappingNode) for pair in node.value)
    return [value for key, value in pairs if key.value == name]


def _secret(key: str) -> bool:
    return key.replace("-", "_").endswith(SECRETS)


def _wrong(value: yaml.ScalarNode) -> Iterator[str]:
    if value.tag == _TEXT and _HALF.search(value.value):
        yield "holds half a character: a \\u escape of a surrogate without its pair"
    elif value.tag not in (_TEXT, _NULL) and not _SAME_AS_NUMBER.fullmatch(value.value):
        yield "YAML does not read it as the text you wrote: write it in quotes"
