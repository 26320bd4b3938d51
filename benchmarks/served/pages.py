"""The bytes of a list of images, made once, and its pages as slices of them, from any marker on."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import Final


class Entries:
    """The texts of images in the order of the list, end to end."""

    def __init__(self, entries: Iterable[tuple[str, bytes]]) -> None:
        joined = bytearray()
        self._starts = [0]
        self.places: dict[str, int] = {}
        for place, (image_id, text) in enumerate(entries):
            joined += text
            joined += b","
            self._starts.append(len(joined))
            self.places[image_id] = place
        self._bytes: Final = bytes(joined)

    def __len__(self) -> int:
        return len(self.places)

    def text(self, first: int, end: int) -> bytes:
        """The entries from one place to another, with commas between."""
        return self._bytes[self._starts[first] : max(self._starts[first], self._starts[end] - 1)]


class Stretch:
    """The part of the entries that one account lists: those from `first` until just before `end`, but for deletions."""

    def __init__(self, entries: Entries, first: int, end: int) -> None:
        self._entries = entries
        self.first = first
        self.end = end
        self._gone: list[int] = []

    def page(self, marker: str | None, limit: int) -> bytes | None:
        """The entries after the marker, up to so many; None for a marker that is not listed."""
        begins = self.first if marker is None else self._place(marker)
        if begins is None:
            return None
        return b",".join(self._pieces(begins if marker is None else begins + 1, limit))

    def delete(self, image_id: str) -> bool:
        """Take an image out of the list; False where it is not listed."""
        place = self._place(image_id)
        if place is not None:
            insort(self._gone, place)
        return place is not None

    def _place(self, image_id: str) -> int | None:
        place = self._entries.places.get(image_id, -1)
        return place if self.first <= place < self.end and not self._is_gone(place) else None

    def _is_gone(self, place: int) -> bool:
        found = bisect_left(self._gone, place)
        return found < len(self._gone) and self._gone[found] == place

    def _pieces(self, begins: int, limit: int) -> Iterator[bytes]:
        for gone in [*self._gone[bisect_left(self._gone, begins) :], self.end]:
            ends = min(gone, begins + limit)
            if begins < ends:
                yield self._entries.text(begins, ends)
                limit -= ends - begins
            if not limit:
                return
            begins = gone + 1
