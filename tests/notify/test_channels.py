"""What each channel is told: shares by policy, the file for long lists, marks of late messages, occasions to post."""

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.core.decision import Reason, Spared, Verdict
from janitor.core.result import Deletion, DeletionOutcome, Mode, Outcome, RunResult, TargetResult
from janitor.notify.slack.blocks import slack_messages
from janitor.notify.slack.message import Message
from janitor.notify.slack.mrkdwn import wire_length
from janitor.notify.slack.packing import Paragraph, Row, marked, packed
from janitor.report.listing import listing
from janitor.report.occasion import worth_posting
from janitor.report.routing import Share, shares_of
from tests.factories import NOW, make_deletion, make_image, make_run, make_target, to_delete, to_keep
from tests.slack_stand_in import fault, texts_of

WEB, DB = "#team-web", "#team-db"
CHANNELS = {"web-images": WEB, "web-snapshots": WEB, "db-images": DB}


def live(*targets: TargetResult, **parts: Any) -> RunResult:
    return make_run(*targets, mode=Mode.DELETE, **parts)


def rows_of(result: RunResult) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(listing(result).csv, newline="")))


def names_in(result: RunResult) -> set[str]:
    return {str(decision.image.name) for target in result.targets for decision in target.decisions}


def texts(message: Message) -> str:
    return "\n".join(text["text"] for text in texts_of(message.blocks))


# Shares


def test_without_channels_the_main_one_gets_all() -> None:
    result = live(make_target([to_delete("a"), to_keep("b")]))
    assert shares_of(result, {}) == [Share(None, result, result)]


def test_every_image_is_listed_in_the_channel_of_its_policy_and_counted_in_the_main_one() -> None:
    policies = ("web-images", "web-snapshots", "db-images", "ci-images", None)
    result = live(make_target([to_delete(f"of-{policy}", policy=policy) for policy in policies]))
    main, web, db = shares_of(result, CHANNELS)
    assert [share.channel for share in (main, web, db)] == [None, WEB, DB]
    assert main.totals == result
    assert names_in(main.listed) == {"of-ci-images", "of-None"}
    assert names_in(web.listed) == {"of-web-images", "of-web-snapshots"}
    assert names_in(db.listed) == {"of-db-images"}
    assert (web.totals, main.elsewhere) == (web.listed, (web, db))


@pytest.mark.parametrize("part", ["announced", "reminded"])
def test_what_a_team_was_told_of_its_images_goes_to_the_team(part: str) -> None:
    theirs, others = to_keep("theirs", policy="web-images"), to_keep("others", policy="ci-images")
    parts: dict[str, Any] = {part: (theirs, others)}
    main, web, _ = shares_of(live(make_target(**parts)), CHANNELS)
    assert getattr(web.listed.targets[0].notices, part) == (theirs,)
    assert getattr(main.listed.targets[0].notices, part) == (others,)


@pytest.mark.parametrize("keeper", [None, "ci-images", "web-images"])
def test_who_was_warned_is_told_that_an_image_is_spared_whatever_keeps_it_now(keeper: str | None) -> None:
    decision = to_keep("theirs", Reason.IN_USE, policy=keeper)
    main, web, _ = shares_of(live(make_target([decision], spared=(Spared(decision, "web-images"),))), CHANNELS)
    assert [saved.decision for saved in web.listed.targets[0].notices.spared] == [decision]
    assert main.listed.targets[0].notices.spared == ()
    assert len(main.totals.targets[0].notices.spared) == 1


def test_deletions_and_settled_ones_follow_their_policy() -> None:
    theirs, others = (make_deletion(to_delete(name, policy=name)) for name in ("web-images", "ci-images"))
    result = live(make_target([theirs.decision, others.decision], [theirs, others], settled=(theirs, others)))
    main, web, _ = shares_of(result, CHANNELS)
    assert (web.listed.targets[0].deletions, web.listed.targets[0].earlier.settled) == ((theirs,), (theirs,))
    assert (main.listed.targets[0].deletions, main.listed.targets[0].earlier.settled) == ((others,), (others,))


def test_a_share_counts_its_own() -> None:
    target = make_target([to_delete("a", policy="web-images"), to_keep("b")], images=512, owned=480)
    _, web, _ = shares_of(live(target), CHANNELS)
    assert (web.totals.targets[0].survey.images, web.totals.targets[0].survey.owned) == (1, 1)


