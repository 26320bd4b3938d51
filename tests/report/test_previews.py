"""A preview as a comment and for programs: whatever images are called, and however many there are."""

import html
import json
import re
from collections.abc import Sequence
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from janitor.core.decision import Decision
from janitor.core.replay.amounts import Planned, planned, planned_by_policy
from janitor.core.replay.changes import Changed, Kind, changes_between, counts_of
from janitor.core.result import Cost, Mode
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


def target(before: Sequence[Decision], after: Sequence[Decision], name: str = "prod") -> Previewed:
    changes = changes_between(before, after)
    then, now = planned_by_policy(before), planned_by_policy(after)
    policies = {each: (then.get(each, Planned()), now.get(each, Planned())) for each in {**then, **now}}
    totals = (planned(before), planned(after))
    return Previewed(
        name, Source(12, NOW, NOW, 12, Mode.DELETE), len(after), *totals, policies, changes, counts_of(changes)
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
    assert [len(row) for row in policies] == [5, 5, 5]
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
def test_a_sentence_that_could_mean_more_is_code(text: str) -> None:
    assert prose(text, 100).startswith("<code>")


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
