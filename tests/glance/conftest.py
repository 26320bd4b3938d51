"""One cloud for all tests; each makes the projects that it needs in it."""

from collections.abc import Iterator

import pytest

from tests.glance.cloud import Cloud, running


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    with running() as started:
        yield started
