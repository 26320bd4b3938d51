"""A page of a real browser; without one, the tests that need it are skipped, and say why."""

from collections.abc import Iterator

import pytest

from tests.browser import Page, Unavailable, browsing, chromium


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One for all tests of a module."""
    try:
        chromium()
    except Unavailable as why:
        pytest.skip(str(why))
    with browsing(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened
