"""Every sentence of the program that a person can read, to be reviewed by someone who has not seen them.

`python -m tests.house.sentences [FOLDER ...]` prints them by folder, each with its file and line; the parts that an
f-string fills in are shown as …. Docstrings are left out, except those of commands, which are their help.
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

_PROGRAM = Path(__file__).parents[2] / "janitor"
_FILLED_IN = "…"
_SQL = re.compile(
    r"\s*(--.*|(SELECT|INSERT|UPDATE \w+ SET|DELETE FROM|CREATE|DROP|ALTER|PRAGMA|WITH|WHERE|AND|OR|ON|FROM|ORDER|"
    r"VALUES|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|ATTACH|VACUUM|JOIN|LEFT|UNION|CASE|COALESCE|REPLACE)\b[^.])"
)
_PATTERN = re.compile(r"\(\?|\\[dwsb]|\[\^|\]\+|\]\*|\]\{")
_LABEL = re.compile(r"[A-Z][a-z]+:?")
_TYPE = re.compile(r"[\w.]+(\[.*\]|(\[.*\])?( \| [\w.]+(\[.*\])?)+)")
# Calls whose texts name things for programs and never reach a person.
_NOT_READ = {"TypeVar", "compile", "execute", "executemany", "getattr", "getLogger", "open", "strftime", "strptime"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, order=True)
class Sentence:
    """A text of the program, with the folder below janitor/, the file and the line where it stands."""

    folder: str
    file: str
    line: int
    text: str


def collect(program: Path = _PROGRAM) -> list[Sentence]:
    """The sentences of all modules below `program`, sorted by folder, file and line."""
    return sorted(sentence for path in program.rglob("*.py") for sentence in _of_module(path, program))


def _of_module(path: Path, program: Path) -> Iterator[Sentence]:
    inside = path.relative_to(program)
    folder = inside.parts[0] if len(inside.parts) > 1 else "."
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for line, text in _texts(tree, help_texts=folder == "cli"):
        if _is_read(text):
            yield Sentence(folder, str(inside), line, " ".join(text.split()))


def _texts(node: ast.AST, *, help_texts: bool) -> Iterator[tuple[int, str]]:
    """Texts below `node` as wholes: an f-string once, and what is joined with + as one."""
    text = _as_text(node)
    if text is not None:
        yield getattr(node, "lineno", 0), text
        for part in _filled_in(node):
            yield from _texts(part, help_texts=help_texts)
        return
    if isinstance(node, ast.Call) and _name_called(node) in _NOT_READ:
        return
    for child in _children(node, help_texts=help_texts):
        yield from _texts(child, help_texts=help_texts)


def _as_text(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_as_text(value) or _FILLED_IN for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = _as_text(left), _as_text(right)
            return None if first is None and second is None else (first or _FILLED_IN) + (second or _FILLED_IN)
        case _:
            return None


def _filled_in(node: ast.AST) -> Iterator[ast.AST]:
    """The expressions inside a text, which can hold further texts."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.FormattedValue):
            yield part.value
        elif isinstance(part, ast.BinOp | ast.JoinedStr):
            yield from _filled_in(part)
        elif isinstance(part, ast.expr) and not isinstance(part, ast.Constant):
            yield part


def _name_called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _children(node: ast.AST, *, help_texts: bool) -> Iterator[ast.AST]:
    """The nodes that may hold texts: not docstrings except help, and not the list of a module's names."""
    is_help = help_texts and isinstance(node, Function) and any(isinstance(d, ast.Call) for d in node.decorator_list)
    for child in ast.iter_child_nodes(node):
        if not (_is_docstring(child) and not is_help) and not _lists_names(child):
            yield child


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _lists_names(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)


def _is_read(text: str) -> bool:
    """Whether it contains words of a language; keys, types, patterns and SQL are read by programs."""
    if _SQL.match(text) or _PATTERN.search(text) or _TYPE.fullmatch(text):
        return False
    words = re.findall(r"[A-Za-z]{2,}", text)
    return bool(_LABEL.fullmatch(text)) or (len(words) > 1 and " " in text.strip())


def main(folders: Sequence[str]) -> None:
    """Print the sentences, of all folders or of those named."""
    for folder, sentences in groupby(collect(), key=lambda sentence: sentence.folder):
        if not folders or folder in folders:
            print(f"\n{folder}")
            for sentence in sentences:
                print(f"  {sentence.file}:{sentence.line}  {sentence.text}")


if __name__ == "__main__":
    main(sys.argv[1:])
