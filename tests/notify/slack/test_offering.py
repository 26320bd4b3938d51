"""Buttons in reports: for what is announced, while somebody listens, and in messages of Slack's that are on time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from janitor.config import Settings
from janitor.core.result import DeletionOutcome, Mode
from janitor.errors import Exit, StoreError
from janitor.notify.delivery import deliver
from janitor.notify.slack import packing
from janitor.sandbox.slack.blocks import elements_of
from janitor.store import Store
from tests.factories import NOW, make_deletion, make_run
from tests.notify.deliveries import CI, TEAM, WEB, Configure, announcing, deleting, run_of
from tests.slack_stand_in import CHANNEL, DROPPED, Posted, SlackStandIn


@pytest.fixture
def settings(configure: Configure) -> Settings:
    return configure("bot")


def heard(settings: Settings, ago: timedelta = timedelta(seconds=10)) -> None:
    with Store.open(settings.database) as store:
        store.record_listener("listener", NOW - ago, NOW - ago)


def told(settings: Settings, *names: str, many: int = 0, policy: str = "ci-images") -> None:
    """A run that announces these images, or so many, while somebody listens."""
    result = run_of(settings, announcing(*(names or (f"image-{number:04}" for number in range(many))), policy=policy))
    heard(settings)
    deliver(settings, result, [CI, WEB], clock=lambda: NOW)


def buttons(posted: Posted) -> dict[str, str]:
    """What each button and option of a message says, by the id that it sends."""
    found = {}
    for element in (each for block in posted.blocks if block["type"] == "actions" for each in elements_of(block)):
        for one in element.get("options", [element]):
            found[one["value"]] = one["text"]["text"]
    return found


def targeted(settings: Settings, posted: Posted) -> dict[str, list[str]]:
    """The images that each button of a message is for, by what it says and the image that is its only one."""
    found: dict[str, list[str]] = {}
    with Store.open(settings.database) as store:
        for each, words in buttons(posted).items():
            known = store.offered(each)
            assert known is not None
            assert posted.ts in {place.message for place in known.places}
            found.setdefault(words, []).extend(one.name for one in known.announced)
    return {words: sorted(names) for words, names in found.items()}


def test_each_announced_image_has_buttons_and_its_policy_a_menu_in_the_thread(
    settings: Settings, slack: SlackStandIn
) -> None:
    told(settings, "web-1", "web-2")
    first, *thread = slack.posted
    assert targeted(settings, first) == {"Keep 30 days": ["web-1", "web-2"]}
    labels = [
        each["text"]["text"] for block in first.blocks if block["type"] == "actions" for each in elements_of(block)
    ]
    assert labels == ["Keep 7 days", "Keep 30 days"] * 2
    [menus] = [posted for posted in thread if buttons(posted)]
    told_of = targeted(settings, menus)
    assert told_of.pop("Keep all") == ["web-1", "web-2"]
    assert sorted(words.partition(" ")[0] for words in told_of) == ["web-1", "web-2"]
    assert sorted(told_of.values()) == [["web-1"], ["web-2"]]
    assert "janitor keep " in first.shown, "for those who do not click"


def test_the_first_ten_have_buttons_and_all_are_in_the_menu(settings: Settings, slack: SlackStandIn) -> None:
    told(settings, many=25)
    in_thread = [posted for posted in slack.posted if posted.thread is not None]
    menus = {name: images for posted in in_thread for name, images in targeted(settings, posted).items()}
    assert len(menus.pop("Keep all")) == 25
    assert len(menus) == 25
    beside = {each for posted in slack.posted for each, words in buttons(posted).items() if words == "Keep 30 days"}
    assert len(beside) == 10


def test_very_many_images_are_announced_all_the_same(settings: Settings, slack: SlackStandIn) -> None:
    told(settings, many=1_500)
    menus = [targeted(settings, posted) for posted in slack.posted if "Keep all" in buttons(posted).values()]
    assert len(menus) == 10
    assert all(len(menu["Keep all"]) == 1_500 for menu in menus)
    with Store.open(settings.database) as store:
        assert len(store.memory("prod").notices) == 1_500


def test_no_message_begins_below_the_buttons_of_another(
    settings: Settings, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_PAGE_LIMIT", 3_000)
    told(settings, many=12)
    assert len([posted for posted in slack.posted if "Keep 7 days" in str(posted.blocks)]) > 1
    for posted in slack.posted:
        above = ""
        for block in posted.blocks:
            text = block["text"]["text"] if block["type"] == "section" else ""
            assert not text.startswith("• ") or above == "actions"
            above = block["type"]


SILENT: dict[str, Callable[[Settings], object]] = {
    "nobody": lambda _settings: None,
    "two-minutes-ago": lambda settings: heard(settings, timedelta(minutes=2)),
    "in-two-minutes": lambda settings: heard(settings, timedelta(minutes=-2)),
}


@pytest.mark.parametrize("listens", SILENT.values(), ids=SILENT)
def test_there_are_no_buttons_that_nobody_would_hear(
    settings: Settings, slack: SlackStandIn, listens: Callable[[Settings], object]
) -> None:
    result = run_of(settings, announcing("web-1"))
    listens(settings)
    deliver(settings, result, [CI], clock=lambda: NOW)
    assert not any(map(buttons, slack.posted))
    assert "janitor keep " in slack.posted[0].shown


def test_what_is_not_announced_has_no_buttons(settings: Settings, slack: SlackStandIn) -> None:
    result = run_of(settings, deleting(3))
    heard(settings)
    deliver(settings, result, [CI], clock=lambda: NOW)
    assert slack.posted
    assert not any(map(buttons, slack.posted))


def test_a_dry_run_has_no_buttons(settings: Settings, slack: SlackStandIn) -> None:
    live = run_of(settings, announcing("web-1"))
    heard(settings)
    dry = make_run(announcing("web-1"), mode=Mode.DRY_RUN, run=live.run)
    deliver(settings, dry, [CI], clock=lambda: NOW)
    assert slack.posted
    assert not any(map(buttons, slack.posted))


def test_a_webhook_has_no_buttons(configure: Configure, slack: SlackStandIn) -> None:
    told(configure("webhook"), "web-1")
    assert slack.posted
    assert not any(map(buttons, slack.posted))


def test_the_channel_of_a_policy_has_its_buttons(settings: Settings, slack: SlackStandIn) -> None:
    told(settings, "web-1", policy="web-images")
    with_buttons = [posted.channel for posted in slack.posted if buttons(posted)]
    assert set(with_buttons) == {TEAM, slack.id_of(TEAM)}
    assert CHANNEL not in with_buttons


def test_a_late_message_has_no_buttons(settings: Settings, slack: SlackStandIn) -> None:
    slack.script += [DROPPED] * 4
    told(settings, "web-1")
    assert slack.posted == []
    deliver(settings, run_of(settings, at=NOW + timedelta(days=1)), [CI], clock=lambda: NOW + timedelta(days=1))
    assert "late: report of run 1" in slack.posted[0].shown
    assert not any(map(buttons, slack.posted))


def test_the_rest_of_a_report_that_comes_late_has_no_buttons_and_gets_none(
    settings: Settings, slack: SlackStandIn
) -> None:
    slack.refuse_after = 1
    told(settings, "web-1")
    [first] = slack.posted
    slack.refuse_after = None
    deliver(settings, run_of(settings, at=NOW + timedelta(days=1)), [CI], clock=lambda: NOW + timedelta(days=1))
    late = [posted for posted in slack.posted if posted.thread == first.ts]
    assert late
    assert not any(map(buttons, late))
    with Store.open(settings.database) as store:
        places = {place.message for each in buttons(first) if (one := store.offered(each)) for place in one.places}
    assert places == {first.ts}, "what was sent late is none of its places, and never rewritten"


def test_an_image_that_is_listed_twice_has_its_buttons_once(settings: Settings, slack: SlackStandIn) -> None:
    target = announcing("web-1")
    [decision] = target.notices.announced
    settled = make_deletion(decision, DeletionOutcome.REFUSED, "in use")
    result = run_of(settings, replace(target, earlier=replace(target.earlier, settled=(settled,))))
    heard(settings)
    assert deliver(settings, result, [CI], clock=lambda: NOW).code is Exit.OK
    assert slack.posted[0].shown.count("web-1") > 1
    assert list(buttons(slack.posted[0]).values()) == ["Keep 30 days"]


def test_a_report_that_could_not_be_kept_has_no_buttons(
    settings: Settings, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_words: object) -> None:
        raise StoreError("the disk is full")

    result = run_of(settings, announcing("web-1"))
    heard(settings)
    monkeypatch.setattr(Store, "add_reports", fail)
    deliver(settings, result, [CI], clock=lambda: NOW)
    assert slack.posted
    assert not any(map(buttons, slack.posted))
