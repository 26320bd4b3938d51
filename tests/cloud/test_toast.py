"""The Compute API v1.0 client: requests, verdicts, pages, deletions; no secret in any message."""

import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from janitor.cloud.toast.client import ToastClient
from janitor.core.planning.deletion import Answer
from janitor.core.usage import EarlierUsage
from janitor.errors import CloudError, Denied, JanitorError, NotSent, Refused, RetryLater, Unavailable
from janitor.transport import HttpOptions
from tests.loopback import Answered, Asked, Loopback
from tests.toast_account import (
    APPKEY,
    DELETE,
    IMAGES,
    INSTANCES,
    PASSWORD,
    ROOT,
    TOKENS,
    USERNAME,
    Account,
    calls,
    entry,
    ids,
    no,
    serving,
    yes,
)


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_survey_asks_as_the_vendors_page_says(slash: str) -> None:
    with serving(Account(), HttpOptions(page_size=500), slash=slash) as (client, server):
        assert ids(client) == ["i1", "i2"]
        client.usage((), EarlierUsage())
        client.delete("id with &?")
    token, first, second, third, instances, deletion = server.asked
    assert (token.method, token.path) == ("POST", f"{ROOT}/tokens")
    assert token.headers["content-type"] == "application/json;charset=UTF-8"
    assert json.loads(token.body) == {"auth": {"username": USERNAME, "password": PASSWORD}}
    assert "x-auth-token" not in token.headers
    assert (first.path, first.query) == (f"{ROOT}/images", {"limit": "500"})
    assert second.query == {"limit": "500", "marker": "i2"}
    assert third.query == {"limit": "500", "marker": "i1"}
    assert (instances.path, instances.query) == (f"{ROOT}/instances-detail", {})
    assert (deletion.method, deletion.path, deletion.query) == ("DELETE", f"{ROOT}/images", {"id": "id with &?"})
    assert {asked.headers.get("x-auth-token") for asked in server.asked[1:]} == {"t0ken-1"}


@pytest.mark.parametrize(
    ("appkey", "segment"), [("..", "%2E%2E"), (".", "%2E"), ("a/b", "a%2Fb"), ("a?b#c", "a%3Fb%23c")]
)
def test_an_appkey_is_one_segment_of_the_path(appkey: str, segment: str) -> None:
    with Loopback(lambda _: no(-3)) as server:
        client = ToastClient(server.url, appkey, "u", "p")
        with pytest.raises(Denied):
            client.probe()
        client.close()
    assert server.paths() == [f"POST /v1.0/appkeys/{segment}/tokens"]


def test_a_probe_says_what_it_saw() -> None:
    with serving(Account()) as (client, server):
        assert client.probe().sentence == "token accepted, 2 images on the first page, 0 instances"
    assert calls(server) == [TOKENS, IMAGES, INSTANCES]


def test_a_probe_of_one_image() -> None:
    with serving(Account(entries=[entry()])) as (client, _):
        assert client.probe().sentence == "token accepted, 1 image on the first page, 0 instances"


