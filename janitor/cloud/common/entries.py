"""Reading the entries of image lists, each with a digest by which it is known again in a later list."""

import hashlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from janitor import __version__
from janitor.cloud.common import wire
from janitor.cloud.common.answers import undocumented
from janitor.cloud.common.markers import Found
from janitor.cloud.common.raw_entries import parsed
from janitor.cloud.common.records import Entry
from janitor.core.image import Image
from janitor.errors import Implausible

_log = logging.getLogger("janitor.cloud")

READERS = 1
"""The version of what reads images: a later one may read something else in an entry, so its digests differ."""

_DIGEST = 16


class Listed(NamedTuple):
    """An image that a list showed, and the digest of its entry; None for an entry that was not taken as text."""

    image: Image
    digest: bytes | None


def id_of_listed(listed: Listed) -> str:
    """The id by which a walk through a list tells entries apart."""
    return listed.image.id


def not_the_end(entries: int) -> Implausible:
    """Why a list cannot be read behind a page of so many entries, none of which has an id, and which is no end."""
    return Implausible(
        f"none of the {entries} entries of a page has an id, so the entries after them cannot be asked for; "
        "with another http.page_size, pages may begin and end with entries that have one"
    )


class Entries:
    """The entries of one reading of a target's lists. Safe to use from several threads at once.

    `read` makes an image of an entry that has an id; `reader` is all that its result depends on besides the entry. So
    the same digest means the same facts.
    """

    def __init__(self, read: Callable[[Entry], Image], reader: str) -> None:
        self._read = read
        self._start = hashlib.blake2b(f"{READERS} {__version__} {reader}\n".encode(), digest_size=_DIGEST)
        self._others: Counter[tuple[str, str]] = Counter()
        self._readable: dict[str, Entry] = {}
        self._lock = threading.Lock()

    @property
    def others(self) -> Iterator[Entry]:
        """The entries that have no id, with a blank one; one that is not an object has nothing else.

        Each comes once, however often its page was read: it is identified by the entry before it.
        """
        return ({**self._readable.get(whole, {}), "id": ""} for _, whole in self._others.elements())

    def of_page(self, entries: list[Any], marker: str | None) -> Found[Listed]:
        """The images of a page's entries, given as texts or as values, that have an id; and what keeps the others.

        That is to be called if the page is used. An entry without an id cannot be paged from, recorded or deleted.
        Raises Transient for a text that is not JSON.
        """
        page: list[Listed] = []
        others: Counter[tuple[str, str]] = Counter()
        readable: dict[str, Entry] = {}
        for entry in entries:
            listed = self._of_text(entry) if type(entry) is bytes else self._of_value(entry, None)
            if isinstance(listed, Listed):
                page.append(listed)
            else:
                whole = wire.whole(listed)
                others[page[-1].image.id if page else marker or "", whole] += 1
                if isinstance(listed, dict):
                    readable[whole] = listed
        return page, partial(self._keep, others, readable)

    @staticmethod
    def last_id(entries: Sequence[Any]) -> str | None:
        """The id of the last of a page's entries, as a walk would go on from it; None where that is not clear."""
        try:
            entry = parsed(entries[-1]) if entries and type(entries[-1]) is bytes else None
        except (ValueError, RecursionError):
            return None
        return wire.identifier(entry.get("id")) if isinstance(entry, dict) else None

    def _keep(self, others: Counter[tuple[str, str]], readable: Mapping[str, Entry]) -> None:
        if others:
            _log.warning("image-without-id skipped=%d", others.total())
        with self._lock:
            self._others |= others
            self._readable |= readable

    def _of_text(self, text: bytes) -> object:
        try:
            value = parsed(text)
        except (ValueError, RecursionError) as error:
            raise undocumented("an entry of the list is not JSON") from error
        return self._of_value(value, self._digest(text))

    def _of_value(self, entry: object, digest: bytes | None) -> object:
        """The image in an entry; the entry itself where it has no id."""
        if isinstance(entry, dict) and wire.identifier(entry.get("id")):
            return Listed(self._read(entry), digest)
        return entry

    def _digest(self, text: bytes) -> bytes:
        digest = self._start.copy()
        digest.update(text)
        return digest.digest()
