"""What stands after a run, as metrics: reports that nobody has, and images that wait; what is not known is not 0."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from janitor.config import Settings
from janitor.core.memory import Notice, WaitingImages
from janitor.core.result import Mode, Outcome, RunResult
from janitor.core.survey import Survey
from janitor.core.usage import Usage
from janitor.monitoring.http_face import showing
from janitor.monitoring.metrics import metrics_of, rewrite_standing, write_metrics
from janitor.monitoring.standing import NAMES, Standing
from janitor.monitoring.watch import Watch
from janitor.shutdown import Stop
from janitor.store import NewReport, Store
from tests.conftest import POLICY, Desk
from tests.factories import DAY, NOW, make_run, make_target, to_keep
from tests.monitoring.test_metrics import get, values_in, values_of
from tests.notify.deliveries import settings_of
from tests.notify.notices import NOTICE, recorded, telling
from tests.slack_stand_in import SlackStandIn

REPORT = NewReport("slack", "[]")


@pytest.fixture
def settings(tmp_path: Path, store: Store) -> Settings:
    """A configuration of the targets prod and region-…, whose database is the store's."""
    return settings_of(tmp_path, "metrics_file: janitor.prom\n")


def accept(store: Store, result: RunResult, *images: str, target: str = "prod", due: timedelta = NOTICE) -> None:
    """A channel accepts that a run announced these."""
    at = result.finished_at
    notices = {(target, image): Notice("ci", NOTICE, at, NOW + due, None, image) for image in images}
    store.announce(result.run, notices, [], at)


def standing_in(settings: Settings) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(Standing(settings))
    return values_of(registry)


def waiting(store: Store, target: str = "prod") -> tuple[int, int] | None:
    found = store.waiting_images(target)
    return None if found is None else (found.announced, found.unannounced)


# What the database says


def test_an_image_counts_as_announced_once_its_message_was_accepted(store: Store) -> None:
    result = recorded(store, telling("a", "b", "c"))
    assert store.waiting_images("prod") == WaitingImages("prod", 0, 3, None)
    accept(store, result, "b", "c", due=DAY)
    assert store.waiting_images("prod") == WaitingImages("prod", 2, 1, NOW + NOTICE), "never before the date decided"


def test_the_first_of_the_announced_is_due_next(store: Store) -> None:
    result = recorded(store, telling("a", "b"))
    accept(store, result, "a", due=9 * DAY)
    accept(store, result, "b", due=7 * DAY)
    assert store.waiting_images("prod") == WaitingImages("prod", 2, 0, NOW + 7 * DAY)


def test_a_dry_run_changes_nothing_that_a_live_run_announced(store: Store) -> None:
    accept(store, recorded(store, telling("a", "b")), "a")
    before = store.waiting_images("prod")
    recorded(store, make_target([to_keep("a"), to_keep("b")]), mode=Mode.DRY_RUN, at=NOW + DAY)
    recorded(store, telling("a", "b", "c"), mode=Mode.DRY_RUN, at=NOW + DAY)
    assert store.waiting_images("prod") == before == WaitingImages("prod", 1, 1, NOW + NOTICE)


def test_without_a_live_run_the_last_dry_one_counts_and_nothing_is_announced(store: Store) -> None:
    assert waiting(store) is None
    recorded(store, telling("a", "b"), mode=Mode.DRY_RUN)
    assert waiting(store) == (0, 2)
    recorded(store, telling("a"), at=NOW + DAY)
    recorded(store, telling("a", "b", "c"), mode=Mode.DRY_RUN, at=NOW + 2 * DAY)
    assert waiting(store) == (0, 1)


def test_a_notice_that_was_to_begin_anew_counts_only_once_that_was_accepted(store: Store) -> None:
    accept(store, recorded(store, telling("a")), "a")
    again = recorded(store, telling("a"), at=NOW + DAY)
    assert waiting(store) == (0, 1), "its standing notice is not the one that counts"
    accept(store, again, "a")
    assert waiting(store) == (1, 0)


