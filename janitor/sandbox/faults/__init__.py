"""Which faults a sandbox has, and when each strikes: the same seed and the same calls give the same faults."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b

from janitor.sandbox.calls import CALLS, Api
from janitor.sandbox.request_log import Call


class Fault(StrEnum):
    """What can go wrong with one call."""

    HTTP_ERROR = "http-error"
    RESULT_CODE = "result-code"
    TOO_MANY_REQUESTS = "too-many-requests"
    CUT_OFF_BODY = "cut-off-body"
    FOREIGN_BODY = "foreign-body"
    DROPPED_CONNECTION = "dropped-connection"
    DELAY = "delay"
    DEAD_TOKEN = "dead-token"  # noqa: S105 - the name of a fault
    VANISHED_MARKER = "vanished-marker"
    REPEATED_PAGE = "repeated-page"
    TRUNCATED_LIST = "truncated-list"
    EMPTY_INSTANCES = "empty-instances"
    EMPTY_VOLUMES = "empty-volumes"
    EMPTY_CLUSTERS = "empty-clusters"
    EMPTY_STACKS = "empty-stacks"
    DOWN_CELL = "down-cell"
    UNREADABLE_REFERENCE = "unreadable-reference"
    DELETION_NOT_DONE = "deletion-not-done"
    DELETION_UNACKNOWLEDGED = "deletion-unacknowledged"
    CLOCK_OFF = "clock-off"


_PAGES = frozenset(
    {"list-images", "list-servers", "list-volumes", "list-clusters", "list-clustertemplates", "list-stacks"}
)
_INSTANCES = frozenset({"list-instances", "detail-instances", "list-servers"})
_DELETIONS = frozenset({"delete-image"})
_TOKENLESS = frozenset({"discover", "issue-token", "show-token", "read-reference"})
_ANY = frozenset(call for calls in CALLS.values() for call in calls)
_REACH: Mapping[Fault, frozenset[str]] = {
    Fault.DEAD_TOKEN: _ANY - _TOKENLESS,
    Fault.VANISHED_MARKER: frozenset({"list-images"}),
    Fault.REPEATED_PAGE: _PAGES,
    Fault.TRUNCATED_LIST: _PAGES,
    Fault.EMPTY_INSTANCES: _INSTANCES,
    Fault.EMPTY_VOLUMES: frozenset({"list-volumes"}),
    Fault.EMPTY_CLUSTERS: frozenset({"list-clusters"}),
    Fault.EMPTY_STACKS: frozenset({"list-stacks"}),
    Fault.DOWN_CELL: frozenset({"list-servers", "show-server"}),
    Fault.UNREADABLE_REFERENCE: frozenset({"read-reference"}),
    Fault.DELETION_NOT_DONE: _DELETIONS,
    Fault.DELETION_UNACKNOWLEDGED: _DELETIONS,
}
_BESIDE_OTHERS = frozenset({Fault.DELAY, Fault.CLOCK_OFF})


def reach(fault: Fault, api: Api = Api.TOAST) -> frozenset[str]:
    """The calls of an API that a fault can strike; none, where the API has nothing of the kind."""
    return _REACH.get(fault, _ANY) & frozenset(CALLS[api])


def faults_of(api: Api) -> tuple[Fault, ...]:
    """What can go wrong with an API."""
    return tuple(fault for fault in Fault if reach(fault, api))


@dataclass(frozen=True, slots=True)
class Rule:
    """One fault, and when it strikes: at the calls of these ordinals, or else each call with a probability.

    `calls` are those that it looks at, none for all that it can strike; `at` counts them, from 1. It strikes `times`
    times at most. Once it strikes, it strikes every call for as long as `lasting`, by the sandbox's clock.

    The rest is for one fault each: `status` of an error (503 where it is None), of a foreign body (200) or of an
    unreadable reference (503; with 200 it is a page to sign in), `code` of a result code, `delay`, `offset` of a clock
    that is off, `retry_after` of too many requests. Wide because each is a key of a fault file.
    """

    fault: Fault
    calls: frozenset[str] = frozenset()
    at: frozenset[int] = frozenset()
    probability: float = 1.0
    times: int | None = None
    lasting: timedelta = timedelta()
    status: int | None = None
    code: int = -1
    delay: timedelta = timedelta()
    offset: timedelta = timedelta()
    retry_after: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Faults:
    """What a sandbox does wrong. Of several rules the first that is due strikes; a delay and a clock go with it."""

    seed: int = 0
    rules: tuple[Rule, ...] = ()


NO_FAULTS = Faults()


class Turns:
    """Says of each call which rules strike it. May be asked from any thread.

    Chances are not drawn from a stream that calls share, but computed from the seed, the place of the rule, the name
    of the call and how often it came before; for a deletion, how often it came before for that image. So what strikes
    does not depend on how the threads of a client take turns, but for `at`, `times` and `lasting` of a deletion. Turns
    that differ in `whose` they are have chances that do.
    """

    def __init__(self, faults: Faults, whose: str = "") -> None:
        self._lock = threading.Lock()
        source = f"{faults.seed}/{whose}" if whose else f"{faults.seed}"
        self._watches = [_Watch(rule, f"{source}/{place}") for place, rule in enumerate(faults.rules)]

    def due(self, call: Call, now: datetime, possible: Callable[[Rule], bool]) -> tuple[Rule, ...]:
        """The rules that strike this call; `possible` says whether one that is due can."""
        with self._lock:
            wanting = [watch for watch in self._watches if call.name in watch.calls and watch.sees(call, now)]
            struck: list[Rule] = []
            alone = False
            for watch in wanting:
                beside = watch.rule.fault in _BESIDE_OTHERS
                if (beside or not alone) and possible(watch.rule):
                    alone = alone or not beside
                    watch.strikes(now)
                    struck.append(watch.rule)
            return tuple(struck)


class _Watch:
    """One rule over the calls as they come."""

    def __init__(self, rule: Rule, source: str) -> None:
        self.rule = rule
        within = _REACH.get(rule.fault, _ANY)
        self.calls = (rule.calls or within) & within
        self._source = source
        self._seen = 0
        self._came: Counter[tuple[str, str | None]] = Counter()
        self._struck = 0
        self._until: datetime | None = None

    def sees(self, call: Call, now: datetime) -> bool:
        """Take note of a call: whether the rule is due."""
        self._seen += 1
        hit = self._seen in self.rule.at if self.rule.at else self._chance(call)
        lasts = self._until is not None and now < self._until
        return (hit or lasts) and (self.rule.times is None or self._struck < self.rule.times)

    def _chance(self, call: Call) -> bool:
        if self.rule.probability >= 1:
            return True
        of = (call.name, call.image)
        self._came[of] += 1
        text = f"{self._source}/{call.name}/{call.image}/{self._came[of]}"
        drawn = int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())
        return drawn < self.rule.probability * 2**64

    def strikes(self, now: datetime) -> None:
        """Take note that the rule struck."""
        self._struck += 1
        if self.rule.lasting and (self._until is None or now >= self._until):
            self._until = now + self.rule.lasting
