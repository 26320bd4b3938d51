"""The stacks of one orchestration service: every word of their parameters and templates that names an image.

Source: the reference of Heat's API. A stack that has not changed since it was read is not read again: what it said is
remembered as digests, since its words are its owner's, secrets among them.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from janitor.cloud.common.at_once import at_once
from janitor.cloud.common.records import Entry, Users
from janitor.cloud.openstack.usage.services import ServiceLists, text_of
from janitor.core.names.image_ids import ImageId, folded, ids_in, words_in
from janitor.core.names.image_names import ImageNames
from janitor.core.names.spelling import normal
from janitor.core.usage import StackContent, User, UserKind
from janitor.errors import Unavailable
from janitor.transport.json_body import Unreadable, parse

_MOST_STACKS = 5_000
_MOST_WORDS = 100_000
_LONGEST_NAME = 10_000
_LONGEST_URL = 2_000
_READING = "urls"
"""Part of what is remembered of a stack: where words are read another way than before, each stack is read again."""
_DELETED = "DELETE_COMPLETE"
_CHANGING = "_IN_PROGRESS"
_LIST, _SHOW, _TEMPLATE = "GET /stacks", "GET /stacks/{name}/{id}", "GET /stacks/{name}/{id}/template"


@dataclass(slots=True)
class Stacks:
    """Reads one orchestration service. `known` is what its stacks said when last read, by their ids.

    `contents` is what they say now.
    """

    lists: ServiceLists
    names: ImageNames
    known: Mapping[str, StackContent]
    contents: dict[str, StackContent] = field(default_factory=dict)

    def used(self) -> Users:
        """Which images stacks name. Raises CloudError when any of it is in doubt."""
        every = self.lists.entries("/stacks", "stacks", parameters={"show_nested": "true"})
        stacks = [stack for stack in every if stack.get("stack_status") != _DELETED]
        if len(stacks) > _MOST_STACKS:
            raise Unavailable(f"{_LIST}: {len(stacks)} stacks, but at most {_MOST_STACKS} are read")
        contents = at_once(self._content, stacks)
        found: defaultdict[str, set[ImageId]] = defaultdict(set)
        for word, ids in self.names.words():
            found[digest(word)] |= ids  # a word may be the id of one image and the name of another
        users: defaultdict[ImageId, list[User]] = defaultdict(list)
        for stack, content in zip(stacks, contents, strict=True):
            for image, place in _named(content, found) if content is not None else ():
                users[image].append(User(_id(stack), f"{_name(stack)}, {place}", UserKind.STACK))
        for image in self.names.unreadable if stacks else ():
            users[image].append(User(_id(stacks[0]), f"{_name(stacks[0])}, possibly", UserKind.STACK))
        return dict(users)

    def _content(self, stack: Entry) -> StackContent | None:
        """What a stack says, read again only where it may have changed; None if it has gone meanwhile."""
        version, identity = _version(stack), _id(stack)
        known = self.known.get(identity)
        content = known if known is not None and version and known.version == version else self._read(stack, version)
        if content is not None and version:
            self.contents[identity] = content
        return content

    def _read(self, stack: Entry, version: str) -> StackContent | None:
        path = ("stacks", _name(stack), _id(stack))
        shown = self.lists.document(_SHOW, *path)
        template = self.lists.document(_TEMPLATE, *path, "template") if shown is not None else None
        if shown is None or (template is None and self.lists.document(_SHOW, *path) is None):
            return None
        if template is None:
            raise Unavailable(f"{_TEMPLATE}: stack {_name(stack)} has no template that can be read")
        told = shown["stack"] if isinstance(shown.get("stack"), dict) else {}
        if told.get("id", _id(stack)) != _id(stack):
            raise Unavailable(f"{_SHOW}: the answer is for another stack, not {_name(stack)}")
        parameters = told.get("parameters")
        if not isinstance(parameters, dict):
            raise Unavailable(f"{_SHOW}: the parameters of stack {_name(stack)} cannot be read")
        words: dict[str, str] = {}
        for place, word in (*_in_parameters(parameters), *(("template", word) for word in _words(template))):
            words.setdefault(digest(word), place)
            if len(words) > _MOST_WORDS:
                raise Unavailable(f"{_SHOW}: stack {_name(stack)} has more than {_MOST_WORDS} words")
        return StackContent(version, words)


def _named(content: StackContent, found: Mapping[str, Set[ImageId]]) -> Iterator[tuple[ImageId, str]]:
    """The images that a stack names, each with the place of its first mention."""
    places: dict[ImageId, str] = {}
    for word, place in content.words.items():
        for image in found.get(word, ()):
            places.setdefault(image, place)
    yield from places.items()


def _in_parameters(parameters: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in parameters.items():
        for word in _words(value):
            yield f"parameter {name}", word


def _words(value: object) -> Iterator[str]:
    """Every scalar that may name an image, and every id in a scalar; also within JSON and lists in a text."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, Unreadable):
            waiting += one.said
        elif isinstance(one, str):
            waiting += _within(one)
            yield from _words_of(one)
        elif isinstance(one, int | float) and not isinstance(one, bool):
            yield str(one)


def _within(text: str) -> Iterable[object]:
    """The list or document that a text holds, if any."""
    inner = text.strip()
    if inner[:1] in ("{", "[", '"'):
        try:
            return [] if (read := parse(inner)) == text else [read]
        except (ValueError, RecursionError):
            pass
    if "," in inner and len(inner) <= _MOST_WORDS:
        return [part for part in inner.strip("[]").split(",") if "," not in part]
    return ()


def _words_of(text: str) -> Iterator[str]:
    if len(text) <= _LONGEST_NAME:
        # A script has delimiters without end, and is no URL.
        for word in words_in(text) if len(text) <= _LONGEST_URL and "\n" not in text.strip() else (text,):
            yield normal(word)
            yield normal(word.strip(" \t\"'"))
            yield folded(word)
    yield from ids_in(text)


def _version(stack: Entry) -> str:
    """A value that changes whenever a stack does; empty for one that is changing now, or has no such value."""
    status, created, updated = (text_of(stack, key) for key in ("stack_status", "creation_time", "updated_time"))
    if not (created or updated) or not status or status.endswith(_CHANGING):
        return ""
    return f"{_READING} {created} {updated} {status}"


def digest(word: str) -> str:
    """The digest by which a word of a stack is remembered."""
    return hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _id(stack: Entry) -> str:
    return str(stack["id"])


def _name(stack: Entry) -> str:
    return text_of(stack, "stack_name") or _id(stack)
