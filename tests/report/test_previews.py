"""A preview as a comment and for programs: whatever images are called, and however many there are."""

import html
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from janitor.core.decision import Decision, Reason, Verdict
from janitor.core.replay.amounts import Planned, planned, planned_by_policy
from janitor.core.replay.changes import Changed, Kind, changes_between, counts_of
from janitor.core.replay.owned import Owners, newly_unclear, owned
from janitor.core.result import Cost, Mode
from janitor.core.units import counted
from janitor.errors import Exit
from janitor.escaping import visible
from janitor.report.rehearsals.markdown import MOST_CHARACTERS, code, prose
from janitor.report.rehearsals.previews.markdown import preview_markdown
from janitor.report.rehearsals.previews.preview import Conditions, Previewed, Source, preview_of
from janitor.report.rehearsals.previews.rows import preview_csv, preview_json
from janitor.report.rehearsals.previews.text import preview_page
from tests.factories import NOW, image_called, to_delete, to_keep

COST = Cost(0.05, "USD")
HOSTILE = [
    "a|b`c`<b>x</b>@all #12 !3 $x$ [y](http://z) *s* _u_ ~t~ \\ &amp; :tada: www.example.org GH-12 {{x}}",
    "line\nbreak\r\n| x | y |\u202e\u200b\x1b[31m",
    "@channel",
    "</code></details><script>",
    "``` `` `",
    "| --- |",
    "=1+1",
]


def target(
    before: Sequence[Decision], after: Sequence[Decision], name: str = "prod", anew: frozenset[str] = frozenset()
) -> Previewed:
    changes = changes_between(before, after)
    then, now = planned_by_policy(before), planned_by_policy(after)
    policies = {each: (then.get(each, Planned()), now.get(each, Planned())) for each in {**then, **now}}
    return Previewed(
        name,
        Source(12, NOW, NOW, 12, Mode.DELETE),
        len(after),
        planned(before),
        planned(after),
        policies,
        owned(after, Owners({each.image.id: each.policy for each in after})),
        changes,
        counts_of(changes),
        list(newly_unclear(before, after)),
        anew=anew,
    )


def newly(names: Sequence[str], policy: str = "ci-images") -> Previewed:
    """As many images as there are names, all newly deleted."""
    images = [image_called(name or "x", id=f"id-{number}") for number, name in enumerate(names)]
    return target([to_keep(each) for each in images], [to_delete(each, policy=policy) for each in images])


def markdown(*targets: Previewed, **conditions: object) -> str:
    return preview_markdown(preview_of(targets, Conditions(**conditions)), COST, UTC)  # type: ignore[arg-type]


def tables(text: str) -> list[list[list[Token]]]:
    """The tables of a Markdown text, as rows of the tokens of their cells."""
    found: list[list[list[Token]]] = []
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and len(token.map or ()) and token.level > 3:
            found[-1][-1].append(token)
    return found


def shown(cell: Token) -> str:
    return "".join(child.content for child in cell.children or () if child.type in ("text", "text_special"))


HARMLESS_TOKENS = {"text", "text_special", "html_inline", "strong_open", "strong_close", "entity"}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_markup(name: str) -> None:
    text = markdown(target([to_keep(image_called(name))], [to_delete(image_called(name), policy=name)], name))
    policies, images = tables(text)
    assert [len(row) for row in policies] == [6, 6, 6]
    assert [len(row) for row in images] == [5, 5]
    assert shown(policies[2][0]) == visible(name)[:99] + ("…" if len(visible(name)) > 100 else visible(name)[99:])
    for cell in (*policies[2], *images[1]):
        kinds = {child.type for child in cell.children or ()}
        assert kinds <= HARMLESS_TOKENS
        tags = [child.content for child in cell.children or () if child.type == "html_inline"]
        assert set(tags) <= {"<code>", "</code>", "<br>"}
    outside = re.sub(r"<code>.*?</code>", "", text)
    assert "@" not in html.unescape(outside)
    assert "\n\n\n" not in text


@given(st.text())
def test_code_shows_the_text_and_nothing_of_it_acts(text: str) -> None:
    made = code(text, 10_000)
    inside = made.removeprefix("<code>").removesuffix("</code>")
    assert html.unescape(inside) == visible(text)
    assert not re.search(r"[@<>|`*_\[\]\\#!$~:./\n\r]", inside.replace("&#", ""))


