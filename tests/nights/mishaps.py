"""What goes wrong with the account's API in a night: any of the sandbox's faults, drawn with its particulars."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from janitor.sandbox.calls import Api
from janitor.sandbox.faults import NO_FAULTS, Fault, Faults, faults_of, reach
from janitor.sandbox.faults.file import parse_faults
from tests.nights.calls import CALLS

_GATEWAY = (500, 502, 503, 504)
_RANGES = (10400, 11400, 12400, 13400, 20400, 21400, 22400, 23400, 24400, 30400, 40400, 50400)
_IN_RANGE = (0, 1, 3, 4, 8, 9, 29, 99)
_CODES = {
    # Every code of the vendor's page, or the telling ones of a range; and 30500, which the page leaves open.
    Api.TOAST: (*range(-8, 0), 20001, 20004, 30500, *(first + status for first in _RANGES for status in _IN_RANGE)),
    Api.OPENSTACK: (400, 401, 403, 404, 409, 410, 413, 429, 500, 503),
}
_NO_SUCH_IMAGE = frozenset({403, 404, 410})
_SINGLE = frozenset(
    {
        "show-image",
        "show-cluster",
        "list-nodegroups",
        "show-nodegroup",
        "list-clustertemplates",
        "show-stack",
        "show-template",
    }
)
_LOSES_A_SERVICE = 0.12
_SERVICES = ("nova", "nova-2", "nova-3", "cinderv3", "magnum", "heat")

_PARTICULARS: Mapping[Fault, Callable[[Random], dict[str, Any]]] = {
    Fault.HTTP_ERROR: lambda draw: {"status": draw.choice(_GATEWAY)},
    Fault.RESULT_CODE: lambda _draw: {},  # by the API, see `_rule`
    Fault.TOO_MANY_REQUESTS: lambda draw: {"retry_after": draw.choice(("0s", "2s", "30s"))},
    Fault.CUT_OFF_BODY: lambda _draw: {},
    Fault.FOREIGN_BODY: lambda draw: {"status": draw.choice((200, 404, *_GATEWAY))},
    Fault.DROPPED_CONNECTION: lambda _draw: {},
    Fault.DELAY: lambda draw: {"delay": draw.choice(("5s", "5m"))},
    Fault.DEAD_TOKEN: lambda _draw: {},
    Fault.VANISHED_MARKER: lambda _draw: {},
    Fault.REPEATED_PAGE: lambda _draw: {},
    Fault.TRUNCATED_LIST: lambda _draw: {},
    Fault.EMPTY_INSTANCES: lambda _draw: {},
    Fault.EMPTY_VOLUMES: lambda _draw: {},
    Fault.EMPTY_CLUSTERS: lambda _draw: {},
    Fault.EMPTY_STACKS: lambda _draw: {},
    Fault.DOWN_CELL: lambda _draw: {},
    Fault.UNREADABLE_REFERENCE: lambda draw: {"status": draw.choice((200, 403, *_GATEWAY))},
    Fault.DELETION_NOT_DONE: lambda _draw: {},
    Fault.DELETION_UNACKNOWLEDGED: lambda _draw: {},
    Fault.CLOCK_OFF: lambda draw: {"offset": draw.choice(("-3h", "-10m", "-2m", "+2m", "+10m", "+3h"))},
}


@dataclass(frozen=True)
class Mishaps:
    """The faults of a night; `lost` is a service that its catalogue leaves out."""

    faults: Faults = NO_FAULTS
    lost: str | None = None

    @property
    def clock_offset(self) -> timedelta:
        """The error of the clock of the calls that they affect."""
        return sum((rule.offset for rule in self.faults.rules), timedelta())


NONE = Mishaps()


def draw_mishaps(draw: Random, api: Api) -> Mishaps:
    """One, two or three faults of an API; or a catalogue that has one service less."""
    if api is Api.OPENSTACK and draw.random() < _LOSES_A_SERVICE:
        return Mishaps(lost=draw.choice(_SERVICES))
    rules = [_rule(draw, fault, api) for fault in draw.sample(_faults_of(api), draw.randint(1, 3))]
    text = json.dumps({"seed": draw.randrange(10**6), "faults": rules})
    return Mishaps(parse_faults("faults", text.encode(), api))


def _faults_of(api: Api) -> list[Fault]:
    """The faults that can strike what runs ask."""
    return [fault for fault in faults_of(api) if not reach(fault, api).isdisjoint(CALLS[api])]


def _rule(draw: Random, fault: Fault, api: Api) -> dict[str, Any]:
    calls = [call for call in CALLS[api] if call in reach(fault, api)]
    rule = {"fault": fault.value, "call": draw.choice((*calls, calls)), **_PARTICULARS[fault](draw)}
    rule |= {"code": draw.choice(_CODES[api])} if fault is Fault.RESULT_CODE else {}
    if not {rule.get("code"), rule.get("status")}.isdisjoint(_NO_SUCH_IMAGE):
        # If an API says that a single thing does not exist, it has to be believed: no list contradicts it.
        rule["call"] = [call for call in calls if call not in _SINGLE]
    match draw.randrange(4):
        case 0:
            return rule | {"at": draw.sample(range(1, 13), draw.randint(1, 3))}
        case 1:
            return rule | {"at": draw.randint(1, 9), "lasting": draw.choice(("4s", "10s", "10m"))}
        case 2:
            return rule | {"probability": draw.choice((0.1, 0.3, 0.5))}
        case _:
            return rule | ({} if draw.random() < 0.5 else {"probability": 0.8})
