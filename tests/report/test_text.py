"""The report on a terminal: understood without a manual, complete, and safe whatever the cloud named its images."""

import io
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from janitor.core.decision import REASONS, Change, Decision, Reason, Spared, Verdict
from janitor.core.result import Cost, Deletion, DeletionOutcome, Mode, Outcome, RunResult, RunSummary
from janitor.core.survey import Survey
from janitor.core.usage import Usage, User
from janitor.escaping import visible
from janitor.report.tables import images_table, runs_table
from janitor.report.text import text_report
from janitor.report.wording import MODES, OUTCOMES, money_a_month
from tests.factories import (
    GIB,
    NOW,
    make_deletion,
    make_image,
    make_run,
    make_target,
    replace_in,
    to_delete,
    to_keep,
    too_young,
)

SEOUL = ZoneInfo("Asia/Seoul")
DOLLARS = Cost(0.05, "USD")


def printed(renderable: RenderableType, width: int = 80) -> str:
    file = io.StringIO()
    Console(file=file, width=width, highlight=False).print(renderable)
    return file.getvalue()


def report(result: RunResult, cost: Cost | None = None, width: int = 80) -> str:
    return printed(text_report(result, cost, zone=SEOUL), width)


def unfolded(text: str) -> str:
    """The report with its line breaks taken out, for sentences that may be folded."""
    return " ".join(text.split())


def test_a_dry_run_is_unmistakable_from_the_first_line_to_the_last() -> None:
    lines = report(make_run(make_target([to_delete()]))).splitlines()
    assert lines[0] == "DRY RUN – nothing is deleted"
    assert "1 image would be deleted, reclaiming 10.0 GiB; a dry run deletes nothing." in unfolded("\n".join(lines))
    assert "Deleted" not in "\n".join(lines)


def test_a_live_run_says_so() -> None:
    text = report(make_run(make_target([to_delete()], [make_deletion()]), mode=Mode.DELETE))
    assert text.startswith("LIVE RUN\n")
    assert "DRY RUN" not in text
    assert "1 of 1 planned image deleted, reclaiming 10.0 GiB." in text


def test_the_headline_names_the_run_its_time_and_its_length() -> None:
    assert report(make_run()).splitlines()[1] == "Image Janitor run 12, 2026-11-23 12:00 KST, took 42s"


@pytest.mark.parametrize("outcome", Outcome)
def test_the_outcome_is_said_in_words(outcome: Outcome) -> None:
    assert f"Outcome: {OUTCOMES[outcome]}" in report(make_run(outcome=outcome))


def test_every_code_has_its_words() -> None:
    assert (set(MODES), set(OUTCOMES), set(REASONS)) == (set(Mode), set(Outcome), set(Reason))


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
    place = lines.index("  Would be deleted: 1 image") + 1
    assert lines[place].split() == ["ci-web-41", decision.image.id, "10.0", "GiB"]
    assert lines[place + 1].strip() == f"ci-images: {decision.detail}"


FATES = [
    (DeletionOutcome.REFUSED, "Rejected by the API, not deleted: 1 image"),
    (DeletionOutcome.FAILED, "Failed, not confirmed gone: 1 image"),
    (DeletionOutcome.ACCEPTED, "Accepted by the API, not confirmed gone: 1 image"),
    (DeletionOutcome.ALREADY_GONE, "Already gone, not counted as reclaimed: 1 image"),
    (DeletionOutcome.DELETED, "Deleted, confirmed gone: 1 image"),
]


@pytest.mark.parametrize(("outcome", "title"), FATES, ids=lambda value: str(value))
def test_each_fate_has_its_title_and_what_the_api_said(outcome: DeletionOutcome, title: str) -> None:
    deletion = make_deletion("ci-web-41", outcome, "so the API put it")
    text = report(make_run(make_target([deletion.decision], [deletion]), mode=Mode.DELETE))
    assert title in text
    assert "so the API put it" in text
    assert deletion.decision.image.id in text
    assert not [other for _, other in FATES if other != title and other in text]


def test_troubles_come_before_successes() -> None:
    deletions = [make_deletion(outcome.value, outcome) for outcome in DeletionOutcome]
    decisions = [*(deletion.decision for deletion in deletions), to_delete("unasked")]
    text = report(make_run(make_target(decisions, deletions), mode=Mode.DELETE))
    titles = [*(title for _, title in FATES[:2]), "Not attempted, not deleted: 1 image", *(t for _, t in FATES[2:])]
    places = [text.index(title) for title in titles]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("mode", "title"),
    [
        (Mode.DRY_RUN, "Would be deleted, but over a limit or survey implausible: 3 images"),
        (Mode.DELETE, "Not deleted, over a limit or survey implausible: 3 images"),
    ],
)
def test_a_plan_that_a_limit_refuses_is_still_listed_whole(mode: Mode, title: str) -> None:
    doomed = [to_delete(f"ci-{number}") for number in range(3)]
    refusal = (
        "nothing deleted, over the limit: 3 deletions planned, limits.max_deletions allows 2. Narrow the policies."
    )
    target = make_target(doomed, outcome=Outcome.REFUSED, error=refusal)
    text = report(make_run(target, mode=mode, outcome=Outcome.REFUSED))
    assert title in text
    assert all(decision.image.id in text for decision in doomed)
    assert f"Error: {refusal}" in unfolded(text)
    assert "1 target with nothing deleted, over a limit or survey implausible." in unfolded(text)


