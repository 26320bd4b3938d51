"""People in the channel who keep images by clicks, late ones and forged ones too, and the program that listens.

Every click is honoured, or refused so that the person sees it; what is forged has no effect.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from unittest import mock

import httpx

from janitor.config import Settings
from janitor.core.clicks.permission import Ours
from janitor.notify.slack.exchange import Exchange
from janitor.notify.slack.listening import answering
from janitor.notify.slack.listening.answering import Answering
from janitor.notify.slack.listening.calls import Calls
from janitor.notify.slack.listening.people import People as Directory
from janitor.notify.slack.listening.rewriting import Rewriting
from janitor.redaction import Redaction
from janitor.sandbox.slack.blocks import elements_of
from janitor.sandbox.slack.clicks import FORGERIES, Control, Forgery, with_value
from janitor.sandbox.slack.elements import options_of
from janitor.sandbox.slack.people import APP, APPROVERS, GROUPS, KIM, LEE, PARK, STRANGER, TEAM, Person
from janitor.shutdown import Stop
from janitor.store import Store
from janitor.transport import HttpOptions
from janitor.transport.http import Transport
from tests.nights.channel import Channel
from tests.nights.clockwork import Clockwork, Happening
from tests.nights.ground import Broken, disconnect, instant, rows
from tests.nights.people import People
from tests.slack_stand_in import APP_TOKEN, TOKEN, Posted, Reply

_ROW = re.compile(r"^• .*`(?P<image>[^`]+)` [^`]+$", re.MULTILINE)
_OPTION = re.compile(r"\((?P<start>[^()]+)…\)$|\((?P<whole>[^()]+)\)$")
_PATIENCE = 60.0
_ALL_FORGERIES: Sequence[Forgery] = tuple(FORGERIES.values())
_MEMBERS = "/api/conversations.members"


@dataclass(frozen=True)
class _Wanted:
    """A button or an option of a message as a person sees it: for which images, by the starts of their ids.

    `ident` is what it sends. `longer`: for longer than members may, or the end of an exemption.
    """

    posted: Posted
    control: Control
    ident: str
    starts: tuple[str, ...]
    longer: bool

    @property
    def is_several(self) -> bool:
        """Whether it is for all images of a policy, or says more than an id."""
        return self.longer or self.starts == ("",)


class Clickers:
    """Everybody who clicks, and the program that listens to them, which now and then is down."""

    def __init__(self, seed: int, channel: Channel, people: People, settings: Settings, counts: Counter[str]) -> None:
        self._draw = Random(f"clicks of {seed}")
        self._channel = channel
        self._people = people
        self._clockwork: Clockwork = people.clockwork
        self._settings = settings
        self._counts = counts
        self._late: list[tuple[_Wanted, Any, Person, Forgery | None]] = []
        transport = Transport(HttpOptions(), Redaction(), None, _Direct(channel))
        calls = Calls(TOKEN, APP_TOKEN, channel.base_url, transport)
        directory = Directory(calls, (APPROVERS,), lambda: self._clockwork.now.timestamp())
        self._answering = Answering(
            database=settings.database,
            zone=settings.timezone,
            people=directory,
            teller=calls,
            clock=lambda: self._clockwork.now,
        )
        self._rewriting = Rewriting(
            settings.database,
            settings.timezone,
            lambda place, text, blocks: calls.rewrite(place, text, blocks, _exchange(transport)),
            approvers=True,
            stop=Stop(),
        )

    @contextmanager
    def patiently(self) -> Iterator[None]:
        """Within the block, whoever listens waits for what a busy machine does slowly."""
        with mock.patch.object(answering, "_ASKING", _PATIENCE):
            yield

    def listen(self) -> None:
        """Before a report is sent: most times somebody listens."""
        if not self._settings.database.exists() or not self._channel.as_bot:
            return
        ago = self._draw.choice((5, 30, 100, 100_000)) * timedelta(seconds=1)
        disconnect(self._settings.database)
        with self._clockwork.aside(), Store.open(self._settings.database) as store:
            store.record_listener("listener", self._clockwork.now - ago, self._clockwork.now - ago)
        self._counts["nights in which somebody listened"] += ago < timedelta(minutes=2)

    def work(self) -> None:
        """People read the channel, and click."""
        while self._draw.random() < 0.6:
            self.act()

    def act(self, among: Sequence[str] = ()) -> None:
        """One click: now, or one that was made earlier and arrives now, or again; perhaps on one of these images."""
        if self._late and self._draw.random() < 0.3:
            late = self._draw.choice(self._late)
            if self._draw.random() < 0.5:
                self._late.remove(late)
            self._click(*late)
            return
        found = list(self._wanted())
        if among:
            found = [each for each in found if any(_named(each, image) for image in among)] or found
        if not found:
            return
        wanted = self._draw.choice(found)
        by = self._draw.choices((LEE, KIM, PARK, STRANGER), (6, 3, 1, 1))[0]
        here = {each.ident for each in found if each.posted.ts == wanted.posted.ts}
        elsewhere = tuple(with_value(each.ident) for each in found if each.ident not in here and not each.is_several)
        forged = self._draw.choice((*_ALL_FORGERIES, *elsewhere[:1])) if self._draw.random() < 0.2 else None
        payload = self._channel.prepare(wanted.posted, wanted.control, by, forged).payload
        click = (wanted, payload, by, forged)
        if self._draw.random() < 0.2:
            self._late = [*self._late[-20:], click]
        else:
            self._click(*click)

    def happening(self, steps: int, among: Callable[[], Sequence[str]]) -> Happening | None:
        """A click in the course of a run of about so many steps, now and then, on one of these images."""
        if self._draw.random() < 0.3:
            return Happening(self._draw.randint(1, steps), lambda: self._elsewhere(among()))
        return None

    def _elsewhere(self, among: Sequence[str]) -> None:
        """A click in a thread of its own, as the program that listens has one."""
        with ThreadPoolExecutor(1) as pool:
            pool.submit(self.act, among).result()

    def _wanted(self) -> Iterator[_Wanted]:
        """All that there is to click in the channel, as it stands."""
        for posted in self._channel.posted[-60:]:
            above: tuple[str, ...] = ()
            for number, block in enumerate(posted.blocks):
                if block["type"] == "section":
                    above = tuple(found["image"] for found in _ROW.finditer(block["text"]["text"]))[-1:] or above
                yield from _controls(posted, number, above)

    def _click(self, wanted: _Wanted, payload: Any, by: Person, forged: Forgery | None) -> None:
        before = self._state()
        acknowledged: list[bool] = []
        told = len(self._channel.ephemeral)
        mute = self._draw.random() < 0.05
        if mute:
            self._channel.refusals[_MEMBERS] = Reply(500, "")
        disconnect(self._settings.database)
        self._answering(payload, lambda: acknowledged.append(True), Ours(TEAM, APP))
        self._channel.refusals.clear()
        answers = [each.text for each in self._channel.ephemeral[told:] if each.only_to == by.id]
        after = self._state()
        done = [row for row in after.clicks if row["click"] > before.last_click]
        if acknowledged != [True] or not done:
            raise Broken(f"a click was not answered: {[dict(row) for row in done]}")
        refused = [row["outcome"] for row in done if row["refused"]]
        if (forged or not self._may(wanted, by)) and not refused:
            raise Broken(f"a click that nobody may make came to {[row['outcome'] for row in done]}")
        # Park, who is in no channel, can only be told at the address of the click, which works for half an hour.
        unheard = not answers and by.id != PARK.id
        if refused and (after.exemptions != before.exemptions or unheard):
            raise Broken(f"a refused click ({refused}) changed something, or nobody was told: {answers}")
        for row in done:
            self._counts[f"clicks, {row['outcome']}"] += 1
        if refused:
            if not forged and self._may(wanted, by):
                self._check_refusal(refused[0], wanted, mute=mute)
        else:
            self._check_answers(wanted, done, answers)
        self._rewriting.rewrite_all()
        self._check_messages()

    def _may(self, wanted: _Wanted, by: Person) -> bool:
        if by.team != TEAM:
            return False
        place = self._channel.place_of(wanted.posted)
        is_member = place is not None and by.id in place.members
        return by.id in GROUPS[APPROVERS] or (is_member and not wanted.longer)

    def _check_refusal(self, refusal: str, wanted: _Wanted, *, mute: bool) -> None:
        """Nobody is refused for nothing, but for what Slack does not say, and for messages that are not known.

        Those are messages whose answer was lost, and all of a database that was restored.
        """
        if refusal in ("unknown-announcement", "other-message") and not self._is_known(wanted):
            return
        if not (mute and refusal == "members-unknown"):
            raise Broken(f"a click that its person may make was refused: {refusal}")

    def _is_known(self, wanted: _Wanted) -> bool:
        """Whether the janitor must know this message: its answer was not lost, and no older database was restored."""
        restored = any(name.startswith("restored") for name in self._counts)
        return not restored and any(each.sure for each in self._channel.accepted if each.posted.ts == wanted.posted.ts)

    def _check_answers(self, wanted: _Wanted, done: Sequence[Any], answers: Sequence[str]) -> None:
        for row in done:
            image = row["image"]
            if not _named(wanted, image):
                raise Broken(f"a click on {wanted.starts} was taken for one on {image}")
            outcome = row["outcome"]
            if outcome not in ("kept", "ended") and not answers:
                raise Broken(f"a click on {image} came to {outcome}, and nobody was told")
            if outcome == "kept":
                until = instant(row["until"])
                if until is None:
                    raise Broken(f"{image} was kept by a click, and nothing exempts it")
                self._people.kept.setdefault(image, []).append((self._clockwork.now, until))
            elif outcome == "ended":
                now = self._clockwork.now
                self._people.kept[image] = [(g, min(u, now)) for g, u in self._people.kept.get(image, ())]
            elif outcome == "gone" and image in self._people.account.mine.images:
                raise Broken(f"a click on {image} was told that it is gone, and it is there")
            elif outcome == "too-late" and not rows(self._settings.database, _REQUESTED, image):
                raise Broken(f"a click on {image} came too late, and nothing was requested")

    def _check_messages(self) -> None:
        """No message offers what was kept through it."""
        kept = {row["announcement"] for row in rows(self._settings.database, _KEPT)}
        for wanted in self._wanted():
            if wanted.ident in kept and not wanted.longer and self._is_known(wanted):
                raise Broken(f"a message still offers to keep {wanted.starts}")

    def _state(self) -> "_State":
        clicks = rows(self._settings.database, _CLICKS)
        exemptions = [tuple(row) for row in rows(self._settings.database, "SELECT * FROM exemptions")]
        return _State(clicks, max((row["click"] for row in clicks), default=0), exemptions)


@dataclass(frozen=True)
class _State:
    clicks: list[Any]
    last_click: int
    exemptions: list[tuple[Any, ...]]


_CLICKS = """
SELECT c.click, c.outcome, c.refused, a.image, e.until FROM clicks c
LEFT JOIN announcements a USING (announcement) LEFT JOIN exemptions e USING (exemption)
WHERE c.click > (SELECT coalesce(max(click), 0) FROM clicks) - 2000
"""
_KEPT = "SELECT announcement FROM clicks WHERE outcome = 'kept'"
_REQUESTED = "SELECT 1 FROM deletions WHERE image = ? AND requested_at IS NOT NULL"


def _controls(posted: Posted, block: int, above: tuple[str, ...]) -> Iterator[_Wanted]:
    """The buttons and options of a block of actions; `above` is the image listed just above it."""
    elements = elements_of(posted.blocks[block])
    every = tuple(_start_of(option) for element in elements for option in options_of(element))
    for number, element in enumerate(elements):
        for place, option in enumerate(options_of(element)):
            value = option["value"]
            more = element["action_id"].startswith("more.")
            starts = above if more else (_start_of(option),)
            yield _Wanted(posted, Control(block, number, place), value, starts, longer=more)
        if element["type"] == "button":
            starts = ("",) if element["text"]["text"] == "Keep all" and every else above
            yield _Wanted(posted, Control(block, number), element["value"], starts, longer=False)


def _start_of(option: dict[str, Any]) -> str:
    found = _OPTION.search(option["text"]["text"])
    return (found["start"] or found["whole"]) if found else ""


def _named(wanted: _Wanted, image: str) -> bool:
    return any(image.startswith(start) for start in wanted.starts)


def _exchange(transport: Transport) -> Exchange:
    return Exchange(transport, lambda: 10.0, lambda _seconds: None, lambda: False)


class _Direct(httpx.BaseTransport):
    """The way to Slack of the program that listens, which no mood of the channel disturbs."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        reply = self._channel.answer(path, request.headers.get("Authorization"), request.read())
        return httpx.Response(reply.status or 500, headers=dict(reply.headers), text=reply.body)
