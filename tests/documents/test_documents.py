"""Reading YAML: values as YAML 1.2 reads them, the line of each, and what stops the reading."""

from collections.abc import Callable
from pathlib import Path

import pytest

from janitor.documents import Document, Fault, Keys, display, dotted, read_document
from janitor.errors import ConfigurationError

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes `file.yaml` into the current directory."""
    monkeypatch.chdir(tmp_path)

    def write(content: str | bytes) -> Path:
        Path("file.yaml").write_bytes(content.encode() if isinstance(content, str) else content)
        return Path("file.yaml")

    return write


def problem_of(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_document(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        pytest.param("no", "no", id="no-is-text"),
        pytest.param("on", "on", id="on-is-text"),
        pytest.param("true", True, id="true-is-a-boolean"),
        pytest.param("010", 10, id="a-leading-zero-is-not-octal"),
        pytest.param("0x1F", "0x1F", id="hexadecimal-is-text"),
        pytest.param("12:30", "12:30", id="sixties-are-text"),
        pytest.param("2026-01-01", "2026-01-01", id="a-date-is-text"),
        pytest.param("1_000", "1_000", id="underscores-make-text"),
        pytest.param("-3", -3, id="negative"),
        pytest.param("1.50", 1.5, id="fraction"),
        pytest.param("1e3", 1000.0, id="exponent"),
        pytest.param("1.2.3", "1.2.3", id="a-version-is-text"),
        pytest.param('"3"', "3", id="quoted-is-text"),
        pytest.param("~", None, id="tilde-is-nothing"),
        pytest.param("", None, id="nothing-is-nothing"),
        pytest.param("!!str 3", "3", id="a-tag-of-yaml-itself"),
        pytest.param("이미지", "이미지", id="hangul"),
    ],
)
def test_scalars_are_read_as_yaml_1_2_reads_them(write: Write, scalar: str, value: object) -> None:
    data = read_document(write(f"key: {scalar}\n")).data

    assert repr(data) == repr({"key": value})  # 1 == True == 1.0, and yet they are not the same


LINES = """\
# a comment
top:
  list:
    - one

    - two: deep
      three: >
        folded
        text
    - [a,
       b]
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        pytest.param((), 2, id="the-document"),
        pytest.param(("top", "list"), 3, id="a-key-not-its-value"),
        pytest.param(("top", "list", 0), 4, id="an-item"),
        pytest.param(("top", "list", 1, "two"), 6, id="a-key-in-an-item"),
        pytest.param(("top", "list", 1, "three"), 7, id="a-folded-text"),
        pytest.param(("top", "list", 2, 1), 11, id="an-item-on-a-later-line"),
        pytest.param(("top", "list", 1, "missing", 3), 6, id="a-missing-key-is-where-it-should-be"),
    ],
)
def test_every_value_knows_its_line(write: Write, keys: tuple[str | int, ...], line: int) -> None:
    assert read_document(write(LINES)).line(keys) == line


def test_windows_line_ends_and_a_byte_order_mark_are_read(write: Write) -> None:
    document = read_document(write(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n"))

    assert document.data == {"a": 1, "b": 2}
    assert document.line(("b",)) == 2


def test_a_key_given_twice_is_a_fault_at_the_second_and_the_first_value_stays(write: Write) -> None:
    document = read_document(write("a:\n  b: 1\n  c: 2\n  b: 3\n"))

    assert document.data == {"a": {"b": 1, "c": 2}}
    assert [str(document.problem(fault)) for fault in document.faults] == [
        "file.yaml:4: a.b: is given twice, first in line 2"
    ]


@pytest.mark.parametrize("key", ["1", "true", "~", "[a, b]", "? {a: b}\n"])
def test_a_key_that_is_not_text_is_a_fault(write: Write, key: str) -> None:
    document = read_document(write(f"ok: 1\n{key}: 2\n"))

    assert document.data == {"ok": 1}
    assert "key that is not text" in document.faults[0].message


@pytest.mark.parametrize("value", ["{{ name }}", "{{ a.b | default('x') }}", "[{{ name }}]"])
def test_a_template_without_quotes_is_called_one(write: Write, value: str) -> None:
    document = read_document(write(f"ok: 1\nkey: {value}\n"))
    (fault,) = document.faults
    assert str(document.problem(fault)).startswith("file.yaml:2: key")
    assert "holds {{ … }}, a template that is not filled in here" in fault.message


def test_an_alias_is_the_value_it_stands_for(write: Write) -> None:
    assert read_document(write("a: &here [1, 2]\nb: *here\n")).data == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param("", "file.yaml:1: is empty", id="empty"),
        pytest.param("# nothing yet\n", "file.yaml:1: is empty", id="only-a-comment"),
        pytest.param("---\n", "file.yaml:1: is empty", id="only-a-marker"),
        pytest.param("a: 1\n---\nb: 2\n", "file.yaml:2: holds more than one document (---)", id="two-documents"),
        pytest.param(b"a: 1\nb: \xff\n", "file.yaml:2: is not UTF-8 text", id="not-utf-8"),
        pytest.param("a: 1\nb: [1, 2\nc: 3\n", "file.yaml:3: is not YAML: ", id="an-open-bracket"),
        pytest.param(
            "x: 1\na: b: c\n",
            'file.yaml:2: is not YAML: a text that holds a colon before a blank must be in quotes, like "a: b"',
            id="two-colons",
        ),
        pytest.param("a: b\n  c: d\n", "file.yaml:2: is not YAML: a key is not allowed here: its line", id="too-far"),
        pytest.param(
            "a: @kim\n", 'file.yaml:1: is not YAML: a text that begins with @ must be in quotes, like "@kim"', id="at"
        ),
        pytest.param("{a: `b}\n", "file.yaml:1: is not YAML: a text that begins with ` must be in quotes", id="tick"),
        pytest.param(
            "a: {b: #team}\nc: 1\n",
            'file.yaml:1: is not YAML: # begins a comment: a text that begins with # must be in quotes, like "#team"',
            id="hash-in-braces",
        ),
        pytest.param("a:\n- x\n- [#team]\nc: 1\n", "file.yaml:3: is not YAML: # begins a comment", id="in-brackets"),
        pytest.param("a: [1, #one\n  2\nb: 3\n", "file.yaml:3: is not YAML: ", id="a-comment-that-is-one"),
        pytest.param(
            "a:\n\tb: 1\n", "file.yaml:2: is not YAML: it has a tab where only spaces are allowed", id="a-tab"
        ),
        pytest.param("a: 1\nb: \x01\n", "file.yaml:2: is not YAML: it holds a character", id="a-control-character"),
        pytest.param("name: *\n", "file.yaml:1: is not YAML: a text that begins with * must", id="a-bare-star"),
        pytest.param("a: !thing 1\n", "file.yaml:1: holds a tag (!)", id="a-tag"),
        pytest.param("a: !!python/object:os.system []\n", "file.yaml:1: holds a tag (!)", id="a-python-tag"),
        pytest.param("a: !!int x\n", "file.yaml:1: holds a number that cannot be read", id="a-number-that-is-none"),
        pytest.param(f"a: {'9' * 5000}\n", "file.yaml:1: holds a number that cannot be read", id="endless-digits"),
        pytest.param("a: &a\n - *a\n", "file.yaml:1: holds an alias (*) to a value that", id="a-loop"),
        pytest.param("[" * 5000, "file.yaml: is nested too deeply", id="a-tower"),
        pytest.param("a: {b: ${X}}\n", "must be in quotes", id="braces-in-braces"),
    ],
)
def test_what_makes_no_document_is_one_problem_with_its_line(write: Write, content: str | bytes, problem: str) -> None:
    assert problem in problem_of(write(content))


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("é: 1\r\na: #team\r\nb: 1\r\n", ("a",), True),
        ("a:\n  - #team\n  - b\n", ("a", 0), True),
        ("a: # the team\nb: 1\n", ("a",), False),
        ("a:\n#team\nb: 1\n", ("a",), False),
        ("a: ''  #team\n", ("a",), False),
        ("a: ~ #team\n", ("a",), False),
    ],
)
def test_what_is_empty_as_a_comment_was_taken_for_no_value_says_so(
    write: Write, text: str, key: Keys, said: bool
) -> None:
    problem = str(read_document(write(text)).problem(Fault(key, "is empty: write text, in quotes")))

    assert ("is empty, as # begins a comment: a text that begins with # must be in quotes" in problem) is said
    assert "is a number" in str(read_document(write(text)).problem(Fault(key, "is a number")))


