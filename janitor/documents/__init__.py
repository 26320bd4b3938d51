"""Reads a YAML file as plain values, and remembers the line of each, so that every problem can name its place.

Scalars are read as YAML 1.2 reads them: `no` and `2026-01-01` are text, `010` is ten, only `true` and `false` are
booleans. Merge keys (`<<`) and tags are not supported.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from janitor.documents.counting import excess
from janitor.documents.mistakes import TAKEN_FOR_COMMENT, described, is_comment
from janitor.errors import ConfigurationError, Problem
from janitor.files import LARGEST, UnusableFile, content_of, text_in

if TYPE_CHECKING:
    from janitor.documents.parts import Part

T = TypeVar("T")
Keys = tuple[str | int, ...]
"""The way from the top of a document to a value: `("targets", 0, "endpoint")`."""

_TAG = "tag:yaml.org,2002:"
_MOST_VALUES = 100_000
_TOO_MANY = f"holds more than {_MOST_VALUES} values"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
TWICE = "is given twice"
_VAULT = ("!vault", "!vault-encrypted")
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong at one key of a document; `line` only where it is not the line of that key."""

    keys: Keys
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its values, the line of every key and list item, and what was wrong but did not stop reading.

    `commented` are the values that are empty since what is written there is a comment, as in `channel: #team`. `parts`
    are values of other documents that stand in this one.
    """

    file: str
    data: object
    lines: Mapping[Keys, int]
    faults: tuple[Fault, ...] = ()
    commented: frozenset[Keys] = frozenset()
    parts: "tuple[Part, ...]" = ()

    def at(self, keys: Keys) -> object:
        """The value at these keys. Raises LookupError or TypeError where there is none."""
        value: Any = self.data
        for key in keys:
            value = value[key]
        return value

    def line(self, keys: Keys) -> int | None:
        """The line of a key, or of the nearest one around it that is in the file."""
        while keys not in self.lines and keys:
            keys = keys[:-1]
        return self.lines.get(keys)

    def problem(self, fault: Fault, policy: str | None = None, inside: Keys = ()) -> Problem:
        """A fault with its file and line; the key is written as seen from `inside`.

        A fault of a part is one of the document that the part is from.
        """
        for part in reversed(self.parts):
            if fault.keys[: len(part.keys)] == part.keys:
                there = replace(fault, keys=(*part.inside, *fault.keys[len(part.keys) :]))
                return part.document.problem(there, part.name, part.inside if part.name else ())
        line = fault.line or self.line(fault.keys)
        key = _one_line(dotted(fault.keys[len(inside) :])) or None
        message = fault.message
        if message.startswith("is empty") and fault.keys in self.commented:
            message = TAKEN_FOR_COMMENT
        return Problem(self.file, line, _one_line(message), key, policy and _one_line(policy))


def read_document(path: Path, largest: int = LARGEST) -> Document:
    """Read a file that holds one YAML document, in at most so many bytes.

    Raises ConfigurationError, with the one problem, for a file that cannot be read, and where `parse_document` does.
    """
    return parse_document(display(path), content_in(path, largest))


def content_in(path: Path, largest: int) -> bytes:
    """The bytes of a file, so many at most. Raises ConfigurationError, with the one problem."""
    try:
        return content_of(path, largest)
    except UnusableFile as error:
        raise ConfigurationError([Problem(display(path), None, str(error))]) from error


def parse_document(file: str, content: bytes) -> Document:
    """Read one YAML document; `file` is what its problems call it.

    Raises ConfigurationError, with the one problem, for what is not UTF-8, not YAML, empty, or more than one document.
    """
    return parsed(file, content, partial(_document, file))


def parsed(file: str, content: bytes, read: Callable[[str], T]) -> T:
    """What `read` makes of the text. Raises ConfigurationError, with the one problem, where it is none or not YAML."""
    text = ""
    try:
        text = text_in(content)
        return read(text)
    except UnusableFile as error:
        problem = Problem(file, error.line, str(error))
    except yaml.YAMLError as error:
        problem = Problem(file, *described(error, text))
    except RecursionError:
        problem = Problem(file, None, "is nested too deeply")
    except UnusableError as error:
        problem = Problem(file, error.line, str(error))
    raise ConfigurationError([problem])


def display(path: Path) -> str:
    """A path as people read it: relative where it lies below the current directory, else absolute."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100  resolve() would follow links
    try:
        here = Path.cwd()
    except FileNotFoundError:  # it was removed since
        return legible(str(absolute))
    below = absolute.is_relative_to(here) and absolute != here
    return legible(str(absolute.relative_to(here) if below else absolute))


