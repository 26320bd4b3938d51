"""An answer is Slack's acceptance, a rejection with its error code, or not Slack's; nothing else is believed."""

import pytest

from janitor.errors import DeliveryError
from janitor.notify.slack.answers import Accepts, Problem, problem_of_webhook
from janitor.notify.slack.channel import Place, SlackChannel
from janitor.report import Listing
from tests.notify.slack.channels import BOTH, YES, Kind, accepted_by, bot, failure, webhook
from tests.slack_stand_in import CHANNEL, COMPLETE, Reply, SlackStandIn

# Refusals


@pytest.mark.parametrize("word", ["invalid_blocks", "no_service", "channel_is_archived", "action_prohibited"])
def test_the_word_of_a_webhook_is_repeated(word: str, slack: SlackStandIn, waits: list[float]) -> None:
    slack.script.append(Reply(400, word))
    assert f'it said "{word}"' in str(failure(webhook(slack, waits)))
    assert waits == []


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        pytest.param({"token": "xoxb-wrong"}, 'it said "invalid_auth" (the token is not accepted)', id="token"),
        pytest.param({"channel": "#nowhere"}, 'it said "channel_not_found" (is the channel right', id="channel"),
    ],
)
def test_the_word_of_the_api_is_repeated(
    parts: dict[str, str], said: str, slack: SlackStandIn, waits: list[float]
) -> None:
    assert said in str(failure(bot(slack, waits, **parts)))
    assert (len(slack.requests), waits) == (1, [])


def test_the_details_of_a_refusal_are_repeated(slack: SlackStandIn, waits: list[float]) -> None:
    detail = "[ERROR] no more than 50 items allowed [json-pointer:/blocks]"
    body = f'{{"ok": false, "error": "invalid_blocks", "response_metadata": {{"messages": ["{detail}"]}}}}'
    slack.script.append(Reply(200, body))
    assert detail in str(failure(bot(slack, waits)))


@pytest.mark.parametrize(
    "foreign",
    [
        Reply(200, "<html>Please log in to the hotel's network</html>"),
        Reply(200, "no_service"),
        Reply(200, "{"),
        Reply(200, '{"ok": false}'),
        Reply(200, '{"ok": false, "error": {}, "response_metadata": []}'),
        Reply(200, "x", {"Content-Type": "text/html; charset=martian"}),
        Reply(403, "<html>"),
        Reply(302, "", {"Location": "/elsewhere"}),
    ],
    ids=["portal", "word", "cut-off", "not-ok", "odd", "charset", "403", "redirect"],
)
def test_an_answer_that_is_not_slacks_yes_is_no_delivery(
    foreign: Reply, channel: SlackChannel, slack: SlackStandIn
) -> None:
    slack.script += [foreign] * 5
    assert failure(channel).delivered == 0


# Acceptance


