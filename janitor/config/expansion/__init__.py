"""Expands the environment and secret files in a configuration: `${NAME}`, `${NAME:-default}`, `password_file`.

A default may be another reference, as in `${NAME:-${OTHER:-}}`.

This happens after the YAML was read, in text values only, so expanded text is never read as YAML, nor expanded twice.

Offline, for commands that only read what is recorded, a missing secret or address gets a stand-in.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from janitor.config.expansion.offline import (
    FLEET_SECRETS,
    OWN_SECRETS,
    REFERENCE_SECRETS,
    SLACK_SECRETS,
    TARGET_SECRETS,
    is_unneeded,
    slack_to_assume,
    stand_in,
)
from janitor.core.names.spelling import SURROGATE
from janitor.documents import Document, Fault, Keys, display
from janitor.errors import Problem
from janitor.files import UnusableFile, content_of, text_in
from janitor.redaction import credentials_in, secrets_of_webhook

_REFERENCE = re.compile(
    r"(?P<literal>\$\$\{)|\$\{(?P<name>[A-Za-z_]\w*)(?P<default>:-(?:\$\{[^{}]*\}|[^}])*)?\}|(?P<broken>\$\{)", re.ASCII
)
_WEBHOOKS = ("webhook_url", "heartbeat_url")
_UNSET = re.compile(r"environment variable (\w+) is (?:empty|not set)")
_LARGEST_SECRET = 64 * 2**10

_Holder = tuple[Keys, dict[str, object], Sequence[str]]
"""A mapping in which secrets stand: its place, itself, and the keys of these secrets."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """A configuration without references. Keys that came out empty are left out; `empty` says why.

    `files` are the secret files from which values came, by key. `secrets` are of values that are there, no stand-ins;
    `unneeded` says of which keys a value may be missing.
    """

    document: Document
    folder: Path
    empty: Mapping[Keys, str]
    files: Mapping[Keys, str]
    secrets: frozenset[str]
    stand_ins: frozenset[str]
    unneeded: Callable[[Keys], bool]

    def filled(self, faulty: Iterable[Keys]) -> "Expanded | None":
        """The same with stand-ins for what is missing, and needed by nobody, at these keys; None if that is nothing."""
        keys = [one for one in dict.fromkeys(faulty) if one in self.empty and self.unneeded(one)]
        values = {one: value for one in keys if _UNSET.search(self.empty[one]) and (value := stand_in(one))}
        if not values:
            return None
        data: Any = deepcopy(self.document.data)
        document = replace(self.document, data=data)
        for (*way, last), value in values.items():
            around: Any = document.at(tuple(way))
            around[last] = value
        empty = {one: why for one, why in self.empty.items() if one not in values}
        return replace(self, document=document, empty=empty, stand_ins=self.stand_ins.union(values.values()))

    @property
    def with_empty(self) -> Document:
        """The document with the keys that came out empty, as None."""
        whole = replace(self.document, data=deepcopy(self.document.data))
        for keys in self.empty:
            around: Any = whole.at(keys[:-1])
            if isinstance(around, dict):
                around[keys[-1]] = None
        return whole


def expand(
    document: Document,
    environ: Mapping[str, str],
    folder: Path,
    channel_secrets: Sequence[str] = (),
    *,
    offline: bool = False,
) -> Expanded:
    """The document with every reference replaced, and the secret files read; they are relative to `folder`.

    `channel_secrets` are the keys of secrets in `channels`. `offline`: missing secrets and addresses get stand-ins.

    What goes wrong becomes a fault of the document, and its key is left out.
    """
    unneeded = partial(is_unneeded, channel_secrets=frozenset(channel_secrets)) if offline else _needed
    expander = _Expander(environ, unneeded)
    data = expander.value(document.data, ())
    holders = list(_holders(data, channel_secrets))
    for keys, holder, names in holders:
        for name in names:
            expander.read_secret(holder, keys, name, folder)
    if offline and isinstance(data, dict) and isinstance(data.get("slack"), dict):
        expander.assume_slack(data["slack"])
    return Expanded(
        document=replace(document, data=data, faults=(*document.faults, *expander.faults)),
        folder=folder,
        empty=expander.empty,
        files=expander.files,
        secrets=frozenset([*_secrets_in(holders), *_credentials_in(data)]) - expander.stand_ins,
        stand_ins=frozenset(expander.stand_ins),
        unneeded=unneeded,
    )


def _needed(_keys: Keys) -> bool:
    return False


def unset_variables(problems: Iterable[Problem]) -> list[str]:
    """The environment variables that these problems say are not set or empty, each once."""
    return list(dict.fromkeys(name for problem in problems for name in _UNSET.findall(problem.message)))


def _holders(data: object, channel_secrets: Sequence[str]) -> Iterator[_Holder]:
    """The mappings in which secrets stand."""
    if not isinstance(data, dict):
        return
    yield (), data, OWN_SECRETS
    lists = (("targets", TARGET_SECRETS), ("references", REFERENCE_SECRETS), ("channels", channel_secrets))
    for key, names in lists:
        items = data.get(key)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict):
                yield (key, index), item, names
    for key, names in (("slack", SLACK_SECRETS), ("fleet", FLEET_SECRETS)):
        if isinstance(data.get(key), dict):
            yield (key,), data[key], names


def _secrets_in(holders: Iterable[_Holder]) -> Iterator[str]:
    """What no output may show. A username may come from a file, but is not a secret."""
    for _, holder, names in holders:
        for name in names:
            value = holder.get(name)
            if isinstance(value, str) and value and name != "username":
                yield from secrets_of_webhook(value) if name in _WEBHOOKS else (value,)


def _credentials_in(value: object) -> Iterator[str]:
    """The user information of every URL, as of a proxy."""
    match value:
        case dict() | list():
            for inner in value.values() if isinstance(value, dict) else value:
                yield from _credentials_in(inner)
        case str() if "://" in value:
            yield from credentials_in(value)


class _Expander:
    """Replaces references, and collects what was wrong or empty."""

    def __init__(self, environ: Mapping[str, str], unneeded: Callable[[Keys], bool]) -> None:
        self.faults: list[Fault] = []
        self.empty: dict[Keys, str] = {}
        self.files: dict[Keys, str] = {}
        self.stand_ins: set[str] = set()
        self._environ = environ
        self._unneeded = unneeded

    def value(self, value: object, keys: Keys) -> object:
        """The value with its references replaced; None for one that is empty or wrong."""
        match value:
            case dict():
                values = {key: self.value(inner, (*keys, key)) for key, inner in value.items()}
                return {key: inner for key, inner in values.items() if inner is not None}
            case list():
                return [self.value(inner, (*keys, index)) for index, inner in enumerate(value)]
            case str() | None:
                return self._text(value or "", keys)
            case _:
                return value

    def _text(self, text: str, keys: Keys) -> str | None:
        lacks = self._unneeded(keys) and self._lacks_a_value(text)
        wrong = list(self._wrong_in(text, lacks=lacks))
        self.faults += [Fault(keys, sentence) for sentence in wrong]
        if wrong:
            return None
        expanded = self._replaced(text) if not lacks else self._supplied(keys)
        if not expanded:
            self.empty[keys] = "; ".join(map(self._missing, _names_in(text))) or "is empty"
        return expanded or None

    def _wrong_in(self, text: str, *, lacks: bool = False) -> Iterator[str]:
        """What is wrong with a text; where it `lacks` a value that nobody needs, that is not."""
        if "\0" in text:
            yield "holds a null character, which no path, address or name has"
        for reference in _REFERENCE.finditer(text):
            if reference["broken"]:
                yield "holds a ${ that is neither ${NAME} nor ${NAME:-default}; a literal ${ is written $${"
            elif reference["name"] and SURROGATE.search(self._environ.get(reference["name"], "")):
                yield f"environment variable {reference['name']} is not UTF-8 text"
            elif reference["name"] and reference["default"] is None and reference["name"] not in self._environ:
                if not lacks:
                    yield self._missing(reference["name"])
            elif reference["name"] and not self._environ.get(reference["name"]):
                yield from self._wrong_in(_default(reference), lacks=lacks)

    def _lacks_a_value(self, text: str) -> bool:
        """Whether a variable without a default, which the text needs, is not set or empty."""
        lacking = (each for each in _REFERENCE.finditer(text) if each["name"] and not self._environ.get(each["name"]))
        return any(each["default"] is None or self._lacks_a_value(_default(each)) for each in lacking)

    def _replaced(self, text: str) -> str:
        return _REFERENCE.sub(self._replacement, text)

    def _replacement(self, reference: re.Match[str]) -> str:
        if reference["literal"]:
            return "${"
        return self._environ.get(reference["name"]) or self._replaced(_default(reference))

    def _supplied(self, keys: Keys) -> str | None:
        """A stand-in for the value at these keys."""
        value = stand_in(keys)
        self.stand_ins.update([value] if value else ())
        return value

    def assume_slack(self, slack: dict[str, object]) -> None:
        """Give Slack a stand-in for its secret, if that may be empty, and is: it may be there where runs begin."""
        lacking = frozenset(keys for keys, why in self.empty.items() if _UNSET.search(why))
        if name := slack_to_assume(slack, lacking):
            slack[name] = self._supplied(("slack", name))

    def _missing(self, name: str) -> str:
        return f"environment variable {name} is {'empty' if name in self._environ else 'not set'}"

    def read_secret(self, holder: dict[str, object], keys: Keys, name: str, folder: Path) -> None:
        """Put the text of the file that `<name>_file` names, without the line breaks at its end, under `name`."""
        file = holder.get(f"{name}_file")
        if not isinstance(file, str):
            return
        try:
            if name in holder:
                raise ValueError(f"give either {name} or {name}_file, not both")
            holder[name] = _secret_in(folder / file)
            self.files[*keys, name] = display(folder / file)
            self.empty.pop((*keys, name), None)  # it came from the file
        except _NotThere as error:
            if not self._unneeded((*keys, name)):
                self.faults.append(Fault((*keys, f"{name}_file"), str(error)))
            elif value := self._supplied((*keys, name)):
                holder[name] = value
        except ValueError as error:
            self.faults.append(Fault((*keys, f"{name}_file"), str(error)))


def _default(reference: re.Match[str]) -> str:
    return (reference["default"] or "").removeprefix(":-")


def _names_in(text: str) -> Iterator[str]:
    """The variables that a text refers to, including those in defaults."""
    for reference in _REFERENCE.finditer(text):
        if reference["name"]:
            yield reference["name"]
            yield from _names_in(_default(reference))


class _NotThere(ValueError):
    """A secret file does not exist, or not for this user."""


def _secret_in(path: Path) -> str:
    """The text of a secret file. Raises ValueError, with a message fit for people and without the text."""
    try:
        secret = text_in(content_of(path, _LARGEST_SECRET)).rstrip("\r\n")
    except UnusableFile as error:
        there = not isinstance(error.__cause__, FileNotFoundError | NotADirectoryError | PermissionError)
        raise (ValueError if there else _NotThere)(f"{display(path)} {error}") from None
    if not secret.strip():
        raise ValueError(f"{display(path)} is empty")
    return secret