NO_ZEROS: tuple[object, ...] = (
    *(-1, "-1", 50500, 30404, -5, 1, 0.5, True, False, None),
    *("", " 0", "00", "zero", [], {"code": 0}),
)
PASSING = {
    "auth-module": no(-1),
    "unexpected": no(-2),
    "database": no(-6),
    "text-code": no("-6"),
    "inner-500": no(30500),
    "inner-503": no("30503"),
    "inner-429": no(30429),
    "http-429": no(-4, status=429),
    "http-503": no(-4, status=503),
    "gateway": Answered(b"<html>Bad Gateway</html>", status=502),
    "too-many": Answered(b"", status=429),
    "html": Answered(b"<html>"),
    "empty": Answered(b""),
    "cut-json": Answered(b'{"header": {"isSucc'),
    "list": Answered([]),
    "no-header": Answered({"images": []}),
    "header-is-no-object": Answered({"header": "ok"}),
    "no-verdict": Answered({"header": {}}),
    "odd-verdict": Answered({"header": {"isSuccessful": 1}}),
    "unsuccessful-zero": no(0),
    "unsuccessful-text-zero": no("0"),
    **{
        f"successful-{code!r}": Answered({"header": {"isSuccessful": True, "resultCode": code}, "images": []})
        for code in NO_ZEROS
    },
    "successful-without-code": Answered({"header": {"isSuccessful": True}, "images": [], "instances": []}),
    "successful-text": Answered({"header": {"isSuccessful": "true", "resultCode": -1}, "instances": []}),
    "successful-429": Answered({"header": {"isSuccessful": True, "resultCode": -1}, "instances": []}, status=429),
    "dropped": Answered(dropped=True),
    "cut-off": Answered(b"x" * 100, cut=10),
}
LASTING = {
    "-4": no(-4),
    "-5": no(-5),
    "-7": no(-7),
    "-8": no(-8),
    "text": no("-7"),
    "30400": no(30400),
    "30403": no(30403),
    "30409": no(30409),
    "unknown": no(20001),
    "below-10000": no(500),
    "no-code": Answered({"header": {"isSuccessful": False, "resultMessage": "no"}}),
    "http-404": Answered(b"<html>", status=404),
    "http-405": Answered(b"", status=405),
    "redirect": Answered(status=302, headers={"Location": "/"}),
}


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING)
def test_what_may_pass_is_tried_again(answer: Answered) -> None:
    with serving(Account().scripted(IMAGES, answer, answer)) as (client, server):
        assert ids(client) == ["i1", "i2"]
    assert calls(server)[:4] == [TOKENS, IMAGES, IMAGES, IMAGES]


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING)
def test_what_does_not_pass_in_time_is_unavailable(answer: Answered) -> None:
    with (
        serving(Account().scripted(INSTANCES, *[answer] * 5)) as (client, server),
        pytest.raises(Unavailable, match=r"GET /instances-detail: no usable answer \(tried 3 times\)"),
    ):
        client.usage((), EarlierUsage())
    assert calls(server) == [TOKENS, INSTANCES, INSTANCES, INSTANCES]


@pytest.mark.parametrize("answer", LASTING.values(), ids=LASTING)
def test_what_is_final_is_said_at_once(answer: Answered) -> None:
    with (
        serving(Account().scripted(IMAGES, answer)) as (client, server),
        pytest.raises(Refused, match="GET /images: ") as error,
    ):
        ids(client)
    assert not isinstance(error.value, Denied)
    assert calls(server) == [TOKENS, IMAGES]


def test_a_refusal_gives_code_message_and_status() -> None:
    with (
        serving(Account().scripted(DELETE, no("30403", "Image is\n protected", status=403))) as (client, _),
        pytest.raises(Refused) as error,
    ):
        client.delete("i1")
    assert error.value.code == 30403
    assert str(error.value) == 'DELETE /images: 30403 "Image is protected" (HTTP 403)'


@pytest.mark.parametrize("verdict", [True, "true"])
def test_the_header_is_the_verdict(verdict: object) -> None:
    answer = Answered({"header": {"isSuccessful": verdict, "resultCode": "0"}, "images": []})
    with serving(Account().scripted(IMAGES, answer)) as (client, _):
        assert ids(client) == []


@pytest.mark.parametrize("status", [201, 203, 206, 207, 404, 500])
def test_a_success_that_its_status_denies_is_no_usable_answer(status: int) -> None:
    answer = Answered({"header": {"isSuccessful": True, "resultCode": 0}, "images": []}, status=status)
    with (
        serving(Account().scripted(IMAGES, *[answer] * 3)) as (client, server),
        pytest.raises(Unavailable, match=rf"HTTP {status}, and header\.isSuccessful is true"),
    ):
        ids(client)
    assert calls(server).count(IMAGES) == 3


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        ({"error": "db"}, "the list comes with error"),
        ({"fault": {"message": "x"}}, "the list comes with fault"),
        ({"totalCount": 5}, "totalCount is 5, and 0 instances listed"),
        ({"totalCount": "many"}, 'totalCount is "many", and 0 instances listed'),
    ],
)
def test_a_list_of_instances_that_says_that_it_is_not_whole_is_no_usable_answer(
    beside: dict[str, object], said: str
) -> None:
    answers = [yes(instances=[], **beside)] * 3
    with (
        serving(Account().scripted(INSTANCES, *answers)) as (client, _),
        pytest.raises(Unavailable, match=said),
    ):
        client.usage((), EarlierUsage())


