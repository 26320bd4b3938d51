"""Delivers the reports of one run to people: what an owner cannot be told is told in the main channel instead.

Reports to owners are sent first, so that the one in the main channel can list what none of them accepted, and say why.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from janitor.core.units import counted
from janitor.errors import DeliveryError
from janitor.notify.channel import Channel, Receipt
from janitor.notify.sending import OutgoingReport, ReportSender
from janitor.report import Name

_log = logging.getLogger("janitor.notify.delivery")

_MOST_UNANSWERED = 2
"""After so many reports in a row to which nothing was answered, no more is sent to owners in this run."""

_MOST_IN_A_HURRY = 3
"""Once the program is to end, so many reports are still sent to owners."""

_INSTEAD = "not sent: reported in the main channel instead, as its owner could not be reached"
_NOT_TRIED = f"not tried, as {counted(_MOST_UNANSWERED, 'report')} in a row got no answer"
_ENDING = "not sent: the program is stopping"

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
    """Deliver these reports of one run.

    Once `is_ending` says so, the main channel comes first, and what owners do not get stays where it is.
    """
    others = [one for one in outgoing if not one.replaceable]
    owned = sorted((one for one in outgoing if one.replaceable), key=_is_to_a_person)
    if is_ending():
        first = [(one, sender.deliver(one)) for one in others]
        return DeliveredToPeople([*first, *_to_owners(sender, owned, is_ending)])
    sent = list(_to_owners(sender, owned, is_ending))
    missed = [] if is_ending() else [(one, got) for one, got in sent if _nothing(got)]
    for channel in _channels(one for one, _ in missed):
        others = _with_fallback(sender, channel, others, [(one, got) for one, got in missed if one.channel is channel])
    missing = frozenset[Name]().union(*(got.missing for _, got in missed))
    kept = [(one, got) for one, got in sent if (one, got) not in missed]
    return DeliveredToPeople([*kept, *((one, sender.deliver(one)) for one in others)], missing)


def _is_to_a_person(one: OutgoingReport) -> bool:
    """People come last: if Slack does not answer about them, channels have been told."""
    addressees = None if one.report is None else one.report.share.addressees
    return addressees is not None and addressees.recipient.is_person


def _nothing(receipt: Receipt) -> bool:
    return receipt.error is not None and not receipt.error.delivered and not receipt.names


def _channels(reports: Iterable[OutgoingReport]) -> Collection[Channel]:
    return {id(one.channel): one.channel for one in reports}.values()


def _to_owners(
    sender: ReportSender, reports: Iterable[OutgoingReport], is_ending: Callable[[], bool]
) -> Iterator[Sent]:
    unanswered = hurried = 0
    for one in reports:
        hurried += is_ending()
        why_not = _ENDING if hurried > _MOST_IN_A_HURRY else _NOT_TRIED if unanswered == _MOST_UNANSWERED else None
        if why_not is None:
            receipt = sender.deliver(one)
            silent = receipt.error is not None and not receipt.error.refused
            unanswered = unanswered + 1 if silent else 0
        else:
            receipt = Receipt(missing=one.prepared.names, error=DeliveryError(why_not))
        yield one, receipt


def _with_fallback(
    sender: ReportSender, channel: Channel, others: Sequence[OutgoingReport], missed: Sequence[Sent]
) -> list[OutgoingReport]:
    """The other reports, of which the one in the main channel also says what was missed."""
    for one, receipt in missed:
        _log.warning("owner-not-reached run=%s%s: %s", one.run or "none", one.to_destination, receipt.error)
    unreached = {one.prepared.destination: str(receipt.error) for one, receipt in missed}
    numbers = [one.number for one, _ in missed if one.number is not None]
    return [
        sender.instead_of(one, unreached, dict.fromkeys(numbers, _INSTEAD))
        if one.channel is channel and one.report is not None and one.report.share.channel is None
        else one
        for one in others
    ]
