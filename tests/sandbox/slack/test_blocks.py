"""The embedded Slack takes the messages that Slack takes, and refuses the others with its word."""

from typing import Any

import pytest

from janitor.sandbox.slack.blocks import fault, texts_of

Block = dict[str, Any]


def section(text: str, **parts: Any) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **parts}


def header(text: str, kind: str = "plain_text") -> Block:
    return {"type": "header", "text": {"type": kind, "text": text}}


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def button(text: str = "Keep", **parts: Any) -> Block:
    return {"type": "button", "text": plain(text), **parts}


def option(text: str = "web-41", value: str = "1", **parts: Any) -> Block:
    return {"text": plain(text), "value": value, **parts}


def menu(*options: Block, **parts: Any) -> Block:
    return {"type": "static_select", "options": list(options), **parts}


def actions(*elements: Block, **parts: Any) -> Block:
    return {"type": "actions", "elements": list(elements), **parts}


GROUP = {"label": plain("ci"), "options": [option()]}
CONFIRM = {"title": plain("Keep?"), "text": plain("For 30 days."), "confirm": plain("Yes"), "deny": plain("No")}


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
        pytest.param([section("x", block_id="a" * 256)], "invalid_blocks", id="long-id"),
        pytest.param([section("x", block_id=["a"])], "invalid_blocks", id="no-id"),
        pytest.param([section("x" * 2640)] * 5, "msg_blocks_too_long", id="13200-characters"),
        pytest.param([{"type": "input"}], "invalid_blocks", id="input"),
        pytest.param([section("x", accessory=button())], None, id="accessory"),
        pytest.param([section("x", accessory=plain("x"))], "invalid_blocks", id="accessory-text"),
        pytest.param([section("x", fields=[plain("y" * 2001)])], "invalid_blocks", id="field-2001"),
    ],
)
def test_blocks(blocks: list[Block], said: str | None) -> None:
    assert fault({"text": "A sentence.", "blocks": blocks}) == said


@pytest.mark.parametrize(
    ("elements", "holds"),
    [
        pytest.param([button()] * 25, True, id="25-elements"),
        pytest.param([button()] * 26, False, id="26-elements"),
        pytest.param([], False, id="no-element"),
        pytest.param([button(action_id="a"), button(action_id="b")], True, id="two-ids"),
        pytest.param([button(action_id="a"), button(action_id="a")], False, id="same-id"),
        pytest.param([button(action_id="a" * 256)], False, id="long-id"),
        pytest.param([button("x" * 75)], True, id="button-75"),
        pytest.param([button("x" * 76)], False, id="button-76"),
        pytest.param([button(value="x" * 2000)], True, id="value-2000"),
        pytest.param([button(value="x" * 2001)], False, id="value-2001"),
        pytest.param([button(value=7)], False, id="value-number"),
        pytest.param([button(style="warning")], False, id="style"),
        pytest.param([button(colour="red")], False, id="unknown-key"),
        pytest.param([button(confirm=CONFIRM)], True, id="confirm"),
        pytest.param([button(confirm={**CONFIRM, "deny": plain("x" * 31)})], False, id="confirm-31"),
        pytest.param([{"type": "button", "text": {"type": "mrkdwn", "text": "x"}}], False, id="button-mrkdwn"),
        pytest.param([menu(*[option(value=str(n)) for n in range(100)])], True, id="100-options"),
        pytest.param([menu(*[option(value=str(n)) for n in range(101)])], False, id="101-options"),
        pytest.param([menu()], False, id="no-option"),
        pytest.param([menu(option("x" * 75))], True, id="option-75"),
        pytest.param([menu(option("x" * 76))], False, id="option-76"),
        pytest.param([menu(option(value="x" * 150))], True, id="option-value-150"),
        pytest.param([menu(option(value="x" * 151))], False, id="option-value-151"),
        pytest.param([menu(option(description=plain("x" * 76)))], False, id="description-76"),
        pytest.param([menu(option(), placeholder=plain("x" * 151))], False, id="placeholder-151"),
        pytest.param([menu(option(), initial_option=option("other"))], False, id="initial-unknown"),
        pytest.param([menu(option(), option_groups=[GROUP])], False, id="options-and-groups"),
        pytest.param([{"type": "static_select", "option_groups": [GROUP]}], True, id="groups"),
        pytest.param([{"type": "static_select", "option_groups": [{**GROUP, "label": plain("")}]}], False, id="label"),
        pytest.param([{"type": "users_select"}], False, id="unknown-element"),
        pytest.param(["button"], False, id="no-object"),
    ],
)
def test_buttons_and_menus(elements: list[Any], holds: bool) -> None:
    assert fault({"text": "A sentence.", "blocks": [actions(*elements)]}) == (None if holds else "invalid_blocks")


def test_action_ids_are_unique_in_their_block_only() -> None:
    blocks = [actions(button(action_id="keep")), actions(button(action_id="keep"))]
    assert fault({"text": "A sentence.", "blocks": blocks}) is None


def test_labels_count_as_text() -> None:
    blocks = [section("x" * 3000)] * 4 + [actions(*[button("x" * 75)] * 16)]
    assert fault({"text": "A sentence.", "blocks": blocks}) == "msg_blocks_too_long"
    assert len(texts_of(blocks)) == 20


@pytest.mark.parametrize(("text", "said"), [("", "no_text"), (" ", "no_text"), ("x" * 40_001, "msg_too_long")])
def test_a_message_needs_a_text(text: str, said: str) -> None:
    assert fault({"text": text, "blocks": []}) == said
