"""`janitor preview` on runs that recorded less: of earlier versions, and those in which something went wrong."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.cli.rehearsals.previewing import Wanted, previewed
from janitor.cli.rehearsals.snapshots import snapshot_of
from janitor.config import Settings, load_settings
from janitor.core.decision import Reason
from janitor.core.policy import Policy
from janitor.core.replay.changes import Kind, changes_between
from janitor.core.replay.preview import Tried
from janitor.core.result import Mode
from janitor.core.usage import Source, Unread, Usage, User
from janitor.errors import Exit, Unavailable, UsageError
from janitor.report.rehearsals.previews.preview import Conditions, Preview, Previewed, preview_of
from janitor.report.rehearsals.previews.sentences import source_of
from janitor.store import Store
from tests.config.configuration import TARGET
from tests.core.test_deciding_again import WEB, ListeningStore, World, database_of_before
from tests.factories import DAY, OLD, image_called, usage_of
from tests.factories import NOW as START
from tests.fakes import RecordingCloud
from tests.new_database import new_database
from tests.store.test_written_before import NAMES, migrated, name, written

__all__ = ["NAMES", "migrated", "name", "written"]  # fixtures


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "janitor.yaml").write_text(f"{TARGET}database: janitor.db\ntimezone: Asia/Seoul\n")
    return load_settings(tmp_path / "janitor.yaml", {})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ListeningStore.open(new_database(tmp_path / "janitor.db")) as store:
        yield World(store, RecordingCloud([image_called("web-2"), image_called("db-3"), image_called("new-1", days=1)]))


def asked(settings: Settings, store: Store, *policies: Policy, run: int | None = None, **words: Any) -> list[Previewed]:
    tried = Tried(policies or (OLD,), words.pop("exemptions", ()), words.pop("now", None))
    wanted = Wanted(run, words.pop("against", None), frozenset(), words.pop("asked_at", LATER))
    return list(previewed(settings, store, tried, wanted))


LATER = START + 90 * DAY


def conditioned(*targets: Previewed) -> Preview:
    return preview_of(targets, Conditions(on_new=True))


def forget(world: World, *statements: str) -> None:
    with world.store._file.writing() as db:
        for statement in statements:
            db.execute(statement)


def test_databases_of_earlier_versions_are_previewed(migrated: Path, settings: Settings) -> None:
    with Store.open_existing(migrated) as store:
        for run in (summary.run for summary in store.runs(limit=None)):
            for target, inputs in store.inputs(run).items():
                assert inputs.basis is not None
                past = snapshot_of(settings, store, run, inputs)
                found = past.replayed(Tried(inputs.basis.policies, inputs.basis.exemptions))
                assert not past.decisions or changes_between(past.decisions, found.decisions) == []
                for each in asked(settings, store, run=run, against=run):
                    assert each.target == target
                    assert each.source is not None


def test_a_run_that_recorded_nothing_but_its_survey_is_decided_on_and_the_rest_is_said(settings: Settings) -> None:
    database_of_before(settings.database)
    with Store.open_existing(settings.database) as store:
        [each] = asked(settings, store, run=1)
    assert each.before is None
    assert each.after.delete.images == 1
    said = " ".join(each.remarks)
    assert "nothing to compare with, as run 1 decided nothing there" in said
    assert "run 1 did not record what it was based on" in said
    assert "run 1 recorded no grounds of its decisions" in said
    assert conditioned(each).code is Exit.LIMIT  # what nothing was decided on before counts as new


def test_histories_notices_and_exemptions_are_rebuilt_where_they_can_be(settings: Settings, world: World) -> None:
    world.policies = [WEB]
    world.night()
    world.cloud.used = usage_of({"db-3": (User("i1", "web"),)})
    second = world.night().run
    world.cloud.used = usage_of({})
    world.night()
    whole = world.inputs(second)
    forget(
        world,
        "DELETE FROM image_clocks",
        "DELETE FROM grounds",
        "UPDATE surveys SET sharing_asked = NULL",
        "UPDATE runs SET zone = NULL",
    )
    inputs = world.inputs(second)
    assert (inputs.basis, inputs.history, inputs.grounds) == (None, None, None)
    past = snapshot_of(settings, world.store, second, inputs)
    assert past.inputs.history == whole.history
    assert whole.grounds is not None
    assert past.grounds.memory.notices["web-2"].due == whole.grounds.memory.notices["web-2"].due
    assert len(past.unknown) == 3
    [each] = asked(settings, world.store, WEB, run=second)
    assert each.counts == {}, "what can be rebuilt decides as then"


def test_a_use_or_a_notice_of_later_is_not_known_then(settings: Settings, world: World) -> None:
    world.policies = [WEB]
    first = world.night().run
    world.cloud.used = usage_of({"db-3": (User("i1", "web"),)})
    world.night()
    history, notices = world.store.rebuilt(first, "prod", world.inputs(first).survey.finished_at)
    assert history == world.inputs(first).history
    assert notices == {}


def test_a_run_that_decided_nothing_has_nothing_to_compare_with(settings: Settings, world: World) -> None:
    first = world.night(Mode.DRY_RUN).run
    world.cloud.shared = Unavailable("no answer")
    blind = world.night(Mode.DRY_RUN).run
    [each] = asked(settings, world.store, run=blind)
    assert each.before is None
    assert each.after.delete.images == 2
    assert any("nothing to compare with" in remark and "no answer" in remark for remark in each.remarks)
    assert conditioned(each).code is Exit.LIMIT
    [usual] = asked(settings, world.store)
    assert usual.source is not None
    assert usual.source.run == first
    assert f"run {blind} surveyed it later, and decided nothing" in usual.remarks
    assert conditioned(usual).code is Exit.OK


def test_a_target_that_was_not_surveyed_is_not_decided_on(settings: Settings, world: World) -> None:
    world.cloud.survey_errors = [Unavailable("down")]
    run = world.night(Mode.DRY_RUN).run
    [each] = asked(settings, world.store, run=run)
    assert (each.source, each.undecided) == (None, f"run {run} did not survey it: down")
    assert conditioned(each).code is Exit.FAILED


def test_unreadable_usage_keeps_everything_and_is_no_success(settings: Settings, world: World) -> None:
    world.cloud.used = Unavailable("no answer")
    run = world.night(Mode.DRY_RUN).run
    [each] = asked(settings, world.store, run=run)
    assert each.after.images == 0
    assert each.undecided is not None
    assert "no answer" in each.undecided
    assert conditioned(each).code is Exit.FAILED


def test_optional_uses_that_could_not_be_read_are_said(settings: Settings, world: World) -> None:
    said = "servers in R1 could not be read, but are optional here: no answer"
    world.cloud.used = Usage(unread=frozenset({Unread(Source.SERVERS, "servers in R1")}), remarks=(said,))
    world.night(Mode.DRY_RUN)
    [each] = asked(settings, world.store)
    assert f"run 1 on what is in use: {said}" in each.remarks
    forget(world, "UPDATE surveys SET usage_remarks = NULL")
    [each] = asked(settings, world.store)
    assert "run 1 on what is in use: servers in R1 could not be read, but are optional here" in each.remarks


def test_another_run_to_compare_with_may_have_seen_other_images(settings: Settings, world: World) -> None:
    world.night(Mode.DRY_RUN)
    web, _, young = world.cloud.listed
    world.cloud.listed = [web, young, image_called("late-4", days=40)]
    world.night(Mode.DRY_RUN)
    [each] = asked(settings, world.store, against=1)
    kinds = {changed.image.id: changed.kind for changed in each.changes}
    assert kinds == {"late-4": Kind.ONLY_AFTER, "db-3": Kind.ONLY_BEFORE}
    assert each.source is not None
    assert (each.source.run, each.source.against) == (2, 1)


def test_a_rebound_target_is_not_decided_on_by_what_another_account_had(settings: Settings, world: World) -> None:
    world.night(Mode.DRY_RUN)
    world.store.rebind("prod", "kim", world.now)
    [each] = asked(settings, world.store)
    assert each.source is None
    assert conditioned(each).code is Exit.FAILED


def test_a_run_whose_details_were_dropped_is_an_error(settings: Settings, world: World) -> None:
    for _ in range(3):
        world.night(Mode.DRY_RUN)
    forget(world, "UPDATE surveys SET details_dropped = 1 WHERE run = 1")
    for words in ({"run": 1}, {"against": 1}):
        with pytest.raises(UsageError, match="the details of run 1 were dropped"):
            asked(settings, world.store, **words)
    [each] = asked(settings, world.store)
    assert each.source is not None
    assert each.source.run == 3


def test_an_instant_before_the_snapshot_is_an_error(settings: Settings, world: World) -> None:
    world.now = START.replace(hour=3, minute=12, second=34, microsecond=500_000)
    world.night(Mode.DRY_RUN)
    at = START.replace(hour=3, minute=12, second=34)
    with pytest.raises(UsageError) as error:
        asked(settings, world.store, now=at)
    day = START.date()
    assert str(error.value) == (
        f"--at: {day} 12:12:34 KST is before the snapshot of prod (run 1), which is of {day} 12:12:34.5 KST: give "
        f"{day}T12:12:35+09:00 or later, or an earlier run with --run"
    )
    [each] = asked(settings, world.store, now=at + timedelta(seconds=1))
    assert f", decided as of {day} 12:12:35 KST," in source_of(each, settings.timezone)


def test_an_exemption_by_command_of_then_is_found_behind_one_of_a_file(settings: Settings, world: World) -> None:
    from janitor.core.memory import Exemption

    world.store.add_exemptions([("prod", Exemption("web-2", world.now + 5 * DAY, "tests", "kim"))], world.now - DAY)
    in_file = Exemption("web-2", world.now + 50 * DAY, "release", "keep.yaml")
    run = world.night(Mode.DRY_RUN, exemptions=[in_file]).run
    world.store.end_exemptions([("prod", "web-2")], "kim", world.now)
    past = snapshot_of(settings, world.store, run, world.inputs(run))
    [web] = [each for each in past.replayed(Tried([OLD], ())).decisions if each.image.id == "web-2"]
    assert (web.reason, "by kim" in web.detail) == (Reason.EXEMPT, True)


def test_the_json_of_a_preview_says_what_it_does_not_know(settings: Settings, world: World) -> None:
    from janitor.report.rehearsals.previews.rows import preview_json

    world.night(Mode.DRY_RUN)
    world.cloud.shared = Unavailable("no answer")
    run = world.night(Mode.DRY_RUN).run
    made = conditioned(*asked(settings, world.store, run=run))
    document = json.loads("".join(preview_json(made, None)))
    assert document["totals"]["before"] is None
    assert document["exit_code"] == 4
    assert [each["before"] for each in document["targets"][0]["changes"]] == [None, None]
