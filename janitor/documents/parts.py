"""Values of one document that stand in another, and whose problems are told where they were written."""

from dataclasses import dataclass, replace
from typing import Any

from janitor.documents import Document, Keys


@dataclass(frozen=True, slots=True)
class Part:
    """The value that a document has `inside`, and where another document has it: at these `keys`.

    With a `name`, problems are said of that, and their keys are written as seen from inside.
    """

    keys: Keys
    document: Document
    inside: Keys = ()
    name: str | None = None

    def put_into(self, around: Document) -> Document:
        """The other document with this value at these keys, all but the last of which it has."""
        lines = {self._moved(keys): line for keys, line in self.document.lines.items() if self._holds(keys)}
        faults = (replace(one, keys=self._moved(one.keys)) for one in self.document.faults if self._holds(one.keys))
        return replace(
            around,
            data=_changed(around.data, self.keys, self.document.at(self.inside)),
            lines={**around.lines, **lines},
            faults=(*around.faults, *faults),
            parts=(*around.parts, self),
        )

    def _holds(self, keys: Keys) -> bool:
        return keys[: len(self.inside)] == self.inside

    def _moved(self, keys: Keys) -> Keys:
        return (*self.keys, *keys[len(self.inside) :])


def _changed(data: Any, keys: Keys, value: object) -> object:
    """A copy, as deep as these keys go, with the value there."""
    if not keys:
        return value
    copied = data.copy()
    copied[keys[0]] = _changed(data[keys[0]], keys[1:], value) if keys[1:] else value
    return copied
