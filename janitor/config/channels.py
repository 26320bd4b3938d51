"""Channels beside Slack, as they are configured. The caller says which kinds there are, each with its schema."""

import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from janitor.documents import Document, Fault, Keys
from janitor.documents.schema import Schema, check, nearest


class ChannelSetting(Protocol):
    """One channel as it is configured: a value that its own kind understands."""

    @property
    def files(self) -> Mapping[str, Path]:
        """The files that it writes, which nothing else may, by the keys that name them."""
        ...


class ChannelSchema(Schema):
    """The keys of one channel of a kind. One of them is the name of the kind.

    `secrets` are the keys that a file may give, by a key of the schema like `token_file`; no log shows their values.
    """

    secrets: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def setting(self, folder: Path) -> ChannelSetting:
        """The channel; paths are relative to the folder."""


ChannelSchemas = Mapping[str, type[ChannelSchema]]
"""By the names of the kinds."""


def secrets_of(schemas: ChannelSchemas) -> tuple[str, ...]:
    """The keys of secrets of all kinds."""
    return tuple(dict.fromkeys(secret for schema in schemas.values() for secret in schema.secrets))


def read_channels(
    document: Document, schemas: ChannelSchemas, folder: Path
) -> tuple[list[ChannelSetting], list[Fault]]:
    """The channels that are configured, and everything that is wrong with them."""
    settings: list[ChannelSetting] = []
    faults: list[Fault] = []
    for keys in _items(document):
        kind = _kind_of([str(inner[2]) for inner in document.lines if inner[:2] == keys and inner[2:]], schemas)
        if kind is None:
            faults.append(Fault(keys, f"is of no known kind: give it one of the keys {', '.join(schemas)}"))
            continue
        schema, wrong = check(schemas[kind], document, keys)
        faults += wrong
        if schema is not None:
            settings.append(schema.setting(folder))
    return settings, faults


def _items(document: Document) -> Iterator[Keys]:
    """The places of items that hold keys at all; what is wrong with the others is the schema's to say."""
    items = document.data.get("channels") if isinstance(document.data, dict) else None
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield "channels", index


def _kind_of(written: Sequence[str], schemas: ChannelSchemas) -> str | None:
    """The kind that a key names, or nearly names; of a channel without keys, the only one that there is."""
    named = (kind for kind in schemas if kind in written)
    near = (kind for key in written if (kind := nearest(key, schemas)))
    only = next(iter(schemas)) if len(schemas) == 1 and not written else None
    return next(named, None) or next(near, None) or only


def files_written_twice(settings: Iterable[ChannelSetting], others: Sequence[Path]) -> Iterator[Fault]:
    """The files of channels that are one file by two names, or one of `others`."""
    taken = {_identity(path): "is used for something else" for path in others}
    for index, setting in enumerate(settings):
        for key, path in setting.files.items():
            file = _identity(path)
            if file in taken:
                yield Fault(("channels", index, key), f'"{path.name}" {taken[file]}')
            taken.setdefault(file, f"is the file of channels[{index}] already")


def _identity(path: Path) -> object:
    """What two names of one file have in common, hard links too; what is not there yet, its path."""
    try:
        found = path.stat()
    except OSError:
        return os.path.realpath(path)
    return found.st_dev, found.st_ino
