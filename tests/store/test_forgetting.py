"""Old details go bit by bit, and nothing that is still kept reads differently, wherever that is interrupted."""

import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from janitor.core.memory import Exemption, Notice
from janitor.core.result import Mode, RunResult
from janitor.core.survey import Survey
from janitor.core.survey.plausibility import Measure
from janitor.core.usage import Usage, User, UserKind
from janitor.errors import UsageError
from janitor.run import upkeep
from janitor.run.upkeep import keep_up
from janitor.shutdown import Stop
from janitor.store import NewReport, Store
from tests.factories import image_called, to_delete
from tests.new_database import new_database
from tests.store.test_long_history import START, live
from tests.store.test_snapshots import NIGHT, NIGHTS, Simulation, in_order, instant, survey

IDS = ("a", "b", "c", "D%_", "é'\"")
OF_EACH_KIND = ["image_facts", "decisions", "image_clocks", "uses", "grounds", "mentions", "reports", "images"]


class StopAfter(Stop):
    """A signal that comes after so many looks for one."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._left = looks

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0


@pytest.fixture(autouse=True)
def one_row_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row goes in a transaction of its own, so that a stop may come between any two."""
    monkeypatch.setattr(upkeep, "_A_TIME", 1)


def rows(store: Store, sql: str) -> list[Any]:
    with store._file.reading() as db:
        return db.execute(sql).fetchall()


def count(store: Store) -> dict[str, int]:
    return {table: rows(store, f"SELECT count(*) FROM {table}")[0][0] for table in OF_EACH_KIND}


def dropped(store: Store) -> list[int]:
    return [run for (run,) in rows(store, "SELECT DISTINCT run FROM surveys WHERE details_dropped ORDER BY run")]


def told(store: Store, since: int) -> dict[str, Any]:
    """All that is read of runs from this one on, and of everything that is never dropped."""
    latest = store.latest_run() or 0
    runs = range(since, latest + 1)
    targets = store.targets()
    return {
        "results": [compared_with_kept(store.load_run(run), since) for run in runs],
        "surveys": [store.surveys(run) for run in runs],
        "inputs": [store.inputs(run) for run in runs],
        "own": [store.own_images(target, run) for run in runs for target in store.surveys(run)],
        "accepted": [store.last_accepted(target, latest + 1) for target in targets],
        "known": [sorted(store.known(target)) for target in targets],
        "memory": [store.memory(target) for target in targets],
        "unsettled": [store.unsettled(target) for target in targets],
        "latest": [store.survey_of(target, image) for target in targets for image in IDS],
        **{table: rows(store, f"SELECT * FROM {table}") for table in ("deletion_log", "deletions", "notices", "runs")},
        "exemptions": store.exemption_records(),
        "undelivered": store.undelivered(),
    }


def compared_with_kept(result: RunResult, since: int) -> RunResult:
    """The same without what changed since a run before this one, which may be there no longer."""
    targets = (
        one if one.since is None or one.since.run >= since else replace(one, since=None) for one in result.targets
    )
    whole = all(one.since is not None and one.since.run >= since for one in result.targets)
    return replace(result, targets=tuple(targets), unseen=result.unseen if whole else ())


def confirm(store: Store, run: int, at: datetime, before: datetime | None = None) -> None:
    """An answer confirmed the clock of a run, and that of the run before it."""
    store.record_clock(run - 1, before or at)
    store.record_clock(run, at)


def drop(store: Store, keep: timedelta, stop: Stop | None = None) -> None:
    """What the latest run does at its end, its clock confirmed when it began."""
    run = store.latest_run() or 0
    store.record_clock(run, store.load_run(run).started_at)
    keep_up(store, run, keep, stop or Stop())


