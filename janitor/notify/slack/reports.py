"""Slack as a channel for reports: which of its channels gets what, and how far a report of several messages got."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from janitor.config import Settings, Slack
from janitor.core.memory import Backlog
from janitor.core.notices import MAIN_CHANNEL
from janitor.core.policy import Policy
from janitor.core.recipients.destinations import Destinations
from janitor.core.result import Outcome, RunResult
from janitor.errors import DeliveryError, UsageError
from janitor.notify.channel import Probe, Progress, Receipt, Report
from janitor.notify.slack.blocks import listed_images, notice, slack_messages
from janitor.notify.slack.message import Message
from janitor.notify.slack.offering import Offering, offering_of
from janitor.notify.slack.packing import marked
from janitor.report import Listing, Name
from janitor.report.listing import listing
from janitor.report.occasion import worth_posting
from janitor.report.routing import shares_of
from janitor.shutdown import Stop
from janitor.store import KeptReport, NewOffer, NewReport

if TYPE_CHECKING:
    from janitor.notify.slack.channel import Place, SlackChannel  # imported late: Slack's library takes its time

_log = logging.getLogger("janitor.notify.delivery")

KIND = "slack"
_MOST_WITHOUT_A_FILE = 50
_FILE_TITLE = "All images of this report"


def configured(settings: Settings, policies: Sequence[Policy] | None, stop: Stop) -> Iterator[SlackWorkspace]:
    """Slack, where it is configured."""
    if settings.slack is not None:
        yield SlackWorkspace(settings, settings.slack, policies, stop)


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


@dataclass(frozen=True, slots=True)
class SlackWorkspace:
    """The main channel of Slack, and those that policies name. Without `policies`, everything goes to the main one."""

    settings: Settings
    slack: Slack
    policies: Sequence[Policy] | None
    stop: Stop

    kind = KIND
    name = MAIN_CHANNEL
    title = "Slack"
    announces = True

    def reports_of(self, result: RunResult, previous: Outcome | None, waiting: Backlog) -> Sequence[Report]:
        """The report of this run for each channel, the main one first."""
        word = self.slack.post
        main, *others = shares_of(result, self.destinations)
        mains = [Report(main, waiting)] if worth_posting(result, word, previous, undelivered=waiting.reports) else []
        worth = (share for share in others if share.listed.targets and worth_posting(share.totals, word))
        return mains + [Report(share) for share in worth]

    @property
    def destinations(self) -> Destinations:
        """Where images are reported."""
        return Destinations.under(self.policies or (), self.slack.channel, None)

    @property
    def _channels(self) -> Mapping[str, str]:
        return self.destinations.channels

    def prepare(self, report: Report) -> SlackReport:
        """The messages of a report and, for a bot, the file of a long one."""
        share = report.share
        channel = channel_of(self.settings, share.channel, self.stop)
        threaded = channel.webhook_url is None
        offering = offering_of(share.listed) if threaded and report.heard else Offering()
        messages = slack_messages(
            share,
            self.settings.cost,
            self.settings.timezone,
            threaded=threaded,
            undelivered=report.waiting,
            offering=offering,
        )
        filed = threaded and listed_images(share) > _MOST_WITHOUT_A_FILE
        file, late = (listing(share.listed, late=late) if filed else None for late in (False, True))
        name, offers = share.channel or self.name, offering.offers(messages)
        return SlackReport(share.totals.run or None, channel, name, messages, file, late, offers=offers)

    def prepare_late(self, kept: KeptReport, name: str, _stored: object) -> SlackReport:
        """The kept messages, each one marked.

        A report that began in another channel than it would go to now starts over.
        """
        from janitor.notify.slack.channel import Place

        channel = channel_of(self.settings, self._present_name(kept.channel), self.stop)
        place = Place(**json.loads(kept.place_json)) if kept.place_json else None
        if place is not None and place.channel != (None if channel.webhook_url else channel.channel):
            place = None
        messages = [marked(Message(m["text"], m["blocks"]), name) for m in json.loads(kept.messages_json)]
        file = Listing(**json.loads(kept.listing_json)) if kept.listing_json and not channel.webhook_url else None
        accepted = kept.accepted if place is not None else 0
        return SlackReport(kept.run, channel, kept.channel, messages, file, file, accepted, place, late=True)

    def _present_name(self, channel: str) -> str | None:
        """The channel of a kept report, or None for the main one, also if no policy names that channel now."""
        gone = self.policies is not None and channel not in self._channels.values()
        return None if channel == MAIN_CHANNEL or gone or self.slack.webhook_url else channel

    def probes(self, *, live: bool) -> Iterator[Probe]:
        """A test message to each channel."""
        if live:
            yield "slack", channel_of(self.settings).probe
            for name in dict.fromkeys(self._channels.values()):
                yield f"slack {name}", channel_of(self.settings, name).probe
        if live and self.slack.app_token:
            from janitor.notify.slack.listening.probing import probe  # Slack's library takes its time

            yield "slack clicks", partial(probe, self.settings, self.slack.approvers)


@dataclass(frozen=True, slots=True)
class SlackReport:
    """A report as messages: `accepted` of them have been accepted already, and are at `place`.

    `kept_for` is the name of its channel in the database; `late_file` is the file for a late report. `offers` are those
    of its messages that have buttons, which those of a `late` one never have. Wide because all of it is sent or kept.
    """

    run: int | None
    channel: SlackChannel
    kept_for: str
    messages: Sequence[Message]
    file: Listing | None
    late_file: Listing | None
    accepted: int = 0
    place: Place | None = None
    offers: Sequence[NewOffer] = ()
    late: bool = False

    @property
    def destination(self) -> str:
        """Its channel; there is only one webhook."""
        return self.channel.channel or ""

    def kept(self) -> NewReport:
        """The report as it is sent late: then it announces nothing."""
        late = [message.late or message for message in self.messages]
        words = json.dumps([{"text": message.text, "blocks": message.blocks} for message in late])
        listing_json = json.dumps(asdict(self.late_file)) if self.late_file else None
        return NewReport(self.kept_for, words, listing_json, self.offers)

    def send(self, progress: Progress, clock: Callable[[], datetime]) -> Receipt:
        """Send the messages that have not been accepted, and then the file."""
        place = self.place
        offsets: dict[Name, timedelta] = {}

        def note(count: int, now_at: Place, date: datetime | None) -> None:
            nonlocal place
            place = replace(now_at, latest=None) if self.late else now_at
            progress(self.accepted + count, json.dumps(asdict(place)))
            if date is not None:
                offset = date - clock()
                offsets.update(dict.fromkeys(self.messages[self.accepted + count - 1].names, offset))

        error = None
        try:
            accepted = self.channel.send(self.messages[self.accepted :], place=self.place, accepted=note)
        except DeliveryError as failure:
            accepted, error = failure.delivered, failure
        if error is None and self.file is not None and place is not None:
            self._attach(self.file, place)
        arrived = self.accepted + accepted
        return Receipt(_named_in(self.messages[:arrived]), _named_in(self.messages[arrived:]), error, offsets)

    def _attach(self, file: Listing, place: Place) -> None:
        """Attach the file to the thread. The messages name every image in it, so that nothing is lost without it."""
        try:
            self.channel.attach(file, _FILE_TITLE, place)
        except DeliveryError as error:
            _log.warning("file-not-attached run=%s: %s", self.run or "none", error)
            self._explain(error, place)

    def _explain(self, error: DeliveryError, place: Place) -> None:
        text = f"The list of all images could not be attached as a file. {error}. This thread names all of them."
        try:
            self.channel.send([notice(text)], place=place)
        except DeliveryError as failure:
            _log.warning("excuse-undelivered: %s", failure)


def _named_in(messages: Sequence[Message]) -> frozenset[Name]:
    return frozenset[Name]().union(*(message.names for message in messages))
