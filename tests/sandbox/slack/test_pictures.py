"""Pictures of messages are made: of given ones, and of those that the program posts."""

import json
from pathlib import Path

import pytest

from tests.browser import Page
from tests.pictures import SCENES, made, main, pictures_of
from tests.sandbox.slack.messages import BLOCKS

PNG = b"\x89PNG\r\n"


def test_given_messages(page: Page, tmp_path: Path) -> None:
    message = {"text": "7 images.", "blocks": BLOCKS, "replies": [{"text": "web-41"}]}
    files = [tmp_path / name for name in ("one.json", "two.json")]
    for file, messages in zip(files, (message, [message, message]), strict=True):
        file.write_text(json.dumps(messages))
    (one, first), (two, second) = made(page, [str(file) for file in files])
    assert (one, two, first[:6], second[:6]) == ("one", "two", PNG, PNG)
    assert len(second) > len(first)


def test_what_the_program_posts(page: Page, tmp_path: Path) -> None:
    first, everything = pictures_of(page, SCENES["announcement"], tmp_path)
    assert (first[:6], everything[:6]) == (PNG, PNG)
    assert "ACTION: " in page.text()
    assert "Keep 30 days" in page.text()


def test_without_a_browser_it_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(str(tmp_path / "out")) == 1
    assert "Chromium is not installed" in capsys.readouterr().err
