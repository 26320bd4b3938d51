"""The files that define clouds (clouds.yaml, secure.yaml, clouds-public.yaml): what is wrong with them, and where.

openstacksdk decides which files there are and what they mean; it never says where in them something is wrong.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from janitor.cloud.openstack.clouds.secrets import altered
from janitor.documents import TWICE, Document, Fault, Keys, display, dotted, parse_document
from janitor.documents.schema import kind_of, nearest
from janitor.errors import ConfigurationError, UsageError
from janitor.files import UnusableFile, content_of, text_in

_CLOUDS = ("clouds", "public-clouds")
_MAPPINGS = (*_CLOUDS, "client", "cache", "metrics")
_SINGLE = ("profile", "cloud", "auth_type", "region_name", "cacert", "cert", "key")
_MOST_VALUES = 100_000
INTERFACES = ("public", "internal", "admin")
_LISTS = {"regions": "[KR1, KR2]", "networks": "[{name: private}]"}
_WRITE_KEYS = "write keys and values, like key: value"
_WRITE_AUTH = "write auth_url, username, password and the like below it"
_TEMPLATE = re.compile(r"\s*\{[{%].*[}%]\}\s*", re.DOTALL)


class CloudFiles:
    """Reads these files one by one, and remembers the line of every value."""

    def __init__(self) -> None:
        self._documents: list[Document] = []
        self._texts: list[tuple[str, str]] = []
        self.unreadable: list[str] = []
        """Those that were passed over, each with the reason."""

    def read(self, path: str) -> object:
        """What a file holds, as openstacksdk reads it. Raises UsageError, with file and line, where it is not usable.

        None for an empty one. Raises OSError where it may not be read or is not a file; the next one is then used
        instead.
        """
        content = self._content(Path(path))
        file = display(Path(path))
        try:
            text = text_in(content)
            data = json.loads(text) if path.endswith("json") else yaml.safe_load(text)
        except UnusableFile as error:
            raise UsageError(f"{file}:{error.line}: {error}") from error
        except (ValueError, yaml.YAMLError, RecursionError) as error:
            raise UsageError(_unreadable(file, content, error)) from error
        if _holds_more_than(_MOST_VALUES, data):
            raise UsageError(
                f"{file}: holds more than {_MOST_VALUES} values, or an alias (*) to a value that contains it"
            )
        if data is not None:
            self._note(file, content)
        if not path.endswith("json"):
            self._texts.append((file, text))
        return data

    def _content(self, path: Path) -> bytes:
        try:
            return content_of(path)
        except UnusableFile as error:
            told = f"{display(path)} {error}"
            if not isinstance(error.__cause__, OSError):
                raise UsageError(told) from error
            self.unreadable.append(told)
            raise error.__cause__ from None

    def _note(self, file: str, content: bytes) -> None:
        try:
            document = parse_document(file, content)
        except ConfigurationError:
            return  # with tags, for instance, which are not supported here: no line of it is known
        self._documents.append(document)
        _refuse(document, _wrong_outside(document.data))

    def check(self, cloud: str) -> None:
        """Raises UsageError with everything that is plainly wrong with a cloud, whichever files define it."""
        for document in self._documents:
            faults = [fault for fault in document.faults if _concerns(fault, cloud)]
            clouds = document.data.get("clouds") if isinstance(document.data, dict) else None
            if isinstance(clouds, dict) and cloud in clouds:
                faults += _wrong_in(("clouds", cloud), clouds[cloud])
            _refuse(document, faults)
        wrong = [
            f"{file}:{line}: {key} {what}" for file, text in self._texts for line, key, what in altered(text, cloud)
        ]
        if wrong:
            raise UsageError("; ".join(wrong))

    def place(self, cloud: str, *names: tuple[str, ...]) -> str:
        """The place of the first of these keys that exists, otherwise of the cloud: `clouds.yaml:5: clouds.lab.auth`.

        The file that decides a value comes first. Without any file, the cloud's name.
        """
        for name in (*names, ()):
            for document in reversed(self._documents):
                keys = ("clouds", cloud, *name)
                if keys in document.lines:
                    return f"{document.file}:{document.line(keys)}: {dotted(keys)}"
        return f'cloud "{cloud}"'


def _holds_more_than(most: int, data: object) -> bool:
    """Whether it holds more values than this, each counted wherever an alias puts it: inside itself, endlessly."""
    left, count = [data], 0
    while left and count <= most:
        value = left.pop()
        count += 1
        if isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, list | tuple | set):
            left.extend(value)
    return count > most


def _unreadable(file: str, content: bytes, error: Exception) -> str:
    """Why a file cannot be read, with its line and without any of its text."""
    if isinstance(error, json.JSONDecodeError):
        return f"{file}:{error.lineno}: is not JSON"
    try:
        document = parse_document(file, content)
    except ConfigurationError as refused:
        return str(refused)
    for fault in document.faults:
        return str(document.problem(fault))
    mark = getattr(error, "problem_mark", None)
    return f"{file}:{mark.line + 1 if mark else 1}: is not YAML: openstacksdk cannot read it"


def _refuse(document: Document, faults: "Iterator[Fault] | list[Fault]") -> None:
    problems = dict.fromkeys(str(document.problem(fault)) for fault in faults)
    if problems:
        raise UsageError("; ".join(problems))


def _concerns(fault: Fault, cloud: str) -> bool:
    """Whether it concerns that cloud and is an error: openstacksdk takes the last of two keys, and keys of any type."""
    ours = fault.keys[:2] in (("clouds", cloud), ("clouds",))
    return ours and fault.message.startswith(TWICE) and fault.keys[-1] != "<<"


def _wrong_outside(data: object) -> Iterator[Fault]:
    """What is wrong outside the clouds, at which openstacksdk fails whichever cloud is selected."""
    if not isinstance(data, dict):
        yield Fault((), f"{kind_of(data)}: {_WRITE_KEYS}, with clouds: at the top")
        return
    if not any(key in data for key in _CLOUDS):
        near = nearest("clouds", data)
        keys = () if near is None else (near,)
        yield Fault(keys, f"no clouds can be read from it: the key clouds is missing{' (is this it?)' if near else ''}")
    for key in _MAPPINGS:
        if key in data and not isinstance(data[key], dict):
            yield Fault((key,), f"{kind_of(data[key])}: {_WRITE_KEYS}")


def _wrong_in(keys: Keys, cloud: object) -> Iterator[Fault]:
    if not isinstance(cloud, dict):
        yield Fault(keys, f"{kind_of(cloud)}: {_WRITE_KEYS}, beginning with auth:")
        return
    if "auth" in cloud and not isinstance(cloud["auth"], dict):
        yield Fault((*keys, "auth"), f"{kind_of(cloud['auth'])}: {_WRITE_AUTH}")
    for name, like in _LISTS.items():
        if name in cloud and not isinstance(cloud[name], list):
            yield Fault((*keys, name), f"{kind_of(cloud[name])}: write a list, like {like}")
    for index, network in enumerate(cloud["networks"] if isinstance(cloud.get("networks"), list) else ()):
        if not isinstance(network, dict):
            yield Fault((*keys, "networks", index), f"{kind_of(network)}: {_WRITE_KEYS}")
    yield from _wrong_places(keys, cloud)
    for name in _SINGLE:
        if name in cloud and (cloud[name] is None or isinstance(cloud[name], dict | list)):
            yield Fault((*keys, name), f"{kind_of(cloud[name])}: write text, or leave the key out")
    yield from _wrong_values((*keys, "auth"), cloud.get("auth"))
    yield from _templates(keys, cloud)


def _wrong_places(keys: Keys, cloud: dict[str, object]) -> Iterator[Fault]:
    """What is wrong with the regions and the interface."""
    for index, region in enumerate(regions if isinstance(regions := cloud.get("regions"), list) else ()):
        name = region.get("name", "") if isinstance(region, dict) else region
        if not isinstance(name, str | int):
            yield Fault((*keys, "regions", index), f"{kind_of(name)}: write the name of a region")
    interfaces = cloud.get("interface")
    for one in interfaces if isinstance(interfaces, list) else [interfaces]:
        if one is not None and (not isinstance(one, str) or one.removesuffix("URL") not in INTERFACES):
            yield Fault((*keys, "interface"), f"is not one of {', '.join(INTERFACES)}")


def _wrong_values(keys: Keys, auth: object) -> Iterator[Fault]:
    for name, value in auth.items() if isinstance(auth, dict) else ():
        # Methods are listed, and what "<<" stands for is merged.
        allowed = (str,) if name == "auth_url" else (str, int, float, bool, type(None))
        if not isinstance(value, allowed) and name not in ("auth_methods", "<<"):
            yield Fault((*keys, name), f"{kind_of(value)}: write text, in quotes")


def _templates(keys: Keys, value: object) -> Iterator[Fault]:
    if isinstance(value, str) and _TEMPLATE.fullmatch(value):
        yield Fault(keys, "is a template, like {{ … }}, which is not filled in here: write the value itself")
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from _templates((*keys, key), inner)