PAGES = [
    pytest.param("<!DOCTYPE html><html>ok</html>", id="page"),
    pytest.param("\n <html>ok</html>", id="page-after-a-blank-line"),
    pytest.param("\ufeff<html>ok</html>", id="page-after-a-bom"),
    pytest.param("\u200b \ufeff\u00a0<p>ok", id="page-after-what-cannot-be-seen"),
    pytest.param("<!-- ok --><html>", id="page-after-a-comment"),
    pytest.param("/* ok */\n<HTML lang=ko>", id="page-after-another-comment"),
    pytest.param("Please wait\n<body>", id="page-after-words"),
    pytest.param('"<html>ok</html>"', id="page-as-json"),
    pytest.param('Moved <a href="/login">here</a>', id="link-within"),
    pytest.param("ok <br/> ok", id="tag-within"),
    pytest.param("Sign in: <a href", id="tag-cut-off"),
    pytest.param('"see <a href=x>"', id="link-within-json-text"),
    pytest.param('{"message": "<html><title>Sign in"}', id="page-within-json"),
]
REFUSALS = [
    pytest.param("no_service", id="word"),
    pytest.param(" invalid_payload\n", id="word-and-blanks"),
    pytest.param("\ufeffInvalid_Payload", id="word-after-a-bom"),
    pytest.param('"invalid_payload"', id="word-as-json"),
    pytest.param('["invalid_payload"]', id="word-in-a-list"),
    pytest.param("error: invalid_payload", id="word-after-words"),
    pytest.param("(invalid_payload).", id="word-in-punctuation"),
    pytest.param("_no_text_!", id="word-emphasised"),
    pytest.param("Sorry, channel_not_found: nothing was posted", id="word-in-a-sentence"),
    pytest.param("missing_text_or_fallback_or_attachments", id="long-word"),
    pytest.param('{"message": "error: invalid_payload"}', id="word-in-a-sentence-in-json"),
    pytest.param('{"ok": false, "error": "error: invalid_payload"}', id="word-in-a-sentence-as-error"),
    pytest.param('{"status": "error", "message": "no"}', id="status-error"),
    pytest.param('{"Status": "FAILED"}', id="status-in-capitals"),
    pytest.param('{"code": 401}', id="status-of-http-within"),
    pytest.param("Error: nothing was posted", id="text-that-begins-with-no"),
    pytest.param('{"detail": {"code": "invalid_payload"}}', id="word-deep-in-json"),
    pytest.param('{"ok": false}', id="json-no"),
    pytest.param('{"ok": "false"}', id="json-no-in-text"),
    pytest.param('{"ok": "true"}', id="json-yes-in-text"),
    pytest.param('{"ok": 1}', id="json-yes-as-a-number"),
    pytest.param('{"ok": null}', id="json-null"),
    pytest.param('{"ok": true, "ok": false}', id="json-twice"),
    pytest.param('{"ok": false, "ok": true}', id="json-twice-otherwise"),
    pytest.param('{"ok": false, "error": "no_text"}', id="json-no-and-why"),
    pytest.param('{"ok": true, "error": "no_text"}', id="json-yes-and-why-not"),
    pytest.param('{"success": false}', id="another-json-no"),
    pytest.param('{"result": {"ok": false}}', id="json-no-within"),
    pytest.param('[{"ok": false}]', id="json-no-in-a-list"),
    pytest.param('{"error": "no_text"}', id="error"),
    pytest.param('{"error": {"code": 7}}', id="error-of-another-kind"),
    pytest.param("false", id="false"),
    pytest.param('{"ok": tr', id="cut-off"),
    pytest.param('"o', id="cut-off-text"),
    pytest.param("[" * 100_000, id="deep"),
]
OTHERS = [
    pytest.param("", id="nothing"),
    pytest.param("1", id="number"),
    pytest.param("null", id="null"),
    pytest.param("OK", id="in-capitals"),
    pytest.param("ok.", id="with-a-stop"),
    pytest.param("\ufeffok", id="after-a-bom"),
    pytest.param('"ok"', id="as-json"),
    pytest.param("accepted", id="another-word"),
    pytest.param("Message accepted.", id="sentence"),
    pytest.param('{"success": true}', id="another-json-yes"),
    pytest.param('{"id": 4}', id="json-of-another-kind"),
    pytest.param('{"status": "success", "code": 200, "errors": []}', id="json-that-tells-how-it-went"),
    pytest.param("Accepted: <https://example.test|look> for <@U01>, <!here>, 1 < 2", id="slacks-own-brackets"),
    pytest.param(f'{{"message": {{"text": "{"x" * 200} no_text"}}}}', id="json-that-quotes-our-report"),
    pytest.param('{"ok": true, "error": null}', id="json-yes-and-no-error"),
    pytest.param("{}", id="empty-object"),
    pytest.param("[]", id="list"),
    pytest.param("true", id="true"),
    pytest.param('{"ok": true}', id="json-yes-without-a-time-stamp"),
]
NEVER = pytest.mark.parametrize("body", [*PAGES, *REFUSALS])
UNUSUAL = pytest.mark.parametrize("body", OTHERS)


@pytest.mark.parametrize("body", ["ok", " ok\r\n", "\tok "])
def test_a_webhook_accepts_by_ok(body: str) -> None:
    assert accepted_by(webhook, Reply(200, body), Accepts.SLACK) is None


@pytest.mark.parametrize("body", [YES, f" {YES}\n", '{"ts": "1.0", "ok": true, "warning": "missing_charset"}'])
def test_a_bot_is_accepted_by_a_yes_with_a_time_stamp(body: str) -> None:
    assert accepted_by(bot, Reply(200, body), Accepts.SLACK) is None


@BOTH
@NEVER
@pytest.mark.parametrize("accepts", Accepts)
def test_pages_and_refusals_are_no_acceptance(kind: Kind, body: str, accepts: Accepts) -> None:
    error = accepted_by(kind, Reply(200, body), accepts)
    assert error is not None
    assert "any-2xx" not in str(error), "which would not help"


@BOTH
@UNUSUAL
def test_what_is_not_slacks_answer_is_no_acceptance(kind: Kind, body: str) -> None:
    error = accepted_by(kind, Reply(200, body), Accepts.SLACK)
    assert error is not None
    assert error.delivered == 0
    assert (
        "not as Slack answers: if this server answers so when it accepts messages, set slack.accepts: any-2xx"
        in str(error)
    )


