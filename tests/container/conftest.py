"""One image for all tests, built when they begin; if it cannot be built, all are skipped, and the summary says why."""

import time
from collections.abc import Iterator

import pytest

from tests.container.engine import Container, built
from tests.container.machine import Unavailable

_SAID: list[str] = []


@pytest.fixture(scope="session")
def container() -> Iterator[Container]:
    began = time.monotonic()
    try:
        with built() as made:
            _SAID.append(f"the container was built in {time.monotonic() - began:.0f} s, and run as its user")
            yield made
    except Unavailable as why:
        _SAID.append(f"THE CONTAINER WAS NOT BUILT, AND NOTHING OF IT TRIED: {why}")
        pytest.skip(str(why))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in dict.fromkeys(_SAID):
        terminalreporter.write_line(line, bold=True)
