"""Connections to PostgreSQL: bounded in time, and silent about passwords."""

import re
import socket
import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from janitor.errors import ConfigurationError, FleetError, JanitorError
from janitor.fleet.database import Connection, connect, parameters_of
from tests.fleet.black_hole import Proxy
from tests.fleet.postgres import Databases

SHORT = timedelta(seconds=0.2)


def test_statements_give_rows_by_name_and_times_in_utc(connection: Connection) -> None:
    assert connection.rows("SELECT n FROM generate_series(1, %(last)s) AS n", last=2) == [{"n": 1}, {"n": 2}]
    assert connection.row("SELECT 1 AS n WHERE false") is None
    assert connection.row("SHOW timezone") == {"TimeZone": "UTC"}


def test_a_transaction_is_done_as_a_whole_or_not_at_all(connection: Connection, other: Connection) -> None:
    def half() -> None:
        with connection.together():
            connection.rows("INSERT INTO pace VALUES ('half', now())")
            connection.rows("SELECT 1 / 0")

    with pytest.raises(FleetError, match="division by zero"):
        half()
    with connection.together():
        connection.rows("INSERT INTO pace VALUES ('whole', now())")
        assert other.rows("SELECT sender FROM pace") == []
    assert other.rows("SELECT sender FROM pace") == [{"sender": "whole"}]


def test_who_vanishes_within_a_transaction_does_not_hold_others_up(connection: Connection, other: Connection) -> None:
    limits = ("idle_in_transaction_session_timeout", "lock_timeout")
    asked = [connection.row("SELECT current_setting(%(name)s) AS value", name=name) for name in limits]
    assert asked == [{"value": "10s"}, {"value": "20s"}]
    connection.run("SET idle_in_transaction_session_timeout = '0.1s'")

    def vanish() -> None:
        with connection.together():
            connection.rows("INSERT INTO pace VALUES ('stopped', now())")
            other.rows("INSERT INTO pace VALUES ('stopped', now() + interval '1 day')")  # waits for the first
            connection.rows("SELECT 1")

    with pytest.raises(FleetError, match="idle-in-transaction timeout"):
        vanish()
    assert other.row("SELECT next_at > now() AS second FROM pace") == {"second": True}


def test_what_another_holds_up_is_given_up_in_the_end(connection: Connection, other: Connection) -> None:
    other.run("SET lock_timeout = '0.1s'")
    with connection.together():
        connection.rows("INSERT INTO pace VALUES ('held', now())")
        with pytest.raises(FleetError, match="lock timeout: another process holds it up: try again in some seconds"):
            other.rows("INSERT INTO pace VALUES ('held', now())")
    assert other.rows("SELECT sender FROM pace") == [{"sender": "held"}]


def test_threads_do_not_join_the_transaction_of_another(connection: Connection, other: Connection) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def undone() -> None:
        with suppress(ZeroDivisionError), connection.together():
            connection.rows("INSERT INTO pace VALUES ('undone', now())")
            begun.set()
            go_on.wait()
            raise ZeroDivisionError

    threads = [threading.Thread(target=undone)]
    threads[0].start()
    begun.wait()
    threads.append(threading.Thread(target=connection.rows, args=("INSERT INTO pace VALUES ('done', now())",)))
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert other.rows("SELECT sender FROM pace") == [{"sender": "done"}]


def test_the_servers_lists_say_whose_connection_it_is(url: str) -> None:
    with connect(url, "janitor fleet work a-1") as connection:
        assert connection.row("SHOW application_name") == {"application_name": "janitor fleet work a-1"}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:geheim-geheim@127.0.0.1:1/fleet",
        "postgresql://me:geheim-geheim",
        "postgresql://me:geheim-geheim@[/fleet",
        "postgresql://me:geheim@geheim-geheim@127.0.0.1/fleet",
        "geheim-geheim",
        "postgresql://me:x?geheim=1",
        "host=127.0.0.1 port=1 password=geheim-geheim",
    ],
)
def test_no_error_shows_a_password(url: str) -> None:
    with pytest.raises(JanitorError) as raised:
        connect(url)
    assert "geheim" not in str(raised.value)


