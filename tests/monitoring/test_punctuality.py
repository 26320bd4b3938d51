"""Whether the service keeps its schedule: which runs count as missed, and from when."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from janitor.config import load_settings
from janitor.core.cron import Cron
from janitor.core.result import Outcome
from janitor.errors import Busy, Exit
from janitor.monitoring.punctuality import Punctuality
from janitor.monitoring.watch import Watch
from janitor.shutdown import Stop
from tests.factories import make_run

DUE = datetime(2026, 11, 23, 3, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Service:
    """A service that began an hour before a run was due, and a clock to set."""

    def __init__(self) -> None:
        self.now = DUE - HOUR
        self.punctuality = Punctuality(Cron.parse("0 3 * * *"), ZoneInfo("UTC"), lambda: self.now)

    def run(self, begins: datetime, lasts: timedelta = MINUTE, *, happened: bool = True) -> None:
        self.now = begins
        self.punctuality.began()
        self.now = begins + lasts
        self.punctuality.ended(happened=happened)

    def missed_at(self, now: datetime) -> datetime | None:
        self.now = now
        return self.punctuality.missed()


@pytest.fixture
def service() -> Service:
    return Service()


def test_nothing_is_missed_before_it_is_due(service: Service) -> None:
    assert service.missed_at(DUE - timedelta(seconds=1)) is None


def test_a_due_run_has_a_minute_to_begin(service: Service) -> None:
    assert service.missed_at(DUE + MINUTE - timedelta(seconds=1)) is None
    assert service.missed_at(DUE + MINUTE) == DUE


def test_a_run_that_happened_holds_until_the_next_is_due(service: Service) -> None:
    service.run(DUE)
    assert service.missed_at(DUE + DAY) is None
    assert service.missed_at(DUE + DAY + MINUTE) == DUE + DAY


def test_a_run_that_did_not_happen_is_missed_at_once_until_one_does(service: Service) -> None:
    service.run(DUE, timedelta(seconds=1), happened=False)
    assert service.missed_at(DUE + timedelta(seconds=1)) == DUE
    assert service.missed_at(DUE + HOUR) == DUE
    service.run(DUE + DAY)
    assert service.missed_at(DUE + DAY + HOUR) is None


def test_a_run_under_way_is_not_missed_but_not_for_ever(service: Service) -> None:
    service.now = DUE
    service.punctuality.began()
    assert service.missed_at(DUE + 6 * HOUR) is None
    assert service.missed_at(DUE + 6 * HOUR + MINUTE) == DUE


def test_times_that_pass_during_a_run_are_made_up_for_right_after_it(service: Service) -> None:
    service.run(DUE, DAY + HOUR)
    assert service.missed_at(DUE + DAY + HOUR) is None
    assert service.missed_at(DUE + DAY + HOUR + MINUTE) == DUE + DAY


def test_a_clock_put_back_misses_nothing(service: Service) -> None:
    service.run(DUE)
    assert service.missed_at(DUE - DAY) is None


# What counts as a run that happened


CONFIGURATION = """\
targets: [{name: a, endpoint: "http://127.0.0.1:1", appkey: b, username: c, password: d}]
"""


def busy() -> None:
    raise Busy("another run holds the database")


@pytest.mark.parametrize(
    ("number", "outcome", "before", "happened"),
    [
        pytest.param(3, Outcome.OK, lambda: None, True, id="a-good-one"),
        pytest.param(3, Outcome.FAILED, lambda: None, True, id="a-failed-one-did-happen"),
        pytest.param(0, Outcome.FAILED, lambda: None, False, id="one-that-was-never-recorded"),
        pytest.param(3, Outcome.OK, busy, False, id="one-that-was-never-begun"),
    ],
)
def test_what_happened_is_what_got_as_far_as_a_number(
    tmp_path: Path, service: Service, number: int, outcome: Outcome, before: Callable[[], None], happened: bool
) -> None:
    (tmp_path / "janitor.yaml").write_text(CONFIGURATION)
    watch = Watch(load_settings(tmp_path / "janitor.yaml", {}), Stop(), service.punctuality)
    service.now = DUE
    try:
        with watch.run() as (_, ended):
            before()
            ended(make_run(run=number, outcome=outcome), Exit.OK)
    except Busy:
        pass
    assert (service.missed_at(DUE + MINUTE) is None) == happened