def test_a_list_of_instances_may_be_counted_and_have_an_empty_error() -> None:
    answer = yes(instances=[], totalCount=0, error=None)
    with serving(Account().scripted(INSTANCES, answer)) as (client, _):
        assert client.usage((), EarlierUsage()).instances == 0


def test_a_redirect_is_no_success_whatever_its_header_says() -> None:
    answer = Answered({"header": {"isSuccessful": True, "resultCode": 0}, "images": []}, status=302)
    with (
        serving(Account().scripted(IMAGES, answer)) as (client, _),
        pytest.raises(Refused, match="HTTP 302, a redirect, which is not followed"),
    ):
        ids(client)


@pytest.mark.parametrize("header", [{"isSuccessful": True, "resultCode": -1}, {"isSuccessful": False, "resultCode": 0}])
def test_a_deletion_whose_answer_contradicts_itself_is_neither_accepted_nor_refused(header: dict[str, object]) -> None:
    answers = [Answered({"header": header})] * 3
    with serving(Account().scripted(DELETE, *answers)) as (client, server):
        with pytest.raises(Unavailable, match=r"header\.isSuccessful is (true|false), and resultCode is (0|-1)"):
            client.delete("i1")
        assert calls(server).count(DELETE) == 3


def test_failure_may_be_written_as_text() -> None:
    answer = Answered({"header": {"isSuccessful": "false", "resultCode": "-4", "resultMessage": None}, "images": []})
    with (
        serving(Account().scripted(IMAGES, answer)) as (client, _),
        pytest.raises(Refused, match="-4 without a message"),
    ):
        ids(client)


def test_the_server_says_how_long_to_wait() -> None:
    busy = no(-1, status=429, **{"Retry-After": "900"})
    with (
        serving(Account().scripted(IMAGES, busy)) as (client, server),
        pytest.raises(Unavailable, match="Retry-After of 900 s exceeds give_up_after of 2min"),
    ):
        client.probe()
    assert calls(server) == [TOKENS, IMAGES]


@pytest.mark.parametrize("images", [None, {}, "none"], ids=repr)
def test_images_that_are_no_list_are_no_answer(images: object) -> None:
    with serving(Account().scripted(IMAGES, yes(images=images))) as (client, server):
        assert ids(client) == ["i1", "i2"]
    assert calls(server)[:3] == [TOKENS, IMAGES, IMAGES]


@pytest.mark.parametrize(
    "answer",
    [no(-4), no(-5), no(30400), no(30404), no(-7, status=400), Answered(status=404), Answered(status=400)],
    ids=["-4", "-5", "30400", "30404", "documented-400", "404", "400"],
)
def test_a_marker_that_vanished_is_survived(answer: Answered) -> None:
    account = Account(entries=[entry(f"i{number}") for number in range(7)])
    with serving(account, HttpOptions(page_size=3)) as (client, server):
        account.scripted(IMAGES, account.page(Asked("GET", "", {"limit": "3"}, {}, b"")), answer)
        assert ids(client) == [f"i{number}" for number in range(7)]
    assert [asked.query.get("marker") for asked in server.asked[1:4]] == [None, "i2", "i1"]


@pytest.mark.parametrize("answer", [no(30403), no(30401)], ids=["refused", "denied"])
def test_another_refusal_of_a_later_page_fails_the_survey(answer: Answered) -> None:
    account = Account()
    account.scripted(IMAGES, account.page(Asked("GET", "", {"limit": "9"}, {}, b"")), answer, answer)
    with serving(account) as (client, _), pytest.raises(Refused):
        ids(client)


