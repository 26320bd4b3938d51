"""The outcome of a request whose run did not finish: by its recorded answer and what the survey lists."""

import pytest

from janitor.core.planning.deletion import Answer
from janitor.core.planning.deletion import Answered as Said
from janitor.core.planning.reconciling import Unsettled, reconcile
from janitor.core.result import DeletionOutcome
from tests.factories import to_delete
from tests.run.stopped_runs import IMAGE, UNFINISHED

UNKNOWN, YES, ABSENT = Said(Answer.NONE), Said(Answer.ACCEPTED), Said(Answer.ABSENT)
LOST, NO = Said(Answer.NONE, "HTTP 502"), Said(Answer.REFUSED, "in use")
SETTLED = [
    pytest.param(UNKNOWN, None, DeletionOutcome.DELETED, "no answer was recorded; it is no", id="no-answer-and-gone"),
    pytest.param(UNKNOWN, "active", DeletionOutcome.FAILED, "no answer was recorded; it is still", id="no-answer"),
    pytest.param(YES, None, DeletionOutcome.DELETED, "confirmed gone", id="yes-and-gone"),
    pytest.param(YES, "active", DeletionOutcome.ACCEPTED, "accepted; it is still listed", id="yes-and-listed"),
    pytest.param(LOST, None, DeletionOutcome.DELETED, "no answer: HTTP 502; it is no longer", id="lost-and-gone"),
    pytest.param(LOST, "active", DeletionOutcome.FAILED, "no answer: HTTP 502; it is still", id="lost-and-listed"),
    pytest.param(ABSENT, None, DeletionOutcome.ALREADY_GONE, "the API knew no such image", id="absent-and-gone"),
    pytest.param(ABSENT, "active", DeletionOutcome.FAILED, "the API knew no such image; it", id="absent-and-listed"),
    pytest.param(NO, None, DeletionOutcome.ALREADY_GONE, "rejected: in use; it is no longer", id="no-and-gone"),
    pytest.param(NO, "active", DeletionOutcome.REFUSED, "in use; re-evaluated in this run", id="no-and-listed"),
    pytest.param(UNKNOWN, "pending_delete", DeletionOutcome.ACCEPTED, "no answer was recorded; it is", id="on-its-way"),
    pytest.param(NO, "pending_delete", DeletionOutcome.ALREADY_GONE, "rejected: in use; it is", id="no-on-its-way"),
]


@pytest.mark.parametrize(("answer", "status", "outcome", "words"), SETTLED)
def test_a_request_is_settled_by_its_answer_and_the_survey(
    answer: Said, status: str | None, outcome: DeletionOutcome, words: str
) -> None:
    listed = [] if status is None else [IMAGE.replace(status=status)]
    (settlement,) = reconcile([Unsettled(3, 7, False, to_delete(IMAGE), answer)], [*listed, IMAGE.replace(id="b")])
    assert settlement.entry == 3
    assert settlement.deletion.decision == to_delete(IMAGE)
    assert settlement.deletion.outcome is outcome
    assert settlement.deletion.detail.startswith(UNFINISHED + words)


def test_of_several_requests_for_an_image_the_last_one_tells_what_became_of_it() -> None:
    asked = [
        Unsettled(entry, 7 + entry, False, to_delete(IMAGE), answer) for entry, answer in enumerate((YES, UNKNOWN))
    ]
    first, last = (settlement.deletion for settlement in reconcile(asked, []))
    assert (first.outcome, last.outcome) == (DeletionOutcome.FAILED, DeletionOutcome.DELETED)
    assert first.detail == "settled: requested in run 7; superseded by a later request"


@pytest.mark.parametrize("followed", [False, True])
def test_of_an_image_that_may_exist_nothing_is_settled(followed: bool) -> None:
    assert reconcile([Unsettled(3, 7, True, to_delete(IMAGE), YES, followed)], [], unanswered={"a"}) == []
