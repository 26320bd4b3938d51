"""The reader of files that people write: whole, bounded, never waiting, and what is said of what it cannot read."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from janitor.files import UnusableFile, content_of, text_in

IRREGULAR = "cannot be read: it is not a regular file"


def refused(path: Path, largest: int = 10) -> str:
    with pytest.raises(UnusableFile) as caught:
        content_of(path, largest)
    return str(caught.value)


def test_a_file_and_one_that_a_link_leads_to_are_read_whole(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"0123456789")
    (tmp_path / "link").symlink_to("real")
    assert content_of(tmp_path / "real", 10) == content_of(tmp_path / "link", 10) == b"0123456789"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(lambda path: None, "cannot be read: No such file or directory", id="gone"),
        pytest.param(Path.mkdir, "cannot be read: Is a directory", id="a-folder"),
        pytest.param(os.mkfifo, IRREGULAR, id="a-fifo-that-nobody-writes-to"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), IRREGULAR, id="a-device"),
        pytest.param(lambda path: path.symlink_to("gone"), "cannot be read: No such file or directory", id="dangling"),
        pytest.param(lambda path: path.write_bytes(bytes(11)), "is larger than 0 KiB", id="too-large"),
    ],
)
def test_what_is_no_file_or_too_large_is_told_at_once(
    tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    make(tmp_path / "x")
    assert refused(tmp_path / "x") == said


def test_a_file_that_says_a_size_of_nothing_is_bounded_as_well() -> None:
    assert content_of(Path("/proc/self/comm"))
    assert refused(Path("/proc/self/maps")) == "is larger than 0 KiB"


def test_nothing_is_left_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in (tmp_path, tmp_path / "fifo", tmp_path / "gone"):
        refused(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param("끝".encode(), "끝", id="as-it-is"),
        pytest.param(b"\xef\xbb\xbfx\r\n", "x\r\n", id="byte-order-mark"),
        pytest.param(b"\xef\xbb\xbf\xef\xbb\xbfx", "x", id="two-of-them"),
    ],
)
def test_text_comes_without_a_byte_order_mark(content: bytes, text: str) -> None:
    assert text_in(content) == text


@pytest.mark.parametrize(
    ("content", "said", "line"),
    [
        pytest.param(b"a\nb\xff\n", "is not UTF-8 text", 2, id="latin"),
        pytest.param("x".encode("utf-16"), "is not UTF-8 text but UTF-16: save it as UTF-8", 1, id="utf-16"),
    ],
)
def test_what_is_not_utf_8_is_told_with_its_line(content: bytes, said: str, line: int) -> None:
    with pytest.raises(UnusableFile, match=said) as caught:
        text_in(content)
    assert (str(caught.value), caught.value.line) == (said, line)
