"""The package httpx without its command line, which takes as long to load as all the rest of it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_COMMAND_LINE = "httpx._main"


@contextmanager
def _without_command_line() -> Iterator[None]:
    """Lets httpx be imported as where the packages that its command line needs are not installed."""
    if _COMMAND_LINE in sys.modules or "httpx" in sys.modules:
        yield
        return
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # "not to be found", to the import system
    try:
        yield
    finally:
        del sys.modules[_COMMAND_LINE]


with _without_command_line():
    import httpx

__all__ = ["httpx"]
