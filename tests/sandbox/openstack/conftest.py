"""Clients of sandboxes that speak OpenStack's APIs."""

from collections.abc import Iterator

import pytest

from tests.sandbox.openstack.client import Client, client_of


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of a project without images."""
    with client_of() as client:
        yield client


@pytest.fixture
def full() -> Iterator[Client]:
    """A client of a project with the usual fleet."""
    with client_of(images=200) as client:
        yield client
