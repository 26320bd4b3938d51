"""Delivers reports to the configured channels; only what a channel that people read accepts is announced."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime

from janitor.clock import utc_now
from janitor.config import Settings
from janitor.core.memory import Backlog
from janitor.core.policy import Policy
from janitor.core.result import Mode, Outcome, RunResult
from janitor.core.units import counted
from janitor.errors import DeliveryError, Exit, StoreError, worst
from janitor.notify.announcing import as_told, start_notices, untimed
from janitor.notify.channel import Channel, Receipt, Sending
from janitor.notify.channels import KINDS, configured, kind_of, of_its_kind
from janitor.notify.delivered import Delivery
from janitor.notify.falling_back import Sent, deliver_to_people
from janitor.notify.outbox import Outbox, outbox_in
from janitor.notify.sending import OutgoingReport, ReportSender
from janitor.report import Name
from janitor.shutdown import Stop
from janitor.store import KeptReport, Store, exclusive

_log = logging.getLogger("janitor.notify.delivery")

_UNTIMED = (
    "our clock is not confirmed, or differs from the channel's by more than 5 minutes: check the clock of this machine"
)
_NOT_STARTED = "notice periods did not start (see above); a later report announces their images"


def deliver(
    settings: Settings,
    result: RunResult,
    policies: Sequence[Policy] | None = None,
    *,
    sending: Sending | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Delivery:
    """Deliver the undelivered reports of earlier runs, oldest first, then the report of this run; start its notices.

    Every report is kept in the database until its channel has accepted all of it: what fails waits there for the next
    run, and the exit code says so. Notices begin once a channel that people read has accepted their messages; the other
    channels are then sent what was announced. Without `policies` (they cannot be read, say) the whole run is reported
    to the main channel, and no notice begins. Once told to stop, earlier reports are not sent, and of this one only
    what needs no waiting. A run that could not begin does not send them either: it does not hold the database, and the
    run that does may be sending them.
    """
    sending = sending or Sending()
    stop = sending.stop
    channels = configured(settings, policies, sending)
    if not channels:
        return Delivery()
    with _outbox(settings, result) as outbox:
        sender = ReportSender(channels, outbox, settings.timezone, clock)
        waiting = _deliver_late(sender, result, stop)
        outgoing = sender.prepare(result, _backlog(sender, waiting))
        told = deliver_to_people(sender, [one for one in outgoing if one.channel.announces], stop.is_set)
    _log_undelivered(result, told.sent)
    delivery = replace(_delivery_of(told.sent, waiting), instead=told.instead)
    delivery = _with_notices_started(delivery, settings, result, policies, clock)
    recording = [one for one in outgoing if not one.channel.announces]
    return _recorded(delivery, recording, settings, result, sender) if recording else delivery


def _outbox(settings: Settings, result: RunResult) -> AbstractContextManager[Outbox]:
    return outbox_in(settings.database, doubtful=result.outcome is Outcome.FAILED)


def _deliver_late(sender: ReportSender, result: RunResult, stop: Stop) -> list[Channel]:
    """Deliver the undelivered reports of earlier runs; the channel of each that is still undelivered."""
    if not result.run or stop.is_set():
        return []
    sender.make_up(result.run)
    return [channel for _, channel, error in sender.deliver_late() if error is not None]


def _backlog(sender: ReportSender, waiting: Sequence[Channel]) -> Backlog:
    """The earlier reports that are still undelivered, one for each of these channels."""
    if not waiting:
        return Backlog()
    nothing: list[KeptReport] = []
    kept = sender.outbox.read(lambda store: store.undelivered(), nothing)
    since = min((one.began_at for one in kept if of_its_kind(one, sender.channels)), default=None)
    return Backlog(len(waiting), since)


def _sent(sender: ReportSender, outgoing: Iterable[OutgoingReport]) -> list[Sent]:
    return [(one, sender.deliver(one)) for one in outgoing]


def _log_undelivered(result: RunResult, sent: Iterable[Sent]) -> None:
    for one, receipt in sent:
        if receipt.error is not None:
            _log.error("report-undelivered run=%d%s: %s", result.run, one.to_destination, receipt.error)


def _delivery_of(sent: Sequence[Sent], waiting: Sequence[Channel]) -> Delivery:
    receipts = [receipt for _, receipt in sent]
    announced = _announced_by(receipts)
    offsets = {name: offset for receipt in receipts for name, offset in receipt.offsets.items() if name in announced}
    trouble = _trouble(sent, waiting)
    return Delivery(Exit.FAILED if trouble else Exit.OK, announced, offsets=offsets, trouble=trouble)


def _announced_by(receipts: Sequence[Receipt]) -> frozenset[Name]:
    """The images named by accepted messages.

    An image that a missing message also names does not count: that one may announce it.
    """
    names = frozenset[Name]().union(*(receipt.names for receipt in receipts))
    return names.difference(*(receipt.missing for receipt in receipts))


def _with_notices_started(
    delivery: Delivery,
    settings: Settings,
    result: RunResult,
    policies: Sequence[Policy] | None,
    clock: Callable[[], datetime],
) -> Delivery:
    """The delivery after its notices have started: announced are the images whose notice did begin."""
    doubtful = untimed(result, delivery.announced, delivery.offsets)
    if doubtful and result.mode is Mode.DELETE:
        _log.error("notices-not-started run=%d images=%d: %s", result.run, len(doubtful), _UNTIMED)
        code, trouble = worst([delivery.code, Exit.FAILED]), delivery.trouble or _NOT_STARTED
        delivery = replace(delivery, code=code, announced=delivery.announced - doubtful, trouble=trouble)
    if not delivery.announced or policies is None:
        return delivery
    try:
        with Store.open(settings.database) as store:
            destinations = settings.destinations(policies)
            start_notices(
                store,
                result,
                policies,
                delivery.announced,
                clock(),
                destinations=destinations,
                instead=delivery.instead,
            )
    except StoreError as error:
        _log.error("notices-not-started run=%d: %s", result.run, error)
        return Delivery(Exit.FAILED, trouble=delivery.trouble or _NOT_STARTED)
    return delivery


def _recorded(
    delivery: Delivery, outgoing: Sequence[OutgoingReport], settings: Settings, result: RunResult, sender: ReportSender
) -> Delivery:
    """The delivery after the channels that nobody needs to read were sent what it announced."""
    told = as_told(result, delivery.announced)
    with _outbox(settings, result) as outbox:
        sent = _sent(replace(sender, outbox=outbox), (one.as_told(told) for one in outgoing))
    _log_undelivered(result, sent)
    trouble = _trouble(sent, ())
    code = worst([delivery.code, Exit.FAILED if trouble else Exit.OK])
    return replace(delivery, code=code, trouble="; ".join(filter(None, (delivery.trouble, trouble))))


def _trouble(sent: Sequence[Sent], waiting: Sequence[Channel]) -> str:
    """What was not delivered and what happens to it, in a sentence; the log says why. Empty if all was delivered."""
    failed = [(one, receipt.error) for one, receipt in sent if receipt.error is not None]
    if failed:
        kept = all(one.number is not None for one, _ in failed)
        then = "it is kept, and the next run sends it" if kept else "it could not be kept, so it will not be sent"
        return f"the report was {_not_delivered([one.channel for one, _ in failed], sent)} (see above); {then}"
    if waiting:
        still = f"{counted(len(waiting), 'earlier report')} could still not be delivered to {_titles(waiting)}"
        return f"{still} (see above); the next run tries again"
    return ""


def _not_delivered(failed: Sequence[Channel], sent: Sequence[Sent]) -> str:
    """Which of the channels got nothing of the report, and which got a part of it."""
    begun = {one.channel.name for one, receipt in sent if receipt.error is None or receipt.error.delivered}
    nothing = _titles(channel for channel in failed if channel.name not in begun)
    part = _titles(channel for channel in failed if channel.name in begun)
    words = (nothing and f"not delivered to {nothing}", part and f"not wholly delivered to {part}")
    return " and ".join(filter(None, words))


def _titles(channels: Iterable[Channel]) -> str:
    return " and ".join(dict.fromkeys(channel.title for channel in channels))


def resend(
    settings: Settings, policies: Sequence[Policy], *, clock: Callable[[], datetime] = utc_now
) -> Iterator[tuple[str, DeliveryError | None]]:
    """Deliver undelivered reports, oldest first: each by its name, and why it still was not accepted.

    Raises Busy while a run holds the database (it delivers them itself), StoreError, and DeliveryError for reports of a
    kind of channel that is not configured.
    """
    if not settings.database.exists():
        return
    with (
        exclusive(settings.database, "janitor resend", clock(), settings.timezone),
        Store.open(settings.database) as store,
    ):
        channels = configured(settings, policies)
        if channels:
            sender = ReportSender(channels, Outbox(store), settings.timezone, clock)
            sender.make_up()
            yield from ((name, error) for name, _, error in sender.deliver_late())
        kinds = [kind_of(kept) for kept in store.undelivered() if not of_its_kind(kept, channels)]
        if kinds:
            undelivered = {kind: counted(kinds.count(kind), "report") for kind in dict.fromkeys(kinds)}
            raise DeliveryError("; ".join(_unsent(kind, left) for kind, left in undelivered.items()))


def _unsent(kind: str, left: str) -> str:
    if kind not in KINDS:
        return f'{left} undelivered: this version has no channel of the kind "{kind}"; use the version that kept them'
    return f"{left} undelivered: configure `{KINDS[kind].key}` in janitor.yaml to send them"
