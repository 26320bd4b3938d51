"""Requests to Slack, retried within the bounds of one report."""

from collections.abc import Callable

from janitor.clock import utc_now
from janitor.errors import CloudError
from janitor.notify.slack.answers import Problem
from janitor.transport import Call, Reply, Transient
from janitor.transport.http import Transport

_LONGEST_WAIT = 60.0
_WAITS_TOGETHER = 180.0
_MOST_TRIES = 11
_MOST_BROKEN_TRIES = 4


class Unanswered(Exception):
    """There was no usable answer of Slack; `problem` is why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


class Exchange:
    """Sends calls: waits as long as a rate limit asks, and retries failures a few times, each within bounds.

    The time waited for rate limits counts over all calls. `seconds` gives before each try how long that may take. Once
    `ending` says so, nothing is retried.
    """

    def __init__(
        self,
        transport: Transport,
        seconds: Callable[[], float],
        sleep: Callable[[float], object],
        ending: Callable[[], bool],
    ) -> None:
        self._transport = transport
        self._seconds = seconds
        self._sleep = sleep
        self._ending = ending
        self._left = _WAITS_TOGETHER
        self._last: Reply | None = None

    @property
    def last(self) -> Reply:
        """The last answer."""
        assert self._last is not None, "nothing was sent"
        return self._last

    def send(self, call: Call) -> Reply:
        """The answer, whatever it is. Raises Unanswered if none came, or only rate limits that exceed the bounds."""
        for tries in range(1, _MOST_TRIES + 1):
            reply, problem = self._answer(call)
            broken = reply is None or reply.status >= 500
            limited = reply is not None and reply.status == 429
            if self._ending() or not (limited or broken) or tries == (_MOST_BROKEN_TRIES if broken else _MOST_TRIES):
                break
            self._sleep(self._wait(reply) if limited and reply is not None else float(2 ** (tries - 1)))
        if reply is None:
            raise Unanswered(problem)
        self._last = reply
        return reply

    def _answer(self, call: Call) -> tuple[Reply | None, Problem]:
        """The result of one try: an answer, or why there is none."""
        try:
            return self._transport.request(call, self._seconds()), Problem("")
        except Transient as error:
            return None, Problem(f"no usable answer ({error})")
        except CloudError as error:
            raise Unanswered(Problem(str(error).removeprefix(f"{call.label}: "))) from None

    def _wait(self, reply: Reply) -> float:
        """How long a rate limit asks to wait; one second if it does not say. Raises Unanswered beyond the bounds."""
        asked = reply.retry_after(utc_now())
        seconds = 1.0 if asked is None else asked
        if seconds > _LONGEST_WAIT:
            raise Unanswered(
                Problem(f"it asks to wait {seconds:.0f} seconds, longer than the {_LONGEST_WAIT:.0f} seconds allowed")
            )
        if seconds > self._left:
            waited = _WAITS_TOGETHER - self._left
            raise Unanswered(Problem(f"it still asks to wait after {waited:.0f} seconds of waiting"))
        self._left -= seconds
        return seconds
