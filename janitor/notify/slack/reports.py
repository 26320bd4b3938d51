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
from janitor.config.owners import is_person
from janitor.core.memory import Backlog
from janitor.core.notices import MAIN_CHANNEL
from janitor.core.policy import Policy
from janitor.core.recipients.destinations import Destinations
from janitor.core.result import Outcome, RunResult
from janitor.errors import DeliveryError, UsageError
from janitor.notify.channel import Probe, Progress, Receipt, Report, Sending
from janitor.notify.slack.blocks import listed_images, mention, notice, slack_messages
from janitor.notify.slack.message import Message
from janitor.notify.slack.offering import Offering, offering_of
from janitor.notify.slack.packing import marked
from janitor.notify.slack.people import People, Way, probes_of
from janitor.report import Listing, Name
from janitor.report.listing import listing
from janitor.report.occasion import worth_posting
from janitor.report.routing import Addressees, Share, shares_of
from janitor.store import KeptReport, NewOffer, NewReport

if TYPE_CHECKING:
    from janitor.notify.slack.channel import Place, SlackChannel  # imported late: Slack's library takes its time

_log = logging.getLogger("janitor.notify.delivery")

KIND = "slack"
_MOST_WITHOUT_A_FILE = 50
_UNREACHED = "its owner could not be reached"
_FILE_TITLE = "All images of this report"


def configured(settings: Settings, policies: Sequence[Policy] | None, sending: Sending) -> Iterator[SlackWorkspace]:
    """Slack, where it is configured."""
    if settings.slack is not None:
        destinations = settings.destinations(policies or ()) or Destinations()
        yield SlackWorkspace(settings, settings.slack, policies, sending, destinations, People(settings.database))


def channel_of(settings: Settings, name: str | None = None, sending: Sending | None = None) -> SlackChannel:
    """The configured Slack channel, or another of this name that the same bot posts to."""
    from janitor.notify.slack.answers import Accepts
    from janitor.notify.slack.channel import SlackChannel

    slack, sending = settings.slack, sending or Sending()
    if slack is None:
        raise UsageError("no Slack is configured")
    return SlackChannel(
        webhook_url=slack.webhook_url,
        token=slack.token,
        channel=name or slack.channel,
        base_url=slack.base_url,
        accepts=Accepts(slack.accepts),
        route=settings.http.route,
        sleep=sending.stop.wait,
        ending=sending.stop.is_set,
        turn=sending.turn,
    )


@dataclass(frozen=True, slots=True)
class SlackWorkspace:
    """The main channel of Slack, and those that policies name. Without `policies`, everything goes to the main one."""

    settings: Settings
    slack: Slack
    policies: Sequence[Policy] | None
    sending: Sending
    destinations: Destinations
    people: People

    kind = KIND
    name = MAIN_CHANNEL
    title = "Slack"
    announces = True

    def reports_of(self, result: RunResult, previous: Outcome | None, waiting: Backlog) -> Sequence[Report]:
        """The report of this run for each place, the main channel first."""
        main, *others = shares_of(result, self.destinations)
        worth = [share for share in others if share.listed.targets and self._is_worth_posting(share)]
        is_main_worth = worth_posting(result, self.slack.post, previous, undelivered=waiting.reports)
        mains = [Report(main, waiting)] if is_main_worth or any(share.addressees for share in worth) else []
        return mains + [Report(share) for share in worth]

    def _is_worth_posting(self, share: Share) -> bool:
        """Owners hear nothing of a night without news, whatever `post` says."""
        word = self.slack.post
        return worth_posting(share.totals, word if share.policies or word != "always" else "changes")

    def instead_of(self, report: Report, unreached: Mapping[str, str]) -> Report:
        """The report for the main channel, with the images of these places, and why nobody is told there."""
        main, *_ = shares_of(report.share.totals, self.destinations.without(unreached))
        return replace(report, share=main)

    @property
    def _channels(self) -> Mapping[str, str]:
        return self.destinations.channels

    def prepare(self, report: Report) -> SlackReport:
        """The messages of a report and, for a bot, the file of a long one."""
        share = report.share
        channel = channel_of(self.settings, share.channel, self.sending)
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
        way = self._way(share.addressees) if share.addressees else None
        return SlackReport(share.totals.run or None, channel, name, messages, file, late, way, offers=offers)

    def _way(self, addressees: Addressees) -> Way:
        recipient = addressees.recipient
        main = channel_of(self.settings, sending=self.sending)
        mentioned = recipient.user if recipient.mention else None
        return Way(self.people, addressees.owners, main, recipient.user if recipient.is_person else None, mentioned)

    def prepare_late(self, kept: KeptReport, name: str, _stored: object) -> SlackReport:
        """The kept messages, each one marked.

        A report that began in another channel than it would go to now starts over.
        """
        from janitor.notify.slack.channel import Place

        way = self._late_way(kept)
        channel = channel_of(self.settings, kept.channel if way else self._present_name(kept), self.sending)
        place = Place(**json.loads(kept.place_json)) if kept.place_json else None
        if place is not None and place.channel != (None if channel.webhook_url else channel.channel):
            place = None
        messages = [marked(Message(m["text"], m["blocks"]), name) for m in json.loads(kept.messages_json)]
        file = Listing(**json.loads(kept.listing_json)) if kept.listing_json and not channel.webhook_url else None
        accepted = kept.accepted if place is not None else 0
        return SlackReport(kept.run, channel, kept.channel, messages, file, file, way, accepted, place, late=True)

    def _late_way(self, kept: KeptReport) -> Way | None:
        """The way to the owners to whom a kept report is addressed, if they are all told in the same place now."""
        if kept.owners_json is None:
            return None
        owners = json.loads(kept.owners_json)
        if self.slack.webhook_url or not self.destinations.still(kept.channel, owners):
            return None
        main = channel_of(self.settings, sending=self.sending)
        return Way(self.people, tuple(owners), main, kept.channel if is_person(kept.channel) else None)

    def _present_name(self, kept: KeptReport) -> str | None:
        """The channel of a kept report, or None for the main one, also if no policy names that channel now.

        What is addressed to owners goes to no channel but theirs: others may read the same one now.
        """
        channel = kept.channel
        gone = self.policies is not None and channel not in self._channels.values()
        elsewhere = channel == MAIN_CHANNEL or gone or kept.owners_json is not None
        return None if elsewhere or self.slack.webhook_url else channel

    def probes(self, *, live: bool) -> Iterator[Probe]:
        """A test message to each channel."""
        if live:
            yield "slack", channel_of(self.settings).probe
            for name in dict.fromkeys(self._channels.values()):
                yield f"slack {name}", channel_of(self.settings, name).probe
            recipients = self.settings.owners.configured if self.settings.owners else ()
            others = [each for each in recipients if each.channel not in (self.slack.channel, *self._channels.values())]
            yield from probes_of(others, self.people, partial(channel_of, self.settings))
        if live and self.slack.app_token:
            from janitor.notify.slack.listening.probing import probe  # Slack's library takes its time

            yield "slack clicks", partial(probe, self.settings, self.slack.approvers)


