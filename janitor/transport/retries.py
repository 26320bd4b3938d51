"""The retries of a call whose first try failed."""

from collections.abc import Callable
from typing import TypeVar

import stamina
from stamina.instrumentation import set_on_retry_hooks

from janitor.transport.patience import FIRST_WAIT, JITTER, LONGEST_WAIT, HttpOptions, Transient, Tries

T = TypeVar("T")

set_on_retry_hooks(())  # `Tries` logs each retry itself, with what was asked and why it failed


def retried(attempt: Callable[[float], T], tries: Tries, options: HttpOptions, first: Transient) -> T:
    """The result of `attempt`, whose first try raised `first`. Raises Transient, the last cause, when patience ends."""
    failed = [first]
    for turn in stamina.retry_context(
        on=tries.again,
        attempts=options.attempts,
        timeout=options.give_up_after,
        wait_initial=FIRST_WAIT,
        wait_max=LONGEST_WAIT,
        wait_jitter=JITTER,
    ):
        with turn:
            if failed:
                tries.expect(turn.next_wait)
                raise failed.pop()
            return attempt(tries.next(turn.next_wait))
    raise AssertionError("a retry loop ends by returning or raising")
