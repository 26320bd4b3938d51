"""The number of requests at a time is halved when the service would rather have fewer."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from janitor.cloud.common.pace import Pace
from janitor.errors import Unavailable


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def taking(self, seconds: float) -> Callable[[], str]:
        def ask() -> str:
            self.now += seconds
            return "answer"

        return ask


def several(pace: Pace, clock: Clock, seconds: float, count: int) -> None:
    """So many answers, each of which takes so long while another one is awaited."""

    def beside() -> None:
        for _ in range(count):
            pace.timed(clock.taking(seconds))
        raise Unavailable("no")

    with suppress(Unavailable):
        pace.timed(beside)


@pytest.mark.parametrize(
    ("seconds", "left"),
    [(1.0, 4), (2.0, 4), (2.1, 4), (2.2, 2)],
    ids=["as-fast", "twice-as-long", "with-what-it-costs-here", "longer"],
)
def test_answers_slower_than_alone_halve_it(seconds: float, left: int) -> None:
    clock = Clock()
    pace = Pace(4, monotonic=clock)
    assert pace.timed(clock.taking(1.0)) == "answer"
    several(pace, clock, seconds, 4)
    assert pace.at_a_time == left


def test_one_answer_in_time_is_enough_to_stay() -> None:
    clock = Clock()
    pace = Pace(4, monotonic=clock)
    pace.timed(clock.taking(1.0))
    several(pace, clock, 9, 3)
    several(pace, clock, 1, 1)
    several(pace, clock, 9, 2)
    assert pace.at_a_time == 4


def test_it_is_halved_again_and_again_until_one_is_left() -> None:
    clock = Clock()
    pace = Pace(4, monotonic=clock)
    pace.timed(clock.taking(1.0))
    several(pace, clock, 9, 4)
    several(pace, clock, 9, 2)
    assert pace.at_a_time == 1
    several(pace, clock, 9, 9)
    assert pace.at_a_time == 1


def test_nothing_is_slow_before_an_answer_came_alone() -> None:
    clock = Clock()
    pace = Pace(4, monotonic=clock)
    several(pace, clock, 9, 9)
    assert pace.at_a_time == 4


def test_too_many_requests_halve_it_once_however_many_say_so_at_a_time() -> None:
    throttled = [3]
    pace = Pace(8, lambda: throttled[0])
    assert pace.at_a_time == 8
    throttled[0] += 4
    assert [pace.at_a_time, pace.at_a_time] == [4, 4]
    throttled[0] += 1
    assert pace.at_a_time == 2


def test_an_error_is_passed_on_and_tells_nothing() -> None:
    clock = Clock()
    pace = Pace(4, monotonic=clock)

    def fails() -> None:
        raise Unavailable("no")

    with pytest.raises(Unavailable):
        pace.timed(fails)
    several(pace, clock, 9, 9)
    assert pace.at_a_time == 4