@pytest.mark.parametrize(
    "text",
    [
        "see www.x.org",
        "GH-12",
        ":tada:",
        "abcdef1234567",
        "a@b",
        "#1",
        "http://x",
        "- a",
        "1. a",
        "a_b",
        "~x",
        "!1",
        "`",
    ],
)
def test_a_word_that_could_mean_more_is_code_and_the_rest_of_the_sentence_is_not(text: str) -> None:
    made = prose(f"{text} and more", 100)
    assert made.count("<code>") == 1
    assert made.endswith(" and more")
    assert html.unescape(re.sub(r"</?code>", "", made)) == f"{text} and more"


def test_several_foreign_words_are_one_piece_of_code() -> None:
    assert prose("a #1 #2 b", 100) == "a <code>&#35;1 &#35;2</code> b"


@given(st.text())
def test_a_sentence_is_shown_whole_and_none_of_it_acts(text: str) -> None:
    made = prose(text, 10_000)
    assert html.unescape(re.sub(r"</?code>", "", made)) == visible(text)
    assert not re.search(r"[@<>|`*_\[\]\\#!$~/\n\r&]", re.sub(r"<code>.*?</code>", "", made))


def test_an_ordinary_sentence_stays_as_it_is() -> None:
    detail = to_delete().detail
    assert prose(detail, 400) == detail


@settings(max_examples=25)
@given(st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=40), st.integers(1, 60))
def test_a_comment_is_never_too_long(names: list[str], times: int) -> None:
    text = markdown(newly(names * times), newly(names, names[0]))
    assert len(text) < MOST_CHARACTERS
    assert text.count("<details>") == text.count("</details>") <= 1


@pytest.mark.parametrize("name", ["@" * 300, "x", "이미지"])
def test_what_has_no_room_is_counted(name: str) -> None:
    text = markdown(newly([name] * 5_000))
    assert len(text) < MOST_CHARACTERS
    [left_out] = re.findall(r"^([\d,]+) images left out", text, re.MULTILINE)
    rows = sum(line.startswith("| <code>") for line in text.splitlines()) - 1  # that of the policy
    assert rows + int(left_out.replace(",", "")) == 5_000
    assert "<summary>4,980 more changed images</summary>" in text


def test_many_targets_and_policies_are_counted_too() -> None:
    each = newly(["web"])
    text = markdown(*[target([], [to_delete("web")], "@" * 90) for _ in range(1_000)], each)
    assert len(text) < MOST_CHARACTERS
    assert re.search(r"^\d+ targets more, for which there is no room here\.$", text, re.MULTILINE)
    many = [to_delete(f"web-{number}", policy=f"policy-@{number:0100}") for number in range(1_000)]
    text = markdown(target([], many))
    assert len(text) < MOST_CHARACTERS
    assert " more policies have no room here." in text


def test_the_first_twenty_are_shown_and_the_rest_is_folded() -> None:
    few, more = markdown(newly(["web"] * 20)), markdown(newly(["web"] * 21))
    assert "<details>" not in few
    assert "<summary>1 more changed image</summary>" in more
    assert len(tables(more)) == 3
    assert len(tables(more)[2]) == 2


def test_nothing_that_changes_is_a_short_comment() -> None:
    decisions = [to_keep("web-1"), to_delete("web-2")]
    text = markdown(target(decisions, decisions))
    assert "Changes: none." in text
    assert "changed image" not in text


# What is said


WAITING = to_delete("web-1", verdict=Verdict.WAIT, reason=Reason.NOTICE)
REJECTED = WAITING.replace(reason=Reason.REFUSED)


def said(*targets: Previewed, **conditions: object) -> str:
    """The text as one line."""
    made = preview_of(targets, Conditions(**conditions))  # type: ignore[arg-type]
    return " ".join("".join(preview_page(made, None, UTC).plain(80)).split())


def named(decision: Decision, *names: str) -> list[Decision]:
    return [decision.replace(image=image_called(name)) for name in names]


@pytest.mark.parametrize(
    ("decisions", "sentence"),
    [
        ([to_keep("web-1")], "In all now: nothing to be deleted."),
        ([to_delete("web-1")], "1 image, 10.0 GiB, to be deleted: 1 deleted at once, none waits."),
        ([WAITING], "1 image, 10.0 GiB, to be deleted: 1 waits for its notice, none deleted at once."),
        (named(WAITING, "a", "b"), "to be deleted: 2 wait for their notice, none deleted at once."),
        ([REJECTED], "to be deleted: 1 rejected before, to be tried again later, none deleted at once."),
        (
            [*named(to_delete(), "a", "b"), WAITING, *named(REJECTED, "c")],
            "2 deleted at once, 1 waits for its notice, 1 rejected before, to be tried again later.",
        ),
    ],
)
def test_it_says_what_is_deleted_at_once_and_what_waits_for_what(decisions: list[Decision], sentence: str) -> None:
    assert sentence in said(target(decisions, decisions))


