"""Values, functions and tests are small enough to be read in one look; the few values that are wide say why."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

import janitor

ROOT = Path(janitor.__file__).parent
TESTS = Path(__file__).parents[1]
WIDEST = 9
USUAL_LINES, MOST_USUAL, MOST_LINES = 5, 15, 50
MOST_LINES_OF_TESTS = 500
SAYS_WHY = re.compile(r"\bWide because\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.ClassDef | Function


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


@cache
def definitions() -> list[tuple[str, Definition]]:
    """Every value and function, with its place."""
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, Definition)
    ]


def named(kind: type[ast.AST] | tuple[type[ast.AST], ...]) -> Iterator[tuple[str, ast.AST]]:
    """Every definition of this kind, with its place."""
    return ((place, node) for place, node in definitions() if isinstance(node, kind))


def functions() -> list[tuple[str, Function]]:
    return [(place, node) for place, node in named((ast.FunctionDef, ast.AsyncFunctionDef))]  # type: ignore[misc]


def fields(node: ast.AST) -> list[str]:
    assert isinstance(node, ast.ClassDef)
    declared = (each for each in node.body if isinstance(each, ast.AnnAssign))
    return [ast.unparse(each.target) for each in declared if "ClassVar" not in ast.unparse(each.annotation)]


def parameters(node: Function) -> list[str]:
    given = node.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
    return [each.arg for each in every if each.arg not in ("self", "cls")]


def lines(node: Function) -> int:
    """The lines of the body, without the docstring."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def says_why(node: ast.AST) -> bool:
    assert isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    return SAYS_WHY.search(ast.get_docstring(node) or "") is not None


def test_a_value_of_more_than_nine_fields_says_why() -> None:
    wide = {place: node for place, node in named(ast.ClassDef) if len(fields(node)) > WIDEST}
    assert [place for place, node in wide.items() if not says_why(node)] == []


def test_a_function_of_more_than_nine_parameters_says_why() -> None:
    wide = {place: node for place, node in functions() if len(parameters(node)) > WIDEST}
    assert [place for place, node in wide.items() if not says_why(node)] == []


def test_only_what_is_wide_says_why() -> None:
    said = [place for place, node in named(ast.ClassDef) if says_why(node) and len(fields(node)) <= WIDEST]
    said += [place for place, node in functions() if says_why(node) and len(parameters(node)) <= WIDEST]
    assert said == []


def test_functions_are_short() -> None:
    sizes = {place: lines(node) for place, node in functions()}
    assert [place for place, size in sizes.items() if size > MOST_LINES] == []
    assert median(sizes.values()) <= USUAL_LINES
    assert sum(size <= MOST_USUAL for size in sizes.values()) >= 0.9 * len(sizes)


def test_no_file_of_tests_is_too_long() -> None:
    long = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sorted(TESTS.rglob("*.py"))}
    assert [f"{path.relative_to(TESTS)}: {size}" for path, size in long.items() if size > MOST_LINES_OF_TESTS] == []


def test_tests_make_their_images_in_one_place() -> None:
    made = re.compile(r"(?<!\w)Image\(")
    makers = [path.relative_to(TESTS) for path in sorted(TESTS.rglob("*.py")) if made.search(path.read_text("utf-8"))]
    assert makers == [Path("factories.py")]
