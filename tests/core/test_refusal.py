"""Why nothing was deleted in a target, told as itself: each cause is known by the very sentence that runs record."""

import pytest

from janitor.cloud.service import ONE_SERVICE
from janitor.core.planning.plan import OVER_LIMIT, Excess, Limits, Plan
from janitor.core.planning.refusal import REFUSALS, Refusal, in_words, refusal_of, refusal_told_by, refusals_in
from janitor.core.result import Mode, Outcome
from janitor.core.survey.binding import Binding, Known, recognise
from janitor.core.survey.clock import unconfirmed
from janitor.core.survey.mark import Behind, restored
from janitor.core.survey.one_account import AccountPair
from janitor.core.survey.plausibility import implausible
from janitor.errors import AnotherAccount, Implausible
from janitor.run.accounts import doubts_about_account, unknown_account
from janitor.run.cleaning import cut_short
from tests.factories import make_run, make_target, to_delete
from tests.report.terminal import report, unfolded


def over() -> str:
    excess = Plan((to_delete(),), 1).over_limit(Limits(0))
    assert isinstance(excess, Excess)
    return excess.sentence


def another(bound: Binding | None) -> str | None:
    before = frozenset(map(str, range(9)))
    found = recognise("a", Binding("v2", "new"), bound, Known(3, before, frozenset()))
    return cut_short("a", AnotherAccount(found.words)).error


PAIR = AccountPair(("a", "b"), "image", 3, 4)
SENTENCES = {
    "over-a-limit": (over(), Refusal.OVER_LIMIT),
    "a-copy": (restored(Behind(3, copied=True)), Refusal.COPY),
    "an-older-database": (restored(Behind(3, copied=False)), Refusal.OTHER_DATABASE),
    "clock": (unconfirmed(), Refusal.CLOCK),
    "unread": (unknown_account("a", {"b": "the same host"}), Refusal.OTHER_UNREAD),
    "one-account": (implausible("a", doubts_about_account("a", [PAIR], ["b"])), Refusal.TWO_NAMES),
    "one-service": (implausible("a", [f"a and b: {ONE_SERVICE}"], acceptable=False), Refusal.TWO_NAMES),
    "another-account": (another(Binding("v2", "old")), Refusal.ACCOUNT),
    "an-unknown-account": (another(None), Refusal.ACCOUNT),
    "shrunk": (implausible("a", ["half of it is missing"]), Refusal.IMPLAUSIBLE),
    "endless": (cut_short("a", Implausible("the list repeats itself")).error, Refusal.IMPLAUSIBLE),
    "told-elsewhere": ("the main channel says why", Refusal.UNKNOWN),
    "nothing-said": (None, Refusal.UNKNOWN),
}


@pytest.mark.parametrize(("error", "why"), SENTENCES.values(), ids=SENTENCES)
def test_each_cause_is_known_by_its_sentence(error: str | None, why: Refusal) -> None:
    assert refusal_of(make_target(outcome=Outcome.REFUSED, error=error)) is why


def test_a_target_whose_name_is_like_such_a_sentence_is_no_cause() -> None:
    sentence = implausible("a", [f"{OVER_LIMIT}b is half of what it was"])
    assert refusal_told_by(sentence) is Refusal.IMPLAUSIBLE


def test_a_report_names_the_cause_itself_wherever_it_says_why_nothing_was_deleted() -> None:
    for error, why in SENTENCES.values():
        target = make_target([to_delete()], outcome=Outcome.REFUSED, error=error)
        unread = make_target(outcome=Outcome.REFUSED, error=error)
        dry = unfolded(report(make_run(target, outcome=Outcome.REFUSED)))
        live = unfolded(report(make_run(target, mode=Mode.DELETE, outcome=Outcome.REFUSED)))
        bare = unfolded(report(make_run(unread, mode=Mode.DELETE, outcome=Outcome.REFUSED)))
        assert dry.count(f"as {REFUSALS[why]}") >= 3
        once = why in (Refusal.COPY, Refusal.OTHER_DATABASE)
        assert ("before the next run, which may delete again" in live) is once
        assert ("until then nothing is deleted there" in live) is (not once)
        assert live.count(f"as {REFUSALS[why]}") >= 3
        others = (words for other, words in REFUSALS.items() if other is not why)
        assert not [words for words in others if f"as {words}" in f"{dry} {live} {bare}"]
        assert ("implausible survey" in bare) is (why is Refusal.IMPLAUSIBLE or "implausible" in (error or ""))


def test_causes_of_several_targets_are_each_said_once() -> None:
    copy, clock = (make_target(outcome=Outcome.REFUSED, error=SENTENCES[name][0]) for name in ("a-copy", "clock"))
    found = refusals_in([copy, clock, copy, make_target()])
    assert in_words(found) == "the database is a copy and our clock is not confirmed"
