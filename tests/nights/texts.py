"""What people declare because no API shows it: files that name images, and the sandbox's document of launch templates.

Files are moved, broken and repaired; a broken one still names what it named, although nobody can read it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from janitor.cloud.service import Need
from janitor.sandbox.options import Options
from janitor.sandbox.references import PATH

DOCUMENT = 0
"""The number of the document, which the account serves; those of files follow."""

_GLOBS = {1: ("infra/*.tf", ""), 2: ("state/**/*.tfstate", ", names: false")}
_PLACES = {1: ("infra/web.tf", "infra/batch.tf"), 2: ("state/web/all.tfstate", "state/batch.tfstate")}
_OF_IDS = 2
_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ELSEWHERE = "attic"


@dataclass(frozen=True)
class File:
    """One file: where it is, of which glob it was, and what it names. It is read where it is not `away`."""

    path: str
    number: int
    words: tuple[str, ...]
    away: bool = False
    broken: bool = False


@dataclass
class Texts:
    """All of them in a folder. `needs` is how much each number of them matters; none are declared without it."""

    folder: Path
    needs: Mapping[int, Need] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)

    def configuration(self, options: Options) -> str:
        """The part of a janitor.yaml that declares them."""
        return "".join(["references:\n", *self._lines(options)]) if self.needs else ""

    def _lines(self, options: Options) -> Iterator[str]:
        for number, need in self.needs.items():
            if number == DOCUMENT:
                what = f"url: https://sandbox.invalid{PATH}, token: {options.reference_token}"
            else:
                glob, names = _GLOBS[number]
                what = f"files: '{glob}'{names}"
            yield f"  - {{{what}, needed: {need}}}\n"

    def words(self, number: int) -> tuple[tuple[str, str], ...]:
        """What the files of a glob name, each word with its file; of some globs, ids only count."""
        return tuple(
            (file.path, word)
            for file in self.files.values()
            if file.number == number and not file.away
            for word in file.words
            if number != _OF_IDS or _ID.fullmatch(word)
        )

    def is_readable(self, number: int) -> bool:
        """Whether a glob matches a file, and all that it matches can be read."""
        found = [file for file in self.files.values() if file.number == number and not file.away]
        return bool(found) and not any(file.broken for file in found)

    def put(self, file: File) -> None:
        """A file is as this says from now on."""
        known = self.files.get(file.path)
        self.files[file.path] = file
        if known is not None:
            self._where(known).unlink(missing_ok=True)
        path = self._where(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_content(file) + (b"\0" if file.broken else b""))

    def _where(self, file: File) -> Path:
        return self.folder / (f"{_ELSEWHERE}/{file.path}" if file.away else file.path)

    def change(self, draw: Random, words: tuple[str, ...]) -> None:
        """Somebody edits, moves or breaks a file, or puts things right."""
        if not self.files:
            return
        file = self.files[draw.choice(list(self.files))]
        match draw.randrange(5):
            case 0 | 1:
                self.put(replace(file, words=words))
            case 2:
                self.put(replace(file, away=not file.away))
            case 3:
                self.put(replace(file, broken=not file.broken))
            case _:
                self.repair()

    def repair(self) -> None:
        """Every file is where it belongs, and can be read."""
        for file in list(self.files.values()):
            self.put(replace(file, away=False, broken=False))


def draw_texts(draw: Random, folder: Path) -> Texts:
    """What people declare, if they do; the files name nothing yet."""
    if draw.random() < 0.3:
        return Texts(folder)
    needs = {number: draw.choice((Need.REQUIRED, Need.OPTIONAL)) for number in (DOCUMENT, *_GLOBS)}
    texts = Texts(folder, needs)
    for number, paths in _PLACES.items():
        for path in paths:
            texts.put(File(path, number, ()))
    return texts


def _content(file: File) -> bytes:
    lines = [f"# {file.path}", *(f'image_{place} = "{word}"' for place, word in enumerate(file.words))]
    return "\n".join([*lines, ""]).encode()