@settings(max_examples=30, deadline=None)
@given(nights=NIGHTS.filter(bool), kept=st.integers(1, 4), looks=st.integers(0, 30), good=st.sets(st.integers(1, 6)))
def test_what_is_kept_reads_the_same(nights: list[dict[str, object]], kept: int, looks: int, good: set[int]) -> None:
    with tempfile.TemporaryDirectory() as folder, Store.open(new_database(Path(folder) / "janitor.db")) as store:
        simulation = Simulation(store)
        for night in nights:
            simulation.run(night)
        for run, surveys in enumerate(simulation.surveys, start=1):
            for target in surveys:
                store.record_measure(run, target, Measure(1, 0, 0), good=run in good)
        confirm(store, len(nights), instant(len(nights) - 1))
        with copied(store, Path(folder) / "whole.db") as whole:
            drop(store, kept * NIGHT, StopAfter(looks))
            check_kept(store, whole)
            drop(store, kept * NIGHT)
            check_kept(store, whole)
            check_next_night(store, whole, simulation)


def check_kept(store: Store, whole: Store) -> None:
    """What was dropped cannot be read, and all else reads as where nothing was."""
    gone = dropped(store)
    for run in gone:
        for read in (store.load_run, store.surveys, store.inputs):
            with pytest.raises(UsageError, match=f"the details of run {run} were dropped"):
                read(run)
    since = max(gone, default=0) + 1
    assert told(store, since) == told(whole, since)


def check_next_night(store: Store, whole: Store, simulation: Simulation) -> None:
    """The next survey, which lists whatever was ever listed, knows as much of each of these images as the whole one."""
    for target, past in simulation.past.items():
        every = {image.id: image for taken in past for image in taken.images}
        taken = survey(len(simulation.results), *in_order(list(every.values())))
        known, known_of_all = (of.record_survey(begun(of, taken), target, taken) for of in (store, whole))
        assert known == known_of_all


def begun(store: Store, taken: Survey) -> int:
    return store.begin_run(Mode.DRY_RUN, taken.started_at)


def copied(store: Store, path: Path) -> Store:
    """The same database once more."""
    with closing(sqlite3.connect(path)) as copy:
        store._file._db.backup(copy)
    return Store.open(path)


def test_the_journal_notices_and_exemptions_are_never_touched(store: Store) -> None:
    for night in range(30):
        live(store, night)
    store.add_exemptions([("prod", Exemption("ci-3", START + timedelta(days=900), "so", "kim"))], START)
    confirm(store, 30, store.load_run(30).started_at)
    first, had = told(store, 21), count(store)
    drop(store, 9 * NIGHT + timedelta(hours=1))
    assert dropped(store) == list(range(1, 20))
    assert told(store, 21) == first
    left = count(store)
    assert left["decisions"] < 0.7 * had["decisions"]
    assert left["image_facts"] == had["image_facts"], "each of these images has a deletion"
    assert rows(store, "SELECT count(*) FROM deletion_log WHERE name IS NULL OR why IS NULL") == [(0,)]


def test_an_image_that_is_long_gone_is_remembered(store: Store) -> None:
    nights = [("gone", "stays"), ("stays",), ("stays",), ("stays",), ("stays",), ("stays",)]
    for night, names in enumerate(nights):
        at = START + night * NIGHT
        run = store.begin_run(Mode.DRY_RUN, at)
        store.record_survey(run, "prod", Survey(tuple(map(image_called, names)), Usage(), at, at))
        store.record_decisions(run, "prod", [to_delete(image_called(name)) for name in names])
    confirm(store, run, at)
    keep_up(store, run, 2 * NIGHT, Stop())
    assert dropped(store) == [1, 2]
    assert sorted(rows(store, "SELECT image FROM images")) == [("gone",), ("stays",)]
    history = [event.text for event in store.image_history("prod", "stays")]
    assert history[0] == 'seen before: "stays", active; details of runs before 3 were dropped'
    back = image_called("gone", status="deactivated")
    at += NIGHT
    run = store.begin_run(Mode.DRY_RUN, at)
    known = store.record_survey(run, "prod", Survey((back,), Usage(), at, at))
    assert (known["gone"].first_seen, known["gone"].status_since) == (START, at)


def test_a_use_that_began_after_a_run_says_nothing_to_it(store: Store) -> None:
    image, user = image_called("ci-1"), User("s1", "web", UserKind.INSTANCE)
    for night in range(12):
        at = START + night * NIGHT
        usage = Usage({image.identity: (user,)}) if night < 2 or night > 9 else Usage()
        run = store.begin_run(Mode.DRY_RUN, at)
        store.record_survey(run, "prod", Survey((image,), usage, at, at))
        store.record_measure(run, "prod", Measure(1, 0, 0), good=True)
    confirm(store, run, at)
    before = store.inputs(8)
    keep_up(store, run, 6 * NIGHT, Stop())
    assert dropped(store)
    assert 8 not in dropped(store)
    assert store.inputs(8) == before


