"""The report in Slack: never rejected for its size, complete, and with no markup but our own."""

import json
import re
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from janitor.core.decision import Reason
from janitor.core.result import Cost, Deletion, DeletionOutcome, Mode, Outcome, RunResult
from janitor.notify.slack.blocks import slack_messages
from janitor.notify.slack.message import Message
from janitor.notify.slack.mrkdwn import code, fitted, inert, wire_length
from janitor.notify.slack.packing import Paragraph, Row, packed
from janitor.report.routing import Share
from tests.factories import (
    NOW,
    live_run,
    make_deletion,
    make_image,
    make_run,
    make_target,
    to_delete,
    to_keep,
    too_young,
)
from tests.notify.slack.channels import shown
from tests.slack_stand_in import fault, texts_of

WIRE_LIMIT = 12_000


def messages_of(result: RunResult, cost: Cost | None = None) -> list[Message]:
    """The messages, each of which has passed Slack's limits and our own."""
    messages = slack_messages(Share(None, result, result), cost, UTC)
    for form in [form for message in messages for form in (message, message.late or message)]:
        assert fault({"text": form.text, "blocks": form.blocks}) is None
        assert wire_length(form.blocks) < WIRE_LIMIT
        assert all(text["verbatim"] for text in texts_of(form.blocks) if text["type"] == "mrkdwn")
    return messages


def report(result: RunResult, cost: Cost | None = None) -> str:
    return shown(*messages_of(result, cost))


# What it says


def test_a_dry_run_is_unmistakable_in_every_message() -> None:
    messages = messages_of(make_run(make_target([to_delete(f"ci-{number}") for number in range(200)])))
    assert len(messages) > 1
    for message in messages:
        assert message.blocks[0]["text"]["text"].startswith("DRY RUN – nothing is deleted · Image Janitor run 12 (")
        assert message.text.startswith("DRY RUN – nothing is deleted. ")


def test_a_live_run_says_so() -> None:
    text = report(live_run(make_target([to_delete()], [make_deletion()])))
    assert text.startswith("LIVE RUN · Image Janitor run 12\n")
    assert "DRY RUN" not in text


def test_it_says_when_and_how_it_ended() -> None:
    text = report(live_run(outcome=Outcome.PARTIAL))
    assert "2026-11-23 03:00 UTC, took 42s. Outcome: partial – some deletions were rejected or failed, or" in text


def test_the_totals() -> None:
    kept = [*(to_keep(f"p{number}", Reason.PUBLIC) for number in range(3)), to_keep("u", Reason.IN_USE)]
    text = report(make_run(make_target([to_delete(), *kept], images=512, owned=480)), Cost(0.05, "USD"))
    assert "*Target* `prod`: *ok*\nImages: 512, of which 480 owned\nKept: 4\nWould delete: 1\n" in text
    assert "Would reclaim: 10.0 GiB (0.50 USD a month)\nKept because: 3 public, 1 in-use" in text


def test_an_image_is_shown_with_id_size_policy_and_reason() -> None:
    decision = to_delete("ci-web-41")
    row = f"• `ci-web-41` `{decision.image.id}` 10.0 GiB\n    ci-images: {decision.detail}"
    assert f"*Would be deleted: 1 image* in `prod`\n{row}" in report(make_run(make_target([decision])))


@pytest.mark.parametrize(
    ("outcome", "title"),
    [
        (DeletionOutcome.REFUSED, "Rejected by the API, not deleted"),
        (DeletionOutcome.FAILED, "Failed, not confirmed gone"),
        (DeletionOutcome.ACCEPTED, "Accepted by the API, not confirmed gone"),
        (DeletionOutcome.ALREADY_GONE, "Already gone, not counted as reclaimed"),
        (DeletionOutcome.DELETED, "Deleted, confirmed gone"),
    ],
)
def test_each_fate_has_its_title_and_what_the_api_said(outcome: DeletionOutcome, title: str) -> None:
    deletion = make_deletion(outcome=outcome, detail="so the API put it")
    text = report(live_run(make_target([deletion.decision], [deletion])))
    assert f"*{title}: 1 image* in `prod`" in text
    assert "\n    so the API put it\n" in text
    assert ("Reclaimed: 10.0 GiB" in text) == (outcome is DeletionOutcome.DELETED)


