"""The references of a configuration: contradictions between their keys, and the values that they become."""

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from janitor.config.expansion import Expanded
from janitor.config.schema import ReferenceSchema
from janitor.documents import Fault
from janitor.references import Reference, without_secrets


def misdeclared(expanded: Expanded) -> Iterator[Fault]:
    """What is wrong with references although each key is valid; nothing in them may be left empty."""
    for keys, why in expanded.empty.items():
        if keys[0] == "references":
            yield Fault(keys, why)
    data = expanded.document.data
    references = data.get("references") if isinstance(data, dict) else None
    for index, reference in enumerate(references if isinstance(references, list) else ()):
        if isinstance(reference, dict):
            wrong = {fault.keys[2] for fault in expanded.document.faults if fault.keys[:2] == ("references", index)}
            empty = {keys[2] for keys in expanded.empty if keys[:2] == ("references", index) and len(keys) > 2}
            yield from _misdeclared(("references", index), reference, {"files", "url"} & (wrong | empty))


def _misdeclared(keys: tuple[str, int], reference: dict[str, object], unusable: set[str]) -> Iterator[Fault]:
    """`unusable` are those of its keys that were reported already."""
    given = {"files", "url"} & (reference.keys() | unusable)
    if len(given) != 1:
        has = "has both files and a url" if given else "has neither files nor a url"
        yield Fault(keys, f"{has}: give either one or the other")
    elif given == {"files"} and "token" in reference:
        token = "token_file" if "token_file" in reference else "token"
        yield Fault((*keys, token), "belongs to a url, but this reference has files")
    elif isinstance(url := reference.get("url"), str) and "token" in reference and _holds_user(url):
        yield Fault((*keys, "url"), "must not hold a user name or password where there is a token")


def _holds_user(url: str) -> bool:
    try:
        return "@" in urlsplit(url).netloc
    except ValueError:
        return False


def references(schemas: Iterable[ReferenceSchema], folder: Path) -> tuple[Reference, ...]:
    """The references, the relative ones below `folder`."""
    return tuple(_reference(schema, folder) for schema in schemas)


def _reference(schema: ReferenceSchema, folder: Path) -> Reference:
    required = schema.needed == "required"
    if schema.url is not None:
        return Reference(without_secrets(schema.url), None, schema.url, schema.token, schema.names, required)
    what = schema.files or ""
    below = "" if what.startswith("/") else f"{glob.escape(str(folder)).rstrip('/')}/"
    return Reference(what, f"{below}{what}", names=schema.names, required=required)
