"""The tables of renderers for what commands answer that try policies on what is recorded."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING

from janitor.cli.formats import Format

if TYPE_CHECKING:
    from janitor.core.result import Cost
    from janitor.report.rehearsals.preview import Preview


def _text_of_preview(made: "Preview", cost: "Cost | None", zone: tzinfo) -> None:
    from janitor.cli.terminal import print_out
    from janitor.report.rehearsals.preview_text import preview_page

    print_out(preview_page(made, cost, zone))


def _json_of_preview(made: "Preview", cost: "Cost | None", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.rehearsals.preview_rows import preview_json

    print_pieces(preview_json(made, cost))


def _csv_of_preview(made: "Preview", _cost: "Cost | None", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_lines
    from janitor.report.rehearsals.preview_rows import preview_csv

    print_lines(preview_csv(made))


def _markdown_of_preview(made: "Preview", cost: "Cost | None", zone: tzinfo) -> None:
    from janitor.cli.terminal import print_plain
    from janitor.report.rehearsals.preview_markdown import preview_markdown

    print_plain(preview_markdown(made, cost, zone))


PREVIEW: Mapping[Format, Callable[["Preview", "Cost | None", tzinfo], None]] = {
    Format.TEXT: _text_of_preview,
    Format.JSON: _json_of_preview,
    Format.CSV: _csv_of_preview,
    Format.MARKDOWN: _markdown_of_preview,
}
"""What policies decide on a snapshot, beside what had been decided."""