def test_thousands_are_all_listed() -> None:
    doomed = [to_delete(f"ci-{number}") for number in range(5_000)]
    text = report(make_run(make_target(doomed)))
    assert all(decision.image.id in text for decision in doomed)
    assert "Would be deleted: 5,000 images" in text


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
    assert "Error: GET /images: no answer within 2m" in text
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
    assert "Error: the disk is full" in closing
    assert "1 of 1 planned image deleted, reclaiming 10.0 GiB" in closing


# Foreign text


HOSTILE = [
    pytest.param("[bold red]x[/] [link=http://e]", "[bold red]x[/] [link=http://e]", id="rich-markup"),
    pytest.param(":warning: **b**", ":warning: **b**", id="emoji-code"),
    pytest.param("a\x1b[31mb\x07", "a\\x1b[31mb\\x07", id="terminal-escapes"),
    pytest.param("a\x9b31mb", "a\\x9b31mb", id="c1-escape"),
    pytest.param("a\r\nDELETED", "a\\r\\nDELETED", id="line-breaks"),
    pytest.param("a\u2028b\u0085c", "a\\u2028b\\x85c", id="unicode-line-breaks"),
    pytest.param("a\u202egpj.exe\u2066", "a\\u202egpj.exe\\u2066", id="bidi-overrides"),
    pytest.param("a\u200b\ufeff\u00adb", "a\\u200b\\ufeff\\xadb", id="zero-width"),
    pytest.param("a\u3164\ufe0fb", "a\\u3164\\ufe0fb", id="printable-but-invisible"),
    pytest.param("a\ud800b", "a\\ud800b", id="lone-surrogate"),
    pytest.param("야간 빌드 一个镜像 é", "야간 빌드 一个镜像 é", id="odd-names-stay"),
]


@pytest.mark.parametrize(("name", "shown"), HOSTILE)
def test_names_are_shown_escaped_and_never_act(name: str, shown: str) -> None:
    assert visible(name) == shown
    text = report(make_run(make_target([to_delete(make_image(name, id="id-1")), too_young(make_image(name))])))
    assert text.count(shown) == 2
    assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_all_other_foreign_text_is_escaped_too(text: str, shown: str) -> None:
    decision = to_delete(make_image(id=f"id-{text}"), policy=f"policy-{text}", detail=f"detail-{text}")
    deletion = Deletion(decision, DeletionOutcome.REFUSED, f"remark-{text}")
    target = make_target([decision], [deletion], name=f"target-{text}", outcome=Outcome.FAILED, error=f"error-{text}")
    words = report(make_run(target, mode=Mode.DELETE), width=300)
    assert all(f"{place}-{shown}" in words for place in ("id", "policy", "detail", "remark", "target"))
    assert all(line.isprintable() for line in words.split("\n"))


@pytest.mark.parametrize("name", [None, "", "  "], ids=["missing", "empty", "blank"])
def test_a_nameless_image_is_still_found_by_its_id(name: str | None) -> None:
    text = report(make_run(make_target([to_delete(make_image(name, id="the-id"))])))
    assert "(no name)" in text
    assert "the-id" in text


def test_a_giant_name_is_cut_and_its_image_still_found() -> None:
    text = report(make_run(make_target([to_delete(make_image("x" * 10_000, id="the-id"))])))
    assert "…" in text
    assert "the-id" in text
    assert len(text) < 2_000


# Widths


@pytest.mark.parametrize("width", [1, 2, 20, 40, 69, 70, 80, 200])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_lost(width: int) -> None:
    doomed = [to_delete("ci-web-41"), to_delete("가" * 60, policy="p" * 90), to_delete("x " * 60, detail="y" * 300)]
    kept = [too_young(), to_keep("a", Reason.KEPT_MONTHLY)]
    targets = [make_target([*doomed, *kept]), make_target(name="t" * 90, outcome=Outcome.FAILED, error="e" * 99)]
    text = report(make_run(*targets), DOLLARS, width)
    assert max(cell_len(line) for line in text.splitlines()) <= max(width, 2)
    assert [d.image.id for d in doomed if d.image.id not in text] == [] or width < 44
    assert text.count("가") == 60 or width < 3


