"""With which earlier run a report compares, and `diff` with it: what people were told, they were told by live runs."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from janitor.core.replay.differences.between import Compared, Uncompared
from janitor.core.replay.differences.causes import difference
from janitor.core.replay.differences.since import Since
from janitor.core.result import Mode, RunResult
from janitor.errors import CloudError
from janitor.report.as_json import json_report
from janitor.report.rehearsals.differences.rows import differences_json
from janitor.report.rehearsals.differences.short import in_short
from janitor.report.since import since_line
from janitor.store import Store
from tests.factories import DAY, OLD, image_called
from tests.fakes import RecordingCloud
from tests.run.world import NightlyWorld
from tests.runs import run_over

ANNOUNCING = replace(OLD, notice=3 * DAY)
OTHERS = [image_called(f"by-{number}", days=1, protected=True) for number in range(6)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NightlyWorld]:
    with Store.open(tmp_path / "janitor.db") as store:
        cloud = RecordingCloud([image_called("one", days=40), image_called("two", days=40), *OTHERS])
        yield NightlyWorld(store, cloud, [ANNOUNCING])


def since_of(result: RunResult) -> Since:
    [target] = result.targets
    assert target.since is not None
    return target.since


def newly(key: str, words: str, world: NightlyWorld, before: int, after: int) -> int:
    found = world.store.compared("prod", before, after)
    assert isinstance(found, Compared)
    count: int = json.loads("".join(differences_json([difference(found)], None)))["totals"][key]
    assert (f"{count} {words}" in in_short([difference(found)], None)) is (count > 0)
    return count


def newly_waiting(world: NightlyWorld, before: int, after: int) -> int:
    return newly("newly_waiting", "newly waiting", world, before, after)


def newly_due(world: NightlyWorld, before: int, after: int) -> int:
    return newly("newly_to_be_deleted", "newly due for deletion", world, before, after)


def test_the_first_live_run_announces_what_waited_in_dry_runs(world: NightlyWorld) -> None:
    world.night(Mode.DRY_RUN)
    world.night(Mode.DRY_RUN)
    first = world.night()
    assert since_line(first) == "Since run 2 (a dry run): 2 newly waiting"
    assert newly_waiting(world, 2, 3) == 2
    assert world.store.latest_pair("prod") == (2, 3)
    assert since_line(world.store.load_run(3)) == since_line(first)
    assert since_line(world.night()) == "Since run 3: nothing new"


def test_a_live_run_compares_with_the_last_live_one_and_a_dry_run_with_any(world: NightlyWorld) -> None:
    world.night()
    world.cloud.listed.append(image_called("new", days=0.5))
    dry = world.night(Mode.DRY_RUN)
    assert (since_of(dry).run, since_of(dry).new.images) == (1, 1)
    again = world.night(Mode.DRY_RUN)
    assert (since_of(again).run, since_of(again).new.images) == (2, 0)
    assert world.store.latest_pair("prod") == (2, 3)
    live = world.night()
    assert (since_of(live).run, since_of(live).new.images) == (1, 1)
    assert world.store.latest_pair("prod") == (1, 4)


def test_what_an_earlier_live_run_announced_is_no_news_after_a_dry_run(world: NightlyWorld) -> None:
    world.night()
    world.night(Mode.DRY_RUN)
    world.night()
    assert newly_waiting(world, 2, 3) == 0


def test_a_live_run_whose_survey_was_not_accepted_told_nobody(world: NightlyWorld) -> None:
    world.night(Mode.DRY_RUN)
    every, world.cloud.listed = world.cloud.listed, world.cloud.listed[:1]
    assert world.night().targets[0].since is None
    world.cloud.listed = every
    assert since_line(world.night()) == "Since run 1 (a dry run): 2 newly waiting"


def test_another_spelling_of_an_id_is_announced_once(world: NightlyWorld) -> None:
    world.night(Mode.DRY_RUN)
    world.cloud.listed[0] = world.cloud.listed[0].replace(id="ONE")
    assert since_of(world.night()).newly_waiting == newly_waiting(world, 1, 2) == 2


def test_what_is_newly_to_be_deleted_is_counted_whether_it_then_is_or_not(world: NightlyWorld) -> None:
    world.policies = []
    world.night()
    world.policies = [OLD]  # without notice: deleted at once
    world.cloud.listed[0] = world.cloud.listed[0].replace(id="ONE")
    world.cloud.listed.append(image_called("new", days=40))
    dry = world.night(Mode.DRY_RUN)
    assert since_line(dry) == "Since run 1: 1 new (10.0 GiB), 3 newly due for deletion"
    assert newly_due(world, 1, 2) == 3
    world.cloud.listed[0] = world.cloud.listed[0].replace(id="one")
    assert since_line(world.night(Mode.DRY_RUN)) == "Since run 2: nothing new"
    assert newly_due(world, 2, 3) == 0
    live = world.night()
    assert {deletion.decision.image.id for deletion in live.targets[0].deletions} == {"one", "two", "new"}
    assert since_line(live) == "Since run 1: 1 new (10.0 GiB), 3 newly due for deletion"
    assert newly_due(world, 1, 4) == 3
    assert since_of(world.night()).newly_to_be_deleted == newly_due(world, 4, 5) == 0


def test_a_notice_that_is_over_makes_images_newly_due_for_deletion(world: NightlyWorld) -> None:
    world.night(Mode.DRY_RUN)
    world.policies = [OLD]
    assert since_line(world.night()) == "Since run 1 (a dry run): 2 newly due for deletion"
    assert newly_due(world, 1, 2) == 2


def test_a_run_that_decided_nothing_is_compared_with_only_without_another(world: NightlyWorld) -> None:
    world.cloud.shared = CloudError("no answer")
    world.night()
    world.cloud.shared = {}
    assert since_line(world.night()) == "Since run 1: no image new or gone; decisions not compared: prod"
    world.cloud.shared = CloudError("no answer")
    world.night()
    world.cloud.shared = {}
    assert since_line(world.night()) == "Since run 2: nothing new"
    assert world.store.latest_pair("prod") == (2, 4)


def forget(world: NightlyWorld, *runs: int) -> None:
    with world.store._file.writing() as db:
        db.executemany("UPDATE surveys SET details_dropped = 1 WHERE run = ?", [(run,) for run in runs])


def test_without_a_run_the_last_whole_survey_is_compared(world: NightlyWorld) -> None:
    for _ in range(3):
        world.night(Mode.DRY_RUN)
    forget(world, 2)
    assert world.store.latest_pair("prod") == (1, 3)
    forget(world, 1)
    told = Uncompared("prod", "the details of all before run 3 were dropped, as `keep_history` says")
    assert world.store.latest_pair("prod") == told


def test_a_run_of_which_a_target_was_dropped_is_not_compared_there(world: NightlyWorld) -> None:
    for _ in range(3):
        world.night(Mode.DRY_RUN)
    forget(world, 1, 2)
    told = Uncompared("prod", "the details of runs 1 and 2 were dropped, as `keep_history` says")
    assert world.store.compared("prod", 1, 2) == told


def test_a_target_that_the_run_compared_with_saw_and_this_one_did_not_is_named(tmp_path: Path) -> None:
    with Store.open(tmp_path / "janitor.db") as store:
        here, there = RecordingCloud([*OTHERS]), RecordingCloud([*OTHERS])
        run_over(store, here, there)
        without = run_over(store, here)
        assert since_line(without) == "Since run 1: nothing new; not compared: t1"
        assert since_line(store.load_run(2)) == since_line(without)
        assert json.loads(json_report(without))["unseen"] == ["t1"]
        assert since_line(run_over(store, here)) == "Since run 2: nothing new"
        assert since_line(run_over(store, here, there)) == (
            "Since each target's last accepted live run (runs 1 to 3): nothing new"
        )
