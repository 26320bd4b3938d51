"""Buttons and menus: what Slack takes, whatever images are called, and what stands there once one was kept."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from janitor.core.clicks.announcement import Announced, new_id
from janitor.core.clicks.click import Wish
from janitor.core.clicks.keeping import Kept
from janitor.notify.slack.buttons import answered, group_menus, image_buttons
from janitor.notify.slack.listening.payload import read
from janitor.notify.slack.mrkdwn import wire_length
from janitor.sandbox.slack.blocks import elements_of, fault

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
KEPT = Kept("@lee", datetime(2026, 12, 26, 23, 59, tzinfo=UTC))
ENDED = Kept("@lee", NOW + timedelta(days=30), NOW, "@boss")
NAMES = ("ci-web-41", "", "  ", "x" * 300, "*bold* <!channel> :smile:", "서울" * 60, "a\nb\x1b[31m\u202e", "&" * 75)


def announced(name: str = "ci-a", image: str = "0a1b2c3d-4e5f", ident: str = "") -> Announced:
    return Announced(ident or new_id(), "prod", image, name, "ci", NOW)


def taken(*blocks: dict[str, Any]) -> bool:
    """Whether Slack and slack-sdk take a message of these blocks."""
    for block in Block.parse_all(list(blocks)):
        block.validate_json()
    return fault({"text": "words", "blocks": list(blocks)}) is None


def elements(blocks: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (element for block in blocks for element in elements_of(block))


@pytest.mark.parametrize("name", NAMES)
def test_whatever_an_image_is_called_slack_takes_its_buttons(name: str) -> None:
    one = announced(name, "i\u200b" * 40)
    assert taken(image_buttons(one), *group_menus([one], new_id()))


def test_the_buttons_of_an_image_hold_its_opaque_id_and_nothing_else_about_it() -> None:
    one = announced("the-name", "the-image")
    [seven, thirty] = image_buttons(one)["elements"]
    assert [(each["text"]["text"], each["value"]) for each in (seven, thirty)] == [
        ("Keep 7 days", one.id),
        ("Keep 30 days", one.id),
    ]
    assert "the-" not in str(image_buttons(one))


@pytest.mark.parametrize(("images", "menus"), [(1, 1), (30, 1), (250, 4), (5_000, 10)])
def test_many_images_take_several_menus(images: int, menus: int) -> None:
    every = [announced(f"ci-image-with-a-usual-name-{number}") for number in range(images)]
    made = group_menus(every, new_id())
    assert len(made) == menus
    assert all(taken(menu) for menu in made)
    assert all(wire_length(menu) < 11_000 for menu in made)
    options = [option["value"] for menu in made for option in menu["elements"][0]["options"]]
    assert options == [each.id for each in every][: len(options)]
    assert len({each["action_id"] for each in elements(made)}) == menus + 1


def test_what_a_button_sends_is_read_as_what_it_says() -> None:
    one, group = announced(), new_id()
    blocks = [
        image_buttons(one),
        *group_menus([one], group),
        *answered([image_buttons(one)], {one.id: KEPT}, UTC, approvers=True),
    ]
    sent = []
    for element in elements(blocks):
        for option in element.get("options", [None]):
            action = {"action_id": element["action_id"], "value": element.get("value"), "selected_option": option}
            click = read({"type": "block_actions", "actions": [action]}).click
            assert click is not None
            sent.append((click.wish, click.days, click.of))
    keep = Wish.KEEP
    assert sent == [
        (keep, 7, one.id),
        (keep, 30, one.id),
        (keep, 30, one.id),
        (keep, 30, group),
        (keep, 90, one.id),
        (keep, 365, one.id),
        (Wish.END, 0, one.id),
    ]


def test_once_kept_the_message_says_by_whom_and_until_when() -> None:
    kept, left = announced("a"), announced("b")
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "a"}}
    blocks = [section, image_buttons(kept), section, image_buttons(left)]
    now = answered(blocks, {kept.id: KEPT}, UTC, approvers=False)
    assert [block["type"] for block in now] == ["section", "section", "section", "actions"]
    assert now[1]["text"]["text"] == "kept by @lee until 26 Dec 2026"
    assert now[3] == blocks[3]
    assert taken(*now)


def test_a_menu_offers_what_is_left() -> None:
    some = [announced(name, name) for name in ("a", "b", "c", "d")]
    [menu] = group_menus(some, new_id())
    now = answered([menu], {some[0].id: KEPT, some[1].id: KEPT, some[2].id: ENDED}, UTC, approvers=True)
    assert now[0]["text"]["text"].split("\n") == [
        "kept by @lee until 26 Dec 2026: a (a), b (b)",
        "no longer kept: @boss ended that on 26 Nov 2026: c (c)",
    ]
    assert [option["value"] for option in now[1]["elements"][0]["options"]] == [some[3].id]
    assert now[1]["block_id"] == menu["block_id"]
    assert taken(*now)


def test_the_name_of_a_person_is_no_markup() -> None:
    one = announced()
    [said] = answered([image_buttons(one)], {one.id: Kept("@<!channel> *x*", KEPT.until)}, UTC, approvers=False)
    assert "<!channel>" not in said["text"]["text"]
    assert taken(said)


@pytest.mark.parametrize("images", [10, 16])
def test_a_message_in_which_all_was_kept_still_fits(images: int) -> None:
    every = [announced(f"서울-{number}" * 6) for number in range(images)]
    everyone = {each.id: Kept("@" + "k" * 80, KEPT.until) for each in every}
    row = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 300}}
    before = [block for each in every for block in (row, image_buttons(each))]
    now = answered(before, everyone, UTC, approvers=True)
    assert taken(*now)
    assert (wire_length(now) < 12_000, len(now)) == (True, len(before))
    assert ("For approvers" in str(now)) is (images == 10), "where there is room"


def test_a_menu_of_which_all_was_kept_by_many_still_fits() -> None:
    every = [announced(f"서울-{number}" * 6) for number in range(60)]
    everyone = {each.id: Kept(f"@{number}" + "k" * 70, KEPT.until) for number, each in enumerate(every)}
    for menu in group_menus(every, new_id()):
        assert taken(*answered([menu], everyone, UTC, approvers=True))


def test_below_the_title_it_says_how_many_were_kept_since() -> None:
    kept, left, ended = announced("a"), announced("b"), announced("c")
    title: dict[str, Any] = {
        "type": "header",
        "text": {"type": "plain_text", "text": "ACTION: 3 images will be deleted"},
    }
    context: dict[str, Any] = {"type": "context", "elements": [{"type": "mrkdwn", "text": "run 12"}]}
    blocks = [title, context, *map(image_buttons, (kept, left, ended))]
    now = answered(blocks, {kept.id: KEPT, ended.id: ENDED}, UTC, approvers=False)
    assert [each["text"] for each in now[1]["elements"]] == [
        "run 12",
        "*1 image of this message kept since it was sent.*",
    ]
    assert answered(blocks, {ended.id: ENDED}, UTC, approvers=False)[1] == context
    assert taken(*now)
