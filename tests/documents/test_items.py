"""Long lists: each item is read as the whole document would read it, with its lines in the file."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.documents import Document, read_document
from janitor.documents.items import read_items
from janitor.errors import ConfigurationError

Write = Callable[[str | bytes], Path]

LIST = """\
# comment
- name: web   # more
  keys: [1, two, {three: 3.5}]
- &same {name: 이미지, size: 010}

- name: a
  name: b
  channel: #team
- *same
- no
-
- "quoted: #1"
- |
  a text
  of lines
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def write(content: str | bytes) -> Path:
        Path("list.yaml").write_bytes(content.encode() if isinstance(content, str) else content)
        return Path("list.yaml")

    return write


def whole(items: list[Document]) -> Document:
    """The items as one document."""
    first = next((item.lines[()] for item in items), 1)
    lines = {(index, *keys): line for index, item in enumerate(items) for keys, line in item.lines.items()}
    faults = ((index, fault) for index, item in enumerate(items) for fault in item.faults)
    return Document(
        "list.yaml",
        [item.data for item in items],
        {(): first, **lines},
        tuple(type(fault)((index, *fault.keys), fault.message, fault.line) for index, fault in faults),
        frozenset((index, *keys) for index, item in enumerate(items) for keys in item.commented),
    )


def test_items_are_as_in_the_whole_document(write: Write) -> None:
    path = write(LIST)
    assert repr(whole(read_items(path))) == repr(read_document(path))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b:", "#c", "é"]), inner),
    max_leaves=8,
)


@given(st.lists(values, min_size=1, max_size=5))
def test_any_list_is_read_as_the_whole_document(tmp_path_factory: pytest.TempPathFactory, data: list[object]) -> None:
    file = tmp_path_factory.mktemp("x") / "list.yaml"
    file.write_text("".join(f"- {json.dumps(value)}\n" for value in data), encoding="utf-8")
    assert repr([item.data for item in read_items(file)]) == repr(read_document(file).data)


@pytest.mark.parametrize(
    "content",
    [
        *(
            "- a: b: c\n",
            "- a\n\t- b\n",
            "- @x\n",
            "- a: *nope\n",
            "- [a\n",
            "- a\n---\n- b\n",
            "- !x a\n",
            "- a\n...\nb\n",
        ),
        *(
            "",
            "# only\n",
            "--- \n...\n",
            "- \0",
            b"- \xff",
            "- ? [a]\n  : b\n",
            "- " + "[" * 2000,
            "- a\n- {b: 1, b: 2}\n",
        ),
    ],
)
def test_what_is_wrong_is_told_as_of_the_whole_document(write: Write, content: str | bytes) -> None:
    path = write(content)
    whole, alone = (told_by(read, path) for read in (lambda path: [read_document(path)], read_items))
    assert whole.replace("[0]: ", "").replace("[1].", "") == alone


def told_by(read: Callable[[Path], list[Document]], path: Path) -> str:
    try:
        return "\n".join(str(one.problem(fault)) for one in read(path) for fault in one.faults)
    except ConfigurationError as error:
        return str(error)


def test_halves_of_a_character_are_joined_which_the_parser_in_c_does_not_know(write: Write) -> None:
    assert [item.data for item in read_items(write('- "\\ud83d\\ude00"\n'))] == ["😀"]


@pytest.mark.parametrize("content", ["a: 1\n", "text\n", "~\n", "{}\n"])
def test_what_is_no_list_is_told(write: Write, content: str) -> None:
    with pytest.raises(ConfigurationError, match=r"list\.yaml:1: must hold a list, each item of which begins with"):
        read_items(write(content))


def test_an_empty_list_has_no_items(write: Write) -> None:
    assert read_items(write("[]\n")) == []


def test_too_many_values_are_refused_also_by_aliases(write: Write) -> None:
    with pytest.raises(ConfigurationError, match=r"list\.yaml:1: holds more than 10 values"):
        read_items(write("- &a [1, 2, 3]\n- *a\n- b\n- *a\n"), most=10)


def test_a_file_that_is_too_large_is_not_read(write: Write) -> None:
    with pytest.raises(ConfigurationError, match="is larger than 0 KiB"):
        read_items(write("- a\n"), largest=3)
