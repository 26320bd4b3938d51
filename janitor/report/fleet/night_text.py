"""The report of a night of the fleet as text, and as Markdown: its totals, and who needs a person."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from janitor.report.fleet.night import (
    AccountOutcome,
    NightReport,
    Standing,
    headline,
    in_dry_run,
    name_of,
    times,
    to_be_deleted,
    to_do,
    totals,
    why,
)
from janitor.report.layout import BOLD, GOOD, TROUBLE, WARNING, Line, Page, Style, line, paragraph
from janitor.report.rehearsals.markdown import Sheet, code, prose, row

MOST = 20
TITLES = {
    Standing.NEEDS: "Need a person",
    Standing.MISSING: "Missing",
    Standing.PENDING: "Still to end",
}
_STYLES = {Standing.NEEDS: TROUBLE, Standing.MISSING: TROUBLE, Standing.PENDING: WARNING}
_SPARE = 200
_WOULD = "A live run would delete images in"


def night_page(report: NightReport, zone: tzinfo) -> Page:
    """The report; of a long list its first accounts, and the number of others."""
    return Page(lambda width: _lines(report, zone, width))


def _lines(report: NightReport, zone: tzinfo, width: int) -> Iterator[Line]:
    style: Style = TROUBLE if report.needs_a_person else GOOD
    yield from paragraph(f"Night {report.night}: {headline(report)}", width, 0, style)
    yield from paragraph(times(report, zone), width, 2)
    for label, figures in totals(report):
        yield from paragraph(f"{label + ':':<16}{figures}", width, 2)
    for standing in TITLES:
        yield from _group(standing, listed(report, standing), zone, width)
    yield from _tried(to_be_deleted(report), width)


def listed(report: NightReport, standing: Standing) -> Sequence[AccountOutcome]:
    """The accounts that are listed; of those that may still end well, these of which something is said."""
    some = report.by_standing[standing]
    return [each for each in some if each.said is not None] if standing is Standing.PENDING else some


def _group(standing: Standing, accounts: Sequence[AccountOutcome], zone: tzinfo, width: int) -> Iterator[Line]:
    if not accounts:
        return
    yield line()
    yield line(f"{TITLES[standing]}: {len(accounts):,}", _STYLES[standing])
    for account in accounts[:MOST]:
        yield from paragraph(name_of(account), width, 2, BOLD)
        yield from paragraph(why(account, zone), width, 4)
        if standing is not Standing.PENDING:
            yield from paragraph(f"to do: {to_do(account)}", width, 4)
    if len(accounts) > MOST:
        yield from paragraph(f"and {len(accounts) - MOST:,} more: --format csv lists all", width, 2)


def _tried(accounts: Sequence[AccountOutcome], width: int) -> Iterator[Line]:
    """The accounts in which a live run would have deleted images."""
    if not accounts:
        return
    yield line()
    yield line(f"{_WOULD}: {len(accounts):,}", WARNING)
    for account in accounts[:MOST]:
        yield from paragraph(f"{name_of(account)}: {in_dry_run(account)}", width, 2)
    if len(accounts) > MOST:
        yield from paragraph(f"and {len(accounts) - MOST:,} more: --format csv lists all", width, 2)


def night_markdown(report: NightReport, zone: tzinfo) -> str:
    """The same as a comment, with as many accounts as have room."""
    sheet = Sheet()
    sheet.add(f"### Night {report.night}: {prose(headline(report))}", "", prose(times(report, zone)), "")
    for label, figures in totals(report):
        sheet.add(f"- {label}: {prose(figures)}")
    for standing, title in TITLES.items():
        accounts = listed(report, standing)
        rows = [row(code(name_of(each)), prose(why(each, zone)), prose(to_do(each))) for each in accounts]
        if rows and sheet.add("", f"**{title}: {len(rows):,}**", spare=_SPARE):
            sheet.add_table(("Account", "Why", "To do"), rows, "accounts", _SPARE)
    tried = [row(code(name_of(each)), prose(in_dry_run(each))) for each in to_be_deleted(report)]
    if tried and sheet.add("", f"**{_WOULD}: {len(tried):,}**", spare=_SPARE):
        sheet.add_table(("Account", "Would delete"), tried, "accounts", _SPARE)
    return str(sheet)
