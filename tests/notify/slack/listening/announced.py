"""A channel in which images were announced with buttons, and a program that listens to them."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from janitor.config import Settings, load_settings
from janitor.core.clicks.announcement import Announced
from janitor.core.clicks.click import Place
from janitor.core.memory import Exemption
from janitor.notify.slack.buttons import group_menus, image_buttons
from janitor.notify.slack.listening.listener import Listening, Waits, listening
from janitor.notify.slack.listening.session import Patience
from janitor.shutdown import Stop
from janitor.store import NewOffer, NewReport, Store
from tests.slack_stand_in import CHANNEL, Posted, SlackStandIn
from tests.store.recorded import IMAGES, NOW, surveyed

SEOUL = ZoneInfo("Asia/Seoul")
QUICK = Patience(ping=0.02, deaf=60.0, connect=5.0)
OFTEN = Waits(look=0.01, life=0.0, first=0.01, longest=0.02)
DAY = timedelta(days=1)


@dataclass
class Desk:
    """A database with a run that announced three images, whose messages stand in the channel."""

    slack: SlackStandIn
    folder: Path
    announced: tuple[Announced, ...] = tuple(
        Announced(f"opaque{number:016d}", "prod", image.id, image.name or "", "ci", NOW + DAY)
        for number, image in enumerate(IMAGES)
    )
    group: str = "opaque-group"

    @property
    def database(self) -> Path:
        return self.folder / "janitor.db"

    def settings(self, more: str = "approvers: [S0APPROVERS]") -> Settings:
        config = self.folder / "janitor.yaml"
        slack = f"token: {self.slack.token}, channel: '{CHANNEL}', app_token: {self.slack.app_token}"
        config.write_text(
            "targets: [{name: prod, api: toast, endpoint: 'http://x', appkey: a, username: u, password: p}]\n"
            f"slack: {{{slack}, base_url: '{self.slack.base_url}', {more}}}\ntimezone: Asia/Seoul\n"
        )
        return load_settings(config, {})

    def announce(self, channel: str = CHANNEL) -> tuple[Posted, Posted]:
        """The message with buttons for two images, and the one in its thread with a menu of all three."""
        offers = [
            NewOffer(0, "first", [_row(), *map(image_buttons, self.announced[:2])], self.announced[:2]),
            NewOffer(
                1,
                "thread",
                [_row(), *group_menus(self.announced, self.group)],
                self.announced,
                {self.group: [each.id for each in self.announced]},
            ),
        ]
        with Store.open(self.database) as store:
            run = surveyed(store, *IMAGES)
            [report] = store.add_reports(run, [NewReport("slack", "[]", offers=offers)], NOW)
            thread, place = None, dict[str, Any]()
            for count, offer in enumerate(offers, start=1):
                said = self._post(offer, thread, channel if thread is None else place["id"])
                thread = thread or said["ts"]
                place = {"channel": channel, "id": said["channel"], "thread": thread, "latest": said["ts"]}
                store.mark_accepted(report, count, json.dumps(place))
        return self.slack.posted[-2], self.slack.posted[-1]

    def _post(self, offer: NewOffer, thread: str | None, channel: str) -> dict[str, Any]:
        body = {"channel": channel, "text": offer.text, "blocks": offer.blocks}
        if thread:
            body["thread_ts"] = thread
        reply = self.slack.answer("/api/chat.postMessage", f"Bearer {self.slack.token}", json.dumps(body).encode())
        said: dict[str, Any] = json.loads(reply.body)
        assert said["ok"], said
        return said

    @contextmanager
    def listening(self, *, patience: Patience = QUICK, waits: Waits = OFTEN, more: str = "") -> Iterator[Listening]:
        """A program that listens, with its socket open."""
        settings = self.settings(more) if more else self.settings()
        with listening(settings, Stop(), patience=patience, waits=waits) as listener:
            assert self.slack.sockets.wait_for(1)
            yield listener

    def exemptions(self) -> dict[str, Exemption]:
        with Store.open(self.database) as store:
            return {record.exemption.image: record.exemption for record in store.exemption_records()}

    def place(self, posted: Posted) -> Place:
        assert posted.ts is not None
        return Place(self.slack.id_of(CHANNEL), posted.ts)


def _row() -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "ci-a"}}


def until(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait until something holds, at most for so long; whether it does."""
    ticks = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if holds():
            return True
        ticks.wait(0.01)
    return holds()
