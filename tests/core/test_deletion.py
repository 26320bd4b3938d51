"""The outcome of a deletion, cell by cell: what the API answered, and what the target lists afterwards."""

import pytest

from janitor.core.names.image_ids import ImageId
from janitor.core.planning.deletion import Answer, Answered, Shown, detail_of, is_open, outcome_of, shown
from janitor.core.result import DeletionOutcome
from tests.factories import make_image

DELETED, ACCEPTED, GONE = DeletionOutcome.DELETED, DeletionOutcome.ACCEPTED, DeletionOutcome.ALREADY_GONE
REFUSED, FAILED = DeletionOutcome.REFUSED, DeletionOutcome.FAILED

CELLS = {
    (Shown.NOT_LISTED, Answer.ACCEPTED): DELETED,
    (Shown.NOT_LISTED, Answer.NONE): DELETED,
    (Shown.NOT_LISTED, Answer.REFUSED): GONE,
    (Shown.NOT_LISTED, Answer.ABSENT): GONE,
    (Shown.NOT_LISTED, Answer.NOT_SENT): GONE,
    (Shown.NOT_LISTED, Answer.NOT_LISTED): GONE,
    (Shown.DELETED, Answer.ACCEPTED): DELETED,
    (Shown.DELETED, Answer.NONE): DELETED,
    (Shown.DELETED, Answer.REFUSED): GONE,
    (Shown.DELETED, Answer.ABSENT): GONE,
    (Shown.DELETED, Answer.NOT_SENT): GONE,
    (Shown.DELETED, Answer.NOT_LISTED): GONE,
    (Shown.PENDING_DELETE, Answer.ACCEPTED): ACCEPTED,
    (Shown.PENDING_DELETE, Answer.NONE): ACCEPTED,
    (Shown.PENDING_DELETE, Answer.REFUSED): GONE,
    (Shown.PENDING_DELETE, Answer.ABSENT): GONE,
    (Shown.PENDING_DELETE, Answer.NOT_SENT): GONE,
    (Shown.PENDING_DELETE, Answer.NOT_LISTED): GONE,
    (Shown.LISTED, Answer.ACCEPTED): ACCEPTED,
    (Shown.LISTED, Answer.NONE): FAILED,
    (Shown.LISTED, Answer.REFUSED): REFUSED,
    (Shown.LISTED, Answer.ABSENT): FAILED,
    (Shown.LISTED, Answer.NOT_SENT): FAILED,
    (Shown.LISTED, Answer.NOT_LISTED): FAILED,
    (Shown.UNKNOWN, Answer.ACCEPTED): ACCEPTED,
    (Shown.UNKNOWN, Answer.NONE): FAILED,
    (Shown.UNKNOWN, Answer.REFUSED): REFUSED,
    (Shown.UNKNOWN, Answer.ABSENT): FAILED,
    (Shown.UNKNOWN, Answer.NOT_SENT): GONE,
    (Shown.UNKNOWN, Answer.NOT_LISTED): FAILED,
}


@pytest.mark.parametrize(("seen", "answer"), [(seen, answer) for seen in Shown for answer in Answer])
def test_an_outcome_follows_from_the_answer_and_the_list(seen: Shown, answer: Answer) -> None:
    assert outcome_of(answer, seen) is CELLS[seen, answer]
    assert detail_of(Answered(answer, "HTTP 500"), seen)


@pytest.mark.parametrize("answer", Answer)
def test_only_a_list_that_tells_nothing_leaves_an_outcome_open(answer: Answer) -> None:
    assert {seen for seen in Shown if is_open(answer, seen)} <= {Shown.UNKNOWN}
    settled = {Answer.REFUSED, Answer.NOT_SENT, Answer.NOT_LISTED}
    assert is_open(answer, Shown.UNKNOWN) is (answer not in settled)


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        ("active", Shown.LISTED),
        ("deleted", Shown.DELETED),
        ("pending_delete", Shown.PENDING_DELETE),
        ("a word of tomorrow", Shown.LISTED),
    ],
)
def test_what_a_list_shows_is_told_by_the_status(status: str, seen: Shown) -> None:
    image = make_image(status=status)
    assert shown(image.identity, {image.identity: image}) is seen


def test_a_list_that_is_missing_or_does_not_tell_shows_nothing() -> None:
    assert shown(ImageId("a"), None) is Shown.UNKNOWN
    assert shown(ImageId("a"), {}, unanswered={ImageId("a")}) is Shown.UNKNOWN
    assert shown(ImageId("a"), {}) is Shown.NOT_LISTED


def test_an_id_is_told_in_any_spelling() -> None:
    image, asked = make_image(id="abcd"), make_image(id=" ABCD")
    assert shown(asked.identity, {image.identity: image}) is Shown.LISTED
    assert shown(asked.identity, {}, unanswered={image.identity}) is Shown.UNKNOWN
