"""A token is requested once, renewed in time, and given up when a new one is denied, too."""

import threading
from datetime import datetime, timedelta

import pytest

from janitor.cloud.common.tokens import Token, Tokens
from janitor.core.planning.deletion import Answer
from janitor.core.usage import EarlierUsage
from janitor.errors import Denied
from tests.loopback import Answered
from tests.toast_account import DELETE, IMAGES, INSTANCES, NOW, TOKENS, Account, calls, ids, no, serving, yes


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.mark.parametrize(
    ("lifetime", "kept", "renewed"),
    [
        (timedelta(hours=1), timedelta(minutes=54, seconds=59), timedelta(minutes=55)),
        (timedelta(hours=12), timedelta(hours=11, minutes=54), timedelta(hours=11, minutes=55)),
        (timedelta(minutes=4), timedelta(minutes=1, seconds=59), timedelta(minutes=2)),
        (timedelta(seconds=10), timedelta(seconds=4), timedelta(seconds=5)),
    ],
    ids=["an-hour", "twelve-hours", "four-minutes", "ten-seconds"],
)
@pytest.mark.parametrize(
    "ahead", [timedelta(), timedelta(hours=-30), timedelta(hours=30)], ids=["right", "behind", "fast"]
)
def test_a_token_is_renewed_in_time_whatever_the_servers_clock_says(
    lifetime: timedelta, kept: timedelta, renewed: timedelta, ahead: timedelta
) -> None:
    time = Time()
    account = Account(lifetime=lifetime, clock=lambda: NOW + ahead)
    with serving(account, clock=time) as (client, _):
        client.delete("i1")
        time.now = NOW + kept
        client.delete("i1")
        assert account.issued == 1
        time.now = NOW + renewed
        client.delete("i1")
        assert account.issued == 2


@pytest.mark.parametrize(
    "stamps",
    [
        {},
        {"expires": "never"},
        {"expires": None, "issued_at": "2026-11-23T03:00:00"},
        {"expires": "2026-11-23T02:00:00Z", "issued_at": "2026-11-23T03:00:00"},
    ],
    ids=["missing", "unreadable", "null", "before-it-began"],
)
def test_a_token_without_a_readable_end_is_used_until_it_is_denied(stamps: dict[str, object]) -> None:
    time = Time()
    account = Account().scripted(TOKENS, yes(access={"token": {"id": "t0ken-0", **stamps}}))
    with serving(account, clock=time) as (client, _):
        client.delete("i1")
        time.now = NOW + timedelta(days=30)
        client.delete("i1")
        assert account.issued == 0
        account.dead.add("t0ken-0")
        client.delete("i1")
        assert account.issued == 1


def test_an_end_without_a_beginning_counts_from_when_we_asked() -> None:
    time = Time()
    account = Account().scripted(TOKENS, yes(access={"token": {"id": "t0ken-0", "expires": "2026-11-23T04:00:00Z"}}))
    with serving(account, clock=time) as (client, _):
        client.delete("i1")
        time.now = NOW + timedelta(minutes=55)
        client.delete("i1")
        assert account.issued == 1


DENIALS = [no(-3), no(30401), no("30401"), no(10401), no(50401), no(-4, status=401), Answered(b"<html>", status=401)]
DENIAL_IDS = ["-3", "30401", "text", "10401", "50401", "status", "html"]


@pytest.mark.parametrize("denial", DENIALS, ids=DENIAL_IDS)
def test_a_token_that_was_good_and_is_denied_is_renewed_once(denial: Answered) -> None:
    account = Account()
    with serving(account) as (client, server):
        client.delete("i1")
        account.scripted(DELETE, denial)
        assert client.delete("i1") is Answer.ACCEPTED
    assert calls(server) == [TOKENS, DELETE, DELETE, TOKENS, DELETE]


@pytest.mark.parametrize("denial", DENIALS, ids=DENIAL_IDS)
def test_a_new_token_that_is_denied_is_the_end(denial: Answered) -> None:
    account = Account().scripted(DELETE, yes(), denial, denial, denial, denial)
    with serving(account) as (client, server):
        client.delete("i1")
        with pytest.raises(Denied, match=r"DELETE /images: .*the token is not accepted, and neither is a new one"):
            client.delete("i1")
        assert calls(server) == [TOKENS, DELETE, DELETE, TOKENS, DELETE]
        with pytest.raises(Denied):
            client.delete("i1")
    assert calls(server)[5:] == [DELETE]


@pytest.mark.parametrize("denial", DENIALS, ids=DENIAL_IDS)
def test_a_first_token_that_is_denied_is_not_renewed(denial: Answered) -> None:
    with (
        serving(Account().scripted(IMAGES, denial)) as (client, server),
        pytest.raises(Denied, match=r"GET /images: .*the token is not accepted"),
    ):
        client.probe()
    assert calls(server) == [TOKENS, IMAGES]


@pytest.mark.parametrize("denial", [*DENIALS, no(50403), Answered(status=403)], ids=[*DENIAL_IDS, "50403", "forbidden"])
def test_wrong_credentials_are_sent_once_and_never_again(denial: Answered) -> None:
    with serving(Account().scripted(TOKENS, denial)) as (client, server):
        for ask in (
            client.probe,
            lambda: client.usage((), EarlierUsage()),
            lambda: client.delete("i1"),
            lambda: ids(client),
        ):
            with pytest.raises(Denied, match=r"POST /tokens: .*the credentials are not accepted"):
                ask()
    assert calls(server) == [TOKENS]


@pytest.mark.parametrize(
    "answer",
    [
        yes(),
        yes(access=None),
        yes(access={"token": {}}),
        yes(access={"token": {"id": 5}}),
        yes(access={"token": {"id": "a\nb"}}),
    ],
    ids=["no-access", "null", "no-id", "number", "line-break"],
)
def test_an_answer_without_a_usable_token_is_asked_for_again(answer: Answered) -> None:
    with serving(Account().scripted(TOKENS, answer)) as (client, server):
        client.probe()
    assert calls(server) == [TOKENS, TOKENS, IMAGES, INSTANCES]


def test_threads_that_are_denied_together_renew_once() -> None:
    issued = iter(Token(f"t0ken-{number}") for number in range(1, 9))
    tokens = Tokens(lambda: next(issued), lambda: NOW)
    shared = tokens.current()
    tokens.proven(shared)
    renewed = [tokens.after(shared, Denied("no", code=401)) for _ in range(4)]
    assert {token.id for token in renewed} == {"t0ken-2"}


def test_threads_share_one_token_and_one_renewal() -> None:
    account = Account()
    with serving(account) as (client, server):
        client.delete("i0")
        account.dead.add("t0ken-1")
        threads = [threading.Thread(target=client.delete, args=(f"i{number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert calls(server).count(TOKENS) == 2