def test_a_condition_says_the_same_of_the_images_that_it_counts() -> None:
    some = [*named(WAITING, "a", "b"), to_delete("c")]
    one = target([to_keep("a"), to_keep("c"), WAITING.replace(image=image_called("b"))], some)
    made = preview_of([one], Conditions(over=2, on_new=True))
    assert made.failed_on == [
        "--fail-over 2: 3 images are to be deleted: 1 deleted at once, 2 wait for their notice",
        "--fail-on new: 2 images are newly to be deleted: 1 deleted at once, 1 waits for its notice",
    ]


def test_images_that_wait_under_another_policy_are_not_called_deleted() -> None:
    before = [*named(WAITING, "a", "b"), to_delete("c")]
    after = [each.replace(policy="other") for each in before]
    text = said(target(before, after, anew=frozenset({"a", "b"})))
    assert "Changes: 1 deleted at once under another policy, 2 waiting under another policy. " in text
    assert "Waiting under another policy: 2 images, 20.0 GiB; their notice starts again" in text
    assert "Deleted at once under another policy: 1 image, 10.0 GiB c" in text
    assert "; the notice of 1 starts again" in said(target(before, after, anew=frozenset({"a"})))
    assert "starts again" not in said(target(before, after))
    comment = markdown(target(before, after, anew=frozenset({"a"})))
    assert "| waiting under another policy; its notice starts again | " in comment
    assert "| waiting under another policy | " in comment


def test_what_each_policy_owns_is_said_by_reason() -> None:
    decisions = [
        *named(to_keep("x", Reason.NO_FAMILY, policy="ci-images"), "a", "b"),
        *named(to_keep("x", Reason.KEPT_NEWEST, policy="ci-images"), "c", "d", "e"),
        *named(to_keep("x", Reason.UNDATED, policy="ci-images"), "f"),
        WAITING,
        to_keep("golden", Reason.PINNED, policy="golden"),
        to_keep("db"),
    ]
    one = target([], decisions)
    one = replace(one, policies={**one.policies, "golden": (Planned(), Planned()), "gone": (Planned(), Planned())})
    text, comment = said(one), markdown(one)
    assert "owns 7: 1 wait, 3 kept-newest, 2 no-family, 1 undated golden" in text
    assert "golden now deletes nothing, as before owns 1: 1 pinned" in text
    assert "gone owns no image no policy owns 1: 1 unmatched" in text
    assert "| 7: 1 wait, 3 kept-newest, 2 no-family, 1 undated |" in comment
    assert "| <code>golden</code> | none | none | none | none | 1: 1 pinned |" in comment
    assert "- no policy owns 1: 1 unmatched\n- <code>gone</code> owns no image" in comment
    made = json.loads("".join(preview_json(preview_of([one], Conditions()), None)))
    owns = {each["policy"]: each["owns"] for each in made["targets"][0]["policies"]}
    assert owns == {
        "ci-images": {"notice": 1, "kept-newest": 3, "no-family": 2, "undated": 1},
        "golden": {"pinned": 1},
        "gone": {},
    }


def test_what_guards_keep_is_said_apart_from_what_policies_decide() -> None:
    decisions = [
        *named(to_keep("x", Reason.TOO_YOUNG, policy="ci-images"), "a", "b"),
        *named(to_keep("x", Reason.IN_USE), "c", "d", "e", "f", "g"),
        *named(to_keep("x", Reason.UNDATED), "h", "i"),
        to_keep("db"),
    ]
    owners = {"c": "ci-images", "d": "ci-images", "h": "ci-images", "e": "golden"}
    found = {each.image.id: each.policy or owners.get(each.image.name or "") for each in decisions}
    one = target([], decisions)
    policies = {"ci-images": (Planned(), Planned()), "golden": (Planned(), Planned())}
    doubtful = frozenset(each.image.id for each in decisions if each.image.name == "g")
    one = replace(one, policies=policies, owned=owned(decisions, Owners(found, doubtful)))
    for words in (
        "5: 2 too-young; guards keep 3: 2 in-use, 1 undated",
        "1: a guard keeps 1: 1 in-use",
        "no policy owns 3: 1 unmatched; guards keep 2: 1 undated, 1 in-use",
        "it is not known which policy owns 1: a guard keeps 1: 1 in-use",
    ):
        assert words in said(one)
        assert words in markdown(one)
    [made] = json.loads("".join(preview_json(preview_of([one], Conditions()), None)))["targets"]
    assert [each["guarded"] for each in made["policies"]] == [{"in-use": 2, "undated": 1}, {"in-use": 1}]


