"""The headline says what is asked of its reader, and claims nothing that did not happen."""

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.core.decision import Change, Decision, Reason, Verdict
from janitor.core.planning.plan import Excess
from janitor.core.policy import Policy
from janitor.core.result import DeletionOutcome, Mode, Outcome, RunResult, RunTerms
from janitor.report.headline import advice, headline
from janitor.report.text import Extent, text_report
from tests.factories import ALL, NOW, live_run, make_deletion, make_image, make_run, make_target, to_delete, to_keep

SEOUL = ZoneInfo("Asia/Seoul")


def wait(name: str, hours: float = 48) -> Decision:
    due = NOW + timedelta(hours=hours)
    return Decision(make_image(name), Verdict.WAIT, "ci", Reason.NOTICE, "expired", due)


def deleted(count: int, **parts: Any) -> RunResult:
    deletions = [make_deletion(f"ci-{number}") for number in range(count)]
    return live_run(make_target([deletion.decision for deletion in deletions], deletions, **parts))


IMPLAUSIBLE = "nothing deleted, implausible survey"
TOLD = [wait("a", 48.4), wait("b", 51)]
OVER = make_target([], outcome=Outcome.REFUSED, error="over", excess=Excess(55, "10", "over"))
DOUBTFUL = make_target([to_delete()], outcome=Outcome.REFUSED, error=f"{IMPLAUSIBLE}: shrunk", name="lab")
UNREAD = make_target(outcome=Outcome.FAILED, error="no answer")
REJECTED = make_deletion("r", DeletionOutcome.REFUSED, "no")

LIVE = {
    "announced": (make_target(TOLD, announced=TOLD), "ACTION: 2 images will be deleted from 25 Nov 12:24 KST"),
    "reminded": (make_target(TOLD, reminded=TOLD[1:]), "ACTION: 1 image will be deleted from 25 Nov 15:00 KST"),
    "without-a-date": (
        make_target([wait("a").replace(due=None)], announced=(wait("a").replace(due=None),)),
        "ACTION: 1 image will be deleted",
    ),
    "not-delivered": (
        make_target(TOLD, announced=TOLD, undelivered=frozenset({TOLD[0].image.id, TOLD[1].image.id})),
        "2 images not announced, the next run tries again",
    ),
    "over-a-limit": (OVER, "ACTION: nothing was deleted, 55 planned and the limit is 10"),
    "doubtful": (DOUBTFUL, "ACTION: nothing was deleted in lab, as the survey is in doubt"),
    "unread": (UNREAD, "ACTION: prod could not be surveyed"),
    "usage-unread": (
        make_target([to_keep()], outcome=Outcome.FAILED, error="usage"),
        "ACTION: prod could not be cleaned",
    ),
    "rejected": (make_target([REJECTED.decision], [REJECTED]), "ACTION: 1 deletion rejected or failed"),
    "rejected-as-before": (
        make_target([REJECTED.decision], [REJECTED], refused_again=frozenset({REJECTED.decision.image.id})),
        "Nothing to do",
    ),
    "deleted-by-somebody-else": (make_target(gone=(to_keep(),)), "1 announced image deleted by somebody else"),
    "changed": (make_target(changed=(Change(to_keep(), "other"),)), "1 image changed since planned, not deleted"),
    "waiting": (make_target(TOLD), "Nothing to do"),
    "quiet": (make_target([to_keep()]), "Nothing to do"),
}


@pytest.mark.parametrize(("target", "words"), LIVE.values(), ids=LIVE.keys())
def test_a_live_run_asks_for_what_a_person_has_to_do(target: object, words: str) -> None:
    assert headline(live_run(target), SEOUL) == words  # type: ignore[arg-type]


def test_what_was_deleted_is_confirmed_gone() -> None:
    assert headline(deleted(16), UTC) == "Deleted 16 images, 160.0 GiB"
    accepted = make_deletion("a", DeletionOutcome.ACCEPTED)
    assert (
        headline(live_run(make_target([accepted.decision], [accepted])), UTC)
        == "1 deletion accepted, not confirmed gone"
    )
    unknown = replace(make_deletion("u", DeletionOutcome.FAILED), unsettled=True)
    assert headline(live_run(make_target([unknown.decision], [unknown])), UTC) == "1 deletion not confirmed yet"
    unsized = make_deletion(to_delete(make_image("b", size=None)))
    assert headline(live_run(make_target([unsized.decision], [unsized])), UTC) == (
        "Deleted 1 image, 0 B and 1 of unknown size"
    )


def test_what_is_asked_comes_before_what_was_done() -> None:
    told = deleted(2, announced=(TOLD[0],))
    assert headline(told, UTC) == "ACTION: 1 image will be deleted from 25 Nov 03:24 UTC; deleted 2 images, 20.0 GiB"
    assert headline(told, UTC, late=True) == "Deleted 2 images, 20.0 GiB; announces nothing, a later report does"


def test_it_says_what_to_do_and_until_when() -> None:
    told, over, unread = make_target(TOLD, announced=TOLD), OVER, UNREAD
    [keep] = advice(live_run(told), SEOUL)
    assert keep.startswith("If an image below must stay, keep it before 25 Nov 12:24 KST with the command below it.")
    [there] = advice(live_run(told), SEOUL, here=False)
    assert there.startswith("The images are listed in the other channels named below; whoever needs one keeps it there")
    [press] = advice(live_run(told), SEOUL, buttons=True)
    assert press.startswith("If an image below must stay, keep it before 25 Nov 12:24 KST: press its button, or")
    assert [sentence[:20] for sentence in advice(live_run(told, over, unread), SEOUL)] == [
        "If an image below mu",
        "Whoever runs Image J",
        "Whoever runs Image J",
    ]
    assert len(advice(live_run(told, over, unread), SEOUL, late=True)) == 2
    assert [advice(run, SEOUL) for run in (live_run(), deleted(3))] == [[], []]
    assert advice(make_run(told), SEOUL)[0].startswith("Nothing was deleted or announced")


