"""Accounts in a CSV file: each row is filled into a template, the values of which name columns like `{column}`."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

from janitor.config.fleet.entries import some_of
from janitor.documents import Document, Fault, Keys, display
from janitor.documents.items import LARGEST
from janitor.documents.schema import suggestion
from janitor.errors import ConfigurationError, Problem
from janitor.files import UnusableFile, content_of, text_in

_COLUMN = re.compile(r"(?<!\$)\{([^{}]+)\}")
"""A column in a value; `${NAME}` is none."""

TEMPLATE = ("fleet", "template")

# What no text of a file may hold marks the references of the template, as a cell must make none.
_ESCAPED, _REFERENCE = "\0e", "\0r"


@dataclass(frozen=True, slots=True)
class Table:
    """What all rows have in common."""

    file: str
    columns: Mapping[str, int]
    template: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its line, and the account that the template makes of it."""

    table: Table
    line: int
    cells: Sequence[str]

    @property
    def name(self) -> object:
        """What stands under `name`."""
        return self._filled(self.table.template.get("name"))

    @property
    def document(self) -> Document:
        """The template with the cells of the row, all of it at its line."""
        return Document(self.table.file, self._filled(self.table.template), MappingProxyType({(): self.line}))

    def _filled(self, value: object) -> Any:
        match value:
            case dict():
                return {key: self._filled(inner) for key, inner in value.items()}
            case list():
                return [self._filled(inner) for inner in value]
            case str() if _COLUMN.search(value):
                marked = value.replace("$${", _ESCAPED).replace("${", _REFERENCE)
                filled = _COLUMN.sub(self._cell, marked).replace("${", "$${")
                return filled.replace(_ESCAPED, "$${").replace(_REFERENCE, "${")
            case _:
                return value

    def _cell(self, found: re.Match[str]) -> str:
        return self.cells[self.table.columns[found[1]]]


def accounts_in_table(file: Path, template: Mapping[str, object], around: Document) -> list[Row]:
    """The accounts of the rows under the first, which names the columns; empty rows are none.

    Raises ConfigurationError for a file that cannot be read or is not CSV, for rows without a value for each column,
    and where the template, which is in the document `around`, names others.
    """
    shown = display(file)
    try:
        text = text_in(content_of(file, LARGEST))
        rows = list(_rows(text))
    except UnusableFile as error:
        raise ConfigurationError([Problem(shown, error.line, str(error))]) from error
    if not rows:
        raise ConfigurationError([Problem(shown, 1, "is empty: its first row must name the columns")])
    (line, names), *below = rows
    columns = {name.strip(): place for place, name in enumerate(names)}
    problems = [*_problems(shown, columns, names, line), *_unknown(template, columns, shown, around)]
    table = Table(shown, columns, template)
    problems += [
        Problem(shown, line, f"has {len(cells)} values, but the first row names {len(names)} columns")
        for line, cells in below
        if len(cells) != len(names)
    ]
    if problems:
        raise ConfigurationError(some_of(problems))
    return [Row(table, line, cells) for line, cells in below]


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with its first line. Raises UnusableFile for what is not CSV."""
    if "\0" in text:
        raise UnusableFile("holds a null character", text.count("\n", 0, text.index("\0")) + 1)
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnusableFile(f"is not CSV: {error}", line) from error
        if any(cells):
            yield line, cells


def _problems(shown: str, columns: Mapping[str, int], names: Sequence[str], line: int) -> Iterator[Problem]:
    if "" in columns:
        yield Problem(shown, line, "names a column that has no name")
    if len(columns) < len(names):
        yield Problem(shown, line, "names a column twice")


def _unknown(
    template: Mapping[str, object], columns: Mapping[str, int], shown: str, around: Document
) -> Iterator[Problem]:
    for keys, column in _columns_in(template):
        if column not in columns:
            message = f'names the column "{column}", which {shown} does not have{suggestion(column, columns)}'
            yield around.problem(Fault((*TEMPLATE, *keys), message))


def _columns_in(value: object, keys: Keys = ()) -> Iterator[tuple[Keys, str]]:
    """The columns that a template names, each with the place of the value that does."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _columns_in(inner, (*keys, key))
    elif isinstance(value, str):
        yield from ((keys, found[1]) for found in _COLUMN.finditer(value))