def test_aliases_of_aliases_do_not_fill_the_memory(write: Write) -> None:
    bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))

    assert "holds more than 100000 values" in problem_of(write(bomb))


@pytest.mark.parametrize(
    "text",
    [
        *("*Hunter2", "!Hunter2", "!Hunter2!x y", "&Hunter2 &Hunter2 x", '"Hunter2', "Hunter2: x: y", "{Hunter2"),
        *("[#Hunter2]", "@Hunter2"),
    ],
)
def test_a_syntax_error_does_not_show_what_could_be_a_secret(write: Write, text: str) -> None:
    assert "Hunter2" not in problem_of(write(f"password: {text}\n"))


def test_a_file_that_is_not_there_is_a_problem_and_a_directory_too(tmp_path: Path) -> None:
    assert (
        problem_of(tmp_path / "nowhere.yaml") == f"{tmp_path}/nowhere.yaml: cannot be read: No such file or directory"
    )
    assert problem_of(tmp_path) == f"{tmp_path}: cannot be read: Is a directory"


def test_files_are_shown_relative_below_the_current_directory_and_absolute_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    assert display(Path("policies/ci.yaml")) == "policies/ci.yaml"
    assert display(tmp_path / "here" / "a.yaml") == "a.yaml"
    assert display(Path("../here/a.yaml")) == "a.yaml"
    assert display(Path("../a.yaml")) == f"{tmp_path}/a.yaml"
    assert display(Path()) == f"{tmp_path}/here"


def test_keys_are_written_as_people_write_them() -> None:
    assert dotted(("targets", 0, "http", "timeout")) == "targets[0].http.timeout"


def test_a_problem_stays_on_one_line() -> None:
    document = Document("f.yaml", {}, {(): 1})

    assert str(document.problem(Fault(("a",), '"x\ny\x1b[31m" is wrong'))) == r'f.yaml:1: a: "x\ny\x1b[31m" is wrong'


def test_the_halves_of_a_character_that_json_escapes_are_joined(write: Write) -> None:
    document = read_document(write(r'{"a\ud83d\ude00": ["\ud83d\ude00", "x\uD83D\uDE00y", "\U0001F600", "\u00e9"]}'))
    assert document.data == {"a😀": ["😀", "x😀y", "😀", "é"]}


@pytest.mark.parametrize("text", [r"\ud83d", r"\ude00\ud83d", r"x\ude00", r"\ud83d\u0041", r"\ud83d\ud83d\ude00"])
@pytest.mark.parametrize("form", ['a: 1\nb: "{}"\n', 'a: 1\n"{}": b\n', 'a:\n  - "{}"\n'])
def test_half_of_a_character_is_refused_with_its_line(write: Write, form: str, text: str) -> None:
    told = problem_of(write(form.replace("{}", text)))
    assert told == "file.yaml:2: holds half a character: a \\u escape of a surrogate without its pair"


def test_the_name_of_a_file_that_is_not_utf_8_can_be_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert display(Path("a\udcff.yaml")) == "a\ufffd.yaml"
