"""Accounts in YAML files, each of which holds a list of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from janitor.documents import Document
from janitor.documents.items import read_items


@dataclass(frozen=True, slots=True)
class Listed:
    """An item of the list."""

    document: Document

    @property
    def name(self) -> object:
        """What stands under `name`."""
        return self.document.data.get("name") if isinstance(self.document.data, dict) else None


def accounts_in_list(file: Path) -> Iterator[Listed]:
    """The accounts that a file lists. Raises ConfigurationError where it is no YAML, or no list."""
    return map(Listed, read_items(file))
