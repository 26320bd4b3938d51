"""The report on a terminal is safe for any names of images, and fits any width."""

import pytest
from rich.cells import cell_len

from janitor.core.decision import Reason
from janitor.core.result import Deletion, DeletionOutcome, Mode, Outcome
from janitor.escaping import visible
from tests.factories import make_image, make_run, make_target, to_delete, to_keep, too_young
from tests.report.terminal import DOLLARS, report

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