def test_a_plan_that_a_limit_refuses_is_still_listed_whole() -> None:
    doomed = [to_delete(f"ci-{number}") for number in range(150)]
    target = make_target(doomed, outcome=Outcome.REFUSED, error="nothing deleted: limits.max_deletions allows 100")
    text = report(live_run(target, outcome=Outcome.REFUSED))
    assert "*Not deleted, over a limit or survey implausible: 150 images* in `prod`" in text
    assert "Error: nothing deleted: limits.max_deletions allows 100" in text
    assert not [decision for decision in doomed if decision.image.id not in text]


def test_what_stands_next() -> None:
    kept = [too_young(f"young-{days}", due=NOW + timedelta(days=days)) for days in (3, 1, 2)]
    text = report(make_run(make_target(kept)))
    assert "*Next to expire* in `prod`\n• `young-1`" in text
    assert "ci-images: expires 2026-11-24 03:00 UTC" in text


def test_a_target_that_failed_is_reported() -> None:
    text = report(make_run(make_target(outcome=Outcome.FAILED, error="no answer within 2m"), outcome=Outcome.FAILED))
    assert "*Target* `prod`: *failed*\nError: no answer within 2m\nImages: not surveyed" in text


def test_a_run_that_never_began_is_reported() -> None:
    error = "policies/ci.yaml:12: ci-images: expire.after: no\npolicies/ci.yaml:15: kep: unknown key"
    [message] = messages_of(make_run(run=0, mode=Mode.DELETE, outcome=Outcome.FAILED, error=error))
    assert "*The run failed*\n" in shown(message)
    assert all(f"Error: {line}" in shown(message) for line in error.splitlines())
    assert message.text == (
        "LIVE RUN. Image Janitor, a run that could not begin: "
        "policies/ci.yaml:12: ci-images: expire.after: no; policies/ci.yaml:15: kep: unknown key."
    )


UNKNOWN = replace(make_deletion("b", DeletionOutcome.ACCEPTED, "could not be confirmed"), unsettled=True)


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        pytest.param(
            make_run(make_target([to_delete()])),
            "DRY RUN – nothing is deleted. Image Janitor run 12: 1 image would be deleted, reclaiming 10.0 GiB; "
            "a dry run deletes nothing.",
            id="dry",
        ),
        pytest.param(
            live_run(make_target([to_delete()], [make_deletion()])),
            "LIVE RUN. Image Janitor run 12: 1 of 1 planned image deleted, reclaiming 10.0 GiB.",
            id="live",
        ),
        pytest.param(live_run(), "LIVE RUN. Image Janitor run 12: There was nothing to delete.", id="nothing"),
        pytest.param(
            live_run(make_target(settled=(make_deletion(),))),
            "LIVE RUN. Image Janitor run 12: There was nothing to delete. "
            "Settled 1 deletion of earlier runs: 1 deleted.",
            id="settled",
        ),
        pytest.param(
            replace(live_run(), error="the disk is full\r\n\n  free some space\n"),
            "LIVE RUN. Image Janitor run 12 failed: the disk is full; free some space.",
            id="failed",
        ),
        pytest.param(
            live_run(make_target(outcome=Outcome.FAILED, error="a request hangs"), outcome=Outcome.FAILED),
            "LIVE RUN. Image Janitor run 12: No deletion is confirmed. 1 target failed.",
            id="what-hangs-may-be-done",
        ),
        pytest.param(
            replace(live_run(make_target([to_delete()], [make_deletion()])), error="the disk is full"),
            "LIVE RUN. Image Janitor run 12 failed: the disk is full. "
            "1 of 1 planned image deleted, reclaiming 10.0 GiB.",
            id="failed-after-it-deleted",
        ),
        pytest.param(
            live_run(make_target([to_delete("a"), to_delete("b")], [make_deletion("a"), UNKNOWN])),
            "LIVE RUN. Image Janitor run 12: 1 of 2 planned images deleted, reclaiming 10.0 GiB; 1 not confirmed yet.",
            id="one-is-not-known",
        ),
    ],
)
def test_the_text_is_a_full_sentence(result: RunResult, sentence: str) -> None:
    assert [message.text for message in messages_of(result)] == [sentence]


