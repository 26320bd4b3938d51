"""Which files a glob of references matches, and the message for everything that cannot be read on the way."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.references import Reference, globs, texts
from janitor.references.entries import Text, Unreadable
from janitor.references.globs import expand, led_to, literal, shown
from janitor.references.texts import BEYOND_ALLOWANCE, LARGEST_SUM, Allowance, files

NOBODY = 65534


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def matched(folder: Path, pattern: str) -> list[str]:
    """What a glob below a folder leads to, and what is said, both without the folder."""
    found = (one.why if isinstance(one, Unreadable) else one for one in expand(f"{folder}/{pattern}"))
    return [one.replace(f"{folder}/", "") for one in found]


def read(folder: Path, pattern: str, allowance: Allowance | None = None) -> list[Text | Unreadable]:
    reference = Reference(pattern, f"{folder}/{pattern}")
    return list(files(reference, allowance or Allowance(), threading.Event()))


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything, so it becomes nobody meanwhile; others stay who they are."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that nobody may enter, too."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    put(
        tmp_path,
        "main.tf",
        "a/x.tf",
        "a/b/y.tf",
        "a/b/z.txt",
        "a/.hidden.tf",
        ".git/config.tf",
        "a/.terraform/m.tf",
        "c.tf/inner.tf",
        "[x]/in.tf",
    )
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        pytest.param("main.tf", ["main.tf"], id="no-wildcard"),
        pytest.param("nothing.tf", [], id="not-there"),
        pytest.param("nowhere/nothing.tf", [], id="nor-its-folder"),
        pytest.param("main.tf/x", [], id="below-a-file"),
        pytest.param("*.tf", ["main.tf"], id="a-folder-is-skipped"),
        pytest.param("a", [], id="a-folder-alone"),
        pytest.param("a/*", ["a/x.tf"], id="not-hidden"),
        pytest.param("a/?hidden.tf", [], id="a-dot-is-not-any-character"),
        pytest.param("a/.*", ["a/.hidden.tf"], id="hidden-if-asked-for"),
        pytest.param("a/.terraform/*.tf", ["a/.terraform/m.tf"], id="in-a-hidden-folder-if-asked-for"),
        pytest.param("*/*.tf", ["[x]/in.tf", "a/x.tf", "c.tf/inner.tf"], id="one-below"),
        pytest.param("a/[wx].tf", ["a/x.tf"], id="a-set"),
        pytest.param("a/[!w].tf", ["a/x.tf"], id="not-of-a-set"),
        pytest.param("[[]x]/*.tf", ["[x]/in.tf"], id="an-escaped-bracket"),
        pytest.param("A/*.tf", [], id="case-counts"),
        pytest.param("**/*.tf", ["main.tf", "[x]/in.tf", "a/x.tf", "a/b/y.tf", "c.tf/inner.tf"], id="any-depth"),
        pytest.param("a/**/y.tf", ["a/b/y.tf"], id="any-depth-below"),
        pytest.param("**/b/**/*.t*", ["a/b/y.tf", "a/b/z.txt"], id="twice"),
        pytest.param("a/**", ["a/x.tf", "a/b/y.tf", "a/b/z.txt"], id="everything-below"),
        pytest.param("a/../main.tf", ["a/../main.tf"], id="upwards"),
        pytest.param("./a//x.tf", ["./a/x.tf"], id="odd-slashes"),
    ],
)
def test_a_glob_leads_to_regular_files(tree: Path, pattern: str, paths: list[str]) -> None:
    assert matched(tree, pattern) == paths


def test_links_are_followed_and_those_in_a_circle_end(tree: Path) -> None:
    (tree / "a/b/up").symlink_to(tree)
    (tree / "d").symlink_to(tree / "a/b")
    (tree / "link.tf").symlink_to(tree / "a/x.tf")
    paths = matched(tree, "**/*.tf")
    real = [os.path.realpath(tree / path) for path in paths]
    assert sorted(set(real)) == sorted(
        str(tree / path) for path in ("main.tf", "a/x.tf", "a/b/y.tf", "c.tf/inner.tf", "[x]/in.tf")
    )
    assert len(paths) == 6  # a/x.tf by its link, too


@pytest.mark.parametrize(
    "pattern",
    ["main.tf", "a", "*", "*.tf", "a/*", "a/.*", "a/**", "**", "**/*.t*", "*/b/*", "d/*", "a/up/a/*", "a/../*.tf"],
)
def test_a_glob_leads_to_a_file_before_it_is_there(tree: Path, pattern: str) -> None:
    (tree / "a/up").symlink_to(tree)
    (tree / "d").symlink_to(tree / "a/b")
    glob = f"{tree}/{pattern}"
    names = ["main.tf", "a/x.tf", "a/b/y.tf", "a/b/z.txt", "a/.hidden.tf", ".git/config.tf", "a/.terraform/m.tf"]
    expected = {os.path.realpath(one) for one in expand(glob) if isinstance(one, str)}
    led = [name for name in names if led_to(glob, [f"{tree}/{name}"])]
    assert led == [name for name in names if str(tree / name) in expected]
    assert led_to(glob, [f"{tree}/{name}" for name in names]) == {f"{tree}/{name}" for name in led}
    for name in names:
        (tree / name).unlink()
    assert [name for name in names if led_to(glob, [f"{tree}/{name}"])] == led


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("a", ", only folders, such as a: write a/* for the files in them, or a/** for all below"),
        ("a/", ", only folders, such as a: write a/* for the files in them, or a/** for all below"),
        ("*.d", ", only folders, such as x.d: write *.d/* for the files in them, or *.d/** for all below"),
        ("x.d/**", ", only folders, such as x.d/y"),
        ("nowhere", ""),
    ],
)
def test_a_glob_that_matches_only_folders_says_what_to_write(tree: Path, pattern: str, told: str) -> None:
    (tree / "x.d/y").mkdir(parents=True)
    assert read(tree, pattern) == [Unreadable(f"no file matches it{told}")]


def test_a_very_deep_tree_is_no_trouble(tmp_path: Path) -> None:
    folders = [tmp_path]
    for _ in range(1_100):
        folders.append(folders[-1] / "d")
        folders[-1].mkdir()
    (folders[-1] / "x.tf").touch()
    assert len(matched(tmp_path, "**/*.tf")) == 1
    (folders[-1] / "x.tf").unlink()
    for folder in reversed(folders[1:]):
        folder.rmdir()


@pytest.mark.parametrize("pattern", ["x.tf", "*.tf", "**/*.tf"])
@pytest.mark.parametrize(
    ("make", "told"),
    [
        pytest.param(lambda path: path.symlink_to("gone"), "x.tf is a broken link", id="a-broken-link"),
        pytest.param(
            lambda path: path.symlink_to("x.tf"), "x.tf cannot be read: Too many levels of symbolic links", id="a-loop"
        ),
        pytest.param(os.mkfifo, "x.tf is not a regular file", id="a-fifo"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), "x.tf is not a regular file", id="a-device"),
    ],
)
def test_what_a_glob_matches_and_cannot_be_read_is_told(
    tmp_path: Path, pattern: str, make: Callable[[Path], object], told: str
) -> None:
    put(tmp_path, "y.tf")
    make(tmp_path / "x.tf")
    assert told in matched(tmp_path, pattern)


def test_a_socket_is_not_a_regular_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("x.tf")
        assert matched(tmp_path, "*.tf") == ["x.tf is not a regular file"]


def test_a_broken_link_may_have_led_to_folders(tmp_path: Path) -> None:
    put(tmp_path, "y.tf")
    (tmp_path / "modules").symlink_to("/nowhere/modules")
    assert matched(tmp_path, "**/*.tf") == ["y.tf", "modules is a broken link"]
    assert matched(tmp_path, "*/*.tf") == ["modules is a broken link"]
    assert matched(tmp_path, "modules/*.tf") == ["modules is a broken link"]
    assert matched(tmp_path, "*.tf") == ["y.tf"]


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("**/*.tf", ["y.tf", "private cannot be read: Permission denied"]),
        ("private/*.tf", ["private cannot be read: Permission denied"]),
        ("private/x.tf", ["private/x.tf cannot be read: Permission denied"]),
        ("*/x.tf", ["private/x.tf cannot be read: Permission denied"]),
        ("*.tf", ["y.tf"]),
    ],
)
def test_a_folder_that_may_not_be_looked_into_is_told(open_folder: Path, pattern: str, told: list[str]) -> None:
    put(open_folder, "y.tf", "private/x.tf")
    (open_folder / "private").chmod(0)
    with as_nobody():
        found = matched(open_folder, pattern)
    (open_folder / "private").chmod(0o700)
    assert found == told


def test_a_file_that_may_not_be_read_is_told_and_the_others_are_read(open_folder: Path) -> None:
    put(open_folder, "a.tf", "b.tf", "c.tf")
    (open_folder / "b.tf").chmod(0)
    with as_nobody():
        found = read(open_folder, "*.tf")
    assert found == [
        Text("a.tf", b"a.tf"),
        Unreadable("b.tf cannot be read: Permission denied"),
        Text("c.tf", b"c.tf"),
    ]


def test_only_so_many_names_are_looked_at(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(globs, "MOST_ENTRIES", 4)
    assert matched(tree, "**/*.tf")[-1] == "it has to search more than 4 files and folders"
    monkeypatch.setattr(globs, "MOST_ENTRIES", 100)
    assert matched(tree, "**/*.tf")[-1] == "c.tf/inner.tf"


@given(st.text("ab[]*?!", max_size=9))
def test_an_escaped_glob_means_itself(text: str) -> None:
    escaped = "".join(f"[{character}]" if character in "*?[" else character for character in text)
    assert literal(escaped) == text


def test_paths_are_shown_as_harmless_text() -> None:
    assert shown("a\x1b[31m\nb\udcff") == "a\\x1b[31m\\nb\ufffd"
    assert shown("이미지/é.tf") == "이미지/é.tf"


# What is read of the files


def test_texts_are_called_as_people_wrote_them(tree: Path) -> None:
    assert read(tree, "a/*.tf") == [Text("a/x.tf", b"a/x.tf")]
    assert read(tree, "a/../main.tf") == [Text("a/../main.tf", b"main.tf")]
    absolute = str(tree / "main.tf")
    assert list(files(Reference(absolute, absolute), Allowance(), threading.Event())) == [Text(absolute, b"main.tf")]


def test_texts_in_a_folder_with_wildcards_in_its_name_are_called_so_too(tree: Path) -> None:
    reference = Reference("in.tf", f"{tree}/[[]x]/in.tf")
    assert list(files(reference, Allowance(), threading.Event())) == [Text("in.tf", b"[x]/in.tf")]


@pytest.mark.parametrize(
    ("content", "result"),
    [
        pytest.param(b"", Text("x", b""), id="empty"),
        pytest.param(b"\xef\xbb\xbfubuntu", Text("x", b"ubuntu"), id="a-byte-order-mark"),
        pytest.param(b"\xff\xfe", Text("x", b"\xff\xfe"), id="not-utf-8"),
        pytest.param(b"ab\0c", Unreadable("x is binary: it holds a NUL byte"), id="binary"),
        pytest.param("ubuntu".encode("utf-16"), Unreadable("x is binary: it holds a NUL byte"), id="utf-16"),
        pytest.param(b"a" * 100, Text("x", b"a" * 100), id="just-as-large-as-it-may-be"),
        pytest.param(b"a" * 101, Unreadable("x is larger than 0 MiB"), id="too-large"),
    ],
)
def test_a_file_is_read_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, result: Text | Unreadable
) -> None:
    monkeypatch.setattr(texts, "LARGEST_TEXT", 100)
    (tmp_path / "x").write_bytes(content)
    assert read(tmp_path, "x") == [result]


def test_a_file_of_50_mib_is_the_largest(tmp_path: Path) -> None:
    for size, fine in ((50 * 2**20, True), (50 * 2**20 + 1, False)):
        with (tmp_path / "x").open("wb") as file:
            file.write(b"a" * size)
        (result,) = read(tmp_path, "x")
        assert isinstance(result, Text) == fine


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="such a file is there on Linux alone")
def test_a_file_that_is_larger_than_it_is_said_to_be_is_read_to_its_end() -> None:
    allowance = Allowance()
    (text,) = files(Reference("x", "/proc/self/status"), allowance, threading.Event())
    assert isinstance(text, Text)
    assert text.content.count(b"\n") > 20
    assert allowance.size < LARGEST_SUM - 100


@pytest.mark.parametrize("pattern", ["*.json", "gone/*.tf", "gone.tf", "**/*.json"])
def test_a_glob_that_matches_nothing_is_told(tree: Path, pattern: str) -> None:
    assert read(tree, pattern) == [Unreadable("no file matches it")]


def test_only_so_many_files_and_bytes_are_read_in_all(tree: Path) -> None:
    assert read(tree, "**/*.tf", Allowance(texts=5))[-1] == Text("c.tf/inner.tf", b"c.tf/inner.tf")
    assert read(tree, "**/*.tf", Allowance(texts=4))[3:] == [Text("a/b/y.tf", b"a/b/y.tf"), BEYOND_ALLOWANCE]
    assert read(tree, "**/*.tf", Allowance(texts=1))[1:] == [BEYOND_ALLOWANCE]
    assert read(tree, "main.tf", Allowance(size=7)) == [Text("main.tf", b"main.tf")]
    assert read(tree, "main.tf", Allowance(size=6)) == [BEYOND_ALLOWANCE]


def test_references_share_one_allowance(tree: Path) -> None:
    allowance = Allowance(texts=1)
    assert read(tree, "main.tf", allowance) == [Text("main.tf", b"main.tf")]
    assert read(tree, "main.tf", allowance) == [BEYOND_ALLOWANCE]
    assert (Allowance().texts, Allowance().size) == (10_000, 2**30)


def test_a_stop_ends_reading(tree: Path) -> None:
    stop = threading.Event()
    found = files(Reference("*", f"{tree}/**/*.tf"), Allowance(), stop)
    assert isinstance(next(found), Text)
    stop.set()
    assert list(found) == [Unreadable("the program was told to stop")]


def test_a_fifo_that_takes_the_place_of_a_file_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x")
    text = texts._text(str(tmp_path / "x"), "x", Allowance())
    assert text == Unreadable("x cannot be read: it is not a regular file")
