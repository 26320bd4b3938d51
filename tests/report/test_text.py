"""The report on a terminal: understood without a manual, and complete."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from janitor.core.decision import REASONS, Reason
from janitor.core.names.owners import OwnerRule
from janitor.core.planning.plan import Excess
from janitor.core.policy import Match, Policy
from janitor.core.result import Cost, DeletionOutcome, Mode, Outcome, RunTerms
from janitor.report.as_json import json_report
from janitor.report.wording import OUTCOMES, money_a_month
from tests.factories import GIB, NOW, make_deletion, make_image, make_run, make_target, to_delete, to_keep, too_young
from tests.report.terminal import DOLLARS, report, unfolded


def test_a_dry_run_is_unmistakable_from_the_first_line_to_the_last() -> None:
    lines = report(make_run(make_target([to_delete()]))).splitlines()
    assert lines[0] == "DRY RUN: a live run would delete 1 image, 10.0 GiB"
    assert "1 image would be deleted, reclaiming 10.0 GiB; a dry run deletes nothing." in unfolded("\n".join(lines))
    assert "Deleted" not in "\n".join(lines)


def test_a_live_run_says_so() -> None:
    text = report(make_run(make_target([to_delete()], [make_deletion()]), mode=Mode.DELETE))
    assert text.startswith("Deleted 1 image, 10.0 GiB\n")
    assert "DRY RUN" not in text
    assert "1 of 1 planned image deleted, reclaiming 10.0 GiB." in text


def test_the_headline_names_the_run_its_time_and_its_length() -> None:
    assert report(make_run()).splitlines()[1] == "Image Janitor run 12, 2026-11-23 12:00 KST, took 42s"


@pytest.mark.parametrize("outcome", Outcome)
def test_the_outcome_is_said_in_words(outcome: Outcome) -> None:
    assert f"Outcome: {OUTCOMES[outcome]}" in report(make_run(outcome=outcome))


def test_every_code_has_its_words() -> None:
    assert (set(OUTCOMES), set(REASONS)) == (set(Outcome), set(Reason))


# Totals


def test_the_totals_of_a_dry_run() -> None:
    doomed = [to_delete("a"), to_delete(make_image("b", size=None))]
    target = make_target([*doomed, to_keep("c"), to_keep("d")], images=512, owned=480)
    text = report(make_run(target), DOLLARS)
    assert "Images         512, of which 480 owned" in text
    assert "Kept           2\n" in text
    assert "Would delete   2\n" in text
    assert "Would reclaim  10.0 GiB and 1 of unknown size (0.50 USD a month)" in text


def test_only_what_is_confirmed_gone_counts_as_reclaimed() -> None:
    doomed = [to_delete(outcome.value) for outcome in DeletionOutcome]
    deletions = [make_deletion(d, outcome) for d, outcome in zip(doomed, DeletionOutcome, strict=True)]
    unasked = to_delete("unasked")
    target = make_target([*doomed, unasked], deletions, outcome=Outcome.FAILED, error="1 deletion was not sent")
    text = report(make_run(target, mode=Mode.DELETE, outcome=Outcome.FAILED), DOLLARS)
    assert "Deleted 1 of 6 planned (1 accepted, 1 already-gone, 1 rejected, 1 failed, 1 not attempted)" in unfolded(
        text
    )
    assert "Reclaimed      10.0 GiB (0.50 USD a month)" in text
    assert "1 of 6 planned images deleted, reclaiming 10.0 GiB (0.50 USD a month). 1 target failed." in unfolded(text)


def test_without_a_cost_there_is_no_money() -> None:
    assert "a month" not in report(make_run(make_target([to_delete()])))


@pytest.mark.parametrize(
    ("size", "price", "said"),
    [
        (0, 0.05, "0.00 EUR a month"),
        (GIB, 0.05, "0.05 EUR a month"),
        (100_000 * GIB, 0.5, "50,000.00 EUR a month"),
        (2**20, 0.05, "0.000049 EUR a month"),
        (1, 0.05, "0.000000 EUR a month"),
    ],
)
def test_money(size: int, price: float, said: str) -> None:
    assert money_a_month(size, Cost(price, "EUR")) == said


def test_kept_images_are_counted_by_reason_most_first() -> None:
    kept = [to_keep(f"p{i}", Reason.PUBLIC) for i in range(3)] + [to_keep("u", Reason.IN_USE)]
    text = unfolded(report(make_run(make_target(kept))))
    assert "Kept, by reason 3 public offered to every project 1 in-use it is in use" in text


# What was, or would be, deleted


def test_each_image_of_the_plan_has_name_whole_id_size_policy_and_reason() -> None:
    decision = to_delete("ci-web-41")
    lines = report(make_run(make_target([decision]))).splitlines()
    place = lines.index("  Would be deleted: 1 image in prod") + 1
    assert lines[place - 2].startswith("── Policy ci-images ──")
    assert lines[place].split() == ["ci-web-41", decision.image.id, "10.0", "GiB"]
    assert lines[place + 1].strip() == decision.detail


FATES = [
    (DeletionOutcome.REFUSED, "Rejected by the API, not deleted: 1 image in prod"),
    (DeletionOutcome.FAILED, "Failed, not confirmed gone: 1 image in prod"),
    (DeletionOutcome.ACCEPTED, "Accepted by the API, not confirmed gone: 1 image in prod"),
    (DeletionOutcome.ALREADY_GONE, "Already gone, not counted as reclaimed: 1 image in prod"),
    (DeletionOutcome.DELETED, "Deleted, confirmed gone: 1 image in prod"),
]


@pytest.mark.parametrize(("outcome", "title"), FATES, ids=lambda value: str(value))
def test_each_fate_has_its_title_and_what_the_api_said(outcome: DeletionOutcome, title: str) -> None:
    deletion = make_deletion("ci-web-41", outcome, "so the API put it")
    text = report(make_run(make_target([deletion.decision], [deletion]), mode=Mode.DELETE))
    assert title in text
    assert "so the API put it" in text
    assert deletion.decision.image.id in text
    assert not [other for _, other in FATES if other != title and other in text]


def test_a_deletion_whose_outcome_is_not_known_yet_is_not_called_failed() -> None:
    open_ones = [replace(make_deletion(f"open-{n}", DeletionOutcome.FAILED), unsettled=True) for n in range(2)]
    deletions = [*open_ones, make_deletion("tried", DeletionOutcome.FAILED)]
    run = make_run(make_target([deletion.decision for deletion in deletions], deletions), mode=Mode.DELETE)
    text = report(run)
    assert "Outcome not known yet, the next run finds out: 2 images in prod" in text
    assert "Failed, not confirmed gone: 1 image in prod" in text
    assert "Deleted        0 of 3 planned (1 failed, 2 not known yet)" in text
    assert "0 of 3 planned images deleted; 2 not confirmed yet." in text
    assert json.loads(json_report(run))["targets"][0]["deletions"][0]["outcome"] == "failed"  # the code stays


def test_troubles_come_before_successes() -> None:
    deletions = [make_deletion(outcome.value, outcome) for outcome in DeletionOutcome]
    decisions = [*(deletion.decision for deletion in deletions), to_delete("unasked")]
    text = report(make_run(make_target(decisions, deletions), mode=Mode.DELETE))
    not_attempted = "Not attempted, not deleted: 1 image in prod"
    titles = [*(title for _, title in FATES[:2]), not_attempted, *(title for _, title in FATES[2:])]
    places = [text.index(title) for title in titles]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("mode", "title"),
    [
        (Mode.DRY_RUN, "Would be deleted, but the whole plan is over the limit: 3 images in prod"),
        (Mode.DELETE, "Not deleted, as the whole plan is over the limit: 3 images in prod"),
    ],
)
def test_a_plan_that_a_limit_refuses_is_still_listed_whole(mode: Mode, title: str) -> None:
    doomed = [to_delete(f"ci-{number}") for number in range(3)]
    refusal = (
        "nothing deleted, over the limit: 3 deletions planned, limits.max_deletions allows 2. Narrow the policies."
    )
    target = make_target(doomed, outcome=Outcome.REFUSED, error=refusal, excess=Excess(3, "2", refusal))
    text = report(make_run(target, mode=mode, outcome=Outcome.REFUSED))
    assert title in text
    assert all(decision.image.id in text for decision in doomed)
    assert f"Error in prod: {refusal}" in unfolded(text)
    assert "1 target with nothing deleted, as the whole plan is over the limit." in unfolded(text)


def test_thousands_are_all_listed() -> None:
    doomed = [to_delete(f"ci-{number}") for number in range(5_000)]
    text = report(make_run(make_target(doomed)))
    assert all(decision.image.id in text for decision in doomed)
    assert "Would be deleted: 5,000 images in prod" in text


# What is next


def test_the_five_soonest_to_expire_come_soonest_first_in_local_time() -> None:
    kept = [too_young(f"young-{hours}", due=NOW + timedelta(hours=hours)) for hours in (9, 3, 7, 1, 5, 11)]
    text = report(make_run(make_target(kept)))
    listed = [word for word in text[text.index("Next to expire") :].split() if word.startswith("young-")]
    assert listed == ["young-1", "young-3", "young-5", "young-7", "young-9"]
    assert "ci-images: expires 2026-11-23 13:00 KST" in text


def test_an_end_that_cannot_be_told_is_not_next() -> None:
    never = datetime.max.replace(tzinfo=UTC)
    assert "Next to expire" not in report(make_run(make_target([too_young(due=never), to_keep()])))


def test_what_is_to_be_deleted_is_not_next() -> None:
    assert "Next to expire" not in report(make_run(make_target([to_delete(due=NOW)])))


def test_exemptions_that_lapse_within_a_week_are_listed_soonest_first() -> None:
    ends = {"late": 8, "second": 6, "first": 2, "lapsed": 0}
    exempt = [
        to_keep(name, Reason.EXEMPT, detail=f"exempt by kim: {name}", due=NOW + timedelta(days=days))
        for name, days in ends.items()
    ]
    text = report(make_run(make_target([*exempt, too_young("young", due=NOW + timedelta(days=1))])))
    section = text[text.index("Exemptions that expire within a week: 2 images") : text.index("Kept, by reason")]
    assert re.findall("exempt by kim: ([a-z]+)", section) == ["first", "second"]
    assert "Next to expire" not in text[text.index("Exemptions that expire") :]
    assert not re.search("exempt", text[text.index("Next to expire") : text.index("Exemptions that expire")])


def test_without_such_exemptions_there_is_no_word_of_them() -> None:
    lasting = to_keep("a", Reason.EXEMPT, detail="exempt", due=NOW + timedelta(days=30))
    assert "lapse within" not in report(make_run(make_target([lasting])))


# Failures


def test_a_target_that_could_not_be_surveyed_claims_no_figures() -> None:
    target = make_target(outcome=Outcome.FAILED, error="GET /images: no answer within 2m", name="stage")
    text = report(make_run(target, outcome=Outcome.FAILED))
    assert "Error in stage: GET /images: no answer within 2m" in text
    assert "Images         not surveyed" in text
    assert "owned" not in text


def test_an_empty_target_is_not_a_failed_one() -> None:
    text = report(make_run(make_target()))
    assert "Images         0, of which 0 owned" in text
    assert "There was nothing to delete." in text


def test_a_run_that_never_began_says_every_line_of_why() -> None:
    error = "policies/ci.yaml:12: ci-images: after: no\npolicies/ci.yaml:15: ci-images: kep: unknown key"
    text = report(make_run(run=0, mode=Mode.DELETE, outcome=Outcome.FAILED, error=error))
    assert "Image Janitor, a run that could not begin" in text
    assert all(f"{line}\n" in text for line in error.splitlines())
    assert "nothing to delete" not in text


def test_a_run_that_failed_after_it_deleted_says_both() -> None:
    target = make_target([to_delete()], [make_deletion()], outcome=Outcome.FAILED, error="the disk is full")
    text = report(make_run(target, mode=Mode.DELETE, outcome=Outcome.FAILED, error="the disk is full"))
    closing = text[text.rindex("───") :]
    assert "\nError: the disk is full\n" in text
    assert text.startswith("ACTION: prod could not be cleaned wholly; deleted 1 image, 10.0 GiB\n")
    assert "1 of 1 planned image deleted, reclaiming 10.0 GiB" in closing


def test_the_owner_of_an_image_stands_with_its_reason() -> None:
    owned = Policy("ci-images", Match(), owner=OwnerRule("property:owner"))
    image = make_image("a", properties={"owner": "kim\x1b[31m"})
    run = make_run(make_target([to_delete(image)]), terms=RunTerms(policies=(owned,)))
    assert "(14d after creation); owner: kim\\x1b[31m" in unfolded(report(run))
