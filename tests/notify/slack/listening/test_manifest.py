"""The manifest of the app in the documents: it allows what the program asks of Slack, and no more."""

import re
from typing import Any

import yaml

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
