"""Answers to announcements in the database: an image is kept once for each, and what comes too late is said."""

import json
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from janitor.core.clicks.announcement import Announced, new_id
from janitor.core.clicks.click import Click, Person, Place, Wish
from janitor.core.clicks.keeping import Answer
from janitor.core.clicks.permission import Refusal
from janitor.core.memory import Exemption
from janitor.core.planning.deletion import Answer as Said
from janitor.core.planning.deletion import Answered
from janitor.core.result import Deletion, DeletionOutcome
from janitor.errors import Exempted, StoreError
from janitor.store import NewOffer, NewReport, Store
from tests.store.recorded import IMAGES, MINUTE, NOW, finished, plan_of, surveyed

DAY = timedelta(days=1)
UNTIL = NOW + 30 * DAY
A, B = (Announced(f"opaque-{image.id}", "prod", image.id, image.name or "", "ci", NOW + DAY) for image in IMAGES[:2])
HERE, THREAD = Place("C01", "1.0"), Place("C01", "2.0")
CLICK = Click("T1", "A1", Person("U1", "lee", "T1"), HERE, Wish.KEEP, 30, A.id)
OFFERS = (
    NewOffer(0, "first", [{"type": "divider"}], (A,)),
    NewOffer(1, "thread", [{"type": "divider"}], (A, B), {"opaque-both": (A.id, B.id)}),
)


def announced(store: Store, *accepted: Place) -> int:
    """A run whose report announces two images; these of its messages have been accepted."""
    run = surveyed(store, *IMAGES)
    [report] = store.add_reports(run, [NewReport("slack", "[]", offers=OFFERS)], NOW)
    for count, place in enumerate(accepted, start=1):
        words = {"channel": "#images", "id": place.channel, "thread": "1.0", "latest": place.message}
        store.mark_accepted(report, count, json.dumps(words))
    return run


def answered(store: Store, *each: Announced, click: Click = CLICK, after: timedelta = MINUTE) -> list[Answer]:
    done = store.answer_click(click, each or (A,), until=UNTIL, why="in Slack", at=NOW + after)
    return [one.answer for one in done]


def test_a_button_is_known_in_the_messages_that_were_accepted(store: Store) -> None:
    run = announced(store, HERE, THREAD)
    found = store.offered(A.id)
    assert found is not None
    assert (found.announced, found.places, found.run, found.channel) == (
        (A,),
        frozenset({HERE, THREAD}),
        run,
        "#images",
    )
    both = store.offered("opaque-both")
    assert both is not None
    assert (both.announced, both.places) == ((A, B), frozenset({HERE, THREAD}))


def test_a_button_of_a_message_that_was_not_accepted_is_not_known(store: Store) -> None:
    announced(store, HERE)
    assert store.offered(B.id) is None
    assert store.offered("guessed") is None


def test_ids_of_buttons_cannot_be_guessed() -> None:
    ids = {new_id() for _ in range(1000)}
    assert (len(ids), {len(each) for each in ids}) == (1000, {22})


def test_a_click_exempts_the_image_once(store: Store) -> None:
    announced(store, HERE, THREAD)
    assert answered(store) == [Answer.KEPT]
    assert answered(store, after=2 * MINUTE) == [Answer.STANDS]
    other = replace(CLICK, person=Person("U2", "ann", "T1"), days=7)
    assert answered(store, click=other, after=3 * MINUTE) == [Answer.STANDS]
    assert store.exemptions(NOW + DAY) == [Exemption(A.image, UNTIL, "in Slack", "@lee")]
    assert store.counts_of_clicks() == {"kept": 1, "stands": 2}


def test_the_messages_of_an_image_are_rewritten_until_they_say_what_is_so(store: Store) -> None:
    announced(store, HERE, THREAD)
    answered(store, B)
    [(offer, kept)] = store.offers_to_rewrite()
    assert (offer.place, kept[B.id].who, list(kept)) == (THREAD, "@lee", [B.id])
    answered(store, A)
    store.mark_rewritten(offer)
    assert [place.place for place, _ in store.offers_to_rewrite()] == [HERE, THREAD], "a click came in between"
    for offer, _ in store.offers_to_rewrite():
        store.mark_rewritten(offer)
    assert store.offers_to_rewrite() == []
    answered(store, A, B)
    assert store.offers_to_rewrite() == []
    store.end_exemptions([("prod", B.image)], "kim", NOW + DAY)
    [(_, kept)] = store.offers_to_rewrite()
    assert (kept[B.id].ended_by, kept[A.id].ended_by) == ("kim", None)


def test_no_message_says_that_an_image_is_kept_whose_click_came_too_late(store: Store) -> None:
    run = announced(store, HERE)
    store.journal_request(run, "prod", plan_of(IMAGES[0])[0], NOW)
    assert answered(store) == [Answer.TOO_LATE]
    assert store.offers_to_rewrite() == []


def test_a_click_for_several_images_keeps_those_that_were_not(store: Store) -> None:
    announced(store, HERE, THREAD)
    assert answered(store) == [Answer.KEPT]
    assert answered(store, A, B) == [Answer.STANDS, Answer.KEPT]
    assert {given.image for given in store.exemptions(NOW + DAY)} == {A.image, B.image}


def test_an_approver_ends_the_exemptions_of_an_image(store: Store) -> None:
    announced(store, HERE)
    store.add_exemptions([("prod", Exemption(A.image, UNTIL, "rollback", "kim"))], NOW)
    answered(store)
    end = replace(CLICK, wish=Wish.END, days=0, person=Person("U9", "boss", "T1"))
    assert answered(store, click=end) == [Answer.ENDED]
    assert answered(store, click=end) == [Answer.NOTHING_TO_END]
    assert store.exemptions(NOW + DAY) == []
    assert {record.ended_by for record in store.exemption_records()} == {"@boss"}
    assert answered(store) == [Answer.OVER]
    [(_, kept)] = store.offers_to_rewrite()
    assert kept[A.id].ended_by == "@boss"