def test_a_target_without_images_of_a_team_is_not_in_its_share() -> None:
    result = live(make_target([to_delete("a", policy="web-images")]), make_target([to_keep("b")], name="dev"))
    assert [target.target for target in shares_of(result, CHANNELS)[1].listed.targets] == ["prod"]


@pytest.mark.parametrize(
    ("whose", "outcome", "expected"),
    [
        pytest.param("ci-images", Outcome.PARTIAL, Outcome.OK, id="refused-of-others"),
        pytest.param("web-images", Outcome.PARTIAL, Outcome.PARTIAL, id="refused-of-ours"),
        pytest.param("ci-images", Outcome.REFUSED, Outcome.REFUSED, id="a-limit-holds-ours-back"),
        pytest.param("web-images", Outcome.FAILED, Outcome.FAILED, id="failed-amid-ours"),
    ],
)
def test_what_went_wrong_is_told_to_whom_it_concerns(whose: str, outcome: Outcome, expected: Outcome) -> None:
    refused = make_deletion(to_delete("refused", policy=whose), DeletionOutcome.REFUSED)
    fine = make_deletion(to_delete("fine", policy="web-images"))
    target = make_target([refused.decision, fine.decision], [refused, fine], outcome=outcome, error="it went wrong")
    _, web, _ = shares_of(live(target, outcome=outcome), CHANNELS)
    told = web.totals.targets[0]
    assert (web.totals.outcome, told.outcome, told.error is None) == (expected, expected, expected is Outcome.OK)


def test_a_failure_in_a_target_of_which_a_team_plans_nothing_is_not_theirs() -> None:
    target = make_target([to_keep("a", policy="web-images")], outcome=Outcome.FAILED, error="oh")
    assert shares_of(live(target, outcome=Outcome.FAILED), CHANNELS)[1].totals.outcome is Outcome.OK


POLICIES = st.sampled_from(["web-images", "web-snapshots", "db-images", "ci-images", None])


@given(policies=st.lists(POLICIES, max_size=30))
def test_every_image_is_listed_exactly_once_over_all_channels(policies: list[str | None]) -> None:
    decisions = [to_delete(f"image-{number}", policy=policy) for number, policy in enumerate(policies)]
    deletions = [make_deletion(decision) for decision in decisions]
    named = [
        name
        for share in shares_of(live(make_target(decisions, deletions)), CHANNELS)
        for message in slack_messages(share, None, UTC, threaded=True)
        for name in message.names
    ]
    assert sorted(named) == sorted(("prod", decision.image.id) for decision in decisions)


def test_a_share_of_giants_fits() -> None:
    giant = "<가>" * 2_000
    share = Share(giant, (result := live(make_target([to_delete(policy=giant)], name=giant))), result, (giant,) * 9)
    main = Share(None, result, result, elsewhere=(share,) * 40)
    for message in [m for part in (share, main) for m in slack_messages(part, None, UTC, threaded=True, undelivered=9)]:
        late = marked(message, "late: report of run 123456 of 2026-11-23 12:00 KST")
        assert fault({"text": late.text, "blocks": late.blocks}) is None
        assert wire_length(late.blocks) < 12_000


# Messages and the images they name


def test_a_message_names_the_images_that_it_lists_and_no_others() -> None:
    rows = tuple(Row("x" * 900, ("prod", str(number))) for number in range(100))
    messages = packed("Title", "Sentence.", "Context", [Paragraph("*Heading*", (Row("a figure"), *rows))])
    assert len(messages) > 1
    assert sum(len(message.names) for message in messages) == 100
    for message in messages:
        assert texts(message).count("x" * 900) == len(message.names)


def test_a_late_message_fits_as_well_and_names_the_same_images() -> None:
    paragraphs = [
        Paragraph("*A*", tuple(Row("x" * 190, ("prod", f"{number}-{row}")) for row in range(14)), late="*" + "Z" * 330)
        for number in range(30)
    ]
    messages = packed("Title", "Sentence.", "Context", paragraphs, late="Too late.")
    assert len(messages) > 5
    for message in messages:
        assert message.late is not None
        assert fault({"text": message.late.text, "blocks": message.late.blocks}) is None
        assert wire_length(message.late.blocks) < 12_000
        assert texts(message.late).count("x" * 190) == len(message.names)
        assert message.late.text.startswith("Too late. This is part ")


