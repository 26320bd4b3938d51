"""Fixtures for tests of clouds."""

import os
from pathlib import Path

import pytest
from openstack.config import loader


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's own clouds gets in: files are looked for in the test's folder only."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    for name, file in (("CONFIG_FILES", "clouds"), ("SECURE_FILES", "secure"), ("VENDOR_FILES", "clouds-public")):
        monkeypatch.setattr(loader, name, [str(tmp_path / f"{file}.yaml")])
