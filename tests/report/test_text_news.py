"""News on a terminal: notices, settled deletions and remarks, and a last sentence that claims only what is known."""

import csv
import io
import re
from datetime import UTC, timedelta
from typing import Any

import pytest

from janitor.core.decision import Change, Decision, Reason, Spared, Verdict
from janitor.core.result import DeletionOutcome, Mode, Outcome
from janitor.report.figures import totals_of
from janitor.report.listing import listing
from tests.factories import NOW, make_deletion, make_image, make_run, make_target, replace_in, to_delete, to_keep
from tests.report.terminal import report, unfolded

# News of notices


def test_news_of_notices_is_told_with_the_way_out() -> None:
    waiting = Decision(make_image("ci-9"), Verdict.WAIT, "ci", Reason.NOTICE, "due for deletion 2026-11-25", NOW)
    spared = Decision(make_image("ci-8"), Verdict.KEEP, None, Reason.IN_USE, "used by instance web-1")
    target = replace_in(make_target([waiting, spared]), announced=(waiting,), spared=(Spared(spared, "ci"),))
    text = unfolded(report(make_run(target, mode=Mode.DELETE)))
    for words in (
        "Announced, to be deleted when due: 1 image in prod",
        f"janitor keep {waiting.image.id}",
        "Spared, announced before and now kept: 1 image in prod ci-8",
        "announced under policy ci used by instance web-1",
    ):
        assert words in text
    assert "1 image announced, 1 image spared." in text


def test_a_dry_run_says_of_notices_what_would_be_told() -> None:
    decision = to_keep("ci-8")
    target = make_target(
        [decision], announced=(decision,), reminded=(decision,), spared=(Spared(decision, "ci-images"),)
    )
    text = unfolded(report(make_run(target)))
    for title in ("announced", "in a reminder, due within a day", "spared, announced before and now kept"):
        assert f"Would be {title}: 1 image in prod" in text
    assert "1 image would be announced, 1 image due within a day, 1 image would be spared." in text
    assert not [claim for claim in ("Announced", "Reminder", "Spared") if claim in text]
    assert "Would be announced: 1 image in prod" in report(make_run(target))


def test_what_was_settled_is_counted_by_image_in_the_last_sentence() -> None:
    settled = [make_deletion("a"), make_deletion("b"), make_deletion("c", DeletionOutcome.FAILED, "still listed")]
    asked_before = make_deletion(
        "b", DeletionOutcome.FAILED, "settled: requested in run 3; superseded by a later request"
    )
    target = make_target(settled=(asked_before, *settled))
    said = "There was nothing to delete. Settled 4 deletions of earlier runs: 3 deleted, 1 failed."
    text = unfolded(report(make_run(target, make_target(settled=(make_deletion("a"),), name="dev"), mode=Mode.DELETE)))
    assert said in text
    assert "Settled 2 deleted, 1 failed" in text
    assert "Settled, requested in an earlier run: 3 images in prod" in text
    assert "see there" not in text
    assert "Settled 1 deletion of earlier runs: 1 deleted." in unfolded(
        report(make_run(make_target(settled=(make_deletion(),))))
    )


def test_the_command_that_keeps_an_image_can_be_copied_whole_at_80_columns() -> None:
    waiting = Decision(make_image("ci-9"), Verdict.WAIT, "ci", Reason.NOTICE, "due for deletion 2026-11-25", NOW)
    lines = report(make_run(make_target([waiting], announced=(waiting,)))).splitlines()
    assert f'      janitor keep {waiting.image.id} --for 30d --why "…"' in lines


def test_an_announced_image_that_somebody_else_deleted_is_named() -> None:
    gone = to_keep("ci-9", Reason.GONE, policy="ci", detail="no survey since 2026-11-14 03:00Z lists it")
    text = unfolded(report(make_run(make_target(gone=(gone,)), mode=Mode.DELETE)))
    assert f"Announced before, deleted by somebody else: 1 image in prod ci-9 {gone.image.id}" in text
    assert "1 image deleted by somebody else." in text
    [row] = csv.DictReader(io.StringIO(listing(make_run(make_target(gone=(gone,)), mode=Mode.DELETE)).csv))
    assert (row["name"], row["outcome"], row["policy"]) == ("ci-9", "gone", "ci")


# The last sentence


DOUBT = "nothing deleted, implausible survey"
TROUBLED = {
    "refused": make_target(outcome=Outcome.REFUSED, error=f"{DOUBT}: the list repeats itself"),
    "planned": make_target([to_delete("a"), to_delete("b")], outcome=Outcome.REFUSED, error=f"{DOUBT}: too many"),
    "failed": make_target(outcome=Outcome.FAILED, error="no answer"),
    "fine": make_target([to_delete("c")], [make_deletion("c")]),
    "quiet": make_target([to_keep()]),
}
LEFT_ALONE = "1 target with nothing deleted, as the survey is in doubt."


