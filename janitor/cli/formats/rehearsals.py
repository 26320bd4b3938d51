"""The tables of renderers for what commands answer that try policies without a cloud."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING

from janitor.cli.formats import Format

if TYPE_CHECKING:
    from janitor.core.policy_tests.cases import Tested
    from janitor.core.result import Cost
    from janitor.report.rehearsals.backtests.backtest import Backtest
    from janitor.report.rehearsals.backtests.suggestion import Suggestion
    from janitor.report.rehearsals.previews.preview import Preview

_HANGING = 4


def _text_of_preview(made: "Preview", cost: "Cost | None", zone: tzinfo) -> None:
    from janitor.cli.terminal import print_out
    from janitor.report.rehearsals.previews.text import preview_page

    print_out(preview_page(made, cost, zone))


def _json_of_preview(made: "Preview", cost: "Cost | None", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.rehearsals.previews.rows import preview_json

    print_pieces(preview_json(made, cost))


def _csv_of_preview(made: "Preview", _cost: "Cost | None", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_lines, say
    from janitor.escaping import visible
    from janitor.report.rehearsals.previews.rows import preview_csv
    from janitor.report.rehearsals.previews.sentences import said_of

    print_lines(preview_csv(made))
    for sentence in said_of(made):
        say(f"janitor: {visible(sentence)}", err=True)


def _markdown_of_preview(made: "Preview", cost: "Cost | None", zone: tzinfo) -> None:
    from janitor.cli.terminal import print_plain
    from janitor.report.rehearsals.previews.markdown import preview_markdown

    print_plain(preview_markdown(made, cost, zone))


PREVIEW: Mapping[Format, Callable[["Preview", "Cost | None", tzinfo], None]] = {
    Format.TEXT: _text_of_preview,
    Format.JSON: _json_of_preview,
    Format.CSV: _csv_of_preview,
    Format.MARKDOWN: _markdown_of_preview,
}
"""What policies decide on a snapshot, beside what had been decided."""


def _text_of_tests(tested: "Tested") -> None:
    from janitor.cli.terminal import say_folded
    from janitor.report.rehearsals.policy_tests import lines_of

    for line in lines_of(tested):
        say_folded(line, _HANGING)


def _json_of_tests(tested: "Tested") -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.json_pieces import json_pieces
    from janitor.report.rehearsals.policy_tests import json_of

    print_pieces(json_pieces(json_of(tested)))


def _junit_of_tests(tested: "Tested") -> None:
    from janitor.cli.terminal import print_plain
    from janitor.report.rehearsals.policy_tests import junit_of

    print_plain(junit_of(tested))


TESTED: Mapping[Format, Callable[["Tested"], None]] = {
    Format.TEXT: _text_of_tests,
    Format.JSON: _json_of_tests,
    Format.JUNIT: _junit_of_tests,
}
"""Tests of policies, with what was decided."""


def _text_of_backtest(made: "Backtest", cost: "Cost | None", zone: tzinfo) -> None:
    from janitor.cli.terminal import print_out
    from janitor.report.rehearsals.backtests.text import backtest_page

    print_out(backtest_page(made, cost, zone))


def _json_of_backtest(made: "Backtest", cost: "Cost | None", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.rehearsals.backtests.rows import backtest_json

    print_pieces(backtest_json(made, cost))


def _csv_of_backtest(made: "Backtest", _cost: "Cost | None", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_lines
    from janitor.report.rehearsals.backtests.rows import backtest_csv

    print_lines(backtest_csv(made))


def _markdown_of_backtest(made: "Backtest", cost: "Cost | None", zone: tzinfo) -> None:
    from janitor.cli.terminal import print_plain
    from janitor.report.rehearsals.backtests.markdown import backtest_markdown

    print_plain(backtest_markdown(made, cost, zone))


BACKTEST: Mapping[Format, Callable[["Backtest", "Cost | None", tzinfo], None]] = {
    Format.TEXT: _text_of_backtest,
    Format.JSON: _json_of_backtest,
    Format.CSV: _csv_of_backtest,
    Format.MARKDOWN: _markdown_of_backtest,
}
"""What policies would have deleted in recorded nights."""


def _text_of_suggestion(made: "Suggestion", _cost: "Cost | None") -> None:
    from janitor.cli.terminal import print_out
    from janitor.report.rehearsals.backtests.suggestion import suggestion_page

    print_out(suggestion_page(made))


def _json_of_suggestion(made: "Suggestion", cost: "Cost | None") -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.rehearsals.backtests.suggestion import suggestion_json

    print_pieces(suggestion_json(made, cost))


def _csv_of_suggestion(made: "Suggestion", _cost: "Cost | None") -> None:
    from janitor.cli.terminal import print_lines
    from janitor.report.rehearsals.backtests.suggestion import suggestion_csv

    print_lines(suggestion_csv(made))


def _markdown_of_suggestion(made: "Suggestion", _cost: "Cost | None") -> None:
    from janitor.cli.terminal import print_plain
    from janitor.report.rehearsals.backtests.suggestion import suggestion_markdown

    print_plain(suggestion_markdown(made))


SUGGESTION: Mapping[Format, Callable[["Suggestion", "Cost | None"], None]] = {
    Format.TEXT: _text_of_suggestion,
    Format.JSON: _json_of_suggestion,
    Format.CSV: _csv_of_suggestion,
    Format.MARKDOWN: _markdown_of_suggestion,
}
"""What one policy would have deleted in recorded nights at other values, and how much of that is regretted."""
