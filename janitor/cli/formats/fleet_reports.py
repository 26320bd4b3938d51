"""What the commands of a fleet print that look at it, and change nothing."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING

from janitor.cli.formats import Format

if TYPE_CHECKING:
    from janitor.report.fleet.night import NightReport
    from janitor.report.fleet.status import FleetState


def _status_in_words(state: "FleetState", zone: tzinfo, whole: bool) -> None:
    from janitor.cli.terminal import print_out
    from janitor.report.fleet.status import status_page

    print_out(status_page(state, zone, whole=whole))


def _status_as_json(state: "FleetState", _zone: tzinfo, _whole: bool) -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.fleet.status import status_json

    print_pieces(status_json(state))


STATUS: Mapping[Format, Callable[["FleetState", tzinfo, bool], None]] = {
    Format.TEXT: _status_in_words,
    Format.JSON: _status_as_json,
}
"""How a fleet stands."""


def _night_in_words(report: "NightReport", zone: tzinfo) -> None:
    from janitor.cli.terminal import print_out
    from janitor.report.fleet.night_text import night_page

    print_out(night_page(report, zone))


def _night_as_json(report: "NightReport", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.fleet.night_rows import night_json

    print_pieces(night_json(report))


def _night_as_csv(report: "NightReport", _zone: tzinfo) -> None:
    from janitor.cli.terminal import print_lines
    from janitor.report.fleet.night_rows import night_csv

    print_lines(night_csv(report))


def _night_as_markdown(report: "NightReport", zone: tzinfo) -> None:
    from janitor.cli.terminal import print_plain
    from janitor.report.fleet.night_text import night_markdown

    print_plain(night_markdown(report, zone))


NIGHT: Mapping[Format, Callable[["NightReport", tzinfo], None]] = {
    Format.TEXT: _night_in_words,
    Format.JSON: _night_as_json,
    Format.CSV: _night_as_csv,
    Format.MARKDOWN: _night_as_markdown,
}
"""The report of a night of the fleet."""