@pytest.mark.parametrize(
    ("targets", "dry", "live"),
    [
        pytest.param("quiet", "There was nothing to delete.", "There was nothing to delete.", id="nothing-to-do"),
        pytest.param(
            "failed",
            "Nothing would be deleted. 1 target failed.",
            "No deletion is confirmed. 1 target failed.",
            id="failed",
        ),
        pytest.param(
            "refused quiet",
            f"Nothing would be deleted. {LEFT_ALONE}",
            f"Nothing was deleted. {LEFT_ALONE}",
            id="not-believed",
        ),
        pytest.param(
            "planned",
            f"None of 2 planned images would be deleted. {LEFT_ALONE}",
            f"0 of 2 planned images deleted. {LEFT_ALONE}",
            id="over-a-limit",
        ),
        pytest.param(
            "planned fine",
            "1 of 3 planned images would be deleted, reclaiming 10.0 GiB; a dry run deletes nothing. " + LEFT_ALONE,
            "1 of 3 planned images deleted, reclaiming 10.0 GiB. " + LEFT_ALONE,
            id="over-a-limit-in-one",
        ),
    ],
)
def test_the_last_sentence_claims_no_more_than_is_known(targets: str, dry: str, live: str) -> None:
    for mode, said in ((Mode.DRY_RUN, dry), (Mode.DELETE, live)):
        chosen = [TROUBLED[name] for name in targets.split()]
        text = report(make_run(*chosen, mode=mode))
        closing = unfolded(text.rpartition("─" * 80)[2])
        assert closing.startswith(f"{said} Outcome: ")


@pytest.mark.parametrize(
    ("target", "mode", "figures"),
    [
        pytest.param("quiet", Mode.DRY_RUN, "Would delete none", id="dry"),
        pytest.param("quiet", Mode.DELETE, "Deleted none", id="live"),
        pytest.param(
            "planned", Mode.DRY_RUN, "Would delete none of 2 planned, as the survey is in doubt", id="refused"
        ),
        pytest.param("refused", Mode.DELETE, "Images implausible survey", id="not-believed"),
    ],
)
def test_what_was_not_to_be_done_has_no_figures(target: str, mode: Mode, figures: str) -> None:
    text = unfolded(report(make_run(TROUBLED[target], mode=mode)))
    assert figures in text
    assert not re.search("eclaim|Images 0|0 of 0", text)


def test_what_is_refused_as_before_is_counted_once() -> None:
    deletions = [make_deletion(name, DeletionOutcome.REFUSED, "no") for name in "abc"]
    again = frozenset({deletions[0].decision.image.id, deletions[1].decision.image.id})
    target = make_target([d.decision for d in deletions], deletions, refused_again=again)
    assert "Deleted 0 of 3 planned (3 rejected of which 2 as before)" in unfolded(
        report(make_run(target, mode=Mode.DELETE))
    )


def test_what_an_optional_source_did_not_tell_stands_with_the_figures() -> None:
    target = make_target([to_keep()], remarks=("volumes could not be read: \x1b[31mHTTP 403",))
    assert "Kept 1 Note volumes could not be read: \\x1b[31mHTTP 403 Would delete none" in unfolded(
        report(make_run(target))
    )


def test_other_news_are_counted_in_the_last_sentence() -> None:
    waiting = Decision(make_image("ci-9"), Verdict.WAIT, "ci", Reason.NOTICE, "due for deletion 2026-11-25", NOW)
    target = make_target([waiting], reminded=(waiting,), changed=(Change(to_keep(), "changed since the plan"),))
    text = unfolded(report(make_run(target, mode=Mode.DELETE)))
    assert "There was nothing to delete. 1 image due within a day, 1 image changed since planned." in text


def test_a_reminder_is_told_with_the_way_out() -> None:
    waiting = Decision(make_image("ci-9"), Verdict.WAIT, "ci", Reason.NOTICE, "due for deletion 2026-11-25", NOW)
    text = unfolded(report(make_run(replace_in(make_target([waiting]), reminded=(waiting,)), mode=Mode.DELETE)))
    assert "Reminder, due within a day: 1 image in prod" in text
    assert f"janitor keep {waiting.image.id}" in text


# What waits

SOON, LATER = NOW + timedelta(days=1), NOW + timedelta(days=2)
BEFORE, NEW = (
    Decision(make_image(name), Verdict.WAIT, "ci", Reason.NOTICE, "expired", due)
    for name, due in (("ci-7", LATER), ("ci-9", SOON))
)
REJECTED = Decision(make_image("ci-5"), Verdict.WAIT, "ci", Reason.REFUSED, "expired", SOON)


@pytest.mark.parametrize(
    ("parts", "mode", "said"),
    [
        pytest.param({}, Mode.DELETE, "2 announced, the first due 2026-11-24 12:00 KST", id="all-announced"),
        pytest.param(
            {"announced": (NEW,), "undelivered": frozenset({NEW.image.id})},
            Mode.DELETE,
            "1 announced, the first due 2026-11-25 12:00 KST; 1 not announced",
            id="not-delivered",
        ),
        pytest.param(
            {"announced": (NEW,)},
            Mode.DRY_RUN,
            "1 announced, the first due 2026-11-25 12:00 KST; 1 to be announced",
            id="a-dry-run-announces-nothing",
        ),
        pytest.param(
            {"reminded": (NEW,), "undelivered": frozenset({NEW.image.id})},
            Mode.DELETE,
            "2 announced, the first due 2026-11-25 12:00 KST",
            id="one-without-its-reminder-has-no-date",
        ),
        pytest.param({"outcome": Outcome.REFUSED}, Mode.DELETE, "2 announced or to be announced", id="not-looked-at"),
    ],
)
def test_what_waits_is_counted_by_what_people_were_told(parts: dict[str, Any], mode: Mode, said: str) -> None:
    target = make_target([BEFORE, NEW, REJECTED], **parts)
    text = unfolded(report(make_run(target, mode=mode)))
    assert f"Waiting {said}; 1 rejected before, retried later" in text


def test_a_report_that_is_not_sent_yet_counts_what_it_is_to_announce_apart() -> None:
    target = make_target([BEFORE, NEW], announced=(NEW,))
    figures = dict(totals_of(target, Mode.DELETE, None, UTC, sent=False))
    assert figures["Waiting"] == "1 announced, the first due 2026-11-25 03:00 UTC; 1 to be announced"
