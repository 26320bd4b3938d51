"""Clients of a sandbox that speaks the Compute API v1.0, in which faults strike once they are set."""

from collections.abc import Iterator

import pytest

from janitor.sandbox.options import Options
from tests.sandbox.clock import Clock
from tests.sandbox.compute_v1.client import Client, client_of
from tests.sandbox.ways import WAYS


@pytest.fixture(params=WAYS)
def client(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Client]:
    """A signed-in client: what holds behind a socket holds without one."""
    with client_of(Options(images=60), clock, request.param) as client:
        yield client


@pytest.fixture
def quick(clock: Clock) -> Iterator[Client]:
    """The same without a socket only, where the way there does not matter."""
    with client_of(Options(images=60), clock, "in-process") as client:
        yield client
