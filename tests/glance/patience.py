"""Waiting for something that needs real time, such as the expiry of a token."""

import threading
import time
from collections.abc import Callable

PAUSE = 0.05
AT_MOST = 30


def until(holds: Callable[[], bool]) -> None:
    """Check until it holds; fails after half a minute."""
    end = time.monotonic() + AT_MOST
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(PAUSE)
