"""What the documents say of Slack: the app's manifest allows what the program asks for, and every code is explained."""

import re
from typing import Any

import yaml

from janitor.core.clicks.keeping import Answer
from janitor.core.clicks.permission import Refusal
from janitor.notify.slack.listening.answering import UNRECORDED
from janitor.sandbox.slack.state import APP_SCOPES, BOT_SCOPES
from tests.documentation import blocks, document

DOCUMENT = document("docs/slack.md")


def manifest() -> dict[str, Any]:
    [found] = [text for text in blocks("yaml", DOCUMENT) if "oauth_config" in text]
    read: dict[str, Any] = yaml.safe_load(found)
    return read


def test_the_scopes_are_those_with_which_everything_is_tested() -> None:
    assert set(manifest()["oauth_config"]["scopes"]["bot"]) == BOT_SCOPES


def test_clicks_come_over_a_socket() -> None:
    assert manifest()["settings"]["interactivity"]["is_enabled"] is True
    assert manifest()["settings"]["socket_mode_enabled"] is True


def test_the_reason_for_every_scope_is_said() -> None:
    rows = re.findall(
        r"^\| (`.*?) \| (.+) \|$", DOCUMENT.partition("| scope | why |")[2].partition("\n\n")[0], re.MULTILINE
    )
    assert set(re.findall(r"`([a-z:.]+)`", " ".join(scope for scope, _ in rows))) == BOT_SCOPES | APP_SCOPES


def test_what_a_click_comes_to_is_explained() -> None:
    rows = DOCUMENT.partition("## What a click comes to")[2].partition("\n\nA click counts")[0]
    explained = {code for row in rows.splitlines() for code in re.findall(r"`([a-z-]+)`", row.split(" | ")[0])}
    assert explained == {*Answer, *Refusal, UNRECORDED}
