"""Images that are called announced were announced: by a message that names them, and that the channel accepted."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from janitor.cli.commands import reporting
from janitor.cli.formats import Format
from janitor.config import load_settings
from janitor.core.result import Event, Mode
from janitor.errors import StoreError
from janitor.notify import delivery
from janitor.notify.announcing import as_told, start_notices
from janitor.report.as_json import json_report
from janitor.shutdown import Stop
from janitor.store import Store
from tests.conftest import POLICY, Desk
from tests.factories import DAY, NOW, live_run, make_run
from tests.notify.notices import CI, recorded, telling
from tests.slack_stand_in import CHANNEL, TOKEN, SlackStandIn

NOT_ANNOUNCED = "Not announced, notice period not started; the next run tries again"


# The result


def test_a_result_does_not_announce_what_nobody_was_told_of() -> None:
    result = live_run(telling("a", "b", reminded=("c", "d")), telling("a", target="dev"))
    told = as_told(result, {("prod", "a"), ("prod", "d"), ("prod", "unheard-of")})
    assert [target.notices.undelivered for target in told.targets] == [{"b", "c"}, {"a"}]
    assert as_told(result, ()).targets[0].notices.undelivered == {"a", "b", "c", "d"}


def test_a_dry_run_would_announce_whatever_becomes_of_its_report() -> None:
    result = make_run(telling("a"))
    assert as_told(result, ()) == result


def test_programs_are_told_no_date_that_does_not_hold() -> None:
    result = as_told(live_run(telling("a", "b", reminded=("c", "d"))), {("prod", "a"), ("prod", "d")})
    target = json.loads(json_report(result))["targets"][0]
    assert [target[key] for key in ("announced", "reminded", "undelivered")] == [["a"], ["d"], ["b", "c"]]
    dates = {decision["image"]: decision["due"] for decision in target["decisions"]}
    assert [image for image, due in dates.items() if due is None] == ["b"], "a reminder repeats a date that holds"


# The database


def test_a_run_is_read_back_with_what_it_announced_and_what_not(store: Store) -> None:
    first = recorded(store, telling("a", "b"), telling("a", target="dev"))
    assert store.load_run(first.run) == as_told(first, ()), "nobody has been told yet, and perhaps never will be"
    heard = {("prod", "a"), ("dev", "a")}
    start_notices(store, first, [CI], heard, NOW)
    second = recorded(store, telling("b", reminded=("a",)), telling(reminded=("a",), target="dev"), at=NOW + DAY)
    start_notices(store, second, [CI], {("prod", "b"), ("dev", "a")}, NOW + DAY)
    assert store.load_run(first.run) == as_told(first, heard)
    assert store.load_run(second.run) == as_told(second, {("prod", "b"), ("dev", "a")})


def test_what_a_dry_run_would_announce_is_read_back_as_that(store: Store) -> None:
    result = recorded(store, telling("a"), mode=Mode.DRY_RUN)
    start_notices(store, result, [CI], {("prod", "a")}, NOW)
    assert store.load_run(result.run) == result
    assert store.memory("prod").notices == {}


def test_all_notices_of_a_report_start_or_none(store: Store, tmp_path: Path) -> None:
    result = recorded(store, telling("a", "b"), telling("c", target="dev"))
    with closing(sqlite3.connect(tmp_path / "janitor.db")) as db:
        full = "SELECT RAISE(ABORT, 'the disk is full')"
        db.execute(f"CREATE TRIGGER full BEFORE INSERT ON notices WHEN new.image = 'c' BEGIN {full}; END")
    with pytest.raises(StoreError, match="the disk is full"):
        start_notices(store, result, [CI], {("prod", "a"), ("prod", "b"), ("dev", "c")}, NOW)
    assert (store.memory("prod").notices, store.memory("dev").notices) == ({}, {})


def test_the_history_of_an_image_tells_which_announcements_arrived(store: Store) -> None:
    recorded(store, telling("a"))
    announced = recorded(store, telling("a"), at=NOW + DAY)
    start_notices(store, announced, [CI], {("prod", "a")}, NOW + DAY)
    recorded(store, telling("a"), mode=Mode.DRY_RUN, at=NOW + 2 * DAY)
    recorded(store, telling(reminded=("a",)), at=NOW + 5 * DAY)
    reminded = recorded(store, telling(reminded=("a",)), at=NOW + 5 * DAY)
    start_notices(store, reminded, [CI], {("prod", "a")}, NOW + 5 * DAY)
    told = [event for event in store.image_history("prod", "a") if re.search("announce|remind", event.text)]
    assert told == [
        Event(NOW, 1, "not announced, no report was delivered: notice period not started"),
        Event(NOW + DAY, 2, "announced under policy ci: due for deletion 2026-11-29 03:00Z"),
        Event(NOW + 5 * DAY, 4, "reminder not delivered"),
        Event(NOW + 5 * DAY, 5, "reminder sent"),
    ]


def test_reminders_recorded_before_runs_were_are_found_again(store: Store, tmp_path: Path) -> None:
    runs = [recorded(store, telling("a"))]
    start_notices(store, runs[0], [CI], {("prod", "a")}, NOW)
    runs += [recorded(store, telling(reminded=("a",)), at=NOW + day * DAY) for day in (4, 5)]
    start_notices(store, runs[1], [CI], {("prod", "a")}, NOW + 4 * DAY)
    store.close()
    with closing(sqlite3.connect(tmp_path / "janitor.db", isolation_level=None)) as db:
        db.execute("ALTER TABLE notices DROP COLUMN reminded_in_run")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'reminding'")
    with Store.open(tmp_path / "janitor.db") as again:
        assert [again.load_run(run.run).targets[0].notices.undelivered for run in runs] == [set(), set(), {"a"}]


# The command


@pytest.fixture
def noticing(sandbox_desk: Desk, slack: SlackStandIn) -> Desk:
    """A desk whose policy announces before it deletes."""
    sandbox_desk.amend(f"slack: {{token: {TOKEN}, channel: '{CHANNEL}', base_url: '{slack.base_url}'}}\n")
    sandbox_desk.write("policies/old.yaml", POLICY + "    notice: 2d\n")
    return sandbox_desk


def unfolded(text: str) -> str:
    return " ".join(text.split())


def standing(desk: Desk) -> list[str]:
    with closing(sqlite3.connect(desk.folder / "sandbox.db")) as db:
        return [row[0] for row in db.execute("SELECT image FROM notices WHERE ended_at IS NULL")]


UNHEARD = [
    pytest.param((), 1, id="slack-takes-nothing"),
    pytest.param(("--no-post",), 0, id="not-posted"),
]


@pytest.mark.parametrize(("words", "code"), UNHEARD)
def test_a_run_that_reached_nobody_announced_nothing_and_says_so(
    noticing: Desk, slack: SlackStandIn, words: tuple[str, ...], code: int
) -> None:
    slack.refuse_after = 0
    done = noticing.janitor("run", *words)
    assert (done.returncode, standing(noticing)) == (code, [])
    assert NOT_ANNOUNCED in done.stdout
    assert not re.search(r"Announced|[0-9] images? announced", done.stdout)
    assert re.search(r"[0-9]+ images not announced\.", unfolded(done.stdout))
    assert noticing.janitor("show", "1").stdout == done.stdout
    target = noticing.target("show", "1")
    assert target["announced"] == []
    assert len(target["undelivered"]) > 1
    assert {d["due"] for d in target["decisions"] if d["image"] in target["undelivered"]} == {None}
    explained = unfolded(noticing.janitor("explain", target["undelivered"][0]).stdout)
    assert "due no date until it is announced" in explained
    assert "run 1: not announced, no report was delivered: notice period not started" in explained
    assert target == noticing.target("run", *words) | {"decisions": target["decisions"], "since": None}


def test_a_run_says_of_each_image_whether_it_was_announced(noticing: Desk, slack: SlackStandIn) -> None:
    slack.refuse_after = 2
    target = noticing.target("run")
    announced, undelivered = target["announced"], target["undelivered"]
    assert min(len(announced), len(undelivered)) > 0
    assert sorted(standing(noticing)) == sorted(announced)
    assert target == noticing.target("show", "1")
    printed = noticing.janitor("show", "1").stdout
    heading = printed.index(NOT_ANNOUNCED)
    assert all(printed.index(image) < heading for image in announced)
    assert all(printed.index(image) > heading for image in undelivered)
    assert f"{len(announced)} images announced, {len(undelivered)} images not announced." in unfolded(printed)


def test_a_run_that_was_heard_announces(noticing: Desk) -> None:
    done = noticing.janitor("run")
    assert done.returncode == 0
    assert "Announced, to be deleted when due: " in done.stdout
    assert "ot announced" not in done.stdout
    assert re.match(r"ACTION: [0-9]+ images will be deleted from [0-9]+ [A-Z][a-z]+ [0-9:]+ UTC\n", done.stdout)
    assert noticing.janitor("show", "1").stdout == done.stdout
    explained = unfolded(noticing.janitor("explain", standing(noticing)[0]).stdout)
    assert re.search(r"due 20\S+ \S+ UTC, announced 20", explained)
    assert "run 1: announced under policy old: due for deletion 20" in explained


def test_a_dry_run_shows_what_would_be_announced_even_where_nobody_hears_it(
    noticing: Desk, slack: SlackStandIn
) -> None:
    slack.refuse_after = 0
    done = noticing.janitor("run", "--dry-run")
    assert "Would be announced: " in done.stdout
    assert NOT_ANNOUNCED not in unfolded(done.stdout)
    assert noticing.janitor("show", "1").stdout == done.stdout
    target = noticing.target("run", "--dry-run")
    assert target["undelivered"] == []
    assert target["announced"]


@pytest.mark.parametrize("trouble", [StoreError("the disk is full"), RuntimeError("a bug")], ids=["database", "bug"])
def test_what_was_done_is_printed_whatever_becomes_of_the_delivery(
    noticing: Desk, trouble: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_words: object, **_named: object) -> None:
        raise trouble

    settings = load_settings(noticing.folder / "janitor.yaml")
    result = live_run(telling("a"))
    monkeypatch.setattr(delivery, "_announced_by", lambda _receipts: frozenset({("prod", "a")}))
    monkeypatch.setattr(delivery, "start_notices", fail)
    try:
        code = reporting.reported(settings, result, [CI], Stop(), form=Format.TEXT, post=True).code
    except RuntimeError:
        code = None
    printed = capsys.readouterr().out
    assert f"{NOT_ANNOUNCED}: 1 image in prod" in unfolded(printed)
    assert code == (1 if isinstance(trouble, StoreError) else None)