def test_the_same_id_in_two_targets_is_two_images() -> None:
    image = make_image("a", id="the-id")
    result = live(make_target([to_delete(image)]), make_target([to_delete(image)], name="dev"))
    [message] = slack_messages(Share(None, result, result), None, UTC)
    assert message.names == {("prod", "the-id"), ("dev", "the-id")}


def test_a_threaded_report_begins_with_the_summary_alone() -> None:
    result = live(make_target([to_delete("a")], [make_deletion("a")]))
    summary, details = slack_messages(Share(None, result, result), None, UTC, threaded=True)
    assert not summary.names
    assert details.names == {("prod", make_image("a").id)}
    assert "Deleted: 1 of 1 planned" in texts(summary)
    assert "*Target*" not in texts(details)


def test_exemptions_that_lapse_soon_are_listed_with_their_reason() -> None:
    soon, later = (
        to_keep(name, Reason.EXEMPT, detail=f"exempt, says {name}", due=NOW + timedelta(days=days))
        for name, days in (("ann", 3), ("bob", 30))
    )
    result = live(make_target([soon, later]))
    [message] = slack_messages(Share(None, result, result), None, UTC)
    assert "*Exemptions that expire within a week* in `prod`\n• `ann`" in texts(message)
    assert "exempt, says ann" in texts(message)
    assert "says bob" not in texts(message)
    assert not message.names


def test_a_late_report_announces_nothing_and_says_everything_else() -> None:
    due = NOW + timedelta(days=2)
    announced = tuple(to_keep(f"a-{number}", Reason.NOTICE, policy="ci", due=due) for number in range(300))
    reminded = (to_keep("reminded", Reason.NOTICE, policy="ci", due=due),)
    target = make_target([to_delete("gone")], [make_deletion("gone")], announced=announced, reminded=reminded)
    result = live(target)
    messages = slack_messages(Share(None, result, result), None, UTC, threaded=True)
    late = [message.late or message for message in messages]
    on_time, too_late = ("\n".join(map(texts, forms)) for forms in (messages, late))
    assert "300 images announced by the messages that name them, 1 image due within a day." in on_time
    assert "300 images announced by the messages that name them" in messages[0].text
    assert "*Announced, to be deleted when due: 300 images* in `prod`" in on_time
    assert "announced" not in re.sub("Not announced, as this report is late", "", too_late)
    assert "announced" not in "".join(message.text for message in late)
    assert "*Not announced, as this report is late: 300 images* in `prod`" in too_late
    assert "*Reminder not sent, as this report is late: 1 image* in `prod`" in too_late
    assert "within a day" not in too_late
    assert "*Deleted, confirmed gone: 1 image* in `prod`" in too_late
    assert "1 of 1 planned image deleted" in late[0].text
    for message, form in zip(messages, late, strict=True):
        rows = [re.findall("• .*", texts(of)) for of in (message, form)]
        assert rows[0] == rows[1], "so that a report can go on where it broke off"


def test_what_a_dry_run_would_announce_it_would_however_late() -> None:
    result = make_run(make_target(announced=(to_keep("a", policy="ci"),)))
    [message] = slack_messages(Share(None, result, result), None, UTC)
    assert message.late is None
    assert "*Would be announced: 1 image*" in texts(message)


def test_a_report_without_details_is_one_message() -> None:
    result = live(make_target([to_keep()]))
    assert len(slack_messages(Share(None, result, result), None, UTC, threaded=True)) == 1


def test_a_mark_stands_in_the_text_and_in_what_is_shown() -> None:
    result = live(make_target([to_delete("a")]))
    [message] = slack_messages(Share(None, result, result), None, UTC)
    late = marked(message, "late: report of run 12 of 2026-11-23 03:00 UTC")
    assert late.text == f"late: report of run 12 of 2026-11-23 03:00 UTC. {message.text}"
    assert "*late: report of run 12 of 2026-11-23 03:00 UTC*" in texts(late)
    assert len(late.blocks) == len(message.blocks)


