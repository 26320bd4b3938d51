"""Values of one document in another: their problems are told where they were written."""

from janitor.documents import Document, Fault, parse_document
from janitor.documents.parts import Part

AROUND = parse_document("around.yaml", b"a:\n  - x\nb: {c: 1}\n")
OTHER = parse_document("other.yaml", b"list:\n  - k: #team\n    k: 2\n    m: [3, 4]\n")


def test_the_value_stands_there_and_neither_document_changes() -> None:
    made = Part(("a", 0), OTHER, ("list", 0)).put_into(AROUND)
    assert made.data == {"a": [{"k": None, "m": [3, 4]}], "b": {"c": 1}}
    assert AROUND.data == {"a": ["x"], "b": {"c": 1}}
    assert ("a", 0, "m", 1) in made.lines
    assert made.faults == (Fault(("a", 0, "k"), "is given twice, first in line 2", 3),)


def problem(document: Document, *keys: str | int) -> str:
    return str(document.problem(Fault(keys, "is empty")))


def test_a_problem_is_told_with_the_file_and_the_line_of_its_value() -> None:
    made = Part(("a", 0), OTHER, ("list", 0)).put_into(AROUND)
    assert problem(made, "a", 0, "m", 1) == "other.yaml:4: list[0].m[1]: is empty"
    assert problem(made, "a", 0, "unknown") == "other.yaml:2: list[0].unknown: is empty"
    assert (
        problem(made, "a", 0, "k") == "other.yaml:2: list[0].k: " + problem(OTHER, "list", 0, "k").partition("k: ")[2]
    )
    assert problem(made, "a") == "around.yaml:1: a: is empty"
    assert problem(made, "b", "c") == "around.yaml:3: b.c: is empty"
    assert str(made.problem(made.faults[0])) == "other.yaml:3: list[0].k: is given twice, first in line 2"


def test_with_a_name_it_is_told_of_that() -> None:
    made = Part(("b", "c"), OTHER, ("list", 0, "m"), "web").put_into(AROUND)
    assert problem(made, "b", "c", 0) == "other.yaml:4: web: [0]: is empty"


def test_of_two_parts_the_last_is_told() -> None:
    made = Part(("a", 0, "m"), AROUND, ("b",)).put_into(Part(("a", 0), OTHER, ("list", 0)).put_into(AROUND))
    assert problem(made, "a", 0, "m", "c") == "around.yaml:3: b.c: is empty"
    assert problem(made, "a", 0, "k").startswith("other.yaml:2: list[0].k: ")


def test_a_key_that_is_not_there_yet_is_added() -> None:
    assert Part(("b", "new"), OTHER, ("list", 0, "m")).put_into(AROUND).data == {
        "a": ["x"],
        "b": {"c": 1, "new": [3, 4]},
    }