@BOTH
@UNUSUAL
def test_a_server_like_slack_may_be_believed(kind: Kind, body: str) -> None:
    assert accepted_by(kind, Reply(200, body), Accepts.ANY_2XX) is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"ok": true, "ts": ""}', id="empty"),
        pytest.param('{"ok": true, "ts": " "}', id="blank"),
        pytest.param('{"ok": true, "ts": 1503435956.000247}', id="number"),
        pytest.param('{"ok": true, "ts": null}', id="null"),
        pytest.param('{"ok": true, "ts": "1.0", "ts": "2.0"}', id="twice"),
        pytest.param('{"ok": true, "ts": "1.0", "message": {"a": 1, "a": 2}}', id="twice-within"),
        pytest.param("ok", id="as-a-webhook"),
    ],
)
def test_a_bot_needs_a_time_stamp(body: str) -> None:
    assert accepted_by(bot, Reply(200, body), Accepts.SLACK) is not None


@pytest.mark.parametrize("error", ['"channel_not_found"', '"unheard_of"', '" "', '{"code": 7}', "1"])
@pytest.mark.parametrize("accepts", Accepts)
def test_a_yes_beside_an_error_is_no_acceptance(error: str, accepts: Accepts) -> None:
    body = f'{{"ok": true, "error": {error}, "channel": "C01", "ts": "1503435956.000247"}}'
    assert accepted_by(bot, Reply(200, body), accepts) is not None
    assert accepted_by(bot, Reply(200, body.replace('"error"', '"warning"')), accepts) is None


@pytest.mark.parametrize("error", ['""', "null", "false"])
def test_no_error_is_none(error: str) -> None:
    body = f'{{"ok": true, "error": {error}, "channel": "C01", "ts": "1503435956.000247"}}'
    assert accepted_by(bot, Reply(200, body), Accepts.SLACK) is None


def test_a_file_is_not_attached_by_a_yes_beside_an_error(slack: SlackStandIn, waits: list[float]) -> None:
    slack.refusals[COMPLETE] = Reply(200, '{"ok": true, "error": "unheard_of", "files": [{"id": "F0"}]}')
    with pytest.raises(DeliveryError, match="did not accept the file"):
        bot(slack, waits).attach(Listing("run-12.csv", "x"), "All images", Place(CHANNEL, CHANNEL, "1.0"))


@pytest.mark.parametrize(("status", "any_2xx"), [(201, True), (202, True), (300, False), (401, False)])
def test_acceptance_needs_a_status_of_acceptance(status: int, any_2xx: bool) -> None:
    for kind, body in ((webhook, "ok"), (bot, YES)):
        assert accepted_by(kind, Reply(status, body), Accepts.SLACK) is not None
        assert (accepted_by(kind, Reply(status, body), Accepts.ANY_2XX) is None) is any_2xx


@BOTH
@pytest.mark.parametrize("body", ["", "OK", "accepted", '{"success": true}'])
def test_what_words_call_themselves_says_nothing_of_them(kind: Kind, body: str) -> None:
    """Slack calls its own words text/html, and servers that do as it does call theirs so, too."""
    assert accepted_by(kind, Reply(200, body, {"Content-Type": "text/html"}), Accepts.ANY_2XX) is None


@pytest.mark.parametrize("accepts", Accepts)
def test_slack_calls_its_own_ok_a_page(accepts: Accepts) -> None:
    assert accepted_by(webhook, Reply(200, "ok", {"Content-Type": "text/html"}), accepts) is None


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (403, "Not here, sorry", "the answer was HTTP 403"),
        (403, "<html>no", "the answer was HTTP 403 with a page of HTML; look at the URL and the proxy"),
        (200, '{"status": "error"}', 'the answer was HTTP 200 with "status": "error" in its JSON'),
        (200, '{"ok": fal', "the answer was HTTP 200 with JSON that is cut off or contradicts itself"),
        (200, '{"ok": true, "error": {}, "success": 0}', '"success" in its JSON that is not true'),
    ],
)
@BOTH
def test_where_other_answers_count_it_is_said_what_the_answer_was(
    kind: Kind, status: int, body: str, told: str
) -> None:
    error = accepted_by(kind, Reply(status, body), Accepts.ANY_2XX)
    assert str(error).endswith(told)


@BOTH
@pytest.mark.parametrize("accepts", Accepts)
@pytest.mark.parametrize(("status", "refused"), [(500, False), (403, True)])
def test_a_word_that_is_no_refusal_is_told_with_its_status(
    kind: Kind, accepts: Accepts, status: int, refused: bool
) -> None:
    error = accepted_by(kind, Reply(status, "ok"), accepts)
    assert error is not None
    assert f'the answer was HTTP {status}, and it said "ok"' in str(error)
    assert error.refused is refused


def test_a_page_in_another_alphabet_is_a_page() -> None:
    page = "<html>ok</html>"
    for body in (page.encode("utf-16"), page.encode("utf-16-le"), b"\xef\xbb\xbf" + page.encode()):
        assert problem_of_webhook(200, body, Accepts.ANY_2XX) == Problem(
            "the answer was HTTP 200 with a page of HTML; look at the URL and the proxy"
        )
