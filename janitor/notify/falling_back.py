"""Delivers the reports of one run to people: what an owner cannot be told is told in the main channel instead.

Reports to owners are sent first, so that the one in the main channel can list what none of them accepted, and say why.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from janitor.core.units import counted
from janitor.errors import DeliveryError
from janitor.notify.channel import Channel, Receipt
from janitor.notify.sending import OutgoingReport, ReportSender
from janitor.report import Name

_MOST_UNANSWERED = 2
"""After so many reports in a row to which nothing was answered, no more is sent to owners in this run."""

_INSTEAD = "not sent: reported in the main channel instead, as its owner could not be reached"
_NOT_TRIED = f"not tried, as {counted(_MOST_UNANSWERED, 'report')} in a row got no answer"

Sent = tuple[OutgoingReport, Receipt]


@dataclass(frozen=True, slots=True)
class DeliveredToPeople:
    """The reports that were sent, each with its receipt, without those that the main channel got instead.

    `instead` are the images that these name.
    """

    sent: Sequence[Sent]
    instead: frozenset[Name] = frozenset()


def deliver_to_people(
    sender: ReportSender, outgoing: Sequence[OutgoingReport], is_ending: Callable[[], bool]
) -> DeliveredToPeople:
    """Deliver these reports of one run. Once `is_ending` says so, nothing is told elsewhere: it stays where it is."""
    sent = list(_to_owners(sender, [one for one in outgoing if one.replaceable]))
    missed = [] if is_ending() else [(one, got) for one, got in sent if got.error is not None and _nothing(got)]
    others = [one for one in outgoing if not one.replaceable]
    for channel in _channels(one for one, _ in missed):
        theirs = [(one, got) for one, got in missed if one.channel is channel]
        others = _with_fallback(sender, channel, others, theirs)
    missing = frozenset[Name]().union(*(got.missing for _, got in missed))
    kept = [(one, got) for one, got in sent if (one, got) not in missed]
    return DeliveredToPeople([*kept, *((one, sender.deliver(one)) for one in others)], missing)


def _nothing(receipt: Receipt) -> bool:
    return receipt.error is not None and not receipt.error.delivered and not receipt.names


def _channels(reports: Iterable[OutgoingReport]) -> Collection[Channel]:
    return {id(one.channel): one.channel for one in reports}.values()


def _to_owners(sender: ReportSender, reports: Iterable[OutgoingReport]) -> Iterator[Sent]:
    unanswered = 0
    for one in reports:
        if unanswered < _MOST_UNANSWERED:
            receipt = sender.deliver(one)
        else:
            receipt = Receipt(missing=one.prepared.names, error=DeliveryError(_NOT_TRIED))
        silent = receipt.error is not None and not receipt.error.refused
        unanswered = unanswered + 1 if silent else 0
        yield one, receipt


def _with_fallback(
    sender: ReportSender, channel: Channel, others: Sequence[OutgoingReport], missed: Sequence[Sent]
) -> list[OutgoingReport]:
    """The other reports, of which the one in the main channel also says what was missed."""
    unreached = {one.prepared.destination: str(receipt.error) for one, receipt in missed}
    numbers = [one.number for one, _ in missed if one.number is not None]
    return [
        sender.instead_of(one, unreached, dict.fromkeys(numbers, _INSTEAD))
        if one.channel is channel and one.report is not None and one.report.share.channel is None
        else one
        for one in others
    ]