# Size


def test_a_thousand_deletions_lose_none() -> None:
    deletions = [make_deletion(f"ci-web-{number}") for number in range(1_000)]
    messages = messages_of(live_run(make_target([deletion.decision for deletion in deletions], deletions)))
    rows = [line for line in shown(*messages).splitlines() if line.startswith("•")]
    assert [row.split("`")[3] for row in rows] == [deletion.decision.image.id for deletion in deletions]
    assert len(messages) < 20
    assert messages[-1].text.endswith(f"This is part {len(messages)} of {len(messages)}.")


def test_each_section_of_a_long_list_says_what_it_lists() -> None:
    messages = messages_of(make_run(make_target([to_delete(f"ci-{number}") for number in range(200)])))
    sections = [text["text"] for message in messages for text in texts_of(message.blocks) if "•" in text["text"]]
    assert all(text.startswith("*Would be deleted: 200 images* in `prod`") for text in sections)


@pytest.mark.parametrize("mark", ["x", "가"])
def test_sections_and_messages_are_filled_but_never_overfull(mark: str) -> None:
    rows = tuple(Row(f"{number:03}{mark * 97}") for number in range(500))
    messages = packed("Title", "Sentence.", "Context", [Paragraph("*Heading*", rows)])
    assert not [message for message in messages if fault({"text": message.text, "blocks": message.blocks})]
    assert not [row for row in rows if row.text not in shown(*messages)]
    assert max(wire_length(message.blocks) for message in messages) < WIRE_LIMIT
    assert min(wire_length(message.blocks) for message in messages[:-1]) > 8_000


def test_many_short_sections_are_not_too_many_for_a_message() -> None:
    paragraphs = [Paragraph(f"*{number:03}*", ()) for number in range(200)]
    messages = packed("Title", "Sentence.", "Context", paragraphs)
    assert not [message for message in messages if fault({"text": message.text, "blocks": message.blocks})]
    assert not [paragraph for paragraph in paragraphs if paragraph.heading not in shown(*messages)]


def test_a_hundred_targets() -> None:
    doomed = [to_delete(f"ci-{number}") for number in range(100)]
    targets = [make_target([decision, too_young()], name=f"region-{n}") for n, decision in enumerate(doomed)]
    text = report(make_run(*targets))
    assert not [target.target for target in targets if f"*Target* `{target.target}`" not in text]
    assert not [decision for decision in doomed if decision.image.id not in text]


@pytest.mark.parametrize("mark", ["x", "&", "<", "`", "*", "가", "\U0001f600", "\x1b", "\u202e", " "], ids=ascii)
def test_giant_foreign_text_of_any_kind_fits_and_the_image_is_named(mark: str) -> None:
    giant = mark * 10_000
    decision = to_delete(make_image(giant, id="the-id"), policy=giant, detail=giant)
    deletion = Deletion(decision, DeletionOutcome.REFUSED, giant)
    target = make_target(
        [decision, too_young(make_image(giant), policy=giant)],
        [deletion],
        name=giant,
        outcome=Outcome.FAILED,
        error=giant,
    )
    assert "`the-id`" in report(live_run(*[target] * 3))
    messages_of(replace(live_run(), error=giant))
    messages_of(replace(live_run(), error="\n".join([giant] * 50)))