@pytest.mark.parametrize("blocks", [[], [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}] * 50])
def test_a_message_of_another_make_is_marked_and_stays_within_bounds(blocks: list[dict[str, Any]]) -> None:
    late = marked(Message("A sentence.", blocks), "late: report of run 12")
    assert late.text == "late: report of run 12. A sentence."
    assert fault({"text": late.text, "blocks": late.blocks}) is None


# The file


def test_the_file_has_the_documented_columns_and_values() -> None:
    image = make_image("ci-web-41", id="the-id")
    result = live(make_target([to_delete(image)], [make_deletion(to_delete(image))]))
    header = "target,image,name,status,size,created,verdict,policy,reason,detail,due,outcome"
    assert listing(result).csv.splitlines()[0] == header
    assert rows_of(result) == [
        {
            "target": "prod",
            "image": "the-id",
            "name": "ci-web-41",
            "status": "active",
            "size": str(10 * 2**30),
            "created": "2026-10-24T03:00:00Z",
            "verdict": "delete",
            "policy": "ci-images",
            "reason": "expired",
            "detail": to_delete().detail,
            "due": "",
            "outcome": "deleted",
        }
    ]


def test_what_is_not_known_is_left_empty() -> None:
    image = make_image(None, created_at=None, size=None)
    [row] = rows_of(make_run(make_target([to_delete(image, policy=None)])))
    assert [key for key, value in row.items() if value == ""] == ["name", "size", "created", "policy", "due", "outcome"]


def test_the_file_lists_what_the_messages_name() -> None:
    decisions = [to_delete(f"ci-{number}") for number in range(70)]
    fates = [*DeletionOutcome] * 12
    deletions = [Deletion(d, fate, "so") for d, fate in zip(decisions, fates, strict=False)]
    result = live(make_target(decisions, deletions), make_target([to_delete("x")], name="dev"))
    messages = slack_messages(Share(None, result, result), None, UTC)
    named = frozenset[tuple[str, str]]().union(*(message.names for message in messages))
    assert {(row["target"], row["image"]) for row in rows_of(result)} == named
    assert {row["image"]: row["outcome"] for row in rows_of(result) if row["target"] == "prod"} == {
        deletion.decision.image.id: deletion.outcome for deletion in deletions
    } | {decision.image.id: "" for decision in decisions[len(deletions) :]}


@pytest.mark.parametrize(
    "formula", ["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1", "\r=1", "＝1+1", "－1", "a;=1;b", "a; +1"]
)
@pytest.mark.parametrize("place", ["name", "id", "policy", "detail", "target", "status"])
def test_no_cell_is_a_formula(formula: str, place: str) -> None:
    facts: dict[str, Any] = {place: formula} if place in ("name", "status", "id") else {}
    reasons: dict[str, Any] = {place: formula} if place in ("policy", "detail") else {}
    decision = to_delete(make_image("a", **facts) if place != "name" else make_image(formula), **reasons)
    [row] = rows_of(make_run(make_target([decision], name=formula if place == "target" else "prod")))
    for part in ";".join(row.values()).split(";"):
        assert not part.lstrip().startswith(tuple("=+-@＝＋－＠"))
        assert part.isprintable()
    assert any(formula.strip() in cell.replace(";'", ";") for cell in row.values())


def test_an_apostrophe_is_put_before_a_formula_and_nothing_else() -> None:
    shown = {"=1+1": "'=1+1", "a=1": "a=1", "'b": "'b", 'c,d"e\nf': 'c,d"e\\nf', "g; h": "g; h"}
    decisions = [to_delete(make_image(name, id=name)) for name in shown]
    assert [row["name"] for row in rows_of(make_run(make_target(decisions)))] == [*shown.values()]


NOTICE = to_keep("told", Reason.NOTICE, policy="ci", due=NOW + timedelta(days=2))
UNTOLD = replace(NOTICE, image=make_image("untold"))
DUE = "2026-11-25T03:00:00Z"


