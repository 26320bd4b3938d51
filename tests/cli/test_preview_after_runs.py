"""`janitor preview` after live runs: what they have done since the snapshot is neither forgotten nor counted twice."""

from janitor.config import Settings
from janitor.core.policy import Policy
from janitor.core.replay.changes import Kind
from janitor.core.result import Mode
from janitor.errors import Exit, Refused, Unavailable
from tests.cli.test_preview_of_earlier import asked, conditioned, settings, world
from tests.core.test_deciding_again import World
from tests.factories import ALL, OLD, image_called

__all__ = ["settings", "world"]  # fixtures

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