@dataclass(frozen=True, slots=True)
class SlackReport:
    """A report as messages: `accepted` of them have been accepted already, and are at `place`.

    `kept_for` is the name of its channel in the database; `late_file` is the file for a late report. `way` is how it
    gets to owners, if it is for any. `offers` are those of its messages that have buttons, which those of a `late` one
    never have. Wide because all of it is sent or kept.
    """

    run: int | None
    channel: SlackChannel
    kept_for: str
    messages: Sequence[Message]
    file: Listing | None
    late_file: Listing | None
    way: Way | None = None
    accepted: int = 0
    place: Place | None = None
    offers: Sequence[NewOffer] = ()
    late: bool = False

    @property
    def destination(self) -> str:
        """Its channel; there is only one webhook."""
        return self.channel.channel or ""

    def kept(self) -> NewReport:
        """The report as it is sent late: then it announces nothing, and mentions nobody."""
        late = [message.late or message for message in self.messages]
        words = json.dumps([{"text": message.text, "blocks": message.blocks} for message in late])
        file = json.dumps(asdict(self.late_file)) if self.late_file else None
        owners = json.dumps(self.way.owners) if self.way else None
        return NewReport(self.kept_for, words, file, self.offers, owners)

    @property
    def names(self) -> frozenset[Name]:
        """The images that its messages name."""
        return _named_in(self.messages)

    def send(self, progress: Progress, clock: Callable[[], datetime]) -> Receipt:
        """Send the messages that have not been accepted, and then the file."""
        try:
            place = begun = self.place or self._opened(clock())
        except DeliveryError as failure:
            return Receipt(missing=self.names, error=failure)
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
            accepted = self.channel.send(self.messages[self.accepted :], place=begun, accepted=note)
        except DeliveryError as failure:
            accepted, error = failure.delivered, failure
        if error is None and self.file is not None and place is not None:
            self._attach(self.file, place)
        if error is None and place is not None and self.way is not None and self.way.mentioned:
            self._mention(self.way.mentioned, place, clock())
        arrived = self.accepted + accepted
        return Receipt(_named_in(self.messages[:arrived]), _named_in(self.messages[arrived:]), error, offsets)

    def _opened(self, now: datetime) -> Place | None:
        """Where direct messages to the person go that this is for, if it is for one. Raises DeliveryError."""
        if self.way is None or self.way.person is None:
            return None
        return self.way.people.direct_messages(self.channel, self.way.person, now)

    def late_instead(self, error: DeliveryError) -> SlackReport | None:
        """What its owner has not got of it, for the main channel, if the owner's place refused that."""
        if self.way is None or not error.refused:
            return None
        left = [marked(message, _UNREACHED) for message in self.messages[self.accepted + error.delivered :]]
        return replace(self, channel=self.way.main, messages=left, way=None, accepted=0, place=None)

    def _mention(self, user: str, place: Place, now: datetime) -> None:
        """Mention a person in the thread. Nothing is announced by that, so nothing is lost without it."""
        try:
            found = self.way.people.id_of(self.channel, user, now) if self.way else ""
            self.channel.send([mention(found)], place=place)
        except DeliveryError as error:
            _log.warning("owner-not-mentioned run=%s: %s", self.run or "none", error)

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
