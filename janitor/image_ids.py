"""How images are named by their ids: lists, users and texts differ in case and spaces, and may put an id into a URL."""

import re
from collections.abc import Iterator
from uuid import UUID

_UNDASHED = re.compile(r"(?<![0-9a-f-])[0-9a-f]{32}(?![0-9a-f-])")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def folded(image_id: str) -> str:
    """An id as ids are compared: without the spaces around it, in lower case."""
    return image_id.strip().lower()


def ids_in(text: str) -> tuple[str, ...]:
    """The ids that a word may mean, folded, each once: the word itself, and what stands in it as in a URL or URN.

    Nothing for a blank word.
    """
    return tuple(dict.fromkeys(filter(None, _ids_in(folded(text)))))


def _ids_in(word: str) -> Iterator[str]:
    yield word
    if "/" in word or ":" in word:
        yield re.split(r"[/:]", word.split("?")[0].split("#")[0].rstrip("/"))[-1]
    yield from _UUID.findall(word)
    yield from (str(UUID(written)) for written in _UNDASHED.findall(word))
