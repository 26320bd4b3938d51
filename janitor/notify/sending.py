"""Sends the reports of a run to channels: each is kept before it is sent, and what is undelivered is sent late."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from janitor.core.memory import Backlog
from janitor.core.result import RunResult
from janitor.errors import DeliveryError
from janitor.notify.channel import Channel, PreparedReport, Receipt, Report
from janitor.notify.channels import channel_for, of_its_kind
from janitor.notify.outbox import Outbox
from janitor.report.routing import Share
from janitor.report.wording import local_minute
from janitor.store import KeptReport

_log = logging.getLogger("janitor.notify.delivery")

_MOST_UNREACHABLE = 3
"""If so many places of a channel cannot be reached, its others are not tried."""

_SENT_TO_MAIN = "sent to the main channel instead"
_ELSEWHERE = "not sent: its channel is not configured, and all others of its kind have the report of this run"


@dataclass(frozen=True, slots=True)
class OutgoingReport:
    """A report on its way to a channel; `number` is its number in the database, if kept."""

    number: int | None
    run: int | None
    channel: Channel
    prepared: PreparedReport
    report: Report | None = None

    @property
    def replaceable(self) -> bool:
        """Whether the main channel is told instead if nothing of it is accepted."""
        return self.report is not None and self.report.replaceable

    @property
    def to_destination(self) -> str:
        """Its destination, as appended to its name."""
        return f" to {self.prepared.destination}" if self.prepared.destination else ""

    def as_told(self, told: RunResult) -> "OutgoingReport":
        """The report once it is known what was announced, for a channel that is sent the whole run."""
        return replace(self, prepared=self.channel.prepare(Report(Share(None, told, told))))


@dataclass(frozen=True, slots=True)
class ReportSender:
    """Keeps reports and sends them. `zone` is for the times in the names of late ones."""

    channels: Sequence[Channel]
    outbox: Outbox
    zone: tzinfo
    clock: Callable[[], datetime]

    def make_up(self, present: int = 0) -> None:
        """Keep the reports of runs before the present one that died before theirs were kept."""
        nothing: list[RunResult] = []
        for result in self.outbox.read(lambda store: list(map(store.load_run, store.owed_reports(present))), nothing):
            self.prepare(result, Backlog())

    def prepare(self, result: RunResult, waiting: Backlog) -> list[OutgoingReport]:
        """The reports of a run, all of them recorded before any is sent."""
        previous = self.outbox.read(lambda store: store.outcome_before(result.run), None)
        run = result.run or None
        heard = self.outbox.read(lambda store: store.is_heard(self.clock()), otherwise=False)
        prepared = [
            OutgoingReport(None, run, channel, channel.prepare(report), report)
            for channel in self.channels
            for report in (replace(each, heard=heard) for each in channel.reports_of(result, previous, waiting))
        ]
        numbers = self.outbox.keep(run, [one.prepared.kept() for one in prepared], self.clock())
        return [_kept_as(number, one) for number, one in zip(numbers, prepared, strict=True)]

    def instead_of(
        self, outgoing: OutgoingReport, unreached: Mapping[str, str], dropped: Mapping[int, str]
    ) -> OutgoingReport:
        """The report for the main channel with what these places could not be told; those reports are `dropped`."""
        assert outgoing.report is not None
        report = outgoing.channel.instead_of(outgoing.report, unreached)
        merged = replace(outgoing, report=report, prepared=outgoing.channel.prepare(report))
        number = outgoing.number
        if number is not None:
            number = self.outbox.merge(number, outgoing.run, merged.prepared.kept(), dropped, self.clock())
        return _kept_as(number, merged)

    def deliver_late(self) -> Iterator[tuple[str, Channel, DeliveryError | None]]:
        """Send the undelivered reports of earlier runs, oldest first; no more to a channel that cannot be reached.

        Gives each by its name, with the reason why it is still undelivered. Reports for a kind of channel that is no
        longer configured stay where they are. One that every channel of its kind has is not sent, and is settled.
        """
        unreachable: dict[tuple[str, str], DeliveryError] = {}
        unsent: list[KeptReport] = []
        nothing: list[KeptReport] = []
        for kept in self.outbox.read(lambda store: store.undelivered(), nothing):
            channel = channel_for(kept, self.channels, self._channels_of(kept))
            if channel is None:
                unsent.append(kept)
                continue
            name = self._name_of(kept)
            late = OutgoingReport(kept.report, kept.run, channel, self._late(kept, channel, name))
            way = (channel.name, late.prepared.destination)
            error = _known_failure(unreachable, way) or self._delivered_late(late, kept)
            if error is not None and not error.refused:
                unreachable[way] = error
            if error is not None:
                _log.error("report-still-undelivered run=%s%s: %s", kept.run or "none", late.to_destination, error)
            yield f"{name}{late.to_destination}", channel, error
        for kept in unsent:
            self._settle_if_elsewhere(kept)

    def _delivered_late(self, late: OutgoingReport, kept: KeptReport) -> DeliveryError | None:
        """Why a late report was not accepted; what its owner refuses is sent to the main channel.

        What another place than its owner's was sent has not been heard there.
        """
        error = self.deliver(late).error
        if error is None and kept.owners_json is not None and late.prepared.destination != kept.channel:
            self.outbox.drop(kept.report, _SENT_TO_MAIN, self.clock())
        instead = late.prepared.late_instead(error) if error is not None else None
        if instead is None or late.number is None:
            return error
        refused = self.deliver(replace(late, number=None, prepared=instead)).error
        if refused is None:
            self.outbox.drop(late.number, f"{_SENT_TO_MAIN}: {error}", self.clock())
        return refused

    def _channels_of(self, kept: KeptReport) -> Mapping[str, bool]:
        nowhere: Mapping[str, bool] = {}
        return self.outbox.read(lambda store: store.channels_of(kept), nowhere)

    def _settle_if_elsewhere(self, kept: KeptReport) -> None:
        """Settle a report that every channel of its kind has accepted; others may still be needed, and stay."""
        same, accepted = of_its_kind(kept, self.channels), self._channels_of(kept)
        if same and all(accepted.get(channel.name) for channel in same):
            self.outbox.drop(kept.report, _ELSEWHERE, self.clock())
            _log.info("report-settled run=%s channel=%s: %s", kept.run or "none", kept.channel, _ELSEWHERE)

    def _name_of(self, kept: KeptReport) -> str:
        of = f"run {kept.run}" if kept.run else "a run that could not begin"
        return f"report of {of} of {local_minute(kept.began_at, self.zone)}"

    def _late(self, kept: KeptReport, channel: Channel, name: str) -> PreparedReport:
        def stored() -> RunResult | None:
            run = kept.run
            return None if run is None else self.outbox.read(lambda store: store.load_run(run), None)

        return channel.prepare_late(kept, f"late: {name}", stored)

    def deliver(self, outgoing: OutgoingReport) -> Receipt:
        """Send what has not been accepted, and record the progress after every message."""

        def note(accepted: int, place_json: str) -> None:
            self.outbox.note_accepted(outgoing.number, accepted, place_json)

        receipt = outgoing.prepared.send(note, self.clock)
        taken_by = None if outgoing.channel.announces else outgoing.channel.name
        self.outbox.settle(outgoing.number, receipt.error, self.clock(), taken_by)
        return receipt


def _known_failure(unreachable: Mapping[tuple[str, str], DeliveryError], way: tuple[str, str]) -> DeliveryError | None:
    """Why a place of a channel need not be tried, if it need not."""
    failures = [failure for (channel, _), failure in unreachable.items() if channel == way[0]]
    return unreachable.get(way) or (failures[-1] if len(failures) >= _MOST_UNREACHABLE else None)


def _kept_as(number: int | None, outgoing: OutgoingReport) -> OutgoingReport:
    """The report under its number; one that could not be kept has no buttons, which nobody would know."""
    report = outgoing.report
    if number is not None or report is None or not report.heard:
        return replace(outgoing, number=number)
    unheard = replace(report, heard=False)
    return replace(outgoing, number=None, report=unheard, prepared=outgoing.channel.prepare(unheard))
