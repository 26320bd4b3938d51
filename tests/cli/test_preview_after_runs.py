"""`janitor preview` after live runs: what they have done since the snapshot is neither forgotten nor counted twice."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from janitor.config import Settings, load_settings
from janitor.core.planning.plan import Limits
from janitor.core.policy import Expire, Match, Pattern, Policy
from janitor.core.replay.changes import Kind
from janitor.core.result import Mode
from janitor.core.usage import User
from janitor.errors import Exit, Refused, Unavailable
from tests.cli.test_preview_of_earlier import asked, conditioned, forget, settings, world
from tests.core.test_deciding_again import World
from tests.factories import ALL, DAY, OLD, image_called, usage_of
from tests.factories import NOW as START
from tests.run.world import ANNOUNCED

__all__ = ["settings", "world"]  # fixtures

REGIONS = """\
targets:
  - name: prod
    api: openstack
    identity: http://127.0.0.1:1/v2.0
    tenant_id: t
    username: u
    password: p
    region: "*"
database: janitor.db
"""
KEEPING = Policy("keep-all", ALL)


# Deletions since the snapshot


def test_what_a_live_run_has_deleted_itself_is_left_out_and_said(settings: Settings, world: World) -> None:
    run = world.night().run
    assert sorted(world.cloud.deleted) == ["db-3", "web-2"]
    [each] = asked(settings, world.store, OLD)
    assert (each.images, each.after.images, each.counts) == (1, 0, {})
    assert each.before is not None
    assert each.before.images == 0
    [said] = [remark for remark in each.remarks if "deleted since" in remark]
    assert said.startswith(f"2 images of this snapshot were deleted since, by run {run}: left out here")
    [kept] = asked(settings, world.store, KEEPING)
    assert Kind.NO_LONGER_DELETED not in kept.counts, "nothing of it can be kept any more"


def test_with_run_the_whole_snapshot_counts_as_it_was(settings: Settings, world: World) -> None:
    run = world.night().run
    [each] = asked(settings, world.store, OLD, run=run)
    assert (each.images, each.after.delete.images, each.counts) == (3, 2, {})
    said = f"2 images of this snapshot were deleted since, by run {run}: with --run the snapshot counts as it was"
    assert said in each.remarks
    [kept] = asked(settings, world.store, KEEPING, run=run)
    assert kept.counts[Kind.NO_LONGER_DELETED] == 2


def test_a_deletion_without_a_known_outcome_stays_and_is_named(settings: Settings, world: World) -> None:
    world.cloud.undone = {"web-2"}  # accepted, and still listed afterwards
    run = world.night().run
    [each] = asked(settings, world.store, OLD)
    assert (each.images, each.after.delete.images) == (2, 1)
    [said] = [remark for remark in each.remarks if "not known yet" in remark]
    assert said == (
        f"1 image of this snapshot counted although run {run} asked to delete it, as it is not known yet whether that "
        "was done: web-2 (web-2)"
    )


def test_the_last_word_on_a_deletion_counts(settings: Settings, world: World) -> None:
    down = Unavailable("down")
    world.cloud.survey_errors = [None, down]  # sent, and then nobody could look
    world.night()
    [each] = asked(settings, world.store, OLD)
    assert any("not known yet whether that was done: db-3 (db-3), web-2 (web-2)" in said for said in each.remarks)
    world.cloud.survey_errors = [down]
    world.night()
    with world.store._file.writing() as db:  # as a later run that could tell, and decided nothing
        db.execute("UPDATE deletions SET settled_in_run = 2, settled_outcome = 'deleted' WHERE image = 'web-2'")
    [each] = asked(settings, world.store, OLD)
    assert each.images == 2
    assert any(said.startswith("1 image of this snapshot was deleted since, by run 1") for said in each.remarks)


def test_a_rejected_deletion_is_still_to_be_decided_on(settings: Settings, world: World) -> None:
    world.cloud.answers["web-2"] = Refused("in use", code=409)
    world.night()
    [each] = asked(settings, world.store, OLD)
    assert each.images == 2
    assert not any("not known yet" in said for said in each.remarks)


def test_compared_with_an_earlier_run_what_runs_deleted_between_is_left_out_too(
    settings: Settings, world: World
) -> None:
    first = world.night(Mode.DRY_RUN).run
    world.night()
    world.cloud.listed = [*world.cloud.listed, image_called("late-4", days=40)]
    world.night(Mode.DRY_RUN)
    [each] = asked(settings, world.store, OLD, against=first)
    assert {changed.image.id: changed.kind for changed in each.changes} == {"late-4": Kind.ONLY_AFTER}
    [then] = asked(settings, world.store, OLD, run=first, against=first)
    assert then.after.images == 2


def test_limits_are_measured_on_what_is_left(settings: Settings, world: World) -> None:
    world.cloud.listed = [*world.cloud.listed, image_called("late-4", days=1)]
    world.night()
    assert conditioned(*asked(settings, world.store, OLD)).code is Exit.OK


# With which run it is compared


def test_whatever_dry_runs_tried_the_last_live_run_is_what_is_compared_with(settings: Settings, world: World) -> None:
    world.policies = [KEEPING]
    live = world.night().run
    world.policies = [OLD]
    tried = world.night(Mode.DRY_RUN).run
    described = replace(OLD, description="only words")
    for policy, new in ((OLD, 2), (described, 2), (KEEPING, 0)):
        [each] = asked(settings, world.store, policy)
        assert each.source is not None
        assert (each.source.run, each.source.against, each.source.mode) == (tried, live, Mode.DELETE)
        assert each.counts.get(Kind.NEWLY_DELETED, 0) == new
        assert conditioned(each).code is (Exit.LIMIT if new else Exit.OK)
    [chosen] = asked(settings, world.store, OLD, against=tried)
    assert chosen.counts == {}


def test_with_run_the_last_live_run_until_that_one_counts(settings: Settings, world: World) -> None:
    world.policies = [KEEPING]
    live, dry, later = world.night().run, world.night(Mode.DRY_RUN).run, world.night().run
    found = {run: each.source for run in (live, dry, later) for each in asked(settings, world.store, OLD, run=run)}
    assert {run: source and source.against for run, source in found.items()} == {live: live, dry: live, later: later}


def test_a_live_run_that_was_refused_is_not_compared_with(settings: Settings, world: World) -> None:
    world.policies = [KEEPING]
    live = world.night().run
    world.policies = [OLD]
    refused = world.night(limits=Limits(1, 100)).run
    [each] = asked(settings, world.store, OLD)
    assert each.source is not None
    assert (each.source.run, each.source.against, each.counts[Kind.NEWLY_DELETED]) == (refused, live, 2)
    forget(world, f"UPDATE surveys SET outcome = NULL WHERE run = {refused}")  # as one that died
    [each] = asked(settings, world.store, OLD)
    assert each.source is not None
    assert each.source.against == live


def test_where_nothing_was_carried_out_yet_the_mode_decides_what_is_new(settings: Settings, world: World) -> None:
    world.policies = [ANNOUNCED]
    world.night(Mode.DRY_RUN)
    [each] = asked(settings, world.store, OLD)
    assert (each.source and each.source.against, each.counts) == (1, {Kind.NEWLY_DELETED: 2})
    live = replace(settings, mode=Mode.DELETE)
    for policy, kind in ((OLD, Kind.NEWLY_DELETED), (ANNOUNCED, Kind.NEWLY_WAITING)):
        [each] = asked(live, world.store, policy)
        assert (each.source and each.source.against, each.counts) == (None, {kind: 2})
        assert each.before is not None
        assert each.before.images == 0
        assert "no live run has carried out its own plan here, so every deletion counts as new" in each.remarks
        assert not any("nothing to compare with" in remark for remark in each.remarks)


def test_where_the_last_live_run_was_dropped_nothing_is_known_of_before(settings: Settings, world: World) -> None:
    live = world.night().run
    world.night(Mode.DRY_RUN)
    forget(world, f"UPDATE surveys SET details_dropped = 1 WHERE run = {live}")
    world.cloud.listed = [*world.cloud.listed, image_called("late-4", days=40)]
    world.night(Mode.DRY_RUN)
    [each] = asked(settings, world.store, OLD)
    assert (each.source and each.source.against, each.before) == (None, None)
    assert each.counts == {Kind.ONLY_AFTER: 1}
    said = f"the details of run {live}, the last live one here, were dropped: every deletion counts as new"
    assert said in each.remarks


def test_without_a_live_run_it_is_said_that_a_dry_run_tried_the_same(settings: Settings, world: World) -> None:
    world.night(Mode.DRY_RUN)
    [first] = asked(settings, world.store, OLD)
    same = "was a dry run of these same policies, so nothing can be new beside it; "
    assert f"run 1 {same}no earlier run is known to have gone by others" in first.remarks
    world.policies = [KEEPING]
    world.night(Mode.DRY_RUN)
    world.night(Mode.DRY_RUN)
    [each] = asked(settings, world.store, KEEPING)
    assert f"run 3 {same}run 1 went by others (--against 1)" in each.remarks


def test_a_run_that_did_not_end_is_said(settings: Settings, world: World) -> None:
    run = world.night(Mode.DRY_RUN).run
    forget(world, "UPDATE runs SET outcome = NULL", "UPDATE surveys SET outcome = NULL")  # as one that was killed
    [each] = asked(settings, world.store, OLD, against=run)
    assert any(f"run {run} has not ended" in remark for remark in each.remarks)


def test_a_refused_run_that_is_compared_with_is_said(settings: Settings, world: World) -> None:
    refused = world.night(limits=Limits(1, 100)).run
    world.night(Mode.DRY_RUN)
    [each] = asked(settings, world.store, KEEPING, against=refused)
    assert any(f"run {refused} ended there as refused: nothing deleted" in remark for remark in each.remarks)


def test_a_run_that_applied_a_reviewed_list_is_not_what_was_decided_last(settings: Settings, world: World) -> None:
    live = replace(settings, mode=Mode.DELETE)
    world.policies = [replace(OLD, match=Match(name=(Pattern("web-*"),)))]
    plan = world.run(Mode.DRY_RUN)
    approved = world.approved(plan.run)
    young = Policy("young", Match(name=(Pattern("new-*"),)), Expire(timedelta(hours=1)))
    applying = [*world.policies, young]
    world.policies = applying  # by which new-1 would be deleted, too: nobody picked it
    applied = world.night(approved=approved).run
    assert world.cloud.deleted == ["web-2"]
    [each] = asked(live, world.store, *applying)
    assert (each.source and each.source.against, each.counts) == (None, {Kind.NEWLY_DELETED: 1})
    assert conditioned(each).code is Exit.LIMIT
    [dry] = asked(settings, world.store, *applying)
    assert (
        f"no live run has carried out its own plan here, so run {applied}, which applied a reviewed list, is compared "
        "with: a live run would be the first"
    ) in dry.remarks
    world.night()
    [each] = asked(live, world.store, *applying)
    assert each.source is not None
    assert each.source.against == applied + 1


# Targets that runs could not survey


def failed(world: World, name: str, run: int | None = None) -> int:
    """A run, or this one, that could not survey a target of this name."""
    number = run or world.store.begin_run(Mode.DRY_RUN, world.now)
    words = f"INSERT INTO surveys (run, target, outcome, error) VALUES ({number}, '{name}', 'failed', 'down')"
    forget(world, words)
    return number


def in_every_region(settings: Settings) -> Settings:
    path = settings.source.with_name("regions.yaml")
    path.write_text(REGIONS)
    return load_settings(path, {})


def test_a_target_that_runs_tried_in_vain_is_named_and_no_success(settings: Settings, world: World) -> None:
    run = world.night(Mode.DRY_RUN).run
    regions = in_every_region(settings)
    forget(world, "UPDATE surveys SET target = 'prod-R1'", "UPDATE images SET target = 'prod-R1'")
    failed(world, "prod-R2", run)
    found = {each.target: each for each in asked(regions, world.store, OLD)}
    assert set(found) == {"prod-R1", "prod-R2"}
    assert found["prod-R1"].undecided is None
    assert f"run {run} tried, and could not: down" in (found["prod-R2"].undecided or "")
    assert conditioned(*found.values()).code is Exit.FAILED


def test_a_sign_in_that_failed_is_said_of_each_region_that_is_known(settings: Settings, world: World) -> None:
    world.night(Mode.DRY_RUN)
    forget(world, "UPDATE surveys SET target = 'prod-R1'", "UPDATE images SET target = 'prod-R1'")
    later = failed(world, "prod")
    [each] = asked(in_every_region(settings), world.store, OLD)
    assert (each.target, each.undecided) == ("prod-R1", None)
    assert f"run {later} could not survey it, so what is known of it is 90d old: down" in each.remarks


def test_a_later_run_that_could_not_survey_a_target_is_said(settings: Settings, world: World) -> None:
    failed(world, "prod")
    world.night(Mode.DRY_RUN)
    [each] = asked(settings, world.store, OLD)
    assert not any("could not survey" in remark for remark in each.remarks), "one before says nothing"
    later = failed(world, "prod")
    [each] = asked(settings, world.store, OLD)
    assert f"run {later} could not survey it, so what is known of it is 90d old: down" in each.remarks
    assert conditioned(each).code is Exit.OK
    [past] = asked(settings, world.store, OLD, run=2)
    assert not any("could not survey" in remark for remark in past.remarks)


# Notices since the snapshot


def test_what_the_run_announced_after_it_decided_is_said(settings: Settings, world: World) -> None:
    world.policies = [ANNOUNCED]
    run = world.night().run
    [each] = asked(settings, world.store, ANNOUNCED)
    assert any(remark.startswith(f"run {run} announced 2 of these afterwards") for remark in each.remarks)
    world.night()
    [each] = asked(settings, world.store, ANNOUNCED)
    assert not any("afterwards" in remark for remark in each.remarks), "that run knew of them"


@pytest.mark.parametrize(
    ("change", "anew"),
    [
        pytest.param({}, False, id="as-announced"),
        pytest.param({"notice": DAY}, False, id="shorter"),
        pytest.param({"notice": 9 * DAY}, True, id="longer"),
        pytest.param({"name": "renamed"}, True, id="renamed"),
    ],
)
def test_where_an_announcement_no_longer_stands_the_notice_starts_again(
    with_slack: Settings, world: World, change: dict[str, Any], *, anew: bool
) -> None:
    world.policies = [ANNOUNCED]
    run = world.night().run
    tried = replace(ANNOUNCED, **change)
    waiting = {"web-2", "db-3"} if anew else set()
    [each] = asked(with_slack, world.store, tried)
    assert each.anew == waiting
    [past] = asked(with_slack, world.store, tried, run=run)
    assert past.anew == set(), "at that run nothing was announced yet"
    world.night()
    [each] = asked(with_slack, world.store, tried)
    assert each.anew == waiting, "that run knew of them"


@pytest.fixture
def with_slack(settings: Settings) -> Settings:
    """The same settings with a channel, in which a silence ends a notice."""
    words = settings.source.read_text() + "slack: {webhook_url: https://hooks.example/x}\n"
    settings.source.write_text(words)
    return load_settings(settings.source, {})


def deleted_at(settings: Settings, world: World, days: float, *policies: Policy, run: int | None = None) -> int:
    [each] = asked(settings, world.store, *policies or (ANNOUNCED,), run=run, now=START + days * DAY)
    return each.after.delete.images


def test_at_a_later_instant_what_was_announced_since_counts(
    settings: Settings, with_slack: Settings, world: World
) -> None:
    world.policies = [ANNOUNCED]  # announces for two days
    run = world.night().run
    for each in (settings, with_slack):
        assert [deleted_at(each, world, days) for days in (0.5, 1.9, 2.1, 30)] == [0, 0, 2, 2]
        assert deleted_at(each, world, 2.1, run=run) == 2
        shorter, longer = (replace(ANNOUNCED, notice=days * DAY) for days in (1, 9))
        assert deleted_at(each, world, 1.5, shorter) == 0, "an announced date stands"
        assert deleted_at(each, world, 3, longer) == 0, "a longer notice begins again"


def test_what_nobody_accepted_was_not_announced(with_slack: Settings, world: World) -> None:
    world.policies = [ANNOUNCED]
    world.night(deliver=False)
    assert deleted_at(with_slack, world, 30) == 0


def test_a_silence_that_is_recorded_ends_a_notice_and_one_after_the_latest_run_does_not(
    with_slack: Settings, world: World
) -> None:
    world.policies = [ANNOUNCED]
    world.night()
    first = world.store.latest_decided("prod")
    assert deleted_at(with_slack, world, 30) == 2
    world.now += 9 * DAY  # nothing runs for nine days
    world.night(Mode.DRY_RUN)
    assert deleted_at(with_slack, world, 30, run=first) == 0


def test_a_notice_that_ended_with_our_own_deletion_stood_in_the_snapshot_before(
    with_slack: Settings, world: World
) -> None:
    world.policies = [ANNOUNCED]
    first = world.night().run
    for _ in range(4):
        world.night()
    assert sorted(world.cloud.deleted) == ["db-3", "web-2"]
    assert deleted_at(with_slack, world, 2.5, run=first) == 2
    assert deleted_at(with_slack, world, 30, run=first) == 2
    assert deleted_at(with_slack, world, 30) <= 1, "young-1 at most is left"


def test_an_image_that_was_spared_since_needs_a_new_notice(with_slack: Settings, world: World) -> None:
    world.policies = [ANNOUNCED]
    first = world.night().run
    world.cloud.used = usage_of({"web-2": (User("i1", "web"),)})
    world.night()
    assert deleted_at(with_slack, world, 30, run=first) == 1