def test_without_its_images_a_report_names_the_command_that_lists_them() -> None:
    told, failed = make_target(TOLD, announced=TOLD), make_deletion("f", DeletionOutcome.FAILED)
    rejected = make_target([failed.decision], [failed])
    for run in (live_run(told, OVER), live_run(rejected), make_run(told)):
        sentences = advice(run, SEOUL, shown_by="janitor show 7")
        assert len(sentences) == len(advice(run, SEOUL))
        assert all("`janitor show 7`" in sentence for sentence in sentences)
        assert not any(" below must" in sentence or "list below" in sentence for sentence in sentences)
        shown = "".join(text_report(run, None, zone=SEOUL, extent=Extent.SUMMARY).plain(500))
        assert f"`janitor show {run.run}`" in shown
        assert "`janitor show" not in "".join(text_report(run, None, zone=SEOUL).plain(500))
    [keep] = advice(live_run(told), SEOUL, shown_by="janitor show 7")
    assert keep.startswith("`janitor show 7` lists the images. If one must stay, keep it before 25 Nov 12:24 KST with")


@pytest.mark.parametrize(
    ("contacts", "said"),
    [
        ({"ci": "#ci", "base": "kim"}, "tells the contact of its policy, or keeps it by `janitor keep`."),
        ({"ci": "#ci", "base": None}, "tells the contact of its policy, if it has one, or keeps it by `janitor keep`."),
        ({"ci": None, "base": None}, " keeps it by `janitor keep`."),
        ({}, " keeps it by `janitor keep`."),
    ],
)
def test_contacts_are_named_only_where_policies_have_some(contacts: dict[str, str | None], said: str) -> None:
    policies = [Policy(name, ALL, contact=contact) for name, contact in contacts.items()]
    terms = RunTerms(policies=(*policies, Policy("other", ALL, contact="#other")))
    listed = [to_delete(policy="ci"), to_delete(policy="base")]
    over = make_target(listed, outcome=Outcome.REFUSED, error="over", excess=Excess(2, "1", "over"))
    for run in (make_run(make_target(listed), terms=terms), live_run(over, terms=terms)):
        for shown_by in (None, "janitor show 12"):
            [sentence] = advice(run, SEOUL, shown_by=shown_by)
            assert sentence.endswith(said)
            assert ("contact" in sentence) is ("contact" in said)


DRY = {
    "delete": (make_target([to_delete()]), "DRY RUN: a live run would delete 1 image, 10.0 GiB"),
    "announce": (
        make_target(TOLD, announced=TOLD),
        "DRY RUN: a live run would announce 2 images, to be deleted from 25 Nov 12:24 KST",
    ),
    "both": (
        make_target([to_delete(), *TOLD], announced=TOLD),
        "DRY RUN: a live run would delete 1 image, 10.0 GiB and announce 2 images, to be deleted from 25 Nov 12:24 KST",
    ),
    "over-a-limit": (OVER, "DRY RUN: nothing would be deleted, 55 planned and the limit is 10"),
    "unread": (UNREAD, "DRY RUN: prod could not be surveyed"),
    "quiet": (make_target([to_keep()]), "DRY RUN: a live run would delete nothing"),
}


@pytest.mark.parametrize(("target", "words"), DRY.values(), ids=DRY.keys())
def test_a_dry_run_says_what_a_live_run_would_do(target: object, words: str) -> None:
    assert headline(make_run(target), SEOUL) == words  # type: ignore[arg-type]
    assert headline(make_run(target), SEOUL, late=True) == words  # type: ignore[arg-type]


def test_a_date_of_another_year_has_its_year() -> None:
    far = wait("a", 24 * 60)
    assert headline(live_run(make_target([far], announced=(far,))), UTC) == (
        "ACTION: 1 image will be deleted from 22 Jan 2027 03:00 UTC"
    )


def test_a_run_that_could_not_begin_or_broke_down_says_so() -> None:
    assert headline(live_run(run=0, outcome=Outcome.FAILED, error="no"), UTC) == "ACTION: the run could not begin"
    assert headline(live_run(outcome=Outcome.FAILED, error="disk full"), UTC) == "ACTION: the run failed"


def test_several_targets_are_named_and_no_more_than_fit() -> None:
    names = ["prod", "stage", "lab", "x" * 80, "y"]
    unread = [make_target(outcome=Outcome.FAILED, error="no answer", name=name) for name in names]
    assert headline(live_run(*unread[:2]), UTC) == "ACTION: prod and stage could not be surveyed"
    assert headline(live_run(*unread), UTC) == "ACTION: prod, stage and 3 others could not be surveyed"
    assert headline(live_run(OVER, make_target(name="lab")), UTC) == (
        "ACTION: nothing was deleted in prod, 55 planned and the limit is 10"
    )


NAMES = st.text(max_size=200)


@given(names=st.lists(NAMES, max_size=6), mode=st.sampled_from(Mode), outcome=st.sampled_from(Outcome))
def test_it_fits_into_a_header_whatever_targets_are_called(names: list[str], mode: Mode, outcome: Outcome) -> None:
    targets = [make_target(TOLD, name=name, outcome=outcome, error="oh", announced=TOLD) for name in names]
    words = headline(make_run(*targets, mode=mode), SEOUL)
    assert 0 < len(words) <= 135
    assert words.isprintable()
