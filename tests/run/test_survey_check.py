"""After an implausible survey nothing is deleted or confirmed, and the next one is not compared with it."""

import weakref
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from janitor.core.result import DeletionOutcome, Mode, Outcome
from janitor.core.usage import Usage
from janitor.errors import Exit, Implausible
from janitor.run import exit_code
from janitor.run.siblings import Comparison
from tests.factories import OLD, image_called
from tests.run.world import World

FALLS = [
    pytest.param(
        {"listed": [image_called("i0", protected=True), image_called("i1", protected=True)]},
        "owned images",
        id="images",
    ),
    pytest.param({"used": Usage(instances=6)}, "instances fell from 10 to 6", id="instances"),
    pytest.param({"used": Usage(instances=10, volumes=7)}, "volumes made of images fell from 12 to 7", id="volumes"),
    pytest.param({"used": Usage(instances=10, volumes=8)}, None, id="a-few-volumes"),
    pytest.param({"used": Usage(instances=10)}, None, id="volumes-unread"),
    pytest.param(
        {"listed": [image_called(f"i{number}", protected=number > 1) for number in range(10)][:10]}, None, id="no-fall"
    ),
    pytest.param({"listed": [image_called(f"i{number}") for number in range(10)]}, "protected images", id="protected"),
    pytest.param({"offset": 6 * timedelta(minutes=1)}, "clock is 6 minutes ahead", id="clock-ahead"),
    pytest.param({"offset": -6 * timedelta(minutes=1)}, "clock is 6 minutes behind", id="clock-behind"),
    pytest.param({"offset": 5 * timedelta(minutes=1)}, None, id="clock-near-enough"),
    pytest.param({"irregular": ["image x is listed twice"]}, "image x is listed twice", id="contradiction"),
]


@pytest.mark.parametrize(("change", "words"), FALLS)
def test_a_survey_that_looks_wrong_deletes_nothing(world: World, change: dict[str, Any], words: str | None) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called(f"i{number}", protected=number > 1) for number in range(10)]
    world.cloud.used = Usage(instances=10, volumes=12)
    world.run(Mode.DRY_RUN)
    for key, value in change.items():
        setattr(world.cloud, key, value)
    result = world.run()
    assert (result.outcome is Outcome.REFUSED) is (words is not None)
    if words is None:
        assert world.cloud.deleted
        return
    assert words in (result.targets[0].error or "")
    assert "--accept-survey" in (result.targets[0].error or "")
    assert (world.cloud.deleted, exit_code(result)) == ([], Exit.LIMIT)
    accepted = world.run(accept_survey=True)
    assert accepted.outcome is Outcome.OK
    assert world.run().outcome is (Outcome.REFUSED if "clock" in words or "twice" in words else Outcome.OK)


def test_volumes_are_compared_with_those_that_were_read_last(world: World) -> None:
    for seen in (12, None, None):
        world.cloud.used = Usage(instances=10, volumes=seen)
        assert world.run().outcome is Outcome.OK
    world.cloud.used = Usage(instances=10, volumes=0)
    assert "volumes made of images fell from 12 to 0" in (world.run().targets[0].error or "")


def test_a_doubted_survey_is_not_what_the_next_is_compared_with(world: World) -> None:
    world.cloud.listed = [image_called(f"i{number}") for number in range(10)]
    world.run(Mode.DRY_RUN)
    world.cloud.listed = [image_called("i0")]
    for _ in range(2):
        assert world.run().outcome is Outcome.REFUSED


def test_our_own_deletions_are_no_shrinking(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called(f"i{number}") for number in range(9)] + [image_called("young", days=1)]
    world.run()
    assert len(world.cloud.deleted) == 9
    assert world.run().outcome is Outcome.OK


def test_our_own_deletions_are_no_shrinking_while_the_cloud_still_lists_them(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called(f"i{number}") for number in range(9)] + [image_called("young", days=1)]

    def list_as_going(image_id: str) -> None:
        listed = world.cloud.listed
        world.cloud.listed = [i.replace(status="pending_delete") if i.id == image_id else i for i in listed]

    world.cloud.on_delete, world.cloud.undone = list_as_going, {f"i{number}" for number in range(9)}
    world.run()
    assert len(world.cloud.deleted) == 9
    assert world.run().outcome is Outcome.OK


def test_a_list_that_repeats_itself_is_refused(world: World) -> None:
    world.cloud.survey_errors = [Implausible("the list repeats itself")]
    result = world.run()
    assert (result.outcome, exit_code(result)) == (Outcome.REFUSED, Exit.LIMIT)


def test_a_truncated_second_survey_confirms_nothing(world: World) -> None:
    world.policies = [OLD]
    world.cloud.listed = [image_called("a")] + [image_called(f"young{number}", days=1) for number in range(9)]

    def lose_the_rest(_image: str) -> None:
        world.cloud.listed = []

    world.cloud.on_delete = lose_the_rest
    result = world.run()
    [deletion] = result.targets[0].deletions
    assert deletion.outcome is DeletionOutcome.ACCEPTED
    assert result.outcome is Outcome.FAILED


def test_a_site_without_others_keeps_no_ids_to_compare() -> None:
    own = frozenset({"i1"})
    kept = weakref.ref(own)
    comparison = Comparison(["prod"], Event())
    assert comparison.others("prod", own) == {}
    del own
    assert kept() is None
