"""Delivers reports to Slack: keeps each before it is sent, sends late what did not arrive, and says what did."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from janitor.clock import utc_now
from janitor.config import Settings, Slack
from janitor.core.notices import MAIN_CHANNEL
from janitor.core.policy import Policy
from janitor.core.result import Outcome, RunResult
from janitor.core.units import counted
from janitor.errors import DeliveryError, Exit, UsageError
from janitor.notify.outbox import Outbox, outbox_in, written
from janitor.notify.slack.blocks import listed_images, notice, slack_messages
from janitor.notify.slack.message import Message
from janitor.notify.slack.packing import marked
from janitor.report import Listing, Name
from janitor.report.listing import listing
from janitor.report.occasion import worth_posting
from janitor.report.routing import Share, shares_of
from janitor.report.wording import local_minute
from janitor.shutdown import Stop
from janitor.store import KeptReport, NewReport, Store, exclusive

if TYPE_CHECKING:
    from janitor.notify.slack.channel import (  # imported when there is a channel: Slack's library takes its time
        Place,
        SlackChannel,
    )

_log = logging.getLogger("janitor.notify.delivery")

_MOST_WITHOUT_A_FILE = 50
_FILE_TITLE = "All images of this report"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of posting: the exit code, and the images of this run's report that accepted messages name.

    `offsets` is how far Slack's clock was ahead of ours then, for those of which it told. `trouble` is what failed, as
    a sentence for who reads the end of the run; empty where nothing did.
    """

    code: Exit = Exit.OK
    announced: frozenset[Name] = frozenset()
    offsets: Mapping[Name, timedelta] = field(default_factory=dict, compare=False)
    trouble: str = field(default="", compare=False)