@pytest.mark.parametrize(
    ("mode", "late", "expected"),
    [
        pytest.param(Mode.DELETE, False, {"told": ("announced", DUE), "untold": ("", "")}, id="in-time"),
        pytest.param(Mode.DELETE, True, {"told": ("", ""), "untold": ("", "")}, id="late"),
        pytest.param(Mode.DRY_RUN, False, {"told": ("", DUE), "untold": ("", "")}, id="dry"),
    ],
)
def test_the_file_announces_only_what_its_report_does(
    mode: Mode, late: bool, expected: dict[str, tuple[str, str]]
) -> None:
    undelivered = frozenset({UNTOLD.image.id, "an image of another channel"})
    target = make_target(announced=(NOTICE, UNTOLD), undelivered=undelivered)
    rows = csv.DictReader(io.StringIO(listing(make_run(target, mode=mode), late=late).csv, newline=""))
    assert {row["name"]: (row["outcome"], row["due"]) for row in rows} == expected


@pytest.mark.parametrize(("mode", "outcome"), [(Mode.DELETE, "spared"), (Mode.DRY_RUN, "")], ids=["live", "dry"])
def test_a_dry_run_spares_nothing_in_the_file_either(mode: Mode, outcome: str) -> None:
    [row] = rows_of(make_run(SPARED, mode=mode))
    assert row["outcome"] == outcome


def test_the_file_is_named_after_its_run() -> None:
    assert listing(make_run()).filename == "image-janitor-run-12.csv"


# When to post


QUIET = make_target([to_keep()])
ANNOUNCED = make_target([to_keep()], announced=(to_keep(),))
REMINDED = make_target([to_keep()], reminded=(to_keep(),))
SPARED = make_target([to_keep()], spared=(Spared(to_keep(), "ci-images"),))
SETTLED = make_target([to_keep()], settled=(make_deletion(),))
DELETED = make_target([to_delete()], [make_deletion()])
GONE = make_target([to_delete()], [make_deletion(outcome=DeletionOutcome.ALREADY_GONE)])
ONE_REFUSED = make_target([to_delete()], [make_deletion(outcome=DeletionOutcome.REFUSED)], outcome=Outcome.PARTIAL)


@pytest.mark.parametrize(
    ("result", "changes", "problems"),
    [
        pytest.param(live(QUIET), False, False, id="quiet"),
        pytest.param(live(ANNOUNCED), True, True, id="announced"),
        pytest.param(make_run(ANNOUNCED), True, False, id="would-be-announced"),
        pytest.param(live(REMINDED), True, True, id="reminded"),
        pytest.param(live(SPARED), True, False, id="spared"),
        pytest.param(live(SETTLED), True, False, id="settled"),
        pytest.param(live(DELETED), True, False, id="deleted"),
        pytest.param(live(GONE), True, False, id="gone-already"),
        pytest.param(make_run(make_target([to_delete()])), True, False, id="to-be-deleted"),
        pytest.param(live(ONE_REFUSED, outcome=Outcome.PARTIAL), True, True, id="refused"),
        pytest.param(live(replace(ONE_REFUSED, outcome=Outcome.OK)), True, True, id="refused-whatever-the-outcome"),
        pytest.param(live(QUIET, make_target(outcome=Outcome.FAILED)), True, True, id="one-target-failed"),
        pytest.param(live(make_target(outcome=Outcome.REFUSED), outcome=Outcome.REFUSED), True, True, id="a-limit"),
        pytest.param(live(outcome=Outcome.FAILED, error="no"), True, True, id="failed"),
    ],
)
def test_what_is_an_occasion(result: RunResult, changes: bool, problems: bool) -> None:
    assert worth_posting(result, "always")
    assert worth_posting(result, "changes", result.outcome) is changes
    assert worth_posting(result, "problems", result.outcome) is problems


def test_a_recovery_is_news_but_no_problem() -> None:
    assert worth_posting(live(QUIET), "changes", Outcome.FAILED)
    assert not worth_posting(live(QUIET), "problems", Outcome.FAILED)


def test_earlier_reports_that_still_wait_ask_for_a_person() -> None:
    assert worth_posting(live(QUIET), "problems", Outcome.OK, undelivered=1)


def test_an_image_that_waits_is_no_occasion_every_night() -> None:
    waits = replace(to_keep(), verdict=Verdict.WAIT, reason=Reason.EXPIRED, due=NOW + timedelta(days=1))
    assert not worth_posting(live(make_target([waits])), "changes", Outcome.OK)