def test_a_target_that_failed_is_as_its_last_live_run_found_it(store: Store) -> None:
    accept(store, recorded(store, telling("a")), "a")
    recorded(store, make_target([]), at=NOW + DAY)
    assert waiting(store) == (0, 0), "an empty account has none"
    accept(store, recorded(store, telling("a"), at=NOW + 2 * DAY), "a")
    run = store.begin_run(Mode.DELETE, NOW + 3 * DAY)
    store.finish_run(make_run(make_target(outcome=Outcome.FAILED, error="no answer"), mode=Mode.DELETE, run=run))
    assert waiting(store) == (1, 0)
    run = store.begin_run(Mode.DELETE, NOW + 4 * DAY)
    image = telling("a").decisions[0].image
    store.record_survey(run, "prod", Survey((image,), Usage(), NOW + 4 * DAY, NOW + 4 * DAY))
    failed = make_target(outcome=Outcome.FAILED, error="the database failed", images=1)
    store.finish_run(make_run(failed, mode=Mode.DELETE, run=run))
    assert waiting(store) == (1, 0), "it was surveyed, and nothing was decided"


def test_a_run_that_decided_nothing_does_not_count(store: Store) -> None:
    accept(store, recorded(store, telling("a")), "a")
    recorded(store, telling("a"), at=NOW + DAY)  # whose message nobody accepted
    run = store.begin_run(Mode.DELETE, NOW + 2 * DAY)
    image = telling("a").decisions[0].image
    store.record_survey(run, "prod", Survey((image,), Usage(), NOW + 2 * DAY, NOW + 2 * DAY))
    failed = make_target(outcome=Outcome.FAILED, error="the database failed", images=1)
    store.finish_run(make_run(failed, mode=Mode.DELETE, run=run))
    assert waiting(store) == (0, 1)


def test_an_image_that_is_kept_or_planned_does_not_wait(store: Store) -> None:
    accept(store, recorded(store, telling("a", "b")), "a", "b")
    recorded(store, make_target([to_keep("a")]), at=NOW + DAY)
    assert waiting(store) == (0, 0)


def test_what_a_person_says_counts_no_longer_is_not_known(store: Store) -> None:
    accept(store, recorded(store, telling("a")), "a")
    store.rebind("prod", "kim", NOW + DAY)
    assert waiting(store) is None


# As metrics


def test_the_values(settings: Settings, store: Store) -> None:
    result = recorded(store, telling("a", "b", "c"), telling("d", target="gone"))
    accept(store, result, "a", "b")
    store.add_reports(result.run, [REPORT], NOW)
    assert standing_in(settings) == {
        "janitor_undelivered_reports": 1,
        "janitor_oldest_undelivered_report_timestamp_seconds": NOW.timestamp(),
        'janitor_waiting_images{announced="true",target="prod"}': 2,
        'janitor_waiting_images{announced="false",target="prod"}': 1,
        "janitor_next_due_timestamp_seconds": (NOW + NOTICE).timestamp(),
    }, "a target that is configured no longer is left out"
    assert {name.partition("{")[0] for name in standing_in(settings)} == NAMES


def test_what_there_is_not_has_no_date(settings: Settings, store: Store) -> None:
    recorded(store, telling("a"))
    assert {name: value for name, value in standing_in(settings).items() if "{" not in name} == {
        "janitor_undelivered_reports": 0
    }


@pytest.mark.parametrize("content", [b"", b"no database" * 1000, None], ids=["empty", "damaged", "none"])
def test_what_cannot_be_read_is_left_out(tmp_path: Path, content: bytes | None) -> None:
    settings = settings_of(tmp_path, "")
    if content is not None:
        settings.database.write_bytes(content)
    assert standing_in(settings) == {}


def test_it_is_read_at_most_every_ten_seconds(settings: Settings, store: Store) -> None:
    now = 0.0
    standing = Standing(settings, lambda: now)
    registry = CollectorRegistry()
    registry.register(standing)

    def undelivered() -> float:
        return values_of(registry)["janitor_undelivered_reports"]

    assert undelivered() == 0
    store.add_reports(None, [REPORT], NOW)
    now = 9.9
    assert undelivered() == 0
    now = 10.0
    assert undelivered() == 1
    store.add_reports(None, [REPORT], NOW)
    standing.changed()
    assert undelivered() == 2


