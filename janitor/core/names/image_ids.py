"""Ids of images: lists, users and texts spell them in several ways, and may put one into a URL."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NewType
from urllib.parse import unquote
from uuid import UUID

ImageId = NewType("ImageId", str)
"""An id as ids are compared; what an API or a person wrote is plain text until `folded` makes it one."""

_UNDASHED = re.compile(r"(?<![0-9a-f-])[0-9a-f]{32}(?![0-9a-f-])")
_SPELLED = re.compile(
    r"(?:urn:)?(?:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?"
)
_SHORTEST, _USUAL = 32, 36
"""The length of a UUID without its dashes, and with them."""
_DASHES = slice(8, 24, 5)
"""Where a UUID has its four dashes."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_AT_ITS_PLACE = re.compile(r"[/:]images?[/:]+([^/:?#]+)|[?&](?:image_?)?id=([^&#]+)")
_DELIMITERS = re.compile(r"[/:?&=#;%]")
_ENDING = re.compile(r"[/?#&;]")
_MOST_DELIMITERS, _LONGEST = 40, 1_000
"""No URL of an image has so many, and no id or name, encoded, is so long: longer ones would take time without end."""
_NO_IDS = re.compile(r"(images?|file|v[0-9.]+)?")


def folded(image_id: str) -> ImageId:
    """An id as ids are compared: without spaces around it, in lower case; a UUID with its dashes only.

    A UUID may be spelled without dashes, as a URN and in braces. An id that is in this form already is returned itself.
    """
    word = image_id.strip().lower()
    if len(word) < _SHORTEST or (len(word) == _USUAL and word[_DASHES] == "----"):
        # Several times for each image, most of whose ids are in this form: a call of ImageId would double the time.
        return image_id if word == image_id else word  # type: ignore[return-value]
    spelled = _SPELLED.fullmatch(word)
    return ImageId(word if spelled is None else "-".join(spelled.groups()))


def ids_in(text: str) -> tuple[ImageId, ...]:
    """The ids that a word may mean, folded, each once: the word itself, and an id in it, as in a URL or URN.

    A blank word has no ids.
    """
    return tuple(map(ImageId, dict.fromkeys(filter(None, _ids_in(folded(text))))))


def is_uuid(text: str) -> bool:
    """Whether a word is a UUID, with or without its dashes, or a URL, path or URN that holds one.

    Not a name in which one stands, such as `backup-` and the id of a server.
    """
    return any(_UUID.fullmatch(folded(word)) for word in words_in(text))


def unidentified(text: str) -> bool:
    """Whether a word cannot name an image: a blank one, or a URL or URN that holds no id."""
    word = folded(text)
    return len(ids_in(word)) <= ("://" in word or word.startswith(("urn:", "/")))


def words_in(text: str) -> tuple[str, ...]:
    """The words that a text may mean: itself, and what it holds as a URL, path or URN, as it is written and decoded.

    An id or a name may hold delimiters itself, so each stretch that begins after one and ends before a `/`, `?`, `#`,
    `&`, `;` or the end is a word.
    """
    if _DELIMITERS.search(text) is None:
        return (text,)
    return tuple(dict.fromkeys(word for form in dict.fromkeys((text, unquote(text))) for word in _stretches(form)))


def _stretches(text: str) -> Iterator[str]:
    yield text
    starts = [0, *(found.end() for found in islice(_DELIMITERS.finditer(text), _MOST_DELIMITERS))]
    ends = [*(found.start() for found in islice(_ENDING.finditer(text), _MOST_DELIMITERS)), len(text)]
    yield from (text[start:end] for start in starts for end in ends if start < end <= start + _LONGEST)


def _ids_in(word: str) -> Iterator[str]:
    yield word
    if "/" in word or ":" in word:
        last = re.split(r"[/:]", _path_of(word).rstrip("/"))[-1]
        if not _NO_IDS.fullmatch(last):
            yield last
        yield from (found[1] or found[2] for found in _AT_ITS_PLACE.finditer(word))
    yield from _UUID.findall(word)
    yield from (str(UUID(written)) for written in _UNDASHED.findall(word))


def _path_of(url: str) -> str:
    path = re.split(r"[?#]", url)[0]
    return path.partition("://")[2].partition("/")[2] if "://" in path else path
