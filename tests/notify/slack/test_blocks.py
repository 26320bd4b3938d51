"""The report in Slack: never rejected for its size, complete, and with no markup but our own."""

import json
import re
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.names.owners import OwnerRule
from janitor.core.planning.plan import Excess
from janitor.core.policy import Match, Policy
from janitor.core.result import Cost, Deletion, DeletionOutcome, Mode, Outcome, RunResult, RunTerms
from janitor.notify.slack.blocks import slack_messages
from janitor.notify.slack.message import Message
from janitor.notify.slack.mrkdwn import code, fitted, inert, wire_length
from janitor.notify.slack.packing import Paragraph, Row, packed
from janitor.report.headline import headline
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
        assert message.blocks[0]["text"]["text"].startswith("DRY RUN: a live run would delete 200 images, 2.0 TiB")
        assert message.text.startswith("DRY RUN: a live run would delete 200 images, 2.0 TiB")


def test_a_live_run_says_what_it_did() -> None:
    text = report(live_run(make_target([to_delete()], [make_deletion()])))
    assert text.startswith("Deleted 1 image, 10.0 GiB\nImage Janitor run 12, ")
    assert "DRY RUN" not in text


def test_it_says_when_and_how_it_ended() -> None:
    text = report(live_run(outcome=Outcome.PARTIAL))
    assert "2026-11-23 03:00 UTC, took 42s. Outcome: partial." in text


def test_the_totals() -> None:
    kept = [*(to_keep(f"p{number}", Reason.PUBLIC) for number in range(3)), to_keep("u", Reason.IN_USE)]
    text = report(make_run(make_target([to_delete(), *kept], images=512, owned=480)), Cost(0.05, "USD"))
    assert "*Target* `prod`: *ok*\nImages: 512, of which 480 owned\nKept: 4\nWould delete: 1\n" in text
    assert "Would reclaim: 10.0 GiB (0.50 USD a month)\nKept because: 3 public, 1 in-use" in text


def test_an_image_is_shown_with_id_size_policy_and_reason() -> None:
    decision = to_delete("ci-web-41")
    row = f"• `ci-web-41` `{decision.image.id}` 10.0 GiB\n    {decision.detail}"
    assert f"`ci-images` *Would be deleted: 1 image* in `prod`\n{row}" in report(make_run(make_target([decision])))


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
    error = "nothing deleted: limits.max_deletions allows 100"
    target = make_target(doomed, outcome=Outcome.REFUSED, error=error, excess=Excess(150, "100", error))
    text = report(live_run(target, outcome=Outcome.REFUSED))
    assert text.startswith("ACTION: nothing was deleted, 150 planned and the limit is 100\n")
    assert "*Not deleted, as the whole plan is over the limit: the first 10 of 150 images* in `prod`" in text
    assert "*Error* in `prod`\nnothing deleted: limits.max_deletions allows 100" in text
    assert not [decision for decision in doomed if decision.image.id not in text]


def test_what_stands_next() -> None:
    kept = [too_young(f"young-{days}", due=NOW + timedelta(days=days)) for days in (3, 1, 2)]
    text = report(make_run(make_target(kept)))
    assert "*Next to expire* in `prod`\n• `young-1`" in text
    assert "ci-images: expires 2026-11-24 03:00 UTC" in text


def test_a_target_that_failed_is_reported() -> None:
    text = report(make_run(make_target(outcome=Outcome.FAILED, error="no answer within 2m"), outcome=Outcome.FAILED))
    assert text.startswith("DRY RUN: prod could not be surveyed\n")
    assert "*Error* in `prod`\nno answer within 2m\n*Target* `prod`: *failed*\nImages: not surveyed" in text


def test_a_run_that_never_began_is_reported() -> None:
    error = "policies/ci.yaml:12: ci-images: expire.after: no\npolicies/ci.yaml:15: kep: unknown key"
    [message] = messages_of(make_run(run=0, mode=Mode.DELETE, outcome=Outcome.FAILED, error=error))
    assert f"*The run failed*\n{error}" in shown(message)
    assert message.text == "ACTION: the run could not begin"


UNKNOWN = replace(make_deletion("b", DeletionOutcome.ACCEPTED, "could not be confirmed"), unsettled=True)


def test_the_text_of_a_notification_is_the_headline() -> None:
    result = live_run(make_target([to_delete("a"), to_delete("b")], [make_deletion("a"), UNKNOWN], name="a<b"))
    [message] = messages_of(result)
    assert message.text == message.blocks[0]["text"]["text"] == headline(result, UTC)
    failed = live_run(make_target(outcome=Outcome.FAILED, error="no", name="<!here>"), outcome=Outcome.FAILED)
    [message] = messages_of(failed)
    assert message.text == "ACTION: &lt;!here&gt; could not be surveyed"
    assert message.blocks[0]["text"]["text"] == "ACTION: <!here> could not be surveyed"


# By policy


DESCRIBED = Policy("ci-images", Match(), description="Rebuilt every\nnight; <b>.", contact="@kim or #cloud")
TERMS = RunTerms("by hand, kim@host", (Policy("first", Match()), DESCRIBED), None)


