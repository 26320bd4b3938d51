"""Fixtures for tests of runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from janitor.store import Store
from tests.factories import image_called
from tests.fakes import RecordingCloud
from tests.new_database import new_database
from tests.run.nights import Nights
from tests.run.world import ANNOUNCED, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Store.open(new_database(tmp_path / "janitor.db")) as store:
        yield World(store, RecordingCloud([image_called("a"), image_called("young", days=1)]), [ANNOUNCED])


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    with Store.open(new_database(tmp_path / "janitor.db")) as store:
        yield Nights(store, RecordingCloud([image_called("a"), image_called("young", days=1)]), [ANNOUNCED])
