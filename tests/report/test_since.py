"""The line of a report that says what changed since the run before."""

import json
from dataclasses import replace
from datetime import UTC

import pytest

from janitor.core.memory import Backlog
from janitor.core.recipients.destinations import Destinations
from janitor.core.replay.amounts import Amount
from janitor.core.replay.differences.since import Since
from janitor.core.result import Mode, RunResult
from janitor.notify.slack.blocks import slack_messages
from janitor.report.as_json import json_report
from janitor.report.routing import shares_of
from janitor.report.since import since_line
from tests.factories import GIB, OLD, make_run, make_target, to_delete
from tests.report.terminal import report, unfolded

SINCE = Since(41, Amount(12, 96 * GIB), gone_by_others=3, newly_to_be_deleted=10, newly_waiting=5)
LINE = "Since run 41: 12 new (96.0 GiB), 3 gone by others, 10 newly due for deletion, 5 newly waiting"


def run_with(*told: Since | None, names: str = "abcdefgh") -> RunResult:
    targets = (make_target([to_delete()], name=name, since=since) for name, since in zip(names, told, strict=False))
    return replace(make_run(*targets), mode=Mode.DELETE)


LINES = {
    "all": (run_with(SINCE), LINE),
    "nothing": (run_with(Since(41, newly_waiting=0)), "Since run 41: nothing new"),
    "no-run-before": (run_with(None, None), None),
    "nothing-known-of-what-waits": (
        run_with(Since(41)),
        "Since run 41: no image new or gone; decisions not compared: a",
    ),
    "unknown-sizes": (
        run_with(Since(41, Amount(3, GIB, 1), newly_waiting=0)),
        "Since run 41: 3 new (1.0 GiB and 1 of unknown size)",
    ),
    "no-size-known": (
        run_with(Since(41, Amount(2, 0, 2), newly_waiting=0)),
        "Since run 41: 2 new (of unknown size)",
    ),
    "gone": (
        run_with(Since(4, Amount(), 1, 2, 3, 4, 0, 0)),
        "Since run 4: 1 listed again, 2 deleted by the janitor, 3 gone by others, 4 gone, not known by whom",
    ),
    "several-targets": (
        run_with(SINCE, Since(41, Amount(1, GIB), newly_waiting=None)),
        "Since run 41: 13 new (97.0 GiB), 3 gone by others, 10 newly due for deletion, 5 newly waiting; "
        "decisions not compared: b",
    ),
    "several-runs": (
        run_with(SINCE, Since(38, newly_waiting=2)),
        "Since each target's last accepted live run (runs 38 to 41): 12 new (96.0 GiB), 3 gone by others, 10 "
        "newly due for deletion, 7 newly waiting",
    ),
    "a-dry-run": (run_with(replace(SINCE, dry_run=True)), LINE.replace("run 41", "run 41 (a dry run)")),
    "a-dry-run-for-a-dry-run": (replace(run_with(replace(SINCE, dry_run=True)), mode=Mode.DRY_RUN), LINE),
    "several-dry-runs": (
        run_with(Since(41, newly_waiting=0, dry_run=True), Since(38, newly_waiting=0, dry_run=True)),
        "Since each target's last accepted survey (runs 38 to 41, dry runs): nothing new",
    ),
    "some-dry-runs": (
        run_with(Since(41, newly_waiting=0), Since(38, newly_waiting=0, dry_run=True)),
        "Since each target's last accepted survey (runs 38 to 41, of which dry runs: 38): nothing new",
    ),
    "told-to-nobody": (
        run_with(replace(SINCE, unheard=True)),
        LINE.replace("run 41", "run 41 (reported to nobody by then)"),
    ),
    "a-dry-run-told-to-nobody": (
        run_with(replace(SINCE, dry_run=True, unheard=True)),
        LINE.replace("run 41", "run 41 (a dry run, reported to nobody by then)"),
    ),
    "some-told-to-nobody": (
        run_with(Since(41, newly_waiting=0), Since(38, newly_waiting=0, unheard=True)),
        "Since each target's last accepted live run (runs 38 to 41, of which reported to nobody by then: 38): nothing "
        "new",
    ),
    "one-not-compared": (run_with(SINCE, None), f"{LINE}; not compared: b"),
    "many-not-compared": (run_with(SINCE, *[None] * 5), f"{LINE}; not compared: b, c, d and 2 more"),
}


@pytest.mark.parametrize(("result", "words"), LINES.values(), ids=LINES)
def test_what_changed_is_said_in_a_line(result: RunResult, words: str | None) -> None:
    assert since_line(result) == words


def test_the_line_is_in_the_report_in_slack_and_in_json() -> None:
    result = run_with(SINCE)
    assert LINE in unfolded(report(result))
    [share] = shares_of(result, Destinations())
    first = slack_messages(share, None, UTC, undelivered=Backlog())[0]
    assert LINE in json.dumps(first.blocks)
    [target] = json.loads(json_report(result))["targets"]
    assert target["since"] == {
        "run": 41,
        "mode": "delete",
        "reported": True,
        "new": {"images": 12, "size": 96 * GIB, "unknown_sizes": 0},
        "listed_again": 0,
        "gone": {"by-us": 0, "by-others": 3, "unknown": 0},
        "newly_to_be_deleted": 10,
        "newly_waiting": 5,
    }


def test_a_channel_that_gets_a_part_of_a_run_is_not_told_of_the_whole() -> None:
    main, other = shares_of(run_with(SINCE), Destinations({"ci-images": replace(OLD, name="ci-images", channel="#ci")}))
    assert since_line(main.totals) == LINE
    assert since_line(other.totals) is None


def test_a_name_of_a_target_is_shown_and_not_interpreted_in_slack() -> None:
    [share] = shares_of(make_run(make_target(since=SINCE), make_target(name="<!channel> *a*" * 30)), Destinations())
    text = json.dumps(slack_messages(share, None, UTC)[0].blocks)
    assert "<!channel>" not in text
    assert "Since run 41" in text
