"""Where notices of an earlier version were announced, as far as that is clear from what it recorded."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from janitor.core.policy import Policy
from janitor.core.units import iso
from janitor.store import Store, migrations
from janitor.store.values import to_json
from tests.earlier import database_before
from tests.factories import NOW, OLD

TEAM = "#team-web"
Reports = Sequence[tuple[str, str | None]]
"""Each by the channel that got it, and why it was not sent, if it was not."""

MAIN, TEAMS = ("slack", None), (TEAM, None)
INSTEAD = (TEAM, "not sent: reported in the main channel instead")
WITH_CHANNEL = replace(OLD, channel=TEAM)


def database_of_before(
    path: Path, reports: Reports, policy: Policy | None, owner: str | None = None, *, instead: bool = False
) -> None:
    """A database as it was before places were recorded, with one standing notice, of which these reports told."""
    at = iso(NOW)
    with closing(database_before(path, migrations.placing)) as db, db:
        db.execute(
            "INSERT INTO runs (run, mode, started_at, finished_at, outcome) VALUES (1, 'delete', ?, ?, 'ok')", (at, at)
        )
        if policy is not None:
            db.execute(
                "INSERT INTO policy_texts (policy, text, from_run, until_run, position, value) VALUES"
                " ('old', '', 1, 2, 0, ?), ('old', '', 2, NULL, 0, ?)",
                (to_json(policy), json.dumps({"name": "old", "channel": "#later"})),
            )
        db.executemany(
            "INSERT INTO reports (run, channel, messages, created_at, delivered_at, error)"
            " VALUES (1, ?, '[]', ?, ?, ?)",
            [(channel, at, at, error) for channel, error in reports],
        )
        db.execute(
            "INSERT INTO notices (target, image, policy, run, length_seconds, announced_at, due, owner, instead)"
            " VALUES ('prod', 'a', 'old', 1, 172800, ?, ?, ?, ?)",
            (at, iso(NOW + timedelta(days=2)), owner, instead),
        )


@pytest.mark.parametrize(
    ("reports", "policy", "owner", "instead", "place"),
    [
        pytest.param([MAIN], OLD, None, False, "slack", id="no-channel-but-the-main-one"),
        pytest.param([MAIN], None, None, False, "slack", id="only-one-report-and-no-recorded-policy"),
        pytest.param([MAIN, TEAMS], OLD, None, False, "slack", id="the-channel-of-another-policy-too"),
        pytest.param([MAIN, TEAMS], WITH_CHANNEL, None, False, TEAM, id="a-channel-of-its-own"),
        pytest.param([MAIN], WITH_CHANNEL, None, False, "slack", id="its-channel-was-the-main-one"),
        pytest.param([MAIN, TEAMS], None, None, False, None, id="two-reports-and-no-recorded-policy"),
        pytest.param([], OLD, None, False, None, id="no-report-is-kept"),
        pytest.param([MAIN], OLD, "kim", False, "slack", id="owners-and-one-report"),
        pytest.param([MAIN, TEAMS], OLD, "kim", False, None, id="owners-and-two-reports"),
        pytest.param([MAIN, INSTEAD], OLD, "kim", True, None, id="the-main-channel-was-told-instead"),
        pytest.param([MAIN, INSTEAD], OLD, "kim", False, None, id="and-its-owner-was-sent-a-reminder-since"),
    ],
)
def test_a_notice_of_before_has_the_place_that_certainly_heard_it(
    tmp_path: Path, reports: Reports, policy: Policy | None, owner: str | None, instead: bool, place: str | None
) -> None:
    path = tmp_path / "janitor.db"
    database_of_before(path, reports, policy, owner, instead=instead)
    with Store.open(path) as store:
        notice = store.memory("prod").notices["a"]
    assert (notice.place, notice.instead, notice.due) == (place, instead, NOW + timedelta(days=2))