def test_entries_without_an_id_are_skipped_aloud(caplog: pytest.LogCaptureFixture) -> None:
    account = Account(entries=[entry("i1"), {"name": "x"}, entry(" "), "text", None, entry("i2") | {"id": 5}])
    with serving(account) as (client, _):
        assert ids(client) == ["i1"]
    assert "image-without-id skipped=5" in caplog.text


def test_a_survey_that_is_given_up_leaves_no_thread() -> None:
    account = Account(entries=[entry(f"i{number}") for number in range(50)])
    with serving(account, HttpOptions(page_size=2)) as (client, server):
        images = client.images()
        assert next(images).id == "i0"
        assert isinstance(images, Iterator)
        images.close()  # type: ignore[attr-defined]
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("page")]
        assert len(server.asked) <= 4


ABSENT = {
    "-5": no(-5),
    "text": no("-5"),
    "30404": no(30404),
    "http-404": Answered(b"<html>", status=404),
    "both": no(-4, status=404),
}
LOST = {
    "unsuccessful-zero": no(0),
    "unsuccessful-text-zero": no("0"),
    **{
        f"successful-{code!r}": Answered({"header": {"isSuccessful": True, "resultCode": code}, "images": []})
        for code in NO_ZEROS
    },
    "successful-without-code": Answered({"header": {"isSuccessful": True}, "images": [], "instances": []}),
    "successful-text": Answered({"header": {"isSuccessful": "true", "resultCode": -1}, "instances": []}),
    "successful-429": Answered({"header": {"isSuccessful": True, "resultCode": -1}, "instances": []}, status=429),
    "dropped": Answered(dropped=True),
    "gateway": Answered(b"<html>", status=502),
    "html": Answered(b"<html>"),
    "code": no(-2),
    "inner": no(30500),
}


@pytest.mark.parametrize("absent", ABSENT.values(), ids=ABSENT)
def test_an_image_that_was_never_there_is_absent(absent: Answered) -> None:
    with serving(Account().scripted(DELETE, absent)) as (client, _):
        assert client.delete("i1") is Answer.ABSENT


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
@pytest.mark.parametrize("absent", ABSENT.values(), ids=ABSENT)
def test_an_image_that_is_absent_after_a_lost_answer_was_deleted(lost: Answered, absent: Answered) -> None:
    with serving(Account().scripted(DELETE, lost, absent)) as (client, _):
        assert client.delete("i1") is Answer.ACCEPTED


@pytest.mark.parametrize("refused", [no(30409), no(30403), no(-4)], ids=["in-use", "forbidden", "invalid"])
def test_a_refusal_after_a_lost_answer_says_nothing_of_what_became_of_the_image(refused: Answered) -> None:
    with serving(Account().scripted(DELETE, LOST["dropped"], refused, refused)) as (client, _):
        with pytest.raises(Unavailable, match="the answer to an earlier try was lost"):
            client.delete("i1")
        with pytest.raises(Refused):
            client.delete("i2")


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        pytest.param(LOST["dropped"], "the answer to an earlier try was lost", id="lost"),
        pytest.param(no(30401), "an earlier try was turned down", id="token"),
        pytest.param(Answered(status=429), "an earlier try was turned down", id="throttled"),
    ],
)
def test_a_deletion_is_permitted_anew_before_each_try(answer: Answered, came: str) -> None:
    permits = iter([True, False])

    def permit() -> None:
        if not next(permits):
            raise NotSent("the account is another process's by now")

    account = Account()
    with serving(account) as (client, server):
        client.delete("i0")
        account.scripted(DELETE, answer)
        with pytest.raises(RetryLater, match=f"by now; {came}") as raised:
            client.delete("i1", permit)
        assert not isinstance(raised.value, NotSent), "it was sent"
        assert calls(server).count(DELETE) == 2