def test_what_postgresql_says_is_told_without_the_password(databases: Databases) -> None:
    wrong = f"postgresql://geheim-geheim:geheim-geheim@127.0.0.1:{databases.server.port}/postgres"
    with pytest.raises(FleetError, match=r'failed for user "\*\*\*"'):
        connect(wrong)


def test_an_error_says_where_and_what_to_do(databases: Databases) -> None:
    server = databases.server
    wrong = server.url().replace(str(urlsplit(server.url()).password), "another-password")
    with pytest.raises(FleetError, match=rf"^fleet database postgres on 127.0.0.1:{server.port}: .* failed"):
        connect(wrong)
    with pytest.raises(FleetError, match="no_such"):
        connect(server.url("no_such"))
    with connect(databases.empty()) as connection, pytest.raises(FleetError, match="run `janitor fleet init`"):
        connection.rows("SELECT * FROM accounts")


def test_a_server_that_stops_answering_is_given_up_in_time_and_not_asked_again(
    url: str, databases: Databases, proxy: Proxy
) -> None:
    through = databases.server.url(urlsplit(url).path[1:], port=proxy.port)
    with connect(through, patience=SHORT) as connection:
        assert connection.row("SELECT 1 AS n") == {"n": 1}
        proxy.stop_answering()
        began = time.monotonic()
        with pytest.raises(FleetError, match="no answer in time"), connection.together():
            connection.rows("INSERT INTO pace VALUES ('late', now())")
        assert time.monotonic() - began < 5
        assert connection.closed
        proxy.answer()
        with pytest.raises(FleetError, match="closed"):
            connection.rows("SELECT 1")


def test_a_server_that_never_answers_is_not_waited_for(
    databases: Databases, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("janitor.fleet.database._CONNECTING", timedelta(seconds=2))  # libpq takes no less
    proxy.stop_answering()
    began = time.monotonic()
    with pytest.raises(FleetError, match="timeout"):
        connect(databases.server.url(port=proxy.port))
    assert time.monotonic() - began < 8


def test_within_bounds_the_wait_for_the_turn_of_another_thread(connection: Connection) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def busy() -> None:
        with connection.together():
            begun.set()
            go_on.wait()

    thread = threading.Thread(target=busy)
    thread.start()
    begun.wait()
    with pytest.raises(FleetError, match="no answer yet"), connection.within(SHORT):
        raise AssertionError("it is not our turn")
    go_on.set()
    thread.join()
    assert connection.row("SELECT 1 AS n") == {"n": 1}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("postgresql://u:half@secret@db/x", "percent-encoded, as %40 for @", id="an-at-in-it"),
        pytest.param("postgresql://u:half%secret@db/x", "percent-encoded, as %40 for @", id="a-percent-in-it"),
        pytest.param("postgresql://u:half/secret@db/x", "percent-encoded, as %40 for @", id="a-slash-in-it"),
        pytest.param(
            "postgresql://u:secret@db/x?sslmod=verify-full",
            "PostgreSQL has no parameter sslmod, did you mean sslmode?",
            id="a-misspelled-parameter",
        ),
    ],
)
def test_a_wrong_url_is_an_error_of_configuration_that_says_what_is_wrong(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)) as raised:
        parameters_of(url)
    assert "secret" not in str(raised.value)
    assert str(raised.value).startswith("fleet.database: ")


def test_without_a_certificate_of_the_authority_it_says_how_to_name_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_agree_to_encrypt, args=(server,))
        thread.start()
        url = f"postgresql://u:p@127.0.0.1:{server.getsockname()[1]}/x?sslmode=verify-full&sslrootcert={tmp_path}/none"
        with pytest.raises(FleetError, match=r"does not exist: name .* in `fleet\.database`: sslrootcert="):
            connect(url)
        thread.join()


def _agree_to_encrypt(server: socket.socket) -> None:
    """Answer as a PostgreSQL that has TLS; no more is needed of it."""
    client, _ = server.accept()
    with client:
        client.recv(8)
        client.sendall(b"S")
