"""A long list in a YAML file, read one item at a time: in a tenth of the time, and of the memory.

The items are read as `read_document` reads values, each as a document of its own with its lines in the file.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer

from janitor.documents import Builder, Document, Loader, UnusableError, content_in, display, parsed

LARGEST = 64 * 2**20
MOST_VALUES = 2_000_000
_SOON_READ = 2**20
"""So many characters are read by the parser in Python in seconds."""

_ANOTHER = "holds more than one document (---): only one is read"


_Fast: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else Loader


class _Items(Composer, _Fast):  # type: ignore[misc]
    """Composes one node at a time of what the parser in C finds; scalars are resolved as by the other."""

    yaml_implicit_resolvers = Loader.yaml_implicit_resolvers

    def __init__(self, text: str) -> None:
        _Fast.__init__(self, text)
        Composer.__init__(self)


def read_items(path: Path, largest: int = LARGEST, most: int = MOST_VALUES) -> list[Document]:
    """The items of the list that a file holds, in at most so many bytes and values.

    Raises ConfigurationError, with the one problem, for a file that cannot be read, is not YAML, or holds no list.
    """
    file = display(path)
    return parsed(file, content_in(path, largest), lambda text: _read(file, text, most))


def _read(file: str, text: str, most: int) -> list[Document]:
    try:
        return list(_items(file, text, most, _Items(text)))
    except yaml.YAMLError:
        if len(text) > _SOON_READ:
            raise
    # The other parser reads what this one does not, such as halves of a character, and says more of what is wrong.
    return list(_items(file, text, most, Loader(text)))


def _items(file: str, text: str, most: int, loader: Any) -> Iterator[Document]:
    count = 0
    try:
        _begin(loader)
        while not loader.check_event(yaml.SequenceEndEvent):
            builder = Builder(text)
            data = builder.value(loader.compose_node(None, None), ())
            count += len(builder.lines)
            if count > most:
                raise UnusableError(builder.lines[()], f"holds more than {most} values")
            yield Document(file, data, builder.lines, tuple(builder.faults), frozenset(builder.commented))
        _end(loader)
    finally:
        loader.dispose()


def _begin(loader: Any) -> None:
    """Pass over what precedes the first item. Raises UnusableError where the file holds no list."""
    while not isinstance(event := loader.get_event(), yaml.SequenceStartEvent):
        if isinstance(event, yaml.StreamEndEvent) or _is_nothing(event):
            raise UnusableError(1, "is empty")
        if isinstance(event, yaml.NodeEvent):
            line = event.start_mark.line + 1 if event.start_mark else None
            raise UnusableError(line, "must hold a list, each item of which begins with a dash")


def _is_nothing(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and not event.value and not event.style


def _end(loader: Any) -> None:
    """Pass over the end of the list. Raises UnusableError where another document follows."""
    for _of_the_list_and_the_document in range(2):
        loader.get_event()
    if not loader.check_event(yaml.StreamEndEvent):
        raise UnusableError(loader.get_event().start_mark.line + 1, _ANOTHER)
