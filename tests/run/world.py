"""A cloud, a database and a clock, for runs over days."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from janitor.core.decision import Decision
from janitor.core.planning.plan import Limits
from janitor.core.policy import Policy
from janitor.core.recipients.destinations import Destinations
from janitor.core.result import Mode, RunResult
from janitor.notify.announcing import start_notices
from janitor.run.orders import Site
from janitor.run.review import reviewed_plan
from janitor.store import Store
from tests.factories import AMPLE, DAY, OLD
from tests.factories import NOW as START
from tests.fakes import RecordingCloud
from tests.runs import run_of

HOUR = timedelta(hours=1)
ANNOUNCED = replace(OLD, notice=2 * DAY)


@dataclass
class World:
    """A cloud, a database and a clock that advances only on demand."""

    store: Store
    cloud: RecordingCloud
    policies: list[Policy]
    now: datetime = START
    limits: Limits = AMPLE

    def run(self, mode: Mode = Mode.DELETE, *, deliver: bool = True, **rest: Any) -> RunResult:
        """One run; then its report is delivered, or not."""
        orders: dict[str, Any] = {"limits": self.limits, **rest}
        sites = [Site("prod", lambda: self.cloud)]
        result = run_of(sites, self.policies, self.store, mode, clock=lambda: self.now, **orders).perform()
        self.deliver(result, taken=deliver, destinations=rest.get("destinations"))
        return result

    def deliver(self, result: RunResult, *, taken: bool = True, destinations: Destinations | None = None) -> None:
        """The channel takes all of a report, or nothing."""
        told = [*result.targets[0].notices.announced, *result.targets[0].notices.reminded]
        accepted = {("prod", decision.image.id) for decision in told} if taken else set()
        start_notices(self.store, result, self.policies, accepted, self.now, destinations=destinations)

    def approved(self, number: int, validity: timedelta = DAY) -> dict[str, tuple[Decision, ...]]:
        return reviewed_plan(self.store, number, self.policies, validity, self.now)


@dataclass
class NightlyWorld(World):
    """A world with one run a night, under a policy that announces nothing unless others are given."""

    policies: list[Policy] = field(default_factory=lambda: [OLD])

    def night(self, mode: Mode = Mode.DELETE, *, deliver: bool = True, **rest: Any) -> RunResult:
        """One run and the delivery of its report; the next is a day later."""
        result = self.run(mode, deliver=deliver, **rest)
        self.now += DAY
        return result


def announced(result: RunResult) -> list[str]:
    return [decision.image.id for decision in result.targets[0].notices.announced]
