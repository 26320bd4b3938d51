"""A sandbox of the usual kind, which speaks the Compute API v1.0, and its clock."""

from collections.abc import Iterator

import pytest

from tests.sandbox.clock import Clock
from tests.sandbox.compute_v1.client import Client, client_of


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(clock: Clock) -> Iterator[Client]:
    with client_of(clock=clock) as client:
        yield client
