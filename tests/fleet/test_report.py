"""`fleet report`: what became of a night, from its outcomes; quick where there are many."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from janitor.cli.fleet.standing import report_of
from janitor.fleet import nights, outcomes
from janitor.fleet.database import Connection
from janitor.fleet.outcomes import Awaited, Ending
from janitor.report.fleet.night_text import night_page
from tests.conftest import Desk
from tests.fleet.fleets import Fleet

AT = datetime(2026, 6, 1, 3, tzinfo=UTC)
NIGHT = AT.date()


@pytest.fixture
def begun(desk: Desk, url: str, connection: Connection) -> None:
    Fleet(desk.folder, url, connection).write({"name": "lab"})
    nights.begin(connection, NIGHT, AT, timedelta(hours=6))


@pytest.mark.usefixtures("begun")
def test_the_report_of_a_night_tells_by_its_exit_code_whether_a_person_is_needed(
    desk: Desk, connection: Connection
) -> None:
    outcomes.expect(connection, NIGHT, [Awaited("lab", 1, "d"), Awaited("shop", 2, "d")])
    for account, ending in (("lab", Ending(0, {"images": 3, "deleted": 1}, bytes=1024)), ("shop", Ending(0))):
        outcomes.begin(connection, NIGHT, account, 1, "w", AT)
        outcomes.finish(connection, NIGHT, account, 1, ending, AT)
    good = desk.janitor("fleet", "report")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith("Night 2026-06-01: 2 accounts, all well\n")
    assert "Deleted:        1 image, at least 1.0 KiB; not known of 1 account" in good.stdout
    outcomes.expect(connection, NIGHT, [Awaited("web", 3, "d")])
    connection.rows("UPDATE nights SET deadline_at = now() + interval '1 hour'")
    early = desk.janitor("fleet", "report")
    assert (early.returncode, "3 accounts: 2 well, 1 still to end" in early.stdout) == (1, True)
    connection.rows("UPDATE nights SET deadline_at = now()")
    late = desk.janitor("fleet", "report", "2026-06-01", "--format", "json")
    assert late.returncode == 1
    assert json.loads(late.stdout)["standing"]["missing"] == 1
    assert (
        desk.janitor("fleet", "report", "--format", "csv").stdout.splitlines()[1].startswith("2026-06-01,web,missing")
    )
    assert "**Missing: 1**" in desk.janitor("fleet", "report", "latest", "--format", "markdown").stdout


@pytest.mark.usefixtures("begun")
def test_a_night_that_there_was_not_is_no_report(desk: Desk, connection: Connection) -> None:
    other = desk.janitor("fleet", "report", "2026-05-01")
    assert (other.returncode, "there is no night 2026-05-01" in other.stderr) == (2, True)
    assert desk.janitor("fleet", "report", "yesterday").returncode == 2
    connection.rows("DELETE FROM nights")
    none = desk.janitor("fleet", "report")
    assert (none.returncode, "there is no night yet" in none.stderr) == (2, True)


@pytest.mark.usefixtures("begun")
def test_the_report_of_ten_thousand_accounts_takes_less_than_two_seconds(connection: Connection) -> None:
    outcomes.expect(connection, NIGHT, [Awaited(f"account-{number:05}", number % 16, "d") for number in range(10_000)])
    connection.rows(
        "UPDATE outcomes SET state = 'done', exit_code = 0, counts = '{\"images\": 100, \"deleted\": 2}', bytes = 1000"
    )
    night = nights.night_of(connection)
    assert night is not None
    began = time.process_time()
    text = "".join(night_page(report_of(connection, night, AT), UTC).plain(80))
    assert time.process_time() - began < 2  # other processes make the machine slow, not this one
    assert "10,000 accounts, all well" in text
    assert "20,000 images" in text
