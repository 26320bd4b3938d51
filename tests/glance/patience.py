"""Waiting for something that only real time brings about, such as the end of a token."""

import threading
import time
from collections.abc import Callable

PAUSE = 0.05
AT_MOST = 30


def until(holds: Callable[[], bool]) -> None:
    """Ask until it holds; fails after half a minute."""
    end = time.monotonic() + AT_MOST
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(PAUSE)
