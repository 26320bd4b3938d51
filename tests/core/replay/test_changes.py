"""Two lists of decisions beside each other."""

import pytest

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.replay.amounts import Amount, planned, planned_by_policy
from janitor.core.replay.changes import KINDS, Changed, Kind, changes_between, counts_of
from tests.factories import DAY, GIB, NOW, image_called, to_delete, to_keep, too_young

IMAGE = image_called("web-1")
KEPT, YOUNG, GONE = to_keep(IMAGE), too_young(IMAGE), to_delete(IMAGE)
WAITING = to_delete(IMAGE, verdict=Verdict.WAIT, reason=Reason.NOTICE, due=NOW + 2 * DAY)


def kinds(before: Decision | None, after: Decision | None) -> list[Kind]:
    return [each.kind for each in changes_between([before] if before else [], [after] if after else [])]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (KEPT, GONE, Kind.NEWLY_DELETED),
        (WAITING, GONE, Kind.NEWLY_DELETED),
        (KEPT, WAITING, Kind.NEWLY_WAITING),
        (GONE, KEPT, Kind.NO_LONGER_DELETED),
        (WAITING, KEPT, Kind.NO_LONGER_WAITING),
        (GONE, WAITING, Kind.LATER),
        (GONE, GONE.replace(policy="other"), Kind.OTHER_POLICY),
        (WAITING, WAITING.replace(policy="other", due=NOW), Kind.OTHER_POLICY),
        (WAITING, WAITING.replace(due=NOW + DAY), Kind.SOONER),
        (WAITING, WAITING.replace(due=NOW + 3 * DAY), Kind.LATER),
        (WAITING, WAITING.replace(reason=Reason.REFUSED), Kind.OTHER_REASON),
        (KEPT, YOUNG, Kind.OTHER_REASON),
        (YOUNG, YOUNG.replace(due=NOW), Kind.OTHER_REASON),
        (KEPT, KEPT.replace(detail="it is unknown whether policy a matches it: name not known"), Kind.OTHER_REASON),
        (None, KEPT, Kind.ONLY_AFTER),
        (GONE, None, Kind.ONLY_BEFORE),
    ],
)
def test_a_difference_has_a_kind(before: Decision | None, after: Decision | None, kind: Kind) -> None:
    assert kinds(before, after) == [kind]
    assert kind in KINDS


@pytest.mark.parametrize("decision", [to_keep(IMAGE, Reason.PROTECTED), YOUNG, GONE, WAITING])
def test_the_same_decision_is_no_change_whatever_its_words(decision: Decision) -> None:
    assert kinds(decision, decision) == []
    assert kinds(decision, decision.replace(detail="other words", image=IMAGE.replace(name="renamed"))) == []


def test_every_turn_between_verdicts_has_a_kind() -> None:
    verdicts = {Verdict.KEEP: KEPT, Verdict.WAIT: WAITING, Verdict.DELETE: GONE}
    for before in Verdict:
        for after in Verdict:
            assert len(kinds(verdicts[before], verdicts[after])) == (before is not after)


@pytest.mark.parametrize(
    ("changed", "new"),
    [
        (Changed(IMAGE, KEPT, GONE, Kind.NEWLY_DELETED), True),
        (Changed(IMAGE, KEPT, WAITING, Kind.NEWLY_WAITING), True),
        (Changed(IMAGE, None, WAITING, Kind.ONLY_AFTER), True),
        (Changed(IMAGE, None, KEPT, Kind.ONLY_AFTER), False),
        (Changed(IMAGE, GONE, None, Kind.ONLY_BEFORE), False),
        (Changed(IMAGE, GONE, WAITING, Kind.LATER), False),
        (Changed(IMAGE, WAITING, WAITING, Kind.SOONER), False),
    ],
)
def test_new_is_what_was_not_to_be_deleted_before_as_far_as_known(changed: Changed, new: bool) -> None:
    assert changed.is_new is new


def test_the_order_is_that_of_the_later_decisions() -> None:
    one, two, three = (image_called(f"web-{number}") for number in range(3))
    changes = changes_between([to_delete(three), to_keep(one)], [to_delete(two), to_delete(one)])
    assert [each.image.id for each in changes] == [two.id, one.id, three.id]
    assert list(counts_of(changes)) == [Kind.NEWLY_DELETED, Kind.ONLY_AFTER, Kind.ONLY_BEFORE]


def test_sizes_that_are_unknown_are_counted_and_not_estimated() -> None:
    large, unknown = image_called("web-1", size=3 * GIB), image_called("web-2", size=None)
    some = [to_delete(large), to_delete(unknown), to_keep("db-1"), WAITING]
    assert planned(some).delete == Amount(2, 3 * GIB, 1)
    assert planned(some).wait == Amount(1, 10 * GIB, 0)
    assert planned(some).images == 3
    by_policy = planned_by_policy([*some, to_delete("db-2", policy="other")])
    assert {name: each.images for name, each in by_policy.items()} == {"ci-images": 3, "other": 1}
