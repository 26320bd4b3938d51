"""The accounts of a fleet as they are listed: which there are, and the configuration of one before it is read."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from janitor.config.expansion import expand
from janitor.documents import Document, Fault
from janitor.documents.parts import Part
from janitor.documents.schema import label
from janitor.errors import ConfigurationError, Problem

_TARGET = ("targets", 0)
_CHANNEL = "channel"
_MOST_TOLD = 100
_REFERENCE = re.compile(r"\$\{")
_REFERS = "holds ${: every host must have the same names, so write it out"
_NO_NAME = "is missing: give every account its own name"
_NEEDS_A_BOT = "needs `slack` with a bot token, as a webhook posts to one channel only"


class Entry(Protocol):
    """One account as it is listed."""

    @property
    def name(self) -> object:
        """What stands under `name`."""
        ...

    @property
    def document(self) -> Document:
        """Its keys with their lines: those of a target, and `channel`."""
        ...


def by_name(entries: Iterable[Entry]) -> dict[str, Entry]:
    """The accounts by their names, in their order.

    Raises ConfigurationError for what is not the name of a target, and for names that are given twice, also in capitals
    and small letters, as some file systems take them for one.
    """
    found: dict[str, Entry] = {}
    first: dict[str, Entry] = {}
    problems: list[Problem] = []
    for entry in entries:
        name = entry.name
        if not isinstance(name, str):
            problems.append(_problem(entry, _NO_NAME if name is None else "is no text: write it in quotes"))
        elif flaw := _flaw_of(name):
            problems.append(_problem(entry, flaw))
        elif (other := first.setdefault(_folded(name), entry)) is not entry:
            problems.append(_problem(entry, f"is already the name of the account at {_place(other)}"))
        else:
            found[name] = entry
    if problems:
        raise ConfigurationError(some_of(problems))
    return found


def _flaw_of(name: str) -> str | None:
    """What is wrong with the name of an account, if anything is."""
    if not name.strip():
        return "is empty: give every account its own name"
    if _REFERENCE.search(name):
        return _REFERS
    try:
        label(name)
    except ValueError as error:
        return str(error)
    return None


def _folded(name: str) -> str:
    return name if name.isascii() and name.islower() else unicodedata.normalize("NFC", name.casefold())


def _problem(entry: Entry, message: str) -> Problem:
    return entry.document.problem(Fault(("name",), message))


def _place(entry: Entry) -> str:
    document = entry.document
    return f"{document.file}:{document.line(('name',))}"


def some_of(problems: list[Problem]) -> list[Problem]:
    """The problems; of very many the first, and how many more there are."""
    more = len(problems) - _MOST_TOLD
    if more <= 0:
        return problems
    return [*problems[:_MOST_TOLD], Problem(problems[-1].file, None, f"has {more:,} more such problems")]


def put_into(document: Document, entry: Entry, database: str, environ: Mapping[str, str]) -> Document:
    """The document of a fleet as that of one account: with its only target, its database, and its channel of Slack."""
    own, name = entry.document, str(entry.name)
    whole = document.data if isinstance(document.data, dict) else {}
    keys = dict(own.data) if isinstance(own.data, dict) else {}
    channel = keys.pop(_CHANNEL, None)
    alone = replace(document, data={**whole, "targets": [None], "database": database.replace("${", "$${")})
    made = Part(_TARGET, replace(own, data=keys), name=name).put_into(alone)
    if _comes_out_empty(channel, environ):
        return made
    slack = whole.get("slack")
    if isinstance(slack, dict) and {"token", "token_file"} & slack.keys():
        return Part(("slack", _CHANNEL), own, (_CHANNEL,), name).put_into(made)
    return replace(made, faults=(*made.faults, Fault((*_TARGET, _CHANNEL), _NEEDS_A_BOT)))


def _comes_out_empty(value: object, environ: Mapping[str, str]) -> bool:
    """Whether a value counts as left out, also once its references are replaced."""
    alone = expand(Document("", {_CHANNEL: value}, {}), environ, Path()).document
    return alone.data == {} and not alone.faults
