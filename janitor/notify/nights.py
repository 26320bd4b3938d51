"""The summary of a night of the fleet: a message to the main channel of Slack, and a line in each file of reports."""

import json
import logging
from collections.abc import Iterator
from datetime import tzinfo

from janitor.config import Settings
from janitor.notify.channel import Sending
from janitor.notify.file.channel import FileChannel
from janitor.notify.file.lines import add_line
from janitor.notify.slack.message import Message
from janitor.notify.slack.mrkdwn import code, escaped, fitted, inert
from janitor.notify.slack.packing import Paragraph, Row, packed
from janitor.notify.slack.reports import channel_of
from janitor.report.fleet.night import (
    WOULD,
    AccountOutcome,
    NightReport,
    Standing,
    headline,
    name_of,
    times,
    to_do,
    totals,
    why,
)
from janitor.report.fleet.night_rows import summary, troubled
from janitor.report.fleet.night_text import TITLES

_MOST = 6
_NAME, _SENTENCE = 150, 350

_log = logging.getLogger("janitor.fleet")


def worth_posting(report: NightReport, post: str) -> bool:
    """Whether a night is to be told of, by the value of `slack.post`."""
    counts = report.counts
    changed = any(counts[what] for what in ("deleted", "unconfirmed", "announced", *WOULD))
    return post == "always" or report.needs_a_person or bool(post == "changes" and changed)


def post_night(settings: Settings, report: NightReport, sending: Sending, *, again: bool = False) -> bool:
    """Post the summary where Slack is configured and it is worth that; whether it was.

    One that follows another of the same night, `again`, always is: who read that has to know what came of it.
    Raises DeliveryError.
    """
    if settings.slack is None or not (again or worth_posting(report, settings.slack.post)):
        return False
    channel_of(settings, sending=sending).send([night_message(report, settings.timezone)])
    return True


def write_night(settings: Settings, report: NightReport) -> None:
    """Add the summary to each file of reports. A failure is logged: the night stays in the fleet's database."""
    line = json.dumps({"run": None, **summary(report), "accounts": troubled(report)}).encode()
    for channel in settings.channels:
        if isinstance(channel, FileChannel):
            try:
                add_line(channel.path, line)
            except OSError as error:
                _log.warning("night-not-written night=%s: %s", report.night, channel.failure(error))


def night_message(report: NightReport, zone: tzinfo) -> Message:
    """The summary as one message, whatever the number of accounts: part of it is never told twice."""
    paragraphs = [Paragraph("*All accounts*", tuple(_totals(report)))]
    for standing in (Standing.NEEDS, Standing.MISSING):
        if accounts := report.by_standing[standing]:
            rows = [_row(each, zone) for each in accounts[:_MOST]]
            more = len(accounts) - _MOST
            rows += [Row(f"and {more:,} more: `janitor fleet report {report.night}`")] if more > 0 else []
            paragraphs.append(Paragraph(f"*{TITLES[standing]}: {len(accounts):,}*", tuple(rows)))
    title = f"Image Janitor, night {report.night}: {headline(report)}"
    [message] = packed(title, escaped(times(report, zone)), paragraphs)
    return message


def _totals(report: NightReport) -> Iterator[Row]:
    return (Row(escaped(f"{label}: {figures}")) for label, figures in totals(report))


def _row(account: AccountOutcome, zone: tzinfo) -> Row:
    reason, deed = fitted(why(account, zone), _SENTENCE), fitted(to_do(account), _SENTENCE, _with_commands)
    return Row(f"• {fitted(name_of(account), _NAME, code)} {reason}\n    to do: {deed}")


def _with_commands(text: str) -> str:
    """A sentence of ours, what is between backticks as code; no foreign word in it formats either."""
    return "".join((code if place % 2 else inert)(part) for place, part in enumerate(text.split("`")) if part)