def test_an_id_is_never_cut_at_80_columns() -> None:
    decisions = [
        to_delete("n" * 200),
        to_delete(make_image(id="long-id-" * 8)),
        to_delete(make_image("n" * 28, id="가" * 30)),
    ]
    text = report(make_run(make_target(decisions)))
    assert not [decision for decision in decisions if decision.image.id not in text]


# Images and runs


def survey() -> Survey:
    used = make_image("web", protected=True)
    odd = make_image("\x1b[31m", id="odd", status="", created_at=None, size=None, unreadable={"createdAt": "soon"})
    usage = Usage({used.id: (User("i-1", "web-1\x1b"), User("i-2", "web-2"))})
    return Survey((used, odd), usage, NOW, NOW)


def test_images_are_listed_with_their_facts() -> None:
    text = printed(images_table(7, [("prod", survey())]))
    assert text.startswith("Run 7\n")
    assert "── prod ──" in text
    assert "seen 2026-11-23 03:00Z; 2 owned; 10.0 GiB" in text
    assert "active, created 2026-10-24 03:00Z, qcow2, protected, used by instance web-1\\x1b and 1 more" in unfolded(
        text
    )
    assert "no status, no creation date, qcow2, unreadable: createdAt" in text


def test_images_of_an_unreadable_usage_say_so() -> None:
    broken = Survey((), Usage(problem="the instance list could not be read: HTTP 500"), NOW, NOW)
    assert "the instance list could not be read: HTTP 500" in printed(images_table(7, [("prod", broken)]))


def test_a_run_without_surveys_lists_none() -> None:
    assert printed(images_table(7, [])) == "Run 7 saw no target\n"


def test_runs_are_listed_a_row_each() -> None:
    runs = [
        RunSummary(13, Mode.DELETE, None, NOW, None, 0, 0, 0),
        RunSummary(12, Mode.DRY_RUN, Outcome.OK, NOW, NOW, 100_000, 2_041, 0),
    ]
    lines = printed(runs_table(runs)).splitlines()
    assert lines[2].split() == ["13", "delete", "unfinished", "2026-11-23", "03:00Z", "0", "0", "0"]
    assert lines[3].split() == ["12", "dry-run", "ok", "2026-11-23", "03:00Z", "100,000", "2,041", "0"]


def test_news_of_notices_is_told_with_the_way_out() -> None:
    waiting = Decision(make_image("ci-9"), Verdict.WAIT, "ci", Reason.NOTICE, "due for deletion 2026-11-25", NOW)
    spared = Decision(make_image("ci-8"), Verdict.KEEP, None, Reason.IN_USE, "used by instance web-1")
    target = replace_in(make_target([waiting, spared]), announced=(waiting,), spared=(Spared(spared, "ci"),))
    text = unfolded(report(make_run(target, mode=Mode.DELETE)))
    for words in (
        "Announced, to be deleted when due: 1 image",
        f"janitor keep {waiting.image.id}",
        "Spared, announced before and now kept: 1 image ci-8",
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
        assert f"Would be {title}: 1 image" in text
    assert "1 image would be announced, 1 image due within a day, 1 image would be spared." in text
    assert not [claim for claim in ("Announced", "Reminder", "Spared") if claim in text]
    assert "Would be announced: 1 image" in report(make_run(target))


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
    assert "Settled, requested in an earlier run: 3 images" in text
    assert "see there" not in text
    assert "Settled 1 deletion of earlier runs: 1 deleted." in unfolded(
        report(make_run(make_target(settled=(make_deletion(),))))
    )


def test_the_command_that_keeps_an_image_can_be_copied_whole_at_80_columns() -> None:
    waiting = Decision(make_image("ci-9"), Verdict.WAIT, "ci", Reason.NOTICE, "due for deletion 2026-11-25", NOW)
    lines = report(make_run(make_target([waiting], announced=(waiting,)))).splitlines()
    assert f'      janitor keep {waiting.image.id} --for 30d --why "…"' in lines


TROUBLED = {
    "refused": make_target(outcome=Outcome.REFUSED, error="the list repeats itself"),
    "planned": make_target([to_delete("a"), to_delete("b")], outcome=Outcome.REFUSED, error="too many"),
    "failed": make_target(outcome=Outcome.FAILED, error="no answer"),
    "fine": make_target([to_delete("c")], [make_deletion("c")]),
    "quiet": make_target([to_keep()]),
}
LEFT_ALONE = "1 target with nothing deleted, over a limit or survey implausible."


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
            "planned", Mode.DRY_RUN, "Would delete none of 2 planned, over a limit or survey implausible", id="refused"
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
    assert "Reminder, due within a day: 1 image" in text
    assert f"janitor keep {waiting.image.id}" in text
