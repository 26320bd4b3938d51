"""Fixtures for tests of files."""

from pathlib import Path
from textwrap import dedent

import pytest

from tests.config.configuration import Write
from tests.config.policies import WritePolicies


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current directory is the test's own, and no variable names a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JANITOR_CONFIG", raising=False)


@pytest.fixture
def write() -> Write:
    """Writes `janitor.yaml` into the current directory."""

    def write(content: str) -> Path:
        Path("janitor.yaml").write_text(dedent(content))
        return Path("janitor.yaml")

    return write


@pytest.fixture
def write_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WritePolicies:
    """Writes a file into the directory `policies` of the current directory, and returns that directory."""
    monkeypatch.chdir(tmp_path)
    Path("policies").mkdir()

    def write_policies(name: str, content: str) -> Path:
        (Path("policies") / name).write_text(dedent(content))
        return Path("policies")

    return write_policies