def test_whichever_comes_first_counts_the_click_or_the_request(store: Store) -> None:
    run = announced(store, HERE)
    of_a, of_b, _ = plan_of(*IMAGES)
    assert answered(store) == [Answer.KEPT]
    with pytest.raises(Exempted, match="exempted by @lee during this run"):
        store.journal_request(run, "prod", of_a, NOW + 2 * MINUTE)
    store.journal_request(run, "prod", of_b, NOW + 2 * MINUTE)
    assert answered(store, B, after=3 * MINUTE) == [Answer.TOO_LATE]
    assert {given.image for given in store.exemptions(NOW + DAY)} == {A.image, B.image}, "should it stay after all"


ENDS: dict[str, tuple[Said, DeletionOutcome, Answer]] = {
    "deleted": (Said.ACCEPTED, DeletionOutcome.DELETED, Answer.GONE),
    "accepted": (Said.ACCEPTED, DeletionOutcome.ACCEPTED, Answer.TOO_LATE),
    "refused": (Said.REFUSED, DeletionOutcome.REFUSED, Answer.KEPT),
    "failed": (Said.NONE, DeletionOutcome.FAILED, Answer.KEPT),
}


@pytest.mark.parametrize(("said", "outcome", "answer"), ENDS.values(), ids=ENDS)
def test_what_became_of_the_deletion_decides_whether_there_is_something_to_keep(
    store: Store, said: Said, outcome: DeletionOutcome, answer: Answer
) -> None:
    run = announced(store, HERE)
    [decision] = plan_of(IMAGES[0])
    store.journal_answer(store.journal_request(run, "prod", decision, NOW + MINUTE), Answered(said), NOW + MINUTE)
    finished(store, run, Deletion(decision, outcome, "as the survey showed"))
    assert answered(store, after=DAY) == [answer]
    [done] = store.answer_click(CLICK, [A], until=UNTIL, why="in Slack", at=NOW + DAY)
    assert (done.fate.deleted_at == NOW + MINUTE) is (answer is Answer.GONE)


def test_a_deletion_whose_outcome_is_not_known_may_have_come_first(store: Store) -> None:
    run = announced(store, HERE)
    [decision] = plan_of(IMAGES[0])
    store.journal_answer(store.journal_request(run, "prod", decision, NOW), Answered(Said.NONE), NOW)
    finished(store, run, Deletion(decision, DeletionOutcome.FAILED, "not known", unsettled=True))
    assert answered(store) == [Answer.TOO_LATE]


def test_an_image_that_is_listed_again_after_its_deletion_can_be_kept(store: Store) -> None:
    run = announced(store, HERE)
    [decision] = plan_of(IMAGES[0])
    store.journal_request(run, "prod", decision, NOW)
    finished(store, run, Deletion(decision, DeletionOutcome.DELETED, "confirmed gone"))
    surveyed(store, *IMAGES[1:], at=NOW + DAY)
    assert answered(store, after=DAY) == [Answer.GONE]
    surveyed(store, *IMAGES, at=NOW + 2 * DAY)
    assert answered(store, after=2 * DAY) == [Answer.KEPT]


def test_a_refused_click_is_recorded_and_changes_nothing(store: Store) -> None:
    announced(store, HERE)
    store.record_refusal(replace(CLICK, of="x" * 5_000), Refusal.OTHER_TEAM, NOW)
    assert (store.counts_of_clicks(), store.exemptions(NOW)) == ({"other-team": 1}, [])


def test_an_answer_is_recorded_as_a_whole_or_not_at_all(store: Store) -> None:
    announced(store, HERE)
    unknown = replace(B, id="never announced")
    with pytest.raises(StoreError):
        answered(store, A, unknown)
    assert (store.exemptions(NOW + MINUTE), store.counts_of_clicks()) == ([], {})


def test_a_busy_database_is_waited_for_no_longer_than_wanted(store: Store, path: Path) -> None:
    announced(store, HERE)
    with Store.open(path, timedelta(milliseconds=20)) as hurried:
        busy = sqlite3.connect(path, isolation_level=None)
        busy.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process is writing"):
            answered(hurried)
        busy.execute("ROLLBACK")
        busy.close()
        assert answered(hurried) == [Answer.KEPT]


def test_messages_are_forgotten_after_a_while_and_buttons_never(store: Store) -> None:
    announced(store, HERE)
    store.add_reports(surveyed(store), [NewReport("slack", "[]", offers=(NewOffer(0, "", [], ()),))], NOW + 100 * DAY)
    assert store.offered(A.id) is not None
    assert (answered(store, after=100 * DAY), store.offers_to_rewrite()) == ([Answer.KEPT], [])


LIVES: dict[str, tuple[timedelta, bool]] = {
    "just-now": (timedelta(), True),
    "within-two-minutes": (timedelta(seconds=119), True),
    "two-minutes-ago": (timedelta(minutes=2), False),
    "to-come": (timedelta(minutes=-2), False),
}


@pytest.mark.parametrize(("ago", "heard"), LIVES.values(), ids=LIVES)
def test_somebody_listens_whom_slack_answered_within_two_minutes(store: Store, ago: timedelta, heard: bool) -> None:
    assert not store.is_heard(NOW)
    store.record_listener("old", NOW - DAY, NOW - DAY)
    store.record_listener("new", NOW - DAY, NOW - ago)
    assert store.is_heard(NOW) is heard
    store.end_listener("new")
    assert not store.is_heard(NOW)
