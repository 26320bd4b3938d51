"""What is offered: from the database and the configuration as they are, without changing or waiting for anything."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from janitor.cli.completion import Kind
from janitor.config.glance import glance_at
from janitor.escaping import visible
from janitor.store.history.peek import Peek, peeking

_MOST = 100
_LOOKED_AT = 10 * _MOST  # some of which may be left out
_SPANS = ("7d", "30d", "90d", "180d", "1y")
# Nothing that a shell reads as anything but itself, or at which bash ends a word; and no option.
_HARMLESS = re.compile(r"\w[\w./+-]*")

Candidate = tuple[str, str]
"""A value, and a few words about it, which may be missing."""


def candidates(kind: Kind, config: Path | None, begun: str) -> list[Candidate]:
    """At most a hundred values that begin so, with a few words about each; none where anything fails.

    A value, or words, with a sign that a shell or a terminal could take for something else are left out.
    """
    found: dict[str, str] = {}
    # A person is typing: whatever is wrong, a command says it better.
    with suppress(Exception):
        for value, about in _looked_for(kind, config, begun):
            if value.startswith(begun) and _harmless(value):
                found.setdefault(value, about if _harmless(about.replace(" ", "")) else "")
    return list(islice(found.items(), _MOST))


def _looked_for(kind: Kind, config: Path | None, begun: str) -> Iterator[Candidate]:
    glance = glance_at(config)
    if kind is Kind.TARGETS:
        yield from _with_nothing(glance.targets)
    with peeking(glance.database) as database:
        if database is not None:
            yield from _found(kind, database, begun)


def _harmless(text: str) -> bool:
    return _HARMLESS.fullmatch(text) is not None and visible(text) == text


def _found(kind: Kind, database: Peek, begun: str) -> Iterable[Candidate]:
    match kind:
        case Kind.IMAGES:
            return database.images(begun, _LOOKED_AT)
        case Kind.NAMED_IMAGES:
            return (*database.images(begun, _LOOKED_AT), *_with_nothing(database.names(begun, _LOOKED_AT)))
        case Kind.EXEMPT_IMAGES:
            return _with_nothing(database.exempt(begun, _LOOKED_AT))
        case Kind.RUNS:
            return database.runs(begun, _LOOKED_AT)
        case Kind.BEGINNINGS:
            return _with_nothing((*_SPANS, *database.days(begun, _LOOKED_AT)))
        case Kind.SHOWN_RUNS:
            latest = [("latest", about) for _, about in database.runs("", 1)]
            return (*latest, *database.runs(begun, _LOOKED_AT))
        case Kind.POLICIES:
            return _with_nothing(database.policies())
        case Kind.TARGETS:
            return _with_nothing(database.targets())


def _with_nothing(values: Iterable[str]) -> Iterator[Candidate]:
    return ((value, "") for value in values)
