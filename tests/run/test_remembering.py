"""What a run takes from earlier ones: rejected deletions, uses that were seen, and exemptions up to the last moment."""

from datetime import datetime
from pathlib import Path

from janitor.core.decision import Decision
from janitor.core.memory import Exemption
from janitor.core.result import Outcome
from janitor.core.usage import Usage, User
from janitor.errors import Exit, Refused, Unavailable
from janitor.run import exit_code
from janitor.store import Store
from tests.factories import DAY, OLD, image_called, usage_of
from tests.fakes import RecordingCloud
from tests.new_database import new_database
from tests.run.world import HOUR, World


def test_a_refused_image_is_left_alone_for_a_while(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called("a")]
    world.cloud.answers = {"a": Refused("in use", code=30409)}
    tried = []
    for day in range(20):
        before = len(world.cloud.deleted)
        result = world.run()
        again = bool(result.targets[0].earlier.refused_again)
        assert again is (day in (1, 4, 11, 18)), "told in full only the first time"
        assert world.store.load_run(result.run) == result
        tried += [day] * (len(world.cloud.deleted) - before)
        assert exit_code(result) is (Exit.DELETIONS_FAILED if day in tried else Exit.OK)
        world.now += DAY
    assert tried == [0, 1, 4, 11, 18]


def test_a_try_that_failed_is_made_again_at_once_and_does_not_begin_the_waits_again(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called("a")]
    tried = []
    for day in range(23):
        down = day in (11, 12)
        world.cloud.answers = {"a": Unavailable("HTTP 502") if down else Refused("in use", code=30409)}
        before = len(world.cloud.deleted)
        world.run()
        tried += [day] * (len(world.cloud.deleted) - before)
        world.now += DAY
    assert tried == [0, 1, 4, 11, 12, 13, 20]


def test_what_is_refused_in_other_words_is_told_again(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called("a")]
    told = []
    for words in ("in use", "in use", "locked", "locked"):
        world.cloud.answers = {"a": Refused(words, code=30409)}
        told.append(not world.run().targets[0].earlier.refused_again)
        world.now += 7 * DAY
    assert told == [True, False, True, False]


def test_an_accepted_deletion_ends_the_row_of_refusals(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called("a")]
    tried = []
    for day in range(5):
        world.cloud.answers = {} if day == 1 else {"a": Refused("in use", code=30409)}
        world.cloud.undone = {"a"}
        before = len(world.cloud.deleted)
        world.run()
        tried += [day] * (len(world.cloud.deleted) - before)
        world.now += DAY
    assert tried == [0, 1, 2, 3], "refused, accepted and still there, and then refused for the first time again"


def test_a_use_that_was_seen_is_remembered(world: World) -> None:
    world.policies = [OLD]
    world.cloud.used = usage_of({"a": (User("i", "web-1"),)}, instances=1)
    world.run()
    world.cloud.used = Usage(instances=1)
    world.now += DAY
    reasons = {d.image.id: d.reason.value for d in world.run(usage_memory=DAY).targets[0].decisions}
    assert reasons["a"] == "recently-used"
    world.now += HOUR
    world.run(usage_memory=DAY)
    assert world.cloud.deleted == ["a"]


def test_one_instance_list_with_a_hole_costs_nothing_however_late_the_run(world: World) -> None:
    world.policies, world.cloud.listed = [OLD], [image_called("a")]
    others = {f"other{number}": (User(f"i{number}", "db"),) for number in range(9)}
    world.cloud.used = usage_of({"a": (User("i", "web-1"),), **others}, instances=10)
    world.run(usage_memory=DAY)
    world.cloud.used = usage_of(others, instances=9)
    world.now += 7 * DAY
    [decision] = [d for d in world.run(usage_memory=DAY).targets[0].decisions if d.image.id == "a"]
    assert (decision.reason.value, world.cloud.deleted) == ("recently-used", [])
    assert decision.detail == "it was in use on 2026-11-23 03:00Z, in the last accepted survey"
    world.now += 7 * DAY
    world.run(usage_memory=DAY)
    assert world.cloud.deleted == ["a"]


def test_a_survey_that_looks_wrong_makes_no_use_forgotten(world: World) -> None:
    world.policies = [OLD]
    world.cloud.used = usage_of({"a": (User("i", "web-1"),)}, instances=10)
    world.run(usage_memory=DAY)
    world.cloud.used = Usage(instances=1)
    world.now += 2 * DAY
    assert world.run(usage_memory=DAY).outcome is Outcome.REFUSED
    world.cloud.used = Usage(instances=9)
    world.now += 2 * DAY
    assert world.run(usage_memory=DAY).outcome is Outcome.OK
    assert world.cloud.deleted == []


def test_an_exemption_holds_to_the_very_last(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called("a"), image_called("b"), image_called("young", days=1)]

    def exempt_the_other(image_id: str) -> None:
        other = Exemption("B" if image_id == "a" else "A", world.now + DAY, "stop!", "kim")
        world.store.add_exemptions([("prod", other)], world.now)

    world.cloud.on_delete = exempt_the_other
    result = world.run(deletions_at_once=1)
    assert world.cloud.deleted == ["a"]
    [change] = result.targets[0].review.changed
    assert (change.decision.image.id, result.outcome) == ("b", Outcome.OK)
    assert change.detail == "exempted by kim during this run"
    assert world.store.load_run(result.run) == result


class ExemptedJustBefore(Store):
    """A database to which somebody else adds an exemption at the last moment: after all checks of the image."""

    def journal_request(self, run: int, target: str, decision: Decision, at: datetime) -> int:
        with Store.open(self._file._path) as other:
            other.add_exemptions([(target, Exemption(decision.image.id, at + DAY, "stop!", "@lee"))], at)
        return super().journal_request(run, target, decision, at)


def test_an_exemption_between_the_last_check_and_the_request_keeps_the_image(tmp_path: Path) -> None:
    with ExemptedJustBefore.open(new_database(tmp_path / "janitor.db")) as store:
        world = World(store, RecordingCloud([image_called("a"), image_called("young", days=1)]), [OLD])
        result = world.run()
        assert (world.cloud.deleted, result.outcome) == ([], Outcome.OK)
        assert [change.detail for change in result.targets[0].review.changed] == ["exempted by @lee during this run"]
        assert store.load_run(result.run) == result
