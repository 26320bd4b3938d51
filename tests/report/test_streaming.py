"""What is long is written in pieces: the same text as in one, and never held whole."""

import io
import json
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from janitor.cli.console import rendered
from janitor.cli.terminal import print_out, print_pieces
from janitor.core.decision import Change, Spared, Verdict
from janitor.core.result import (
    DeletionOutcome,
    EarlierRequests,
    Mode,
    NoticeChanges,
    Outcome,
    PlanReview,
    RunResult,
    SurveySummary,
)
from janitor.core.survey import Survey
from janitor.core.usage import Usage
from janitor.report.as_json import json_report, written_report
from janitor.report.json_pieces import json_pieces
from janitor.report.tables import ImageList, images_json, images_table
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
from tests.report.terminal import SEOUL

MANY = 6_000
SMALL_PART = 1 / 8

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(Verdict),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
STREAMED = st.recursive(
    PLAIN | st.lists(PLAIN, max_size=3).map(tuple),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def streamed(value: Any) -> Any:
    """The same value with an iterator for every tuple."""
    match value:
        case dict():
            return {key: streamed(item) for key, item in value.items()}
        case list():
            return [streamed(item) for item in value]
        case tuple():
            return iter(value)
        case _:
            return value


@settings(deadline=None)
@given(STREAMED)
def test_pieces_are_what_json_makes_of_the_whole(value: Any) -> None:
    assert "".join(json_pieces(streamed(value))) == json.dumps(value)


@pytest.mark.parametrize("length", [0, 1, 49, 50, 51, 100, 1_000])
def test_a_list_of_any_length_is_what_json_makes_of_it(length: int) -> None:
    assert "".join(json_pieces({"rows": iter(range(length)), "more": 1})) == json.dumps(
        {"rows": list(range(length)), "more": 1}
    )


def rich_result() -> RunResult:
    """A result with something of everything."""
    gone, failed, changed, spared = (to_delete(make_image(f"ci-{n}", id=f"i-{n}", size=n or None)) for n in range(4))
    announced, missed, reminded = (too_young(make_image(name, id=name)) for name in ("ä", "\U0001f5d1", 'a"\\\n'))
    notices = NoticeChanges(
        (announced, missed), (reminded,), frozenset(), frozenset({missed.image.id}), (Spared(spared, "other"),)
    )
    one = make_target(
        [gone, failed, changed, announced, missed, reminded, *(to_keep(f"keep-{n}") for n in range(500))],
        [make_deletion(gone), make_deletion(failed, DeletionOutcome.REFUSED, detail="HTTP 409")],
        notices=notices,
        review=PlanReview(frozenset({"i-0"}), (Change(changed, "no longer listed"),)),
        earlier=EarlierRequests((make_deletion(spared),)),
        survey=SurveySummary(506, 500, ("a remark", "another one")),
        outcome=Outcome.PARTIAL,
    )
    return make_run(one, make_target([]), mode=Mode.DELETE, remarks=("one", "two"), digest="0123456789ab")


def test_a_report_in_pieces_is_one_text_of_json() -> None:
    text = json_report(rich_result())
    assert text == json.dumps(json.loads(text))
    assert [len(target["decisions"]) for target in json.loads(text)["targets"]] == [506, 0]


def test_a_page_in_parts_is_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    page = images_table(ImageList(7, [("prod", many_images(700))]), SEOUL)
    whole = "".join(rendered(page))
    monkeypatch.setattr("janitor.report.layout._LINES_AT_ONCE", 10**9)
    [once] = rendered(page)
    assert "\x1b[" in whole
    assert whole == once


# Memory


class Sink(io.TextIOBase):
    """A stream that only counts what is written."""

    size = 0

    def write(self, text: str) -> int:
        self.size += len(text)
        return len(text)


def many_images(count: int = MANY) -> Survey:
    images = (make_image(f"ci-web-{n}", id=f"{n:036}") for n in range(count))
    return Survey(tuple(images), Usage(), NOW, NOW)


def many_decisions() -> RunResult:
    return make_run(make_target([too_young(image, due=NOW) for image in many_images().images]))


def all_announced() -> RunResult:
    decisions = many_decisions().targets[0].decisions
    return live_run(make_target(decisions, announced=decisions, reminded=decisions[:9]))


@pytest.mark.parametrize(
    ("content", "write"),
    [
        pytest.param(many_decisions, lambda run: print_pieces(written_report(run)), id="report-json"),
        pytest.param(all_announced, lambda run: print_pieces(written_report(run)), id="announced-json"),
        pytest.param(many_images, lambda seen: print_pieces(images_json(7, [("prod", seen)])), id="images-json"),
        pytest.param(
            many_images, lambda seen: print_out(images_table(ImageList(7, [("prod", seen)]), SEOUL)), id="images-text"
        ),
    ],
)
def test_what_is_written_is_not_held(
    content: Callable[[], Any], write: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    given, sink = content(), Sink()
    monkeypatch.setattr(sys, "stdout", sink)
    tracemalloc.start()
    try:
        write(given)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sink.size > MANY * 100
    assert peak < sink.size * SMALL_PART
