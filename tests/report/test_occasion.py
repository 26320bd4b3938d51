"""When there is reason to post."""

from dataclasses import replace
from datetime import timedelta

import pytest

from janitor.core.decision import Reason, Spared, Verdict
from janitor.core.result import DeletionOutcome, Outcome, RunResult
from janitor.report.occasion import worth_posting
from tests.factories import NOW, live_run, make_deletion, make_run, make_target, to_delete, to_keep

QUIET = make_target([to_keep()])
ANNOUNCED = make_target([to_keep()], announced=(to_keep(),))
REMINDED = make_target([to_keep()], reminded=(to_keep(),))
SPARED = make_target([to_keep()], spared=(Spared(to_keep(), "ci-images"),))
TAKEN = make_target([to_keep()], gone=(to_keep(),))
SETTLED = make_target([to_keep()], settled=(make_deletion(),))
DELETED = make_target([to_delete()], [make_deletion()])
GONE = make_target([to_delete()], [make_deletion(outcome=DeletionOutcome.ALREADY_GONE)])
ONE_REFUSED = make_target([to_delete()], [make_deletion(outcome=DeletionOutcome.REFUSED)], outcome=Outcome.PARTIAL)


@pytest.mark.parametrize(
    ("result", "changes", "problems"),
    [
        pytest.param(live_run(QUIET), False, False, id="quiet"),
        pytest.param(live_run(ANNOUNCED), True, True, id="announced"),
        pytest.param(make_run(ANNOUNCED), True, False, id="would-be-announced"),
        pytest.param(live_run(REMINDED), True, True, id="reminded"),
        pytest.param(live_run(SPARED), True, False, id="spared"),
        pytest.param(live_run(TAKEN), True, False, id="deleted-by-somebody-else"),
        pytest.param(live_run(SETTLED), True, False, id="settled"),
        pytest.param(live_run(DELETED), True, False, id="deleted"),
        pytest.param(live_run(GONE), True, False, id="gone-already"),
        pytest.param(make_run(make_target([to_delete()])), True, False, id="to-be-deleted"),
        pytest.param(live_run(ONE_REFUSED, outcome=Outcome.PARTIAL), True, True, id="refused"),
        pytest.param(live_run(replace(ONE_REFUSED, outcome=Outcome.OK)), True, True, id="refused-whatever-the-outcome"),
        pytest.param(live_run(QUIET, make_target(outcome=Outcome.FAILED)), True, True, id="one-target-failed"),
        pytest.param(live_run(make_target(outcome=Outcome.REFUSED), outcome=Outcome.REFUSED), True, True, id="a-limit"),
        pytest.param(live_run(outcome=Outcome.FAILED, error="no"), True, True, id="failed"),
    ],
)
def test_what_is_an_occasion(result: RunResult, changes: bool, problems: bool) -> None:
    assert worth_posting(result, "always")
    assert worth_posting(result, "changes", result.outcome) is changes
    assert worth_posting(result, "problems", result.outcome) is problems


@pytest.mark.parametrize(
    ("result", "changes", "problems"),
    [
        pytest.param(make_run(QUIET), False, False, id="quiet"),
        pytest.param(make_run(make_target([to_delete()])), True, False, id="to-delete"),
        pytest.param(live_run(DELETED), True, False, id="deleted"),
        pytest.param(live_run(ONE_REFUSED, outcome=Outcome.PARTIAL), True, True, id="partial"),
        pytest.param(
            make_run(make_target([to_delete()], outcome=Outcome.REFUSED), outcome=Outcome.REFUSED),
            True,
            True,
            id="refused",
        ),
        pytest.param(make_run(make_target(outcome=Outcome.FAILED), outcome=Outcome.FAILED), True, True, id="failed"),
        pytest.param(make_run(outcome=Outcome.FAILED, error="no policies"), True, True, id="never-began"),
    ],
)
def test_what_is_worth_posting(result: RunResult, changes: bool, problems: bool) -> None:
    assert worth_posting(result, "always")
    assert worth_posting(result, "changes") is changes
    assert worth_posting(result, "problems") is problems


def test_a_recovery_is_news_but_no_problem() -> None:
    assert worth_posting(live_run(QUIET), "changes", Outcome.FAILED)
    assert not worth_posting(live_run(QUIET), "problems", Outcome.FAILED)


def test_earlier_reports_that_still_wait_ask_for_a_person() -> None:
    assert worth_posting(live_run(QUIET), "problems", Outcome.OK, undelivered=1)


def test_an_image_that_waits_is_no_occasion_every_night() -> None:
    waits = to_keep().replace(verdict=Verdict.WAIT, reason=Reason.EXPIRED, due=NOW + timedelta(days=1))
    assert not worth_posting(live_run(make_target([waits])), "changes", Outcome.OK)
