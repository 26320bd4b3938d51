"""Images by the words that others use for them: by their ids, or by their whole names."""

from collections.abc import Iterable

from janitor.core.image import Image
from janitor.core.names.image_ids import ImageId, folded, ids_in, words_in
from janitor.core.names.spelling import normal


class ImageNames:
    """The images of a survey by id, `ids`, and by name.

    A name means every image that has it, and also all images whose name cannot be read (`unreadable`), as they may have
    it.
    """

    def __init__(self, images: Iterable[Image]) -> None:
        # Apart, as most names are those of one image: a list for each would take more memory than all else here.
        self._first: dict[str, ImageId] = {}
        self._others: dict[str, list[ImageId]] = {}
        self.ids: set[ImageId] = set()
        self.unreadable: set[ImageId] = set()
        for image in images:
            identity = image.identity
            self.ids.add(identity)
            if image.name is not None:
                name = normal(image.name)
                if self._first.setdefault(name, identity) is not identity:
                    self._others.setdefault(name, []).append(identity)
            elif "name" in image.unreadable:
                self.unreadable.add(identity)

    def _named(self, name: str) -> tuple[ImageId, ...]:
        """The ids of the images with exactly this name."""
        return (self._first[name], *self._others.get(name, ())) if name in self._first else ()

    def meant_by(self, word: str) -> frozenset[ImageId]:
        """The ids of the images that a word means: an id or a whole name, either also as a part of a URL.

        A blank word means no image.
        """
        if not ids_in(word):
            return frozenset()
        listed = self.listed(word)
        return listed | self.called(word) | (frozenset() if listed else self.unreadable)

    def listed(self, word: str) -> frozenset[ImageId]:
        """The ids of images that a word is, or holds as a URL, path or URN."""
        return frozenset(self.ids.intersection((*ids_in(word), *map(folded, words_in(word)))))

    def called(self, word: str) -> frozenset[ImageId]:
        """The ids of the images that have a word, or what it holds as a URL, path or URN, as their whole name."""
        return frozenset[ImageId]().union(*(self._named(normal(one)) for one in words_in(word)))

    def is_called(self, word: str) -> bool:
        """Whether this word is the id or the whole name of an image."""
        return normal(word) in self._first or folded(word) in self.ids

    def words(self) -> Iterable[tuple[str, frozenset[ImageId]]]:
        """Every word that means images, with their ids: each id, and each name."""
        yield from ((identity, frozenset({identity})) for identity in self.ids)
        yield from ((name, frozenset(self._named(name))) for name in self._first if name)