def wait(name: str, days: int, policy: str = "ci-images") -> Decision:
    return to_keep(name, Reason.NOTICE, verdict=Verdict.WAIT, policy=policy, due=NOW + timedelta(days=days))


def test_each_policy_has_a_line_with_what_it_does_why_and_whom_to_ask() -> None:
    announced, waiting = wait("new", 2), wait("old", 1)
    target = make_target([announced, waiting, to_delete("gone", policy="first")], [], announced=(announced,))
    text = report(replace(live_run(target), terms=TERMS), Cost(0.05, "USD"))
    assert (
        "*By policy*\n`first`: 1 image not attempted, 10.0 GiB (0.50 USD a month)\n"
        "`ci-images`: 1 image announced, 10.0 GiB (0.50 USD a month), from 25 Nov 03:00 UTC; "
        "1 image waiting, 10.0 GiB (0.50 USD a month), the first due 24 Nov 03:00 UTC\n"
        "    Rebuilt every night; &lt;b&gt;.\n    Contact: @kim or #cloud\n"
    ) in text
    assert "took 42s, begun by hand, kim@host. Outcome: ok" in text


def test_the_owner_of_an_image_is_named_and_does_not_act() -> None:
    owned = replace(DESCRIBED, owner=OwnerRule("property:owner"))
    image = make_image("a", properties={"owner": "<!channel>"})
    run = replace(make_run(make_target([to_delete(image), to_delete("b")])), terms=RunTerms(policies=(owned,)))
    assert report(run).count("(14d after creation); owner: `&lt;!channel&gt;`") == 1
    assert "owner" not in report(replace(run, terms=TERMS))


def test_images_come_by_policy_and_the_oldest_first() -> None:
    young, old = (to_delete(make_image(name, age=timedelta(days=days))) for name, days in (("y", 30), ("o", 90)))
    undated = to_delete(make_image("u", created_at=None))
    last = to_delete(make_image("z", age=timedelta(days=400)), policy="unlisted")
    first = to_delete("f", policy="first")
    text = report(replace(make_run(make_target([undated, last, young, old, first])), terms=TERMS))
    assert re.findall("• `(.)`", text) == ["f", "o", "y", "u", "z"]


@pytest.mark.parametrize("threaded", [False, True])
def test_the_first_message_lists_ten_of_each_policy_and_the_others_all(threaded: bool) -> None:
    some, few = [to_delete(f"ci-{n:02}") for n in range(12)], [to_delete(f"b-{n}", policy="first") for n in range(3)]
    result = replace(make_run(make_target([*some, *few])), terms=TERMS)
    first, *others = slack_messages(Share(None, result, result), None, UTC, threaded=threaded)
    listed = [len([d for d in decisions if d.image.id in shown(first)]) for decisions in (some, few)]
    assert listed == [10, 3]
    assert "*Would be deleted: the first 10 of 12 images* in `prod`" in shown(first)
    where = "this thread" if threaded else "the messages after this one"
    assert f"The first 10 of 12 of `ci-images`; all are in {where}." in shown(first)
    assert not [d for d in (*some, *few) if d.image.id not in shown(*others)]
    assert first.text == headline(result, UTC)
    assert others[0].text == f"{headline(result, UTC)} (2 of 2)"


# Size


def test_a_thousand_deletions_lose_none() -> None:
    deletions = [make_deletion(f"ci-web-{number}") for number in range(1_000)]
    messages = messages_of(live_run(make_target([deletion.decision for deletion in deletions], deletions)))
    rows = [line for line in shown(*messages[1:]).splitlines() if line.startswith("•")]
    assert sorted(row.split("`")[3] for row in rows) == sorted(d.decision.image.id for d in deletions)
    assert len(messages) < 20
    assert messages[-1].text.endswith(f" ({len(messages)} of {len(messages)})")


def test_each_section_of_a_long_list_says_what_it_lists() -> None:
    messages = messages_of(make_run(make_target([to_delete(f"ci-{number}") for number in range(200)])))
    sections = [text["text"] for message in messages[1:] for text in texts_of(message.blocks) if "•" in text["text"]]
    assert sections
    assert all(text.startswith("`ci-images` *Would be deleted: 200 images* in `prod`") for text in sections)


@pytest.mark.parametrize("mark", ["x", "가"])
def test_sections_and_messages_are_filled_but_never_overfull(mark: str) -> None:
    rows = tuple(Row(f"{number:03}{mark * 97}") for number in range(500))
    messages = packed("Title", "Context", [Paragraph("*Heading*", rows)])
    assert not [message for message in messages if fault({"text": message.text, "blocks": message.blocks})]
    assert not [row for row in rows if row.text not in shown(*messages)]
    assert max(wire_length(message.blocks) for message in messages) < WIRE_LIMIT
    assert min(wire_length(message.blocks) for message in messages[:-1]) > 8_000


def test_many_short_sections_are_not_too_many_for_a_message() -> None:
    paragraphs = [Paragraph(f"*{number:03}*", ()) for number in range(200)]
    messages = packed("Title", "Context", paragraphs)
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
    r"\*(Target|Error|By policy|What to do|The run failed|ok|partial|refused|failed|(Rejected by|Next to)[^*\n]*)\*"
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