def post(
    settings: Settings,
    result: RunResult,
    policies: Sequence[Policy] | None = None,
    *,
    stop: Stop | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Delivery:
    """Deliver what earlier runs could not, oldest first, and then the report of this run where it is worth it.

    Every report is kept in the database until its channel has accepted all of it: what fails waits there for the next
    run, and the exit code says so. Without `policies` (they cannot be read, say) all of this run goes to the main
    channel. Once `stop` is set, earlier reports are left alone, and of this one is sent what needs no waiting. One that
    could not begin leaves them alone too: it does not hold the database, and who does may be sending them.
    """
    if settings.slack is None:
        return Delivery()
    with outbox_in(settings.database, doubtful=result.outcome is Outcome.FAILED) as outbox:
        courier = _Courier(settings, settings.slack, outbox, policies, stop or Stop(), clock)
        waiting = 0
        if result.run and not courier.stop.is_set():
            courier.make_up(result.run)
            waiting = sum(error is not None for _, error in courier.deliver_late())
        parcels = courier.pack_all(result, waiting)
        arrivals = [courier.deliver(parcel) for parcel in parcels]
    for parcel, arrival in zip(parcels, arrivals, strict=True):
        if arrival.error is not None:
            _log.error("report-undelivered run=%d%s: %s", result.run, parcel.whither, arrival.error)
    trouble = _trouble(parcels, arrivals, waiting)
    announced = _announced_by(arrivals)
    offsets = {name: offset for arrival in arrivals for name, offset in arrival.offsets.items() if name in announced}
    return Delivery(Exit.FAILED if trouble else Exit.OK, announced, offsets, trouble)


def _trouble(parcels: Sequence[_Parcel], arrivals: Sequence[_Arrival], waiting: int) -> str:
    """What was not delivered and what becomes of it, in a sentence; why is in the log. Empty where all arrived."""
    failed = [(parcel, arrival.error) for parcel, arrival in zip(parcels, arrivals, strict=True) if arrival.error]
    if failed:
        partly = len(failed) < len(arrivals) or any(error.delivered for _, error in failed)
        kept = all(parcel.report is not None for parcel, _ in failed)
        then = "it is kept, and the next run sends it" if kept else "it could not be kept, so it will not be sent"
        return f"the report was not {'wholly ' if partly else ''}delivered to Slack (see above); {then}"
    if waiting:
        still = f"{counted(waiting, 'earlier report')} could still not be delivered to Slack (see above)"
        return f"{still}; the next run tries again"
    return ""


def resend(
    settings: Settings, policies: Sequence[Policy], *, clock: Callable[[], datetime] = utc_now
) -> Iterator[tuple[str, DeliveryError | None]]:
    """Deliver what could not be delivered, oldest first: each report, by its name, and why it still did not arrive.

    Raises Busy while a run holds the database (it delivers them itself), StoreError, and DeliveryError where reports
    wait and no Slack is configured.
    """
    if not settings.database.exists():
        return
    with exclusive(settings.database, "janitor resend", clock()), Store.open(settings.database) as store:
        if settings.slack is None:
            if waiting := len(store.undelivered()):
                left = counted(waiting, "report")
                raise DeliveryError(f"{left} undelivered: configure `slack` in janitor.yaml to send them")
            return
        courier = _Courier(settings, settings.slack, Outbox(store), policies, Stop(), clock)
        courier.make_up()
        yield from courier.deliver_late()


def channel_of(settings: Settings, name: str | None = None, stop: Stop | None = None) -> SlackChannel:
    """The configured Slack channel, or another of this name that the same bot posts to."""
    from janitor.notify.slack.answers import Accepts
    from janitor.notify.slack.channel import SlackChannel

    slack, stop = settings.slack, stop or Stop()
    if slack is None:
        raise UsageError("no Slack is configured")
    return SlackChannel(
        webhook_url=slack.webhook_url,
        token=slack.token,
        channel=name or slack.channel,
        base_url=slack.base_url,
        accepts=Accepts(slack.accepts),
        route=settings.http.route,
        sleep=stop.wait,
        ending=stop.is_set,
    )


def channels_of(policies: Sequence[Policy], main: str | None) -> dict[str, str]:
    """The channel of each policy that has one of its own, by the policy's name."""
    return {policy.name: policy.channel for policy in policies if policy.channel and policy.channel != main}


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A report on its way: `accepted` of its messages have arrived already, and stand at `place`."""

    report: int | None
    run: int | None
    channel: SlackChannel
    messages: Sequence[Message]
    listing: Listing | None
    accepted: int = 0
    place: Place | None = None

    @property
    def whither(self) -> str:
        """Its channel, as it is said behind a report's name; there is but one webhook."""
        return f" to {self.channel.channel}" if self.channel.channel else ""


@dataclass(frozen=True, slots=True)
class _Arrival:
    """What of a parcel arrived: the images that its messages name, those that the others name, and why they did not.

    `offsets` is how far Slack's clock was ahead of ours when it accepted a message that names an image, where it told.
    """

    names: frozenset[Name]
    missing: frozenset[Name]
    error: DeliveryError | None
    offsets: Mapping[Name, timedelta]


def _announced_by(arrivals: Sequence[_Arrival]) -> frozenset[Name]:
    """The images named by what arrived. One of which any message is missing is not: that may be what announces it."""
    names = frozenset[Name]().union(*(arrival.names for arrival in arrivals))
    return names.difference(*(arrival.missing for arrival in arrivals))


@dataclass(frozen=True, slots=True)
class _Courier:
    settings: Settings
    slack: Slack
    outbox: Outbox
    policies: Sequence[Policy] | None
    stop: Stop
    clock: Callable[[], datetime]

    def shares_worth(self, result: RunResult, waiting: int) -> list[Share]:
        """What each channel is to be told of this run, the main one first."""
        word = self.slack.post
        previous = self.outbox.read(lambda store: store.outcome_before(result.run), None)
        main, *others = shares_of(result, self._channels)
        mains = [main] if worth_posting(result, word, previous, undelivered=waiting) else []
        return mains + [share for share in others if share.listed.targets and worth_posting(share.totals, word)]

    @property
    def _channels(self) -> Mapping[str, str]:
        return channels_of(self.policies or (), self.slack.channel)

    def make_up(self, present: int = 0) -> None:
        """Keep the reports of runs before the present one that died before theirs were kept."""
        nothing: list[RunResult] = []
        for result in self.outbox.read(lambda store: list(map(store.load_run, store.owed_reports(present))), nothing):
            self.pack_all(result, 0)

    def pack_all(self, result: RunResult, waiting: int) -> list[_Parcel]:
        """The report of a run, all of it written down before any of it is sent."""
        packed = [self.pack(share, waiting) for share in self.shares_worth(result, waiting)]
        reports = self.outbox.keep(result.run or None, [new for new, _ in packed], self.clock())
        return [replace(parcel, report=report) for report, (_, parcel) in zip(reports, packed, strict=True)]

    def pack(self, share: Share, waiting: int) -> tuple[NewReport, _Parcel]:
        """The report of a share, as it is to be kept, in the words of a late one: that announces nothing; and sent."""
        channel = channel_of(self.settings, share.channel, self.stop)
        threaded = channel.webhook_url is None
        undelivered = waiting if share.channel is None else 0
        messages = slack_messages(
            share, self.settings.cost, self.settings.timezone, threaded=threaded, undelivered=undelivered
        )
        filed = threaded and listed_images(share) > _MOST_WITHOUT_A_FILE
        file, late = (listing(share.listed, late=late) if filed else None for late in (False, True))
        kept = written(share.channel or MAIN_CHANNEL, messages, late)
        return kept, _Parcel(None, share.totals.run or None, channel, messages, file)

    def deliver_late(self) -> Iterator[tuple[str, DeliveryError | None]]:
        """Send what earlier runs could not, oldest first; to a channel that cannot be reached nothing more is sent."""
        unreachable: dict[str | None, DeliveryError] = {}
        nothing: list[KeptReport] = []
        for kept in self.outbox.read(lambda store: store.undelivered(), nothing):
            name = f"report of {f'run {kept.run}' if kept.run else 'a run that could not begin'}"
            name += f" of {local_minute(kept.began_at, self.settings.timezone)}"
            parcel = self._unpack(kept, f"late: {name}")
            error = unreachable.get(parcel.channel.channel) or self.deliver(parcel).error
            if error is not None and not error.refused:
                unreachable[parcel.channel.channel] = error
            if error is not None:
                _log.error("report-still-undelivered run=%s%s: %s", kept.run or "none", parcel.whither, error)
            yield f"{name}{parcel.whither}", error

    def _unpack(self, kept: KeptReport, mark: str) -> _Parcel:
        """A kept report, every message marked. One that began elsewhere than it would go now begins anew."""
        from janitor.notify.slack.channel import Place

        channel = channel_of(self.settings, self._present_name(kept.channel), self.stop)
        place = Place(**json.loads(kept.place_json)) if kept.place_json else None
        if place is not None and place.channel != (None if channel.webhook_url else channel.channel):
            place = None
        messages = [marked(Message(m["text"], m["blocks"]), mark) for m in json.loads(kept.messages_json)]
        file = Listing(**json.loads(kept.listing_json)) if kept.listing_json and not channel.webhook_url else None
        accepted = kept.accepted if place is not None else 0
        return _Parcel(kept.report, kept.run, channel, messages, file, accepted, place)

    def _present_name(self, channel: str) -> str | None:
        """The channel of a kept report, or None for the main one, which gets what no policy names a channel for now."""
        gone = self.policies is not None and channel not in self._channels.values()
        return None if channel == MAIN_CHANNEL or gone or self.slack.webhook_url else channel

    def deliver(self, parcel: _Parcel) -> _Arrival:
        """Send what has not arrived, and write down how far that went after every message."""
        place = parcel.place
        offsets: dict[Name, timedelta] = {}

        def note(count: int, now_at: Place, date: datetime | None) -> None:
            nonlocal place
            place = now_at
            self.outbox.note_accepted(parcel.report, parcel.accepted + count, now_at)
            if date is not None:
                offset = date - self.clock()
                offsets.update(dict.fromkeys(parcel.messages[parcel.accepted + count - 1].names, offset))

        error = None
        try:
            accepted = parcel.channel.send(parcel.messages[parcel.accepted :], place=parcel.place, accepted=note)
        except DeliveryError as failure:
            accepted, error = failure.delivered, failure
        if error is None and parcel.listing is not None and place is not None:
            self._attach(parcel, parcel.listing, place)
        self.outbox.settle(parcel.report, error, self.clock())
        arrived = parcel.accepted + accepted
        return _Arrival(_named_in(parcel.messages[:arrived]), _named_in(parcel.messages[arrived:]), error, offsets)

    def _attach(self, parcel: _Parcel, file: Listing, place: Place) -> None:
        """Put the file into the thread. The messages name every image of it, so that without it nothing is lost."""
        try:
            parcel.channel.attach(file, _FILE_TITLE, place)
        except DeliveryError as error:
            _log.warning("file-not-attached run=%s: %s", parcel.run or "none", error)
            self._excuse(parcel.channel, error, place)

    def _excuse(self, channel: SlackChannel, error: DeliveryError, place: Place) -> None:
        text = f"The list of all images could not be attached as a file. {error}. This thread names all of them."
        try:
            channel.send([notice(text)], place=place)
        except DeliveryError as failure:
            _log.warning("explanation-undelivered: %s", failure)


def _named_in(messages: Sequence[Message]) -> frozenset[Name]:
    return frozenset[Name]().union(*(message.names for message in messages))
