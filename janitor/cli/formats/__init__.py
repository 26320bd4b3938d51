"""The formats that commands print: a member for each, and a table of renderers for each document.

A command offers the formats that the table of its document has. Renderers import what they need when they run.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

if TYPE_CHECKING:
    from janitor.config import Settings
    from janitor.core.result import RunResult
    from janitor.report.text import Extent

Command = TypeVar("Command", bound=Callable[..., Any])


class Format(StrEnum):
    """A format of output."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    JUNIT = "junit"


class Part(StrEnum):
    """A part of the text of a report that may be asked for instead of the whole."""

    SUMMARY = "summary"
    LAST_LINE = "last-line"


def format_option(renderers: Mapping[Format, object]) -> Callable[[Command], Command]:
    """The option `--format` of a command that prints with these renderers; the command takes it as `form`."""
    return click.option(
        "--format",
        "form",
        type=click.Choice([form.value for form in renderers]),
        default=Format.TEXT.value,
        show_default=True,
        callback=lambda _context, _option, value: Format(value),
        help="Output format.",
    )


def report_options(renderers: Mapping[Format, object]) -> Callable[[Command], Command]:
    """The same for a command that prints a report, and `--summary` and `-q`: its `form` is a format, or a part."""

    def with_options(command: Command) -> Command:
        @wraps(command)
        def with_form(*, form: Format, summary: bool, quiet: bool, **values: Any) -> int:
            code: int = command(form=_printed_form(form, summary=summary, quiet=quiet), **values)
            return code

        options = (format_option(renderers), _SUMMARY, _QUIET)
        printing: Any = with_form
        for option in reversed(options):
            printing = option(printing)
        return cast("Command", printing)

    return with_options


_SUMMARY = click.option("--summary", is_flag=True, help="Print the report without its images.")
_QUIET = click.option("-q", "--quiet", is_flag=True, help="Print only the last line of the report.")


def _printed_form(form: Format, *, summary: bool, quiet: bool) -> Format | Part:
    """What is printed of a report. Raises UsageError for options that exclude each other."""
    if summary and quiet:
        raise click.UsageError("--summary and -q exclude each other")
    if (summary or quiet) and form is not Format.TEXT:
        raise click.UsageError(f"{'--summary' if summary else '-q'} goes with --format text only")
    return Part.SUMMARY if summary else Part.LAST_LINE if quiet else form


def _text_of_report(
    result: "RunResult", settings: "Settings", extent: "Extent | None" = None, heading: str | None = None
) -> None:
    from janitor.cli.recorded import backlog_of
    from janitor.cli.terminal import print_out
    from janitor.report.text import Extent, text_report

    backlog, shown = backlog_of(settings), extent or Extent.WHOLE
    zone = settings.timezone
    print_out(text_report(result, settings.cost, zone=zone, backlog=backlog, extent=shown, heading=heading))


def _json_of_report(result: "RunResult", _settings: "Settings") -> None:
    from janitor.cli.terminal import print_pieces
    from janitor.report.as_json import written_report

    print_pieces(written_report(result))


REPORT: Mapping[Format, Callable[["RunResult", "Settings"], None]] = {
    Format.TEXT: _text_of_report,
    Format.JSON: _json_of_report,
}
"""The report of a run."""


def _csv_of_report(result: "RunResult", _settings: "Settings") -> None:
    from janitor.cli.terminal import print_lines
    from janitor.report.listing import decisions_csv

    print_lines(decisions_csv(result))


def _summary(result: "RunResult", settings: "Settings") -> None:
    from janitor.report.text import Extent

    _text_of_report(result, settings, Extent.SUMMARY)


def _last_line(result: "RunResult", settings: "Settings") -> None:
    from janitor.report.text import Extent

    _text_of_report(result, settings, Extent.LAST_LINE)


SHOWN: Mapping[Format, Callable[["RunResult", "Settings"], None]] = {**REPORT, Format.CSV: _csv_of_report}
"""The report of a past run."""

PRINTED: Mapping["Format | Part", Callable[["RunResult", "Settings"], None]] = {
    Format.TEXT: _text_of_report,
    Format.JSON: _json_of_report,
    Format.CSV: _csv_of_report,
    Part.SUMMARY: _summary,
    Part.LAST_LINE: _last_line,
}
"""The report of a run in any format, or a part of its text."""


def print_some(result: "RunResult", settings: "Settings", form: "Format | Part", heading: str) -> None:
    """Print what was chosen of a run; its text has this heading, and sums nothing up."""
    from janitor.report.text import Extent

    if form in (Format.JSON, Format.CSV):
        PRINTED[form](result, settings)
        return
    extents: dict[Format | Part, Extent] = {Part.SUMMARY: Extent.SUMMARY, Part.LAST_LINE: Extent.LAST_LINE}
    _text_of_report(result, settings, extents.get(form), heading)
