"""The images of a survey, as servers, instances and volumes name theirs: by id, or by what may only look like one."""

from janitor.core.names.image_ids import ImageId, ids_in, is_uuid, unidentified
from janitor.core.names.image_names import ImageNames
from janitor.core.names.spelling import normal

_NO_WORDS = frozenset({"null", "none", "nil", "undefined", "unknown", "n/a", "na", "-"})


def says_nothing(word: str) -> bool:
    """Whether a word stands for a missing value: then it names no image, and none is in use by it."""
    return normal(word).strip("<>()[]").lower() in _NO_WORDS


class KnownImages:
    """Says which images a word means where an API documents an id. Where any listed id is a UUID, all ids are.

    So one image of another kind, of the vendor's or another project's, makes no name pass for an id.
    """

    def __init__(self, names: ImageNames) -> None:
        self.names = names
        self._by_uuid = any(map(is_uuid, names.ids))

    def meant_by(self, word: str) -> tuple[ImageId, ...] | None:
        """The ids that a word may mean, also of images that are gone; None where that is unknown.

        Where no id is a UUID, a word may be an id or a name: it also means the images of that name, and those whose
        name cannot be read.
        """
        if unidentified(word):
            return None
        ids, listed = ids_in(word), self.names.listed(word)
        if is_uuid(word) or listed:
            return tuple(dict.fromkeys((*ids, *sorted(listed | self.names.called(word)))))
        if self._by_uuid or says_nothing(word):
            return None
        return (*ids, *sorted(self.names.meant_by(word).difference(ids)))
