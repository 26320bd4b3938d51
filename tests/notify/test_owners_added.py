"""Nights between which images get another place to be reported in: it is told before they go, with a full notice."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from janitor.config import Settings
from janitor.core.policy import Policy
from janitor.core.result import Mode, RunResult
from janitor.notify.delivery import deliver
from janitor.run.orders import Site
from janitor.sandbox.slack.people import KIM, Person
from janitor.store import Store
from tests.factories import DAY, NOW, OLD, image_called
from tests.fakes import RecordingCloud
from tests.new_database import new_database
from tests.notify.deliveries import shown
from tests.notify.owned import OWNED, WEB, owned_settings, posted_to
from tests.run.world import announced
from tests.runs import run_of
from tests.slack_stand_in import CHANNEL, SlackStandIn

EXPIRED = replace(OWNED, expire=OLD.expire)
PLAIN = replace(EXPIRED, owner=None)
WEBS = f"{{web: {{channel: '{WEB}'}}}}"
KIMS = f"{{web: {{user: {KIM.id}}}}}"
NOBODYS = "{web: {user: nobody@example.com}}"


@dataclass
class Account:
    """One expired image, `a`, of the owner `web`; the nights report it as janitor.yaml and the policy say then."""

    folder: Path
    slack: SlackStandIn
    cloud: RecordingCloud
    now: datetime = NOW

    def night(self, days: float, owners: str | None, policy: Policy = EXPIRED) -> list[str]:
        """The images that the live run on this day announces; its report is delivered."""
        self.now = NOW + days * DAY
        settings = owned_settings(self.folder, self.slack, owners)
        result = self.run(settings, policy)
        told = deliver(settings, result, [policy], clock=lambda: self.now)
        assert told.trouble == ""
        return announced(result)

    def run(self, settings: Settings, policy: Policy) -> RunResult:
        """A live run whose report is not delivered yet."""
        path = settings.database
        with Store.open(path if path.exists() else new_database(path)) as store:
            return run_of(
                [Site("prod", lambda: self.cloud)],
                [policy],
                store,
                Mode.DELETE,
                clock=lambda: self.now,
                owes_report=True,
                destinations=settings.destinations([policy]),
            ).perform()

    def said(self, place: str | Person) -> str:
        return shown(posted_to(self.slack, place))


@pytest.fixture
def account(tmp_path: Path, slack: SlackStandIn, nothing_waits: None) -> Account:
    listed = [image_called("a", properties={"owner": "web"}), *(image_called(f"new-{n}", days=1) for n in range(9))]
    return Account(tmp_path, slack, RecordingCloud(listed))


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        pytest.param((None, EXPIRED), (WEBS, EXPIRED), WEB, id="owners-are-new"),
        pytest.param((None, EXPIRED), (KIMS, EXPIRED), KIM, id="owners-are-new-and-one-is-a-person"),
        pytest.param((KIMS, EXPIRED), (WEBS, EXPIRED), WEB, id="an-entry-is-another"),
        pytest.param((NOBODYS, EXPIRED), (WEBS, EXPIRED), WEB, id="an-entry-is-corrected"),
        pytest.param((WEBS, EXPIRED), (None, EXPIRED), CHANNEL, id="owners-are-no-more"),
        pytest.param((WEBS, EXPIRED), ("{domains: [example.com]}", EXPIRED), CHANNEL, id="an-entry-is-no-more"),
        pytest.param((None, PLAIN), (None, replace(PLAIN, channel=WEB)), WEB, id="a-policy-has-a-channel-now"),
        pytest.param((None, replace(PLAIN, channel=WEB)), (None, PLAIN), CHANNEL, id="a-policy-has-none-any-more"),
        pytest.param((WEBS, EXPIRED), (WEBS, PLAIN), CHANNEL, id="a-policy-finds-no-owner-any-more"),
    ],
)
def test_the_new_place_is_told_before_an_image_goes(
    account: Account, before: tuple[str | None, Policy], after: tuple[str | None, Policy], place: str | Person
) -> None:
    assert account.night(0, *before) == ["a"]
    assert "`a`" not in account.said(place) or place == CHANNEL
    assert account.night(1, *before) == []
    assert account.night(2.1, *after) == ["a"], "its notice is over, and this place has heard nothing"
    assert account.cloud.deleted == []
    assert "`a`" in account.said(place)
    assert "eleted 1 image" not in account.said(place)
    assert account.night(3, *after) == []
    assert account.night(4, *after) == []
    assert account.cloud.deleted == [], "two days are not over"
    assert account.night(4.2, *after) == []
    assert account.cloud.deleted == ["a"]


@pytest.mark.parametrize("owners", [None, WEBS, KIMS, NOBODYS, "{domains: [example.com]}"])
def test_where_nothing_changes_an_image_is_announced_once(account: Account, owners: str | None) -> None:
    assert [account.night(days, owners) for days in (0, 1, 2.1)] == [["a"], [], []]
    assert account.cloud.deleted == ["a"]


def test_an_entry_for_somebody_else_changes_nothing(account: Account) -> None:
    account.night(0, WEBS)
    account.night(1, WEBS)
    more = f"{{web: {{channel: '{WEB}', user: {KIM.id}, mention: true}}, db: {{user: {KIM.id}}}}}"
    assert account.night(2.1, more) == []
    assert account.cloud.deleted == ["a"]


def test_a_new_place_that_takes_nothing_ends_no_notice_and_starts_none(account: Account) -> None:
    account.night(0, None)
    account.night(1, None)
    account.slack.leave(CHANNEL)
    settings = owned_settings(account.folder, account.slack, NOBODYS)
    account.now = NOW + timedelta(days=2.1)
    result = account.run(settings, EXPIRED)
    assert announced(result) == ["a"]
    deliver(settings, result, [EXPIRED], clock=lambda: account.now)
    account.slack.join(CHANNEL)
    assert account.night(2.2, NOBODYS) == ["a"]
    assert account.cloud.deleted == []