def test_one_night_with_a_clock_ahead_drops_no_more(store: Store) -> None:
    run = nightly(store, 5)
    confirm(store, run, START + 800 * NIGHT, before=START + 3 * NIGHT)
    keep_up(store, run, NIGHT, Stop())
    assert dropped(store) == [1]


def test_the_log_says_what_holds_history_back(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    run = nightly(store, 5)
    store.announce(2, {("prod", "ci-1"): Notice("old", NIGHT, START, START + NIGHT, None, "ci-1")}, [], START)
    store.add_reports(1, [NewReport("#x", "[]")], START)
    confirm(store, run, START + 4 * NIGHT)
    with caplog.at_level("INFO", "janitor.run.upkeep"):
        keep_up(store, run, NIGHT, Stop())
    assert "history-held-back notices=1 undelivered=1" in caplog.text


@pytest.mark.parametrize("confirmed", [True, False])
def test_nothing_is_dropped_by_a_clock_that_no_answer_confirmed(store: Store, confirmed: bool) -> None:
    run = nightly(store, 5)
    if confirmed:
        confirm(store, run, START + 4 * NIGHT)
    keep_up(store, run, NIGHT, Stop())
    assert bool(dropped(store)) is confirmed


@pytest.mark.parametrize("delivered", [True, False])
def test_what_an_undelivered_report_needs_stays_with_it(store: Store, delivered: bool) -> None:
    for night in range(6):
        at = START + night * NIGHT
        run = store.begin_run(Mode.DRY_RUN, at)
        store.record_survey(run, "prod", Survey((image_called("ci-1", size=night),), Usage(), at, at))
        [report] = store.add_reports(run, [NewReport("#x", "[]")], at)
        if delivered or night != 1:
            store.mark_delivered(report, at)
    confirm(store, run, at)
    keep_up(store, run, 2 * NIGHT, Stop())
    assert dropped(store) == ([1, 2] if delivered else [])
    assert count(store)["reports"] == (4 if delivered else 6)


def test_a_database_that_another_process_writes_to_is_left_for_the_next_run(store: Store, tmp_path: Path) -> None:
    run = nightly(store, 5)
    confirm(store, run, START + 4 * NIGHT)
    with Store.open(tmp_path / "janitor.db") as other, other._file.writing():
        keep_up(store, run, NIGHT, Stop())
    assert dropped(store) == []
    keep_up(store, run, NIGHT, Stop())
    assert dropped(store) == [1, 2]


@pytest.mark.parametrize("rebound", [True, False])
def test_the_history_of_a_target_that_was_bound_anew_within_it_is_kept(store: Store, rebound: bool) -> None:
    nightly(store, 4)
    if rebound:
        store.rebind("prod", "kim", START)
    run = nightly(store, 1, first=4)
    confirm(store, run, START + 4 * NIGHT)
    keep_up(store, run, NIGHT, Stop())
    assert dropped(store) == ([] if rebound else [1, 2])


def nightly(store: Store, nights: int, first: int = 0) -> int:
    """Surveys, one each night, of an image that changes each time; returns the last run."""
    for night in range(first, first + nights):
        at = START + night * NIGHT
        run = store.begin_run(Mode.DRY_RUN, at)
        store.record_survey(run, "prod", Survey((image_called("ci-1", size=night),), Usage(), at, at))
    return run


@pytest.mark.parametrize("standing", [True, False])
def test_what_was_reported_since_a_standing_notice_stays(store: Store, standing: bool) -> None:
    run = nightly(store, 5)
    if standing:
        notice = Notice("old", NIGHT, START, START + NIGHT, None, "ci-1")
        store.announce(2, {("prod", "ci-1"): notice}, [], START)
    confirm(store, run, START + 4 * NIGHT)
    keep_up(store, run, NIGHT, Stop())
    assert dropped(store) == ([] if standing else [1, 2])
