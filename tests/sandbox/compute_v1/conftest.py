"""A sandbox that speaks the Compute API v1.0 and that no test changes."""

from collections.abc import Iterator

import pytest

from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox, running
from tests.sandbox.clock import Clock
from tests.sandbox.compute_v1.client import Client
from tests.sandbox.ways import signed_in


@pytest.fixture(scope="module")
def standing() -> Iterator[Sandbox]:
    with running(Options(images=50), Clock()) as sandbox:
        yield sandbox


@pytest.fixture
def reader(standing: Sandbox) -> Iterator[Client]:
    """A client of a sandbox that no test changes."""
    with signed_in(Client(standing)) as client:
        yield client
