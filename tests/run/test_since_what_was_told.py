"""With which earlier run a report compares where reports go to channels: with one that people were told of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from janitor.core.result import Mode, RunResult
from janitor.report.since import since_line
from janitor.store import NewReport, Store
from tests.factories import OLD, image_called
from tests.fakes import RecordingCloud
from tests.run.world import HOUR, NightlyWorld

KEPT = [image_called(f"by-{number}", days=1, protected=True) for number in range(6)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NightlyWorld]:
    with Store.open(tmp_path / "janitor.db") as store:
        yield NightlyWorld(store, RecordingCloud([*KEPT]), [OLD])


def posted(world: NightlyWorld, mode: Mode = Mode.DELETE, *, accepted: bool = True) -> tuple[RunResult, int]:
    """A night whose report goes to a channel, which accepts it or not; the number of that report."""
    result = world.night(mode, owes_report=True)
    [report] = world.store.add_reports(result.run, [NewReport("#images", "[]")], world.now)
    if accepted:
        world.store.mark_delivered(report, world.now)
    return result, report


def local(world: NightlyWorld, mode: Mode = Mode.DELETE) -> RunResult:
    return world.night(mode, unposted=True)


def something_new(world: NightlyWorld, name: str) -> None:
    world.cloud.listed.append(image_called(name, days=0.5))


def said(world: NightlyWorld, result: RunResult) -> str | None:
    """The line of a report, as it is shown later, too."""
    line = since_line(result)
    assert since_line(world.store.load_run(result.run)) == line
    return line


@pytest.mark.parametrize("mode", Mode)
def test_what_a_run_that_was_not_posted_found_is_new_to_the_others(world: NightlyWorld, mode: Mode) -> None:
    posted(world, mode)
    something_new(world, "new")
    assert said(world, local(world, mode)) == "Since run 1: 1 new (10.0 GiB)"
    assert said(world, local(world, mode)) == "Since run 2: nothing new"
    told, _ = posted(world, mode)
    assert said(world, told) == "Since run 1: 1 new (10.0 GiB)"
    assert world.store.latest_pair("prod") == (1, 4)
    assert said(world, posted(world, mode)[0]) == "Since run 4: nothing new"


def test_what_an_undelivered_report_told_is_new_until_that_is_delivered(world: NightlyWorld) -> None:
    posted(world)
    something_new(world, "new")
    _, late = posted(world, accepted=False)
    third, _ = posted(world)
    assert said(world, third) == "Since run 1: 1 new (10.0 GiB)"
    world.store.mark_delivered(late, world.now + HOUR)  # also after all of this
    assert said(world, third) == "Since run 1: 1 new (10.0 GiB)"


def test_a_report_that_was_delivered_late_counts_for_the_runs_that_began_after_that(world: NightlyWorld) -> None:
    posted(world)
    something_new(world, "new")
    _, late = posted(world, accepted=False)
    world.store.mark_delivered(late, world.now)
    assert said(world, posted(world)[0]) == "Since run 2: nothing new"


def test_a_run_that_died_before_its_report_was_kept_told_nobody(world: NightlyWorld) -> None:
    posted(world)
    something_new(world, "new")
    world.night(owes_report=True)
    told, _ = posted(world)
    assert said(world, told) == "Since run 1: 1 new (10.0 GiB)"


def test_where_nobody_was_told_of_any_run_the_line_says_so(world: NightlyWorld) -> None:
    local(world)
    told, _ = posted(world)
    assert said(world, told) == "Since run 1 (reported to nobody by then): nothing new"


def test_a_dry_run_that_was_posted_is_known_and_a_live_one_that_was_not_is_not(world: NightlyWorld) -> None:
    posted(world, Mode.DRY_RUN)
    something_new(world, "new")
    local(world)
    assert said(world, posted(world)[0]) == "Since run 1 (a dry run): 1 new (10.0 GiB)"


def test_without_channels_each_run_counts(world: NightlyWorld) -> None:
    world.night()
    something_new(world, "new")
    world.night()
    assert said(world, world.night()) == "Since run 2: nothing new"
