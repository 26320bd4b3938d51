"""The stand-in for Slack is as strict as Slack."""

from typing import Any

import pytest

from tests.slack_stand_in import fault


def section(text: str, **parts: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **parts}


def header(text: str, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": "header", "text": {"type": kind, "text": text}}


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        pytest.param([section("x")] * 50, None, id="50-blocks"),
        pytest.param([section("x")] * 51, "invalid_blocks", id="51-blocks"),
        pytest.param([section("x" * 3000)], None, id="section-3000"),
        pytest.param([section("x" * 3001)], "invalid_blocks", id="section-3001"),
        pytest.param([section("")], "invalid_blocks", id="section-empty"),
        pytest.param([header("x" * 150)], None, id="header-150"),
        pytest.param([header("x" * 151)], "invalid_blocks", id="header-151"),
        pytest.param([header("x", "mrkdwn")], "invalid_blocks", id="header-mrkdwn"),
        pytest.param([{"type": "context", "elements": []}], "invalid_blocks", id="context-empty"),
        pytest.param([section("x", block_id="a"), section("y", block_id="a")], "invalid_blocks", id="same-id"),
        pytest.param([section("x" * 2640)] * 5, "msg_blocks_too_long", id="13200-characters"),
        pytest.param([{"type": "input"}], "invalid_blocks", id="input"),
    ],
)
def test_the_stand_in_refuses_what_slack_refuses(blocks: list[dict[str, Any]], said: str | None) -> None:
    assert fault({"text": "A sentence.", "blocks": blocks}) == said


@pytest.mark.parametrize(("text", "said"), [("", "no_text"), (" ", "no_text"), ("x" * 40_001, "msg_too_long")])
def test_the_stand_in_wants_a_text(text: str, said: str) -> None:
    assert fault({"text": text, "blocks": []}) == said