anything = st.text(max_size=400)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.tuples(anything, anything, anything, anything), max_size=40), dry=st.booleans())
def test_whatever_the_cloud_says_no_message_is_refused_and_none_is_lost(
    texts: list[tuple[str, str, str, str]], dry: bool
) -> None:
    decisions = [
        to_delete(make_image(name, id=f"id-{number}-"), policy=policy, detail=detail)
        for number, (name, policy, detail, _) in enumerate(texts)
    ]
    deletions = [
        Deletion(decision, outcome, remark)
        for decision, outcome, (*_, remark) in zip(decisions, [*DeletionOutcome] * 8, texts, strict=False)
    ]
    target = make_target(decisions, [] if dry else deletions)
    text = report(make_run(target, mode=Mode.DRY_RUN if dry else Mode.DELETE))
    assert not [decision for decision in decisions if f"`{decision.image.id}`" not in text]


@given(text=st.text(max_size=3_000), limit=st.integers(min_value=40, max_value=2_000))
def test_what_is_fitted_fits(text: str, limit: int) -> None:
    assert wire_length(fitted(text, limit)) <= limit


# Nothing acts


ACTING = [
    "<!channel>",
    "<!here|x>",
    "<@U012AB3CD>",
    "<#C024BE7LR>",
    "<http://evil.example|click>",
    "http://evil.example",
    "@here @channel",
    "&lt;!channel&gt;",
    "*bold*",
    "_italic_",
    "~struck~",
    "`code`",
    "```block```",
    ":rotating_light:",
    "x` *bold* `y",
    "a\n> quote\n• `fake` row",
]


@pytest.mark.parametrize("text", ACTING)
def test_foreign_text_never_acts(text: str) -> None:
    decision = to_delete(make_image(text, id=text), policy=text, detail=text)
    deletion = Deletion(decision, DeletionOutcome.REFUSED, text)
    target = make_target([decision, too_young(make_image(text, id=text))], [deletion], name=text, error=text)
    for message in messages_of(replace(live_run(target), error=text)):
        assert not acts(message.text)
        assert not [part for part in texts_of(message.blocks) if acts(part["text"])]


OUR_BOLD = re.compile(
    r"\*(Target|The run failed|ok|partial|refused|failed|(Rejected by|Next to|Image|There was|[01] of)[^*\n]*)\*"
)


def acts(text: str) -> list[str]:
    """What Slack would format, link or obey in this mrkdwn, but for code and the bold words that are our own."""
    plain = OUR_BOLD.sub("", re.sub(r"`[^`\n]+`", "", text))
    entities = re.findall(r"&(?!amp;|lt;|gt;)|[<>]", text)
    return entities + re.findall(r"[*`~]|(?<!\w)_|_(?!\w)|:[a-z_]+:", plain)


@pytest.mark.parametrize("text", ["<!here>", "<http://e|x>", "a & b", "*bold*", "_italic_", "~struck~", ":x:", "a`b"])
def test_the_check_for_acting_text_sees_it(text: str) -> None:
    assert acts(text)


@pytest.mark.parametrize(
    ("text", "shown_as"),
    [
        ("image is protected (30403)", "image is protected (30403)"),
        ("limits.max_share allows 50%", "limits.max_share allows 50%"),
        ("since 03:12:45", "since 03:12:45"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("fails :x: here", "`fails :x: here`"),
        ("_x", "`_x`"),
        ("`", "`'`"),
        ("*", "`*`"),
    ],
)
def test_plain_words_stay_plain_and_others_become_code(text: str, shown_as: str) -> None:
    assert inert(text) == shown_as


def test_code_cannot_be_left() -> None:
    assert code("a`b<c>\n") == "`a'b&lt;c&gt;\\n`"


@pytest.mark.parametrize("name", [None, "", "  "], ids=["missing", "empty", "blank"])
def test_a_nameless_image_is_still_found_by_its_id(name: str | None) -> None:
    assert "• (no name) `the-id` " in report(make_run(make_target([to_delete(make_image(name, id="the-id"))])))


def test_messages_survive_being_kept_as_json() -> None:
    [message] = messages_of(make_run(make_target([to_delete("야간")])))
    assert json.loads(json.dumps(message.blocks)) == message.blocks
