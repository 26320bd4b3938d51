"""`fleet serve`: a night is begun once, and summed up and told of once, however many processes serve."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from janitor.cli.fleet.context import Connections
from janitor.cli.fleet.nights import begin_by_schedule, begin_night
from janitor.cli.fleet.standing import report_of
from janitor.cli.fleet.summing import Nightly
from janitor.fleet import nights, outcomes
from janitor.fleet.database import Connection
from janitor.fleet.outcomes import Awaited, Ending
from janitor.report.fleet.night import headline
from tests.conftest import Desk
from tests.fleet.fleets import Fleet
from tests.loopback import Answered, Loopback
from tests.slack_stand_in import SlackStandIn

AT = datetime(2026, 6, 1, 3, tzinfo=UTC)
NIGHT = AT.date()
HOUR = timedelta(hours=1)
_LOOKS = 600


@pytest.fixture
def heartbeats() -> Iterator[Loopback]:
    with Loopback(lambda _asked: Answered(b"OK")) as running:
        yield running


@dataclass
class Served:
    """A fleet with two accounts, Slack, a file of reports and a heartbeat, and what serves it at a time of its own."""

    fleet: Fleet
    heartbeats: Loopback
    now: datetime = AT

    def nightly(self, who: str = "a") -> Nightly:
        connections = Connections(self.fleet.url, who)
        return Nightly(self.fleet.written, connections, who, clock=lambda: self.now)

    def look(self, who: str = "a", later: timedelta = timedelta()) -> None:
        self.now += later
        nightly = self.nightly(who)
        nightly.look()
        nightly.connections.close()

    def begin(self) -> None:
        nightly = self.nightly()
        nightly.begin(self.now)
        nightly.connections.close()

    def end(self, account: str, code: int = 0, epoch: int = 1, **counts: int) -> None:
        outcomes.begin(self.fleet.look, NIGHT, account, epoch, "w", self.now)
        outcomes.finish(self.fleet.look, NIGHT, account, epoch, Ending(code, counts), self.now)

    @property
    def beats(self) -> list[str]:
        return [asked.path for asked in self.heartbeats.asked]

    @property
    def lines(self) -> list[dict[str, Any]]:
        file = self.fleet.folder / "nights.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def served(tmp_path: Path, url: str, connection: Connection, slack: SlackStandIn, heartbeats: Loopback) -> Served:
    fleet = Fleet(tmp_path, url, connection)
    fleet.write({"name": "lab"}, {"name": "shop"})
    further = {
        "slack": {"webhook_url": slack.webhook_url, "post": "always"},
        "channels": [{"file": "nights.jsonl"}],
        "heartbeat_url": f"{heartbeats.url}/ping",
        "schedule": "0 3 * * *",
        "timezone": "UTC",
    }
    path = tmp_path / "janitor.yaml"
    path.write_text(path.read_text() + yaml.safe_dump(further))
    return Served(fleet, heartbeats)


def test_a_night_is_summed_up_and_told_of_once_all_accounts_have_ended(served: Served, slack: SlackStandIn) -> None:
    served.begin()
    served.end("lab", deleted=2)
    served.look(later=HOUR)
    assert slack.posted == []
    served.end("shop", 4)
    for who in ("a", "b", "a"):
        served.look(who)
    [posted] = slack.posted
    assert "2 accounts: 1 well, 1 need" in posted.text
    assert "janitor fleet exec shop -- show latest" in json.dumps(posted.blocks)
    assert served.beats == ["/ping/start", "/ping/fail"]
    [line] = served.lines
    assert (line["run"], line["night"], [each["account"] for each in line["accounts"]]) == (
        None,
        "2026-06-01",
        ["shop"],
    )
    night = nights.night_of(served.fleet.look)
    assert night is not None
    assert night.summed_up_at == served.now


def test_a_night_is_summed_up_at_its_deadline_without_the_rest(served: Served, slack: SlackStandIn) -> None:
    served.begin()
    served.end("lab")
    served.look(later=6 * HOUR - timedelta(seconds=1))
    assert slack.posted == []
    served.look(later=timedelta(seconds=1))
    [posted] = slack.posted
    assert "2 accounts: 1 well, 1 missing" in posted.text
    assert "no worker has begun it" in json.dumps(posted.blocks)


def test_a_summary_that_was_not_accepted_is_tried_again_later(served: Served, slack: SlackStandIn) -> None:
    served.begin()
    for account in ("lab", "shop"):
        served.end(account)
    slack.refuse_after = 0
    served.look(later=HOUR)
    slack.refuse_after = None
    served.look("b", later=timedelta(minutes=14))
    assert (slack.posted, served.lines) == ([], [])
    served.look("b", later=timedelta(minutes=1))
    assert len(slack.posted) == len(served.lines) == 1
    assert served.beats == ["/ping/start", "/ping"]


def test_what_was_over_long_before_anybody_served_is_no_news(served: Served, slack: SlackStandIn) -> None:
    served.begin()
    served.look(later=timedelta(days=4))
    night = nights.night_of(served.fleet.look, NIGHT)
    assert night is not None
    assert night.summed_up_at is not None
    assert (slack.posted, served.lines, served.beats) == ([], [], ["/ping/start"])


def test_a_night_is_not_over_while_its_accounts_are_being_enqueued(served: Served, slack: SlackStandIn) -> None:
    nights.begin(served.fleet.look, NIGHT, AT, 6 * HOUR)
    served.look(later=HOUR)
    assert slack.posted == []


def test_beginning_a_night_again_repeats_no_account(served: Served) -> None:
    accounts = served.fleet.written.accounts()
    assert len(begin_by_schedule(served.fleet.look, accounts, AT).enqueued.new) == 2
    served.end("lab")
    served.fleet.look.rows("DELETE FROM procrastinate_jobs WHERE lock = 'lab'")
    assert begin_by_schedule(served.fleet.look, accounts, AT).enqueued.new == ()


def test_a_night_that_people_began_earlier_that_day_is_summed_up_again(served: Served, slack: SlackStandIn) -> None:
    nights.begin(served.fleet.look, NIGHT, AT - HOUR, HOUR / 2)
    outcomes.expect(served.fleet.look, NIGHT, [Awaited("lab", 1, "d")])
    served.now = AT - HOUR
    served.end("lab")
    served.look(later=HOUR / 4)
    assert len(slack.posted) == 1
    served.now = AT
    served.begin()
    night = nights.night_of(served.fleet.look)
    assert night is not None
    assert (night.begun_at, night.deadline_at, night.summed_up_at) == (AT - HOUR, AT + 6 * HOUR, None)
    for account in ("lab", "shop"):
        served.end(account, epoch=2)
    served.look(later=HOUR)
    assert len(slack.posted) == 2


def test_accounts_queued_again_after_the_end_are_told_of_once_more(served: Served, slack: SlackStandIn) -> None:
    path = served.fleet.folder / "janitor.yaml"
    path.write_text(path.read_text().replace("post: always", "post: problems"))
    served.begin()
    for account, code in (("lab", 0), ("shop", 4)):
        served.end(account, code)
    served.look(later=HOUR)
    served.fleet.look.rows("DELETE FROM procrastinate_jobs")
    assert begin_night(served.fleet.look, served.fleet.written.accounts(), served.now, ["shop"]).enqueued.new
    night = nights.night_of(served.fleet.look)
    assert night is not None
    assert (night.deadline_at, night.summed_up_at) == (served.now + 6 * HOUR, None)
    assert headline(report_of(served.fleet.look, night, served.now)) == "2 accounts: 1 well, 1 still to end"
    served.look()
    served.end("shop", epoch=2)
    for _ in range(2):
        served.look()
    assert ["1 needs a person" in each.text for each in slack.posted] == [True, False]
    assert "2 accounts, all well" in slack.posted[1].text


def test_old_nights_are_forgotten(served: Served) -> None:
    served.begin()
    served.look(later=timedelta(days=401))
    assert nights.night_of(served.fleet.look) is None


def test_a_night_that_was_due_and_not_begun_is_missed(served: Served) -> None:
    served.now = AT - HOUR
    nightly = served.nightly()
    nightly.look()
    served.now = AT + timedelta(minutes=4)
    nightly.look()
    assert nightly.missed is None
    served.now = AT + timedelta(minutes=5)
    nightly.look()
    assert nightly.missed == AT
    nightly.begin(AT)
    nightly.look()
    assert nightly.missed is None
    nightly.connections.close()


def test_accounts_are_read_again_each_night_and_mistakes_are_told_by_the_heartbeat(served: Served) -> None:
    nightly = served.nightly()
    (served.fleet.folder / "accounts.yaml").write_text("[{name: lab}, {name: lab}]")
    with pytest.raises(Exception, match="is already the name"):
        nightly.begin(AT)
    served.fleet.folder.joinpath("accounts.yaml").write_text("[{name: new}]")
    nightly.begin(AT)
    assert [each.account for each in outcomes.outcomes(served.fleet.look, NIGHT)] == ["new"]
    assert served.beats == ["/ping/fail", "/ping/start"]
    nightly.connections.close()


def test_two_that_serve_begin_a_night_once(desk: Desk, url: str, connection: Connection) -> None:
    Fleet(desk.folder, url, connection).write({"name": "lab"}, {"name": "shop"})
    due = datetime.now(UTC) - timedelta(minutes=2)
    desk.amend(f'schedule: "{due.minute} {due.hour} * * *"\ntimezone: UTC\n')
    with ExitStack() as stack:
        both = [stack.enter_context(desk.started("fleet", "serve", "--metrics-port", "0")) for _ in range(2)]
        for _ in range(_LOOKS):
            if _begun(connection):
                break
            threading.Event().wait(0.05)
        for _ in range(_LOOKS):
            if len(connection.rows("SELECT id FROM procrastinate_workers")) == 2:
                break
            threading.Event().wait(0.05)
        for process in both:
            process.send_signal(signal.SIGTERM)
        errors = [process.communicate(20)[1] for process in both]
        assert [process.returncode for process in both] == [0, 0], errors
    assert sum(text.count("night-begun") for text in errors) == 1, errors
    assert len(connection.rows("SELECT id FROM procrastinate_jobs")) == 2
    assert all("metrics-listening" in text for text in errors)


def _begun(connection: Connection) -> bool:
    return len(connection.rows("SELECT account FROM outcomes")) == 2


def test_without_a_schedule_nothing_serves(desk: Desk, url: str, connection: Connection) -> None:
    Fleet(desk.folder, url, connection).write({"name": "lab"})
    ended = desk.janitor("fleet", "serve")
    assert (ended.returncode, "fleet serve needs a schedule" in ended.stderr) == (2, True)
