"""The images of an account in order of creation, paged from a marker without a search."""

from collections.abc import Iterable, Iterator
from itertools import islice

from janitor.sandbox.models import StoredImage


class Catalogue:
    """Images by id, and in order of creation, ties by id. The order is computed again only after a change."""

    def __init__(self, images: Iterable[StoredImage]) -> None:
        self._images = {image.id: image for image in images}
        self._order: list[str] = []
        self._places: dict[str, int] = {}
        self._disturbed = True

    def __len__(self) -> int:
        return len(self._images)

    def get(self, image_id: str) -> StoredImage | None:
        """The image with that id, if there is one."""
        return self._images.get(image_id)

    def all(self) -> dict[str, StoredImage]:
        """A copy of all images, by id."""
        return dict(self._images)

    def put(self, image: StoredImage) -> None:
        """Add an image, or replace the one with its id."""
        known = self._images.get(image.id)
        self._images[image.id] = image
        if known is None or known.created_at != image.created_at:
            self._disturbed = True

    def remove(self, image_id: str) -> None:
        """Remove an image. Raises KeyError if it does not exist."""
        del self._images[image_id]
        self._disturbed = True

    def page(self, limit: int, marker: str | None, *, newest_first: bool, inclusive: bool) -> list[StoredImage]:
        """Up to `limit` images, from the beginning or from the marker on. Raises KeyError for an unknown marker."""
        return list(islice(self.walk(marker, newest_first=newest_first, inclusive=inclusive), limit))

    def walk(self, marker: str | None, *, newest_first: bool, inclusive: bool) -> Iterator[StoredImage]:
        """Images in their order, all or from the marker on. Raises KeyError for an unknown marker."""
        self._sort()
        start = 0
        if marker is not None:
            place = self._places[marker]
            start = (len(self._order) - 1 - place if newest_first else place) + (not inclusive)
        places = range(len(self._order))[::-1] if newest_first else range(len(self._order))
        return (self._images[self._order[place]] for place in places[start:])

    def _sort(self) -> None:
        if self._disturbed:
            ordered = sorted(self._images.values(), key=lambda image: (image.created_at, image.id))
            self._order = [image.id for image in ordered]
            self._places = {image_id: place for place, image_id in enumerate(self._order)}
            self._disturbed = False