def test_policies_that_are_gone_or_new_are_named_and_not_said_to_own_nothing() -> None:
    one = target([to_delete("a", policy="old")], [to_keep("a", Reason.PINNED, policy="new")])
    idle = {"new": (Planned(), Planned()), "idle": (Planned(), Planned())}
    one = replace(one, policies={**one.policies, **idle}, removed=["old", "golden"], added=["new"])
    text, comment = said(one), markdown(one)
    assert "now delete none; wait none new now deletes nothing owns 1: 1 pinned" in text
    assert "removed: old, golden new: new idle owns no image" in text
    assert "- removed: <code>old</code>, <code>golden</code>\n- new: <code>new</code>\n" in comment
    assert "- <code>idle</code> owns no image" in comment


KEPT = to_keep("a", Reason.TOO_YOUNG, policy="ci-images", due=NOW)


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        (KEPT, KEPT.replace(reason=Reason.PINNED), "kept as before, but for another reason"),
        (KEPT, KEPT.replace(policy="other"), "kept as before, but by another policy"),
        (KEPT, KEPT.replace(due=None), "kept as before, but until another date"),
        (WAITING, WAITING.replace(reason=Reason.REFUSED), "waiting as before, but for another reason"),
        (
            to_keep("a"),
            to_keep("a", detail="it is unknown whether policy a matches it"),
            "kept as before, but for another reason",
        ),
    ],
    ids=["reason", "policy", "date", "waiting", "doubt"],
)
def test_what_stays_says_what_is_otherwise(then: Decision, now: Decision, words: str) -> None:
    one = target([then], [now])
    assert f"Changes: 1 {words}. " in said(one)
    assert f"1 image {words}, not listed here" in said(one)
    assert f"1 image {words}, not listed here" in markdown(one)


def test_several_that_stay_say_all_that_is_otherwise() -> None:
    then = [*named(KEPT, "a", "b"), WAITING.replace(image=image_called("c"))]
    now = [then[0].replace(policy="other", due=None), then[1].replace(due=None), then[2].replace(reason=Reason.REFUSED)]
    words = "3 kept or waiting as before, but for another reason or by another policy or until another date"
    assert words in said(target(then, now))


@pytest.mark.parametrize("count", [1, 20, 21, 5_000])
def test_images_that_newly_have_no_family_are_named_and_the_rest_counted(count: int) -> None:
    after = named(to_keep("x", Reason.NO_FAMILY, policy="ci-images"), *(f"web-{number}" for number in range(count)))
    one = target([each.replace(reason=Reason.TOO_YOUNG) for each in after], after)
    text, comment = said(one), markdown(one)
    assert f"Kept now as no family is found: {counted(count)}" in text
    assert f"Kept now as no family is found: {counted(count)}\n" in comment
    assert text.count(" web-") == 2 * min(count, 20)  # the name and the id
    assert comment.count("<code>web-") == 2 * min(count, 20)
    more = f"{count - 20:,} more"
    assert (f"and {more}: `--format csv` lists all" in text) == (count > 20)
    assert (f"\n{more}, not listed here: `--format csv` lists all" in comment) == (count > 20)
    assert len(list(preview_csv(preview_of([one], Conditions())))) == 1 + count


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_of_what_is_unclear_or_owns_nothing_is_markup(name: str) -> None:
    lost = to_keep(image_called(name), Reason.NO_FAMILY, policy=name, detail=f"{name} finds no family for it")
    one = target([to_keep(image_called(name))], [lost], name)
    one = replace(one, policies={**one.policies, f"{name}+": (Planned(), Planned())})
    text = markdown(one, one)
    assert "@" not in html.unescape(re.sub(r"<code>.*?</code>", "", text))
    for each in tables(text):
        for cell in (cell for row in each for cell in row):
            assert {child.type for child in cell.children or ()} <= HARMLESS_TOKENS
    assert set(re.findall(r"</?\w+>", re.sub(r"<code>.*?</code>", "", text))) <= {"<br>"}
    assert text.count("owns no image") == 2
    shown = "".join(preview_page(preview_of([one], Conditions()), None, UTC).plain(80))
    assert all(mark.isprintable() or mark == "\n" for mark in shown)


