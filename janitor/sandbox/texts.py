"""JSON as sent; the text of an image is made once and cached while the image is unchanged."""

import json
from collections.abc import Callable, Iterable, Mapping

from janitor.sandbox.models import MISSING, StoredImage

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def dumped(value: object) -> bytes:
    """A value as compact JSON."""
    try:
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()  # half a surrogate pair can only be written escaped


def without_missing(written: Mapping[str, object]) -> dict[str, object]:
    """The value to write, without the keys to be omitted."""
    return {key: value for key, value in written.items() if value is not MISSING}


class ImageTexts:
    """The texts of images, by a function that gives the keys of one."""

    def __init__(self, write: Callable[[StoredImage], Mapping[str, object]]) -> None:
        self._write = write
        self._kept: dict[str, tuple[StoredImage, bytes]] = {}

    def prepare(self, images: Iterable[StoredImage]) -> None:
        """Make the texts of these images now, so that the first survey is served as fast as the next."""
        for image in images:
            self.text(image)

    def joined(self, images: Iterable[StoredImage]) -> bytes:
        """The texts of these images, with commas between."""
        return b",".join(map(self.text, images))

    def text(self, image: StoredImage) -> bytes:
        """The text of one image."""
        kept = self._kept.get(image.id)
        if kept is not None and kept[0] is image:
            return kept[1]
        text = dumped(self._write(image))
        self._kept[image.id] = (image, text)
        return text
