"""Messages of a report fit, name the images that they list, and say nothing untrue when they are late."""

import re
from datetime import UTC, timedelta
from typing import Any

import pytest

from janitor.core.decision import Reason
from janitor.core.memory import Backlog
from janitor.notify.slack.blocks import slack_messages
from janitor.notify.slack.message import Message
from janitor.notify.slack.mrkdwn import wire_length
from janitor.notify.slack.packing import Paragraph, Row, marked, packed
from janitor.report.routing import Share
from tests.factories import NOW, live_run, make_deletion, make_image, make_run, make_target, to_delete, to_keep
from tests.notify.slack.channels import shown
from tests.slack_stand_in import fault

# Size


def test_a_share_of_giants_fits() -> None:
    giant = "<가>" * 2_000
    share = Share(giant, (result := live_run(make_target([to_delete(policy=giant)], name=giant))), result, (giant,) * 9)
    main = Share(None, result, result, elsewhere=(share,) * 40)
    parts = [slack_messages(part, None, UTC, threaded=True, undelivered=Backlog(9, NOW)) for part in (share, main)]
    for message in [message for part in parts for message in part]:
        late = marked(message, "late: report of run 123456 of 2026-11-23 12:00 KST")
        assert fault({"text": late.text, "blocks": late.blocks}) is None
        assert wire_length(late.blocks) < 12_000


# The images that they name


def test_a_message_names_the_images_that_it_lists_and_no_others() -> None:
    rows = tuple(Row("x" * 900, ("prod", str(number))) for number in range(100))
    messages = packed("Title", "Context", [Paragraph("*Heading*", (Row("a figure"), *rows))])
    assert len(messages) > 1
    assert sum(len(message.names) for message in messages) == 100
    for message in messages:
        assert shown(message).count("x" * 900) == len(message.names)


def test_a_late_message_fits_as_well_and_names_the_same_images() -> None:
    paragraphs = [
        Paragraph("*A*", tuple(Row("x" * 190, ("prod", f"{number}-{row}")) for row in range(14)), late="*" + "Z" * 330)
        for number in range(30)
    ]
    messages = packed("Title", "Context", paragraphs, late="Too late")
    assert len(messages) > 5
    for message in messages:
        assert message.late is not None
        assert fault({"text": message.late.text, "blocks": message.late.blocks}) is None
        assert wire_length(message.late.blocks) < 12_000
        assert shown(message.late).count("x" * 190) == len(message.names)
        assert message.late.text.startswith("Too late")


def test_the_same_id_in_two_targets_is_two_images() -> None:
    image = make_image("a", id="the-id")
    result = live_run(make_target([to_delete(image)]), make_target([to_delete(image)], name="dev"))
    [message] = slack_messages(Share(None, result, result), None, UTC)
    assert message.names == {("prod", "the-id"), ("dev", "the-id")}


def test_a_threaded_report_begins_with_a_summary() -> None:
    result = live_run(make_target([to_delete("a")], [make_deletion("a")]))
    summary, details = slack_messages(Share(None, result, result), None, UTC, threaded=True)
    assert summary.names == {("prod", make_image("a").id)}
    assert not details.names, "the summary alone tells of the first images"
    assert make_image("a").id in shown(details)
    assert "Deleted: 1 of 1 planned" in shown(summary)
    assert "*Target*" not in shown(details)


def test_exemptions_that_lapse_soon_are_listed_with_their_reason() -> None:
    soon, later = (
        to_keep(name, Reason.EXEMPT, detail=f"exempt, says {name}", due=NOW + timedelta(days=days))
        for name, days in (("ann", 3), ("bob", 30))
    )
    result = live_run(make_target([soon, later]))
    [message] = slack_messages(Share(None, result, result), None, UTC)
    assert "*Exemptions that expire within a week* in `prod`\n• `ann`" in shown(message)
    assert "exempt, says ann" in shown(message)
    assert "says bob" not in shown(message)
    assert not message.names


def test_a_late_report_announces_nothing_and_says_everything_else() -> None:
    due = NOW + timedelta(days=2)
    announced = tuple(to_keep(f"a-{number}", Reason.NOTICE, policy="ci", due=due) for number in range(300))
    reminded = (to_keep("reminded", Reason.NOTICE, policy="ci", due=due),)
    target = make_target([to_delete("gone")], [make_deletion("gone")], announced=announced, reminded=reminded)
    result = live_run(target)
    messages = slack_messages(Share(None, result, result), None, UTC, threaded=True)
    late = [message.late or message for message in messages]
    on_time, too_late = ("\n".join(map(shown, forms)) for forms in (messages, late))
    assert "`ci`: 300 images announced, 2.9 TiB, from 25 Nov 03:00 UTC; 1 image due within a day" in on_time
    assert messages[0].text == "ACTION: 301 images will be deleted from 25 Nov 03:00 UTC; deleted 1 image, 10.0 GiB"
    for count in ("the first 10 of 300", "the other 290 of 300"):
        assert f"*Announced, to be deleted when due: {count} images* in `prod`" in on_time
    assert "announced" not in re.sub("(?i)not announced, as this report is late|to be announced", "", too_late)
    assert late[0].text == "Deleted 1 image, 10.0 GiB; announces nothing, a later report does"
    assert "*Not announced, as this report is late: the first 10 of 300 images* in `prod`" in shown(late[0])
    assert "*Listed in the first message of this report: the first 10 of 300 images* in `prod`" in too_late
    assert "*Not announced, as this report is late: the other 290 of 300 images* in `prod`" in too_late
    assert "*Reminder not sent, as this report is late: 1 image* in `prod`" in too_late
    assert "within a day" not in too_late
    assert "*Deleted, confirmed gone: 1 image* in `prod`" in too_late
    for message, form in zip(messages, late, strict=True):
        rows = [re.findall("• .*", shown(of)) for of in (message, form)]
        assert rows[0] == rows[1], "so that a report can go on where it broke off"


def test_what_a_dry_run_would_announce_it_would_however_late() -> None:
    result = make_run(make_target(announced=(to_keep("a", policy="ci"),)))
    [message] = slack_messages(Share(None, result, result), None, UTC)
    assert message.late is None
    assert "*Would be announced: 1 image*" in shown(message)


def test_a_report_without_details_is_one_message() -> None:
    result = live_run(make_target([to_keep()]))
    assert len(slack_messages(Share(None, result, result), None, UTC, threaded=True)) == 1


# Marks


def test_a_mark_stands_in_the_text_and_in_what_is_shown() -> None:
    result = live_run(make_target([to_delete("a")]))
    [message] = slack_messages(Share(None, result, result), None, UTC)
    late = marked(message, "late: report of run 12 of 2026-11-23 03:00 UTC")
    assert late.text == f"late: report of run 12 of 2026-11-23 03:00 UTC. {message.text}"
    assert "*late: report of run 12 of 2026-11-23 03:00 UTC*" in shown(late)
    assert len(late.blocks) == len(message.blocks)


@pytest.mark.parametrize("blocks", [[], [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}] * 50])
def test_a_message_of_another_make_is_marked_and_stays_within_bounds(blocks: list[dict[str, Any]]) -> None:
    late = marked(Message("A sentence.", blocks), "late: report of run 12")
    assert late.text == "late: report of run 12. A sentence."
    assert fault({"text": late.text, "blocks": late.blocks}) is None