def legible(name: str) -> str:
    """The name of a file as text: bytes that are not UTF-8 become U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")


def dotted(keys: Keys) -> str:
    """Keys as people write them: `targets[0].endpoint`."""
    words = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return words.removeprefix(".")


def _one_line(text: str) -> str:
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


class Loader(yaml.SafeLoader):
    """A loader that resolves scalars by YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's own way


def _resolve(tag: str, expression: str, first: str) -> None:
    Loader.add_implicit_resolver(_TAG + tag, re.compile(rf"(?:{expression})\Z"), [*first, ""])


_resolve("null", "~|null|Null|NULL|", "~nN")
_resolve("bool", "true|True|TRUE|false|False|FALSE", "tTfF")
_resolve("int", "[-+]?[0-9]+", "-+0123456789")
_resolve("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789")


class UnusableError(Exception):
    """The nodes do not make a document."""

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message)
        self.line = line


def _document(file: str, text: str) -> Document:
    line = excess(text, _MOST_VALUES)
    if line is not None:
        raise UnusableError(line, _TOO_MANY)
    loader = Loader(text)
    try:
        node = loader.get_single_node()
    finally:
        loader.dispose()
    if node is None or (node.tag == f"{_TAG}null" and not node.value):
        raise UnusableError(1, "is empty")
    builder = Builder(text)
    data = builder.value(node, ())
    return Document(file, data, builder.lines, tuple(builder.faults), frozenset(builder.commented))


class Builder:
    """Turns nodes into values, noting lines and faults on the way."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.lines: dict[Keys, int] = {}
        self.faults: list[Fault] = []
        self.commented: set[Keys] = set()
        self._around: set[int] = set()

    def value(self, node: yaml.Node, keys: Keys) -> object:
        """The value of a node; notes its line, unless its key already did."""
        line = self.lines.setdefault(keys, _line(node))
        if len(self.lines) > _MOST_VALUES:
            raise UnusableError(line, _TOO_MANY)
        if id(node) in self._around:
            raise UnusableError(line, "holds an alias (*) to a value that contains it")
        self._around.add(id(node))
        value = self._value(node, keys)
        self._around.discard(id(node))
        return value

    def _value(self, node: yaml.Node, keys: Keys) -> object:
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, keys)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.value(item, (*keys, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            if not node.value and is_comment(self._text, node.start_mark.index):
                self.commented.add(keys)
            return _scalar(node)
        raise UnusableError(_line(node), "holds a tag (!), which is not supported")

    def _mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or not isinstance(key := _scalar(key_node), str):
                self.faults.append(Fault(keys, _odd_key(node, key_node), _line(key_node)))
            elif key in mapping:
                first = f"{TWICE}, first in line {self.lines[*keys, key]}"
                self.faults.append(Fault((*keys, key), first, _line(key_node)))
            else:
                self.lines[*keys, key] = _line(key_node)
                mapping[key] = self.value(value_node, (*keys, key))
        return mapping


def _odd_key(around: yaml.MappingNode, key: yaml.Node) -> str:
    if isinstance(key, yaml.MappingNode) and around.flow_style:
        return "holds {{ … }}, a template that is not filled in here: write the value itself, in quotes"
    return "holds a key that is not text: write it in quotes"


def _scalar(node: yaml.ScalarNode) -> object:
    try:
        match node.tag.removeprefix(_TAG):
            case "str":
                return _text(node)
            case "null":
                return None
            case "bool":
                return node.value.lower() == "true"
            case "int":
                return int(node.value)
            case "float":
                return float(node.value)
    except ValueError:
        raise UnusableError(_line(node), "holds a number that cannot be read") from None
    if node.tag in _VAULT:
        raise UnusableError(_line(node), f"holds {node.tag}: what Ansible encrypted must be decrypted first")
    raise UnusableError(_line(node), "holds a tag (!): a text that begins with ! must be in quotes")


def _text(node: yaml.ScalarNode) -> str:
    """The text, with what JSON escapes as two halves of a character, `\\ud83d\\ude00`, joined to that character."""
    text = str(node.value)
    if not _HALF.search(text):
        return text
    try:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise UnusableError(
            _line(node), "holds half a character: a \\u escape of a surrogate without its pair"
        ) from None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
