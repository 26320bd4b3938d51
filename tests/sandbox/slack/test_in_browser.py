"""In a real browser: what people see of the embedded Slack, and that their clicks reach an app that listens."""

from datetime import timedelta
from typing import Any

import pytest

from janitor.sandbox.slack.people import KIM, LEE, OTHER_TEAM, STRANGER
from janitor.sandbox.slack.state import CHANNEL
from tests.browser import Page
from tests.factories import NOW
from tests.sandbox.slack.app import listening
from tests.sandbox.slack.messages import KEEP_ALL, SEVEN, WEB_41, announce, button, client
from tests.slack_stand_in import SlackStandIn

ACKNOWLEDGED = "document.querySelector('#said').textContent === 'acknowledged'"
NASTY = "<img src=x onerror=\"document.title='acted'\"><script>document.title='acted'</script>"


@pytest.fixture
def slack(slack: SlackStandIn) -> SlackStandIn:
    """One whose clock stands still, so that three seconds last however busy the machine is."""
    slack.clock, slack.patience = lambda: NOW, timedelta(seconds=30)
    return slack


def test_a_button_reaches_the_app(page: Page, slack: SlackStandIn) -> None:
    announce(slack)
    with listening(slack) as took:
        assert slack.sockets.wait_for(1)
        page.open(slack.address)
        page.choose("#by", "kim")
        page.click("button", SEVEN)
        page.wait_for(ACKNOWLEDGED)
    [told] = took
    assert (told["user"]["id"], told["actions"][0]["value"]) == (KIM.id, "a1:7")
    assert page.complaints == []


def test_a_menu_reaches_the_app(page: Page, slack: SlackStandIn) -> None:
    announce(slack)
    with listening(slack) as took:
        assert slack.sockets.wait_for(1)
        page.open(slack.address)
        page.choose("main select", WEB_41)
        page.wait_for(ACKNOWLEDGED)
    assert [told["actions"][0]["selected_option"]["value"] for told in took] == ["a1"]


def test_a_stranger_and_a_forged_click(page: Page, slack: SlackStandIn) -> None:
    announce(slack)
    with listening(slack) as took:
        assert slack.sockets.wait_for(1)
        page.open(slack.address)
        page.choose("#by", "stranger")
        page.choose("#how", "another team")
        page.click("button", KEEP_ALL)
        page.wait_for(ACKNOWLEDGED)
    assert (took[0]["user"]["id"], took[0]["team"]["id"]) == (STRANGER.id, OTHER_TEAM)


def test_a_click_twice(page: Page, slack: SlackStandIn) -> None:
    announce(slack)
    with listening(slack) as took:
        assert slack.sockets.wait_for(1)
        page.open(slack.address)
        page.choose("#how", "twice")
        page.click("button", KEEP_ALL)
        page.wait_for(ACKNOWLEDGED)
        [click] = slack.clicks
        assert len(click.sent) == 2
    assert all(told == took[0] for told in took)


def test_a_lost_click_shows_a_warning(page: Page, slack: SlackStandIn) -> None:
    announce(slack)
    page.open(slack.address)
    assert "the app does not listen" in page.text()
    page.click("button", SEVEN)
    page.wait_for("document.querySelector('article .warning') !== null")
    assert "lost: the app does not listen" in page.text()


def test_what_changes_is_shown_without_a_reload(page: Page, slack: SlackStandIn) -> None:
    first = announce(slack)
    page.open(slack.address)
    client(slack).chat_update(channel=first["channel"], ts=first["ts"], text="x", blocks=[])
    client(slack).chat_postMessage(channel=first["channel"], thread_ts=first["ts"], text="kept by <@U0LEE000001>")
    page.wait_for("document.body.innerText.includes('kept by @lee')")
    page.wait_for("document.querySelector('article .edited') !== null")


def test_an_answer_to_one_person_and_direct_messages(page: Page, slack: SlackStandIn) -> None:
    client(slack).chat_postEphemeral(channel=CHANNEL, user=KIM.id, text="Nothing to keep.")
    client(slack).chat_postMessage(channel=LEE.id, text="Yours.")
    page.open(slack.address)
    assert "Only visible to kim" in page.text()
    assert page.ask("document.querySelector('section[aria-label=\"@lee\"] article').innerText").endswith("Yours.")


def test_foreign_text_is_no_markup(page: Page, slack: SlackStandIn) -> None:
    web = client(slack)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": NASTY}},
        {"type": "section", "text": {"type": "mrkdwn", "text": f"{NASTY} `{NASTY}`"}},
        {"type": "context", "elements": [{"type": "plain_text", "text": NASTY}]},
        {"type": "actions", "block_id": "'\">" + NASTY, "elements": [button(NASTY[:75], NASTY, action_id=NASTY)]},
    ]
    first = web.chat_postMessage(channel=CHANNEL, text=NASTY, blocks=blocks)
    web.files_upload_v2(
        channel=first["channel"], thread_ts=first["ts"], content=NASTY, filename=NASTY.replace("/", "-"), title=NASTY
    )
    page.open(slack.address)
    assert page.text().count("<img") >= 5
    assert page.ask("document.querySelectorAll('main img, main script').length") == 0
    assert page.ask("document.title") == "Slack of the sandbox"


def test_even_markup_would_not_act(page: Page, slack: SlackStandIn) -> None:
    """The policy of the page holds where escaping would have failed."""
    page.open(slack.address)
    page.ask("document.querySelector('main').innerHTML = " + repr("<img src=x onerror=\"document.title='acted'\">"))
    page.wait_for("document.querySelector('main img') === null || document.querySelector('main img').complete")
    assert page.ask("document.title") == "Slack of the sandbox"
    assert any("Content Security Policy" in complaint for complaint in page.complaints)
    page.complaints.clear()


def test_a_question_before_a_click(page: Page, slack: SlackStandIn) -> None:
    plain = [{"type": "plain_text", "text": text} for text in ("Keep all?", "For 30 days.", "Keep", "Back")]
    confirm = dict(zip(("title", "text", "confirm", "deny"), plain, strict=True))
    blocks = [{"type": "actions", "elements": [button(KEEP_ALL, "all", confirm=confirm)]}]
    client(slack).chat_postMessage(channel=CHANNEL, text="x", blocks=blocks)
    page.open(slack.address)
    page.click("button", KEEP_ALL)
    page.wait_for("document.querySelector('article .warning') !== null")
    assert page.asked == ["Keep all?: For 30 days."]


@pytest.mark.parametrize("way", ["link_disabled", "reset"])
def test_sockets_are_broken_from_the_page(page: Page, slack: SlackStandIn, way: str) -> None:
    with listening(slack):
        assert slack.sockets.wait_for(1)
        page.open(slack.address)
        page.wait_for("document.querySelector('#sockets').textContent === '1 socket open'")
        page.choose("#break", way)
        page.wait_for("document.querySelector('#said').textContent === 'done to 1 socket'")
        assert slack.sockets.wait_for_ever(2)
