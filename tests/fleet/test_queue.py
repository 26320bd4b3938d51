"""The queue: each account once a night, and a job is ended only by the worker that has it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

import pytest
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status

from janitor.errors import FleetError
from janitor.fleet.database import Connection, connect
from janitor.fleet.jobs import OwnJobs
from janitor.fleet.nights import begin
from janitor.fleet.outcomes import Awaited
from janitor.fleet.outputs import answer, ask, read
from janitor.fleet.pace import sender_of, take_turn
from janitor.fleet.queue import Enqueued, answers_of, app_of, enqueue, enqueue_answer, queue_of, withdraw_answer
from tests.fleet.black_hole import Proxy
from tests.fleet.postgres import Databases, somebody_waits

T = TypeVar("T")
NIGHT, NEXT = date(2026, 6, 1), date(2026, 6, 2)
LAB, SHOP, WEB = Awaited("lab", 3, "d1"), Awaited("shop", 3, "d2"), Awaited("web", 5, "d3")


@pytest.fixture
def app(url: str, connection: Connection) -> App:
    for night in (NIGHT, NEXT):
        begin(connection, night, datetime(2026, 6, 1, 3, tzinfo=UTC), timedelta(hours=6))
    return app_of(url, "a test")


def doing(app: App, work: Callable[[OwnJobs], Awaitable[T]]) -> T:
    """What is done with the jobs by somebody who is connected."""

    async def connected() -> T:
        async with app.open_async():
            assert isinstance(app.job_manager, OwnJobs)
            return await work(app.job_manager)

    return asyncio.run(connected())


def taken(app: App, *shards: int) -> Job | None:
    """A job of these shards, taken by a new worker."""
    return taken_of(app, *map(queue_of, shards))


def taken_of(app: App, *queues: str) -> Job | None:
    """A job of these queues, taken by a new worker."""

    async def take(jobs: OwnJobs) -> Job | None:
        return await jobs.fetch_job(list(queues), await jobs.register_worker())

    return doing(app, take)


def silent(connection: Connection, job: Job) -> None:
    """The worker of a job has given no sign for a minute."""
    connection.rows(
        "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute' WHERE id = %(id)s",
        id=job.worker_id,
    )


def states(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.rows("SELECT lock, status::text AS status FROM procrastinate_jobs ORDER BY id")
    return [(row["lock"], row["status"]) for row in rows]


def test_each_account_gets_a_job_in_the_queue_of_its_shard(connection: Connection, app: App) -> None:
    assert enqueue(connection, app, [LAB, SHOP, WEB], NIGHT) == Enqueued(("lab", "shop", "web"), (), ())
    job = taken(app, 5)
    assert job is not None
    assert (job.lock, job.task_name, job.task_kwargs) == (
        "web",
        "clean",
        {"account": "web", "night": "2026-06-01", "digest": "d3"},
    )
    assert taken(app, 5) is None


def test_a_worker_of_no_shard_takes_no_job(connection: Connection, app: App) -> None:
    enqueue(connection, app, [LAB], NIGHT)
    assert taken(app) is None


def test_an_account_that_waits_or_is_cleaned_is_not_queued_twice_in_a_night(connection: Connection, app: App) -> None:
    enqueue(connection, app, [LAB, SHOP], NIGHT)
    assert taken(app, 3) is not None
    assert enqueue(connection, app, [LAB, SHOP, WEB], NIGHT) == Enqueued(("web",), ("lab", "shop"), ())


def test_what_is_no_longer_listed_is_dropped_unless_somebody_has_it(connection: Connection, app: App) -> None:
    enqueue(connection, app, [LAB, SHOP, WEB], NIGHT)
    assert taken(app, 3) is not None
    assert enqueue(connection, app, [SHOP], NIGHT).unlisted == ()
    assert enqueue(connection, app, [SHOP], NIGHT, ["shop"]).unlisted == ("web",)
    assert states(connection) == [("lab", "doing"), ("shop", "todo")]
    [web] = connection.rows("SELECT state, said FROM outcomes WHERE account = 'web'")
    assert (web["state"], "no longer listed" in web["said"]) == ("failed", True)


def test_what_nobody_began_in_an_earlier_night_is_queued_for_this_one(connection: Connection, app: App) -> None:
    enqueue(connection, app, [LAB, SHOP], NIGHT)
    begun = taken(app, 3)
    assert begun is not None
    assert enqueue(connection, app, [LAB, SHOP], NEXT) == Enqueued(("lab", "shop"), (), ("shop",))
    assert states(connection) == [("lab", "doing"), ("lab", "todo"), ("shop", "todo")]


def test_two_who_enqueue_at_once_take_turns(
    connection: Connection, other: Connection, url: str, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    defer = app.job_manager.batch_defer_jobs
    with ThreadPoolExecutor(1) as pool, connect(url) as third:
        second: list[Future[Enqueued]] = []

        def meanwhile(jobs: list[Job], connection: Connection) -> list[Job]:
            if not second:
                second.append(pool.submit(enqueue, other, app, [WEB, SHOP, LAB], NIGHT))
                assert somebody_waits(third, unless=second[0].done)
            return defer(jobs, connection)

        monkeypatch.setattr(app.job_manager, "batch_defer_jobs", meanwhile)
        monkeypatch.setattr("janitor.fleet.queue._AT_ONCE", 1)
        assert enqueue(connection, app, [LAB, SHOP], NIGHT) == Enqueued(("lab", "shop"), (), ())
        assert second[0].result() == Enqueued(("web",), ("shop", "lab"), ())
    assert sorted(states(connection)) == [("lab", "todo"), ("shop", "todo"), ("web", "todo")]


def test_a_job_that_is_handed_back_meanwhile_does_not_keep_the_next_night_from_its_account(
    connection: Connection, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue(connection, app, [LAB], NIGHT)
    lab = taken(app, 3)
    assert lab is not None
    first = app.job_manager.batch_defer_jobs

    def meanwhile(jobs: list[Job], connection: Connection) -> list[Job]:
        monkeypatch.undo()
        doing(app, lambda own: own.retry_job(lab))
        return first(jobs, connection)

    monkeypatch.setattr(app.job_manager, "batch_defer_jobs", meanwhile)
    assert enqueue(connection, app, [LAB, SHOP], NEXT) == Enqueued(("lab", "shop"), (), ("lab",))
    assert states(connection) == [("lab", "todo"), ("shop", "todo")]


def test_what_waits_for_another_configuration_is_queued_anew(connection: Connection, app: App) -> None:
    enqueue(connection, app, [LAB, SHOP, WEB], NIGHT)
    assert taken(app, 5) is not None
    changed = [replace(each, digest="another") for each in (LAB, WEB)]
    assert enqueue(connection, app, [*changed, SHOP], NIGHT) == Enqueued(("lab",), ("web", "shop"), ())
    assert sorted(states(connection)) == [("lab", "todo"), ("shop", "todo"), ("web", "doing")]
    digests = connection.rows("SELECT account, digest FROM outcomes ORDER BY account")
    assert [row["digest"] for row in digests] == ["another", "d2", "d3"]


def test_all_accounts_are_queued_or_none(connection: Connection, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janitor.fleet.queue._AT_ONCE", 1)
    wrong = replace(WEB, account="a\0")
    with pytest.raises(FleetError):
        enqueue(connection, app, [LAB, wrong], NIGHT)
    assert states(connection) == []
    assert connection.rows("SELECT * FROM outcomes") == []


def test_a_queue_without_postgresql_is_an_error_of_the_fleet(connection: Connection, app: App) -> None:
    connection.run("DROP FUNCTION procrastinate_defer_jobs_v1")
    with pytest.raises(FleetError, match="run `janitor fleet init`"):
        enqueue(connection, app, [LAB], NIGHT)
    with pytest.raises(FleetError, match="run `janitor fleet init`"):
        enqueue_answer(connection, app, "lab", 3, ask(connection, "lab", ["waiting"], "kim@desk", "d"))


def test_a_worker_whose_postgresql_keeps_silent_is_told_so_in_time(
    url: str, databases: Databases, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("janitor.fleet.database.PATIENCE", timedelta(seconds=0.3))
    app = app_of(databases.server.url(urlsplit(url).path[1:], port=proxy.port), "a test", timedelta(seconds=1))

    async def look(jobs: OwnJobs) -> None:
        worker = await jobs.register_worker()
        proxy.stop_answering()
        with pytest.raises(ConnectorException):
            await jobs.update_heartbeat(worker)
        proxy.answer()

    began = time.monotonic()
    doing(app, look)
    assert time.monotonic() - began < 15


def test_a_worker_that_comes_back_does_not_end_the_job_of_its_successor(connection: Connection, app: App) -> None:
    enqueue(connection, app, [LAB], NIGHT)
    stopped = taken(app, 3)
    assert stopped is not None
    silent(connection, stopped)
    freed = doing(app, lambda jobs: jobs.free_stalled([queue_of(3)], 30))
    assert [job.lock for job in freed] == ["lab"]
    doing(app, lambda jobs: jobs.finish_job(stopped, Status.SUCCEEDED, False))
    assert states(connection) == [("lab", "todo")]
    successor = taken(app, 3)
    assert successor is not None
    doing(app, lambda jobs: jobs.finish_job(stopped, Status.SUCCEEDED, False))
    doing(app, lambda jobs: jobs.retry_job(stopped))
    assert states(connection) == [("lab", "doing")]
    doing(app, lambda jobs: jobs.finish_job(successor, Status.SUCCEEDED, False))
    assert states(connection) == [("lab", "succeeded")]


def test_a_job_that_is_carried_out_here_is_not_handed_back_though_no_sign_of_it_was_heard(
    connection: Connection, app: App
) -> None:
    enqueue(connection, app, [LAB], NIGHT)
    ours = taken(app, 3)
    assert ours is not None
    assert ours.id is not None
    known = {ours.id}
    silent(connection, ours)
    assert doing(app, lambda jobs: jobs.free_stalled([queue_of(3)], 30, known)) == []
    assert states(connection) == [("lab", "doing")]


@pytest.mark.parametrize("stalled", [True, False], ids=["its-worker-is-silent", "its-worker-hands-it-back"])
def test_a_job_handed_back_after_the_next_night_began_is_over(connection: Connection, app: App, stalled: bool) -> None:
    enqueue(connection, app, [LAB, SHOP], NIGHT)
    lab, shop = taken(app, 3), taken(app, 3)
    assert lab is not None
    assert shop is not None
    enqueue(connection, app, [LAB], NEXT)
    if stalled:
        silent(connection, lab)
        silent(connection, shop)
        doing(app, lambda jobs: jobs.free_stalled([queue_of(3)], 30))
    else:
        doing(app, lambda jobs: jobs.retry_job(lab))
        doing(app, lambda jobs: jobs.retry_job(shop))
    assert sorted(states(connection)) == [("lab", "todo"), ("shop", "todo")]
    tried = taken(app, 3)
    assert tried is not None
    assert tried.task_kwargs["night"] == "2026-06-01"
    following = taken(app, 3)
    assert following is not None
    assert (following.lock, following.task_kwargs["night"]) == ("lab", "2026-06-02")


def test_a_worker_that_was_given_up_and_comes_back_first_ends_its_job(connection: Connection, app: App) -> None:
    enqueue(connection, app, [LAB], NIGHT)
    job = taken(app, 3)
    assert job is not None
    connection.rows("DELETE FROM procrastinate_workers")
    doing(app, lambda jobs: jobs.finish_job(job, Status.SUCCEEDED, True))
    assert states(connection) == []


def test_an_attempt_does_not_end_the_next_one_of_its_own_worker(connection: Connection, app: App) -> None:
    enqueue(connection, app, [LAB], NIGHT)
    first = taken(app, 3)
    assert first is not None
    doing(app, lambda jobs: jobs.retry_job(first))
    connection.rows("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %(id)s", id=first.worker_id)
    doing(app, lambda jobs: jobs.finish_job(first, Status.SUCCEEDED, False))
    assert states(connection) == [("lab", "doing")]


def test_what_a_worker_took_and_knows_nothing_of_is_handed_back(connection: Connection, app: App) -> None:
    enqueue(connection, app, [LAB, SHOP, WEB], NIGHT)

    async def look(jobs: OwnJobs) -> tuple[list[Job], list[Job]]:
        worker = await jobs.register_worker()
        every = [await jobs.fetch_job([queue_of(3), queue_of(5)], worker) for _ in range(3)]
        ids = {job.lock: job.id for job in every if job is not None and job.id is not None}
        at_once = await jobs.free_forgotten(worker, [ids["lab"]])
        older = "UPDATE procrastinate_events SET at = at - interval '61 s' WHERE job_id <> %(web)s"
        connection.rows(older, web=ids["web"])
        return at_once, await jobs.free_forgotten(worker, [ids["lab"]])

    at_once, later = doing(app, look)
    assert at_once == []
    assert [job.lock for job in later] == ["shop"]
    assert sorted(states(connection)) == [("lab", "doing"), ("shop", "todo"), ("web", "doing")]


def test_jobs_of_other_shards_and_of_workers_that_give_signs_are_left(connection: Connection, app: App) -> None:
    enqueue(connection, app, [LAB, WEB], NIGHT)
    lab, web = taken(app, 3), taken(app, 5)
    assert lab is not None
    assert web is not None
    silent(connection, web)
    assert doing(app, lambda jobs: jobs.free_stalled([queue_of(3)], 30)) == []
    assert states(connection) == [("lab", "doing"), ("web", "doing")]


def test_answers_go_before_what_waits(connection: Connection, app: App) -> None:
    enqueue(connection, app, [LAB], NIGHT)
    output = ask(connection, "shop", ["explain", "ubuntu"], "kim@desk", "d")
    enqueue_answer(connection, app, "shop", 3, output, alone=True)
    job = taken(app, 3)
    assert job is not None
    assert (job.task_name, job.task_kwargs) == ("answer", {"output": output})


def test_an_answer_is_given_while_the_account_is_cleaned_unless_it_is_to_be_alone(
    connection: Connection, app: App
) -> None:
    enqueue(connection, app, [LAB], NIGHT)
    assert taken(app, 3) is not None
    for alone in (True, False):
        output = ask(connection, "lab", ["keep", "ubuntu"], "kim@desk", "d")
        enqueue_answer(connection, app, "lab", 3, output, alone=alone)
    assert taken(app, 3) is None
    job = taken_of(app, answers_of(3))
    assert job is not None
    assert job.task_kwargs == {"output": output}


def test_only_what_nobody_began_is_withdrawn(connection: Connection, app: App) -> None:
    output = ask(connection, "lab", ["explain", "ubuntu"], "kim@desk", "d")
    enqueue_answer(connection, app, "lab", 3, output)
    assert withdraw_answer(connection, output)
    enqueue_answer(connection, app, "lab", 3, output)
    assert taken_of(app, answers_of(3)) is not None
    assert not withdraw_answer(connection, output)


def test_an_answer_is_kept_and_stays_as_it_was_first(connection: Connection) -> None:
    output = ask(connection, "shop", ["explain", "ubuntu"], "kim@desk", "d")
    asked = read(connection, output)
    assert asked is not None
    assert (asked.words, asked.exit_code) == (("explain", "ubuntu"), None)
    answer(connection, output, "it stays", "", 0)
    answer(connection, output, "it goes", "late", 1)
    kept = read(connection, output)
    assert kept is not None
    assert (kept.output, kept.errors, kept.exit_code) == ("it stays", "", 0)


def test_an_answer_is_forgotten_after_a_day(connection: Connection) -> None:
    output = ask(connection, "shop", ["waiting"], "kim@desk", "d")
    connection.rows("UPDATE outputs SET asked_at = asked_at - interval '25 hours'")
    ask(connection, "lab", ["waiting"], "kim@desk", "d")
    assert read(connection, output) is None


def test_messages_of_one_bot_to_one_channel_take_turns_wherever_they_are_sent(
    connection: Connection, other: Connection
) -> None:
    hour = timedelta(hours=1)
    sender = sender_of("xoxb-1", "#images")
    waits = [take_turn(each, sender, every=hour) for each in (connection, other, connection, other, connection)]
    assert waits[:3] == [timedelta()] * 3
    assert [round(wait / hour) for wait in waits[3:]] == [1, 2]
    assert take_turn(connection, sender_of("xoxb-1", "#others"), every=hour) == timedelta()


def test_what_stands_for_a_bot_does_not_show_its_token() -> None:
    assert "xoxb" not in sender_of("xoxb-secret", "#images")