def test_a_deletion_that_is_not_permitted_is_not_sent() -> None:
    def permit() -> None:
        raise NotSent("the account is another process's by now")

    with serving(Account()) as (client, server):
        with pytest.raises(NotSent, match="another process"):
            client.delete("i1", permit)
        assert DELETE not in calls(server)


def test_credentials_that_are_denied_after_a_lost_answer_say_nothing_of_it_either() -> None:
    account = Account()
    with serving(account) as (client, _):
        client.delete("i0")
        account.scripted(DELETE, LOST["dropped"], no(30401)).scripted(TOKENS, no(50401))
        with pytest.raises(Unavailable, match="the answer to an earlier try was lost"):
            client.delete("i1")


@pytest.mark.parametrize("busy", [Answered(status=429), no(30429)], ids=["status", "code"])
def test_a_request_that_was_turned_away_did_not_delete(busy: Answered) -> None:
    with serving(Account().scripted(DELETE, busy, no(-5))) as (client, _):
        assert client.delete("i1") is Answer.ABSENT


def test_deletions_at_once_open_no_more_connections_than_there_are_workers() -> None:
    with serving(Account()) as (client, server), ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(client.delete, map(str, range(60))))
    assert set(answers) == {Answer.ACCEPTED}
    assert len([asked for asked in server.asked if asked.method == "DELETE"]) == 60
    assert server.connections <= 4


def test_a_lost_answer_is_forgotten_by_the_next_deletion() -> None:
    with serving(Account().scripted(DELETE, Answered(dropped=True), yes(), no(-5))) as (client, _):
        assert client.delete("i1") is Answer.ACCEPTED
        assert client.delete("i2") is Answer.ABSENT


def test_a_token_that_dies_after_a_lost_answer_forgets_nothing() -> None:
    account = Account()
    with serving(account) as (client, _):
        client.delete("i0")
        account.scripted(DELETE, Answered(dropped=True), no(30401), no(-5))
        assert client.delete("i1") is Answer.ACCEPTED


ECHO = f"appkey {APPKEY} of {USERNAME} with {PASSWORD} at {ROOT}"
ECHO_WITH_TOKEN = f"{ECHO} and t0ken-1"


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (TOKENS, no(-3, ECHO)),
        (TOKENS, no(-4, ECHO)),
        (TOKENS, no(-1, ECHO)),
        (DELETE, no(-3, ECHO_WITH_TOKEN)),
        (DELETE, no(30403, ECHO_WITH_TOKEN)),
        (DELETE, no(-2, ECHO_WITH_TOKEN)),
        (DELETE, no(30403, "x" * 295 + PASSWORD)),
        (DELETE, Answered(ECHO.encode(), status=502)),
        (DELETE, Answered(ECHO.encode(), status=302, headers={"Location": ROOT})),
    ],
)
def test_no_secret_is_repeated(call: str, answer: Answered, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        serving(Account().scripted(call, *[answer] * 5)) as (client, _),
        pytest.raises(JanitorError) as error,
    ):
        client.delete("i1")
    told = caplog.text + "".join(map(str, _causes(error.value)))
    for secret in (APPKEY, "4ppk3y", PASSWORD, "p@ss", "t0ken-1"):
        assert secret not in told


@pytest.mark.parametrize("user", ["image", "admin", "the"])
def test_a_user_who_is_called_like_a_word_takes_none_from_the_api(user: str) -> None:
    words = "the image is locked by the admin of this appkey"
    account = Account().scripted(DELETE, no(30403, words))
    with Loopback(account.answer) as server:
        client = ToastClient(f"{server.url}/compute", APPKEY, user, PASSWORD, HttpOptions())
        with closing(client), pytest.raises(JanitorError, match=words):
            client.delete("i1")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def test_a_server_that_is_not_there_is_named_without_the_appkey() -> None:
    client = ToastClient("http://127.0.0.1:9", APPKEY, USERNAME, PASSWORD, HttpOptions(attempts=2))
    with pytest.raises(CloudError, match=r"POST /tokens: no usable answer \(tried 2 times\): ConnectError") as error:
        client.probe()
    client.close()
    assert "4ppk3y" not in str(error.value)