def test_thousands_of_policies_leave_room_for_what_is_said_of_all() -> None:
    lost = named(to_keep("x", Reason.NO_FAMILY, policy="ci"), *("@" * 99 + str(number) for number in range(50)))
    many = [to_keep(f"w{number}", Reason.TOO_YOUNG, policy=f"@{number:0100}") for number in range(3_000)]
    new = named(to_delete(), *(f"new-{number}" for number in range(500)))
    one = target([], [*lost, *many, *new, to_keep("db")])
    idle = {f"idle-@{number}": (Planned(), Planned()) for number in range(3_000)}
    owning = {each.policy or "": (Planned(), Planned()) for each in many}
    one = replace(one, policies={**one.policies, **owning, **idle})
    text = markdown(one)
    assert len(text) < MOST_CHARACTERS
    assert re.search(r"^[\d,]+ more policies have no room here\.$", text, re.MULTILINE)
    assert "- no policy owns 1: 1 unmatched" in text
    assert " and 2,990 more own no image" in text
    assert re.search(r"^Kept now as no family is found: 50 images$", text, re.MULTILINE)
    assert re.search(r"^[\d,]+ more, not listed here: `--format csv` lists all\.$", text, re.MULTILINE)
    assert "500 changed images:" in text
    lines = "".join(preview_page(preview_of([one], Conditions()), None, UTC).plain(80))
    assert "and 2,980 more own no image" in " ".join(lines.split())


def test_a_match_that_is_not_known_is_named_with_why() -> None:
    doubt = to_keep("web-1", detail="it is unknown whether policy a matches it: tags not known")
    one = target([to_keep("web-1")], [doubt])
    for text in (said(one), markdown(one)):
        assert "Kept now as it is not known which policy matches: 1 image" in text
        assert "it is unknown whether policy a matches it: tags not known" in text
    assert "Kept now" not in said(target([doubt], [doubt]))


# Conditions


def test_both_kinds_of_deletion_count_and_unknown_ones_are_new() -> None:
    kept, deleted = to_keep("web-1"), to_delete("web-1")
    assert preview_of([target([kept], [deleted])], Conditions(over=0)).code is Exit.LIMIT
    assert preview_of([target([kept], [deleted])], Conditions(over=1)).code is Exit.OK
    assert preview_of([target([deleted], [deleted])], Conditions(on_new=True)).code is Exit.OK
    assert preview_of([target([], [deleted])], Conditions(on_new=True)).code is Exit.LIMIT
    assert preview_of([target([], [kept])], Conditions(on_new=True)).code is Exit.OK


def test_a_target_that_was_not_decided_is_no_success_and_a_condition_beats_it() -> None:
    undecided = Previewed("prod", None, undecided="no run has surveyed it")
    assert preview_of([undecided], Conditions()).code is Exit.FAILED
    assert preview_of([undecided, newly(["web"])], Conditions(on_new=True)).code is Exit.LIMIT
    made = preview_of([undecided], Conditions())
    [only] = json.loads("".join(preview_json(made, COST)))["targets"]
    assert (only["run"], only["before"], only["after"], only["changes"]) == (None, None, None, [])
    assert "not decided: no run has surveyed it" in "".join(preview_page(made, COST, UTC).plain(80))


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_the_text_or_the_table(name: str) -> None:
    made = preview_of([newly([name], name)], Conditions())
    text = "".join(preview_page(made, COST, UTC).plain(80))
    assert all(mark.isprintable() or mark == "\n" for mark in text)
    rows = list(preview_csv(made))
    assert len(rows) == 2
    assert not re.search(r"(^|,)\"?=1", rows[1])


def test_kept_images_that_one_side_did_not_see_are_in_json_only() -> None:
    made = preview_of([target([to_keep("web-1")], [to_keep("web-2")])], Conditions(on_new=True))
    assert made.code is Exit.OK
    [only] = json.loads("".join(preview_json(made, COST)))["targets"]
    assert [each["change"] for each in only["changes"]] == [Kind.ONLY_AFTER, Kind.ONLY_BEFORE]
    assert isinstance(made.targets[0].changes[0], Changed)
    assert "web-2" not in "".join(preview_page(made, COST, UTC).plain(80))