def test_the_file_and_the_face_agree(settings: Settings, store: Store) -> None:
    watch = Watch(settings, Stop())
    result = recorded(store, telling("a", "b"))
    with watch.run() as (_, ended):
        ended(result, 1)
    with watch.run() as (_, ended):
        accept(store, result, "a")
        store.add_reports(result.run, [REPORT], NOW)
        ended(result, 1)
    assert settings.metrics_file is not None
    with showing("127.0.0.1", 0, lambda: watch.metrics, lambda: None) as port:
        shown = values_in(get(port, "/metrics").text)
    assert shown == values_in(settings.metrics_file.read_text())
    assert (shown["janitor_undelivered_reports"], shown["janitor_last_run_exit_code"]) == (1, 1)


# What changes between runs


def test_the_file_is_brought_up_to_date_and_says_the_same_about_the_last_run(settings: Settings, store: Store) -> None:
    file = settings.metrics_file
    assert file is not None
    number = store.add_reports(None, [REPORT], NOW)
    write_metrics(file, metrics_of(make_run(), 1, standing=Standing(settings)))
    before = values_in(file.read_text())
    store.mark_delivered(number[0], NOW)
    rewrite_standing(file, Standing(settings))
    after = values_in(file.read_text())
    assert (before["janitor_undelivered_reports"], after["janitor_undelivered_reports"]) == (1, 0)
    assert {name: value for name, value in before.items() if name not in NAMES} == {
        name: value for name, value in after.items() if name not in NAMES
    }
    assert "janitor_oldest_undelivered_report_timestamp_seconds" not in after


@pytest.mark.parametrize("text", ["# HELP janitor_x y\njanitor_x one\n", "# HELP janitor_x \xff\n"])
def test_a_file_that_cannot_be_read_stays_as_it_is(settings: Settings, store: Store, text: str) -> None:
    file = settings.metrics_file
    assert file is not None
    file.write_text(text, encoding="latin-1")
    with pytest.raises(OSError):
        rewrite_standing(file, Standing(settings))
    assert file.read_text(encoding="latin-1") == text


def in_file(desk: Desk) -> Iterator[tuple[str, float]]:
    return ((name, value) for name, value in values_in((desk.folder / "janitor.prom").read_text()).items())


def test_resend_brings_the_file_up_to_date(sandbox_desk: Desk) -> None:
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}'}}\nmetrics_file: janitor.prom\n")
        sandbox_desk.write("policies/old.yaml", POLICY + "    notice: 2d\n")
        slack.refuse_after = 0
        assert sandbox_desk.janitor("run").returncode == 1
        failed = dict(in_file(sandbox_desk))
        slack.refuse_after = None
        assert sandbox_desk.janitor("resend").returncode == 0
        late = dict(in_file(sandbox_desk))
        assert sandbox_desk.janitor("run").returncode == 0
        announced = dict(in_file(sandbox_desk))
        assert sandbox_desk.janitor("run", "--dry-run", "--no-post").returncode == 0
        dry = dict(in_file(sandbox_desk))
    told, untold = (f'janitor_waiting_images{{announced="{word}",target="sandbox"}}' for word in ("true", "false"))
    assert [failed["janitor_undelivered_reports"], late["janitor_undelivered_reports"]] == [1, 0]
    assert failed["janitor_last_run_exit_code"] == late["janitor_last_run_exit_code"] == 1
    waits = failed[untold]
    assert waits > 0
    assert [(values[told], values[untold]) for values in (failed, late, announced, dry)] == [
        (0, waits),
        (0, waits),
        (waits, 0),
        (waits, 0),
    ]
    with closing(sqlite3.connect(sandbox_desk.folder / "sandbox.db")) as db:
        (first,) = db.execute("SELECT strftime('%s', min(due)) FROM notices").fetchone()
    due = {int(values["janitor_next_due_timestamp_seconds"]) for values in (announced, dry)}
    assert due == {int(first)}
    assert not [name for name in failed if re.match("janitor_next_due", name)]
