"""Commands about one account: carried out where its database is, and never a deletion but by who has the account."""

import csv
import io
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from janitor.cli.fleet import executing
from janitor.cli.fleet.answering import Answerer
from janitor.cli.fleet.context import Connections
from janitor.clock import utc_now
from janitor.config.fleet import Fleet as Configured
from janitor.config.fleet.loading import fleet_of
from janitor.config.fleet.shards import folder_of, shard_of
from janitor.errors import Busy, Exit
from janitor.fleet import outcomes, outputs, schema
from janitor.fleet.applied import PlanAuthority
from janitor.fleet.database import Connection
from janitor.fleet.leases.markers import make_marker
from janitor.fleet.leases.shards import place_of, workers
from janitor.fleet.nights import night_of
from janitor.fleet.ownership import take
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox, running
from janitor.shutdown import Stop
from janitor.store import Store, exclusive
from tests.conftest import Desk
from tests.fleet.fleets import Fleet, deletes, target_of
from tests.fleet.postgres import SHARDS
from tests.run.stopped_runs import FaultInjector

ELSEWHERE = "another-host"
WORKER = "first"
DRY = "--dry-run"


@pytest.fixture
def fleet(desk: Desk, url: str, connection: Connection, sandbox: Sandbox) -> Fleet:
    """A fleet whose account was cleaned once, without deleting."""
    made = Fleet(desk.folder, url, connection)
    made.write(target_of(sandbox, "lab"))
    amend(made, "mode: delete", "mode: dry-run")
    made.lease_all(WORKER)
    heard(connection)
    made.clean("lab", made.begin().night)
    settle(made, socket.gethostname())
    return made


def amend(fleet: Fleet, old: str, new: str) -> None:
    file = fleet.folder / "janitor.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def heard(connection: Connection) -> None:
    connection.rows(
        "INSERT INTO workers (worker, host, pid, state) VALUES (%(worker)s, 'here', 1, '') ON CONFLICT (worker) "
        "DO UPDATE SET heartbeat_at = now()",
        worker=WORKER,
    )


def configured(fleet: Fleet) -> Configured:
    return fleet_of(fleet.written.accounts().settings)


def settle(fleet: Fleet, host: str) -> Path:
    """The account's shard has its marker, and was last had by this host; its folder."""
    known = configured(fleet)
    shard = shard_of("lab", SHARDS)
    marker = make_marker(folder_of(known, shard), schema.check(fleet.look, SHARDS), shard)
    fleet.look.rows(
        "UPDATE shards SET marker = %(marker)s, place = %(place)s WHERE shard = %(shard)s",
        marker=marker.id,
        place=place_of(known, host),
        shard=shard,
    )
    return folder_of(known, shard)


def digest(fleet: Fleet, account: str = "lab") -> str:
    return fleet.written.accounts().digest_of(account)


def answered(fleet: Fleet, *words: str) -> outputs.Output:
    """What a worker of this process answers to a command that was asked."""
    [row] = fleet.look.rows("SELECT id::text AS id FROM outputs WHERE answered_at IS NULL")
    connections = Connections(fleet.url, WORKER)
    Answerer(fleet.folder / "janitor.yaml", connections, WORKER, Stop()).answer(row["id"])
    connections.close()
    found = outputs.read(fleet.look, row["id"])
    assert found is not None
    return found


@contextmanager
def a_worker(desk: Desk, fleet: Fleet) -> Iterator[None]:
    """A real worker that has leased all shards; they were nobody's."""
    fleet.look.rows("UPDATE shards SET worker = NULL")
    fleet.look.rows("DELETE FROM workers")
    fleet.look.rows("DELETE FROM procrastinate_jobs")
    with desk.started("fleet", "work") as process:
        for _ in range(400):
            if any(len(each.shards) == SHARDS for each in workers(fleet.look)):
                break
            threading.Event().wait(0.05)
        yield
        process.send_signal(signal.SIGTERM)
        process.communicate(20)


def test_it_is_carried_out_here_where_the_database_is(desk: Desk, fleet: Fleet) -> None:
    done = desk.janitor("fleet", "exec", "lab", "--", "waiting", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["targets"][0]["target"] == "lab"
    assert fleet.look.rows("SELECT * FROM outputs") == []


def test_a_copy_from_before_an_image_was_kept_deletes_nothing_at_first(
    desk: Desk, fleet: Fleet, sandbox: Sandbox
) -> None:
    database = fleet.settings_of("lab").database
    before = {file: file.read_bytes() for file in database.parent.glob(f"{database.name}*")}
    image = next(iter(sandbox.account.images))
    kept = desk.janitor("fleet", "exec", "lab", "--", "keep", image, "--for", "30d", "--why", "needed")
    assert kept.returncode == 0, kept.stderr
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink()
    for file, content in before.items():
        file.write_bytes(content)
    amend(fleet, "mode: dry-run", "mode: delete")
    night = fleet.begin().night
    fleet.clean("lab", night)
    assert deletes(sandbox) == []
    outcome = fleet.outcome("lab", night)
    assert outcome.exit_code == Exit.LIMIT
    assert "do not agree on what followed" in str(outcome.said)


def test_the_exit_code_is_that_of_the_command(desk: Desk, fleet: Fleet) -> None:
    done = desk.janitor("fleet", "exec", "lab", "--", "explain", "no-such-image")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no-such-image" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("policies",), "policies cannot be asked of one account: these can: keep, ", id="another-command"),
        pytest.param(("waiting", "-c", "other.yaml"), "--config is no word of the command", id="config"),
        pytest.param(("waiting", "--config=x.yaml"), "--config is no word of the command", id="config-by-name"),
        pytest.param(("waiting", "-v"), "--verbose is no word of the command", id="verbose"),
        pytest.param(("waiting", "--nonsense"), "No such option", id="nonsense"),
        pytest.param(("apply", "1"), "can ask nobody: add --yes, or --dry-run", id="asking"),
        pytest.param(("apply", "x", "--yes"), "'x' is no number of a run", id="no-run"),
        pytest.param(("apply", "latest"), "janitor fleet exec lab -- runs", id="the-latest"),
        pytest.param(("target", "rename"), "target rename cannot be asked of one account", id="half-known"),
        pytest.param(("target",), "target cannot be asked of one account", id="half-said"),
    ],
)
def test_what_cannot_be_asked_is_asked_of_nobody(desk: Desk, fleet: Fleet, words: tuple[str, ...], said: str) -> None:
    settle(fleet, ELSEWHERE)
    done = desk.janitor("fleet", "exec", "lab", "--", *words)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert fleet.look.rows("SELECT * FROM outputs") == []


def test_an_account_that_there_is_not(desk: Desk, fleet: Fleet) -> None:
    done = desk.janitor("fleet", "exec", "lob", "--", "waiting")
    assert done.returncode == 2
    assert 'has the name lob, did you mean "lab"?' in done.stderr


def test_a_copy_that_stayed_where_the_shard_was_before_is_not_asked(fleet: Fleet) -> None:
    known = configured(fleet)
    assert executing.is_here(known, "lab")
    folder = settle(fleet, ELSEWHERE)
    assert not executing.is_here(known, "lab")
    settle(fleet, socket.gethostname())
    shutil.rmtree(folder)
    assert not executing.is_here(known, "lab")


def test_another_host_asks_the_worker_that_has_the_shard(desk: Desk, fleet: Fleet) -> None:
    found = desk.janitor("fleet", "exec", "lab", "--", "images", "--format", "csv").stdout
    image = next(csv.DictReader(io.StringIO(found)))
    with a_worker(desk, fleet):
        settle(fleet, ELSEWHERE)
        done = desk.janitor("fleet", "exec", "lab", "--", "keep", image["image"], "--for", "30d", "--why", "mine")
        assert (done.returncode, "exempt until" in done.stdout) == (0, True), done.stderr
        failed = desk.janitor("fleet", "exec", "lab", "--", "explain", "no-such-image")
        assert (failed.returncode, failed.stdout, "no-such-image" in failed.stderr) == (2, "", True)
    with Store.open_existing(fleet.settings_of("lab").database) as store:
        [record] = store.exemption_records()
    assert record.exemption.who.endswith(f"@{socket.gethostname()}")
    kept = fleet.look.rows("SELECT id::text AS id FROM outputs WHERE words[1] = 'keep'")[0]["id"]
    again = desk.janitor("fleet", "exec", "--answer", kept)
    assert (again.returncode, again.stdout) == (0, done.stdout)


def test_without_an_answer_in_time_it_is_withdrawn(desk: Desk, fleet: Fleet) -> None:
    settle(fleet, ELSEWHERE)
    done = desk.janitor("fleet", "exec", "--wait", "1s", "lab", "--", "waiting")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nobody began it within 1s: it waited for shard " in done.stderr
    assert "nothing was done" in done.stderr
    assert fleet.look.rows("SELECT * FROM procrastinate_jobs WHERE task_name = 'answer'") == []


def ask(fleet: Fleet, *words: str) -> str:
    return outputs.ask(fleet.look, "lab", words, "kim@desk", digest(fleet, "lab"))


def ask_to_apply(fleet: Fleet, *more: str) -> str:
    return ask(fleet, "apply", "1", *more)


def test_a_plan_is_applied_by_the_worker_that_has_the_shard(fleet: Fleet, sandbox: Sandbox) -> None:
    ask_to_apply(fleet, "--yes", "--format", "json")
    done = answered(fleet)
    assert done.exit_code == 0, done.errors
    assert done.output is not None
    assert json.loads(done.output)["begun_by"] == "by fleet exec, kim@desk"
    assert deletes(sandbox)
    [account] = fleet.look.rows("SELECT epoch, recorded_epoch, last_run, worker FROM accounts")
    assert account == {"epoch": 2, "recorded_epoch": 2, "last_run": 2, "worker": WORKER}


def test_what_an_applied_plan_deletes_counts_in_the_night(fleet: Fleet, sandbox: Sandbox) -> None:
    amend(fleet, "shards: 16", "shards: 16\n  max_deletions_per_night: 1")
    found = fleet.outcome("lab", fleet.begin().night)
    ask_to_apply(fleet, "--yes")
    assert answered(fleet).exit_code == 0
    outcome = fleet.outcome("lab", found.night)
    assert outcome.counts["deleted"] == len(deletes(sandbox)) > 1
    assert (outcome.state, outcome.exit_code, bool(outcome.bytes)) == (found.state, found.exit_code, True)
    assert found.counts["would_delete"] > 0
    assert ("would_delete" in outcome.counts, outcome.would_bytes) == (False, None), "a live run has less to delete now"
    night = night_of(fleet.look)
    assert night is not None
    assert night.reserved == len(deletes(sandbox)), "the others have so much less of the night's limit"


def test_what_a_run_that_a_person_began_deletes_counts_in_a_night_or_is_refused(fleet: Fleet) -> None:
    fleet.look.rows("DELETE FROM nights")
    authority = PlanAuthority(fleet.look, take(fleet.look, "lab", shard_of("lab", SHARDS), WORKER), most=9)
    assert "no night was ever begun" in str(authority.reserve("lab", 1))


def test_an_account_that_was_not_queued_is_in_the_night_once_a_plan_was_applied_in_it(
    fleet: Fleet, sandbox: Sandbox
) -> None:
    fleet.look.rows("DELETE FROM outcomes")
    ask_to_apply(fleet, "--yes")
    assert answered(fleet).exit_code == 0
    [outcome] = outcomes.outcomes(fleet.look, fleet.begin().night)
    assert (outcome.counts["deleted"], outcome.mode) == (len(deletes(sandbox)), "delete")
    fleet.look.rows("DELETE FROM outcomes")


def test_what_a_plan_deletes_is_unknown_until_it_has_ended(fleet: Fleet) -> None:
    night = fleet.begin().night
    assert fleet.outcome("lab", night).counts["deleted"] == 0
    authority = PlanAuthority(fleet.look, take(fleet.look, "lab", shard_of("lab", SHARDS), WORKER))
    with Store.open(fleet.settings_of("lab").database) as store:
        authority.admit(store)
        assert authority.reserve("lab", 2) is None
        outcome = fleet.outcome("lab", night)
        fleet.look.rows("DELETE FROM outcomes")
        assert authority.reserve("lab", 1) is None
    assert ("deleted" in outcome.counts, outcome.bytes, outcome.counts["images"] > 0) == (False, None, True)
    assert (outcome.mode, "nothing is known of their end" in str(outcome.said)) == ("delete", True)
    [new] = outcomes.outcomes(fleet.look, night)
    assert (new.state, new.exit_code, new.counts) == (outcomes.State.APPLIED, None, {})


def test_what_is_applied_for_a_worker_stops_where_that_is_killed(fleet: Fleet) -> None:
    injector = FaultInjector("delete-image", 2, first_answer=True)
    with running(Options(images=120, seed=2), hook=injector) as cloud:
        fleet.write(target_of(cloud, "shop"))
        fleet.lease_all(WORKER)
        amend(fleet, "mode: delete", "mode: dry-run")
        night = fleet.begin("shop").night
        fleet.clean("shop", night)
        planned = fleet.outcome("shop", night).counts["to_delete"]
        heard(fleet.look)
        identity = outputs.ask(fleet.look, "shop", ["apply", "1", "--yes"], "kim@desk", digest(fleet, "shop"))
        answering = (
            "from pathlib import Path; from janitor.cli.fleet.answering import Answerer; "
            "from janitor.cli.fleet.context import Connections; from janitor.shutdown import Stop; "
            f"Answerer(Path('janitor.yaml'), Connections({fleet.url!r}, {WORKER!r}), {WORKER!r}, Stop())"
            f".answer({identity!r})"
        )
        with subprocess.Popen([sys.executable, "-c", answering], cwd=fleet.folder) as worker:

            def kill() -> None:
                worker.kill()
                threading.Event().wait(1)  # answered only when what it began has noticed

            injector.act = kill
            worker.wait(30)
        for _ in range(400):
            with suppress(Busy), exclusive(fleet.settings_of("shop").database, "a test", utc_now()):
                break
            threading.Event().wait(0.05)
        assert 2 <= len(deletes(cloud)) < planned


def test_a_worker_with_other_policies_than_who_asked_deletes_nothing(fleet: Fleet, sandbox: Sandbox) -> None:
    amend(fleet, "mode: dry-run", "mode: delete")
    outputs.ask(fleet.look, "lab", ["run"], "kim@desk", digest(fleet))
    policies = fleet.folder / "policies.yaml"
    policies.write_text(policies.read_text(encoding="utf-8").replace("90d", "91d"), encoding="utf-8")
    done = answered(fleet)
    assert (done.exit_code, deletes(sandbox)) == (1, [])
    assert "first has another configuration, or other policies, than the host on which this was asked" in str(
        done.errors
    )


def test_nothing_is_deleted_for_a_worker_that_has_lost_the_shard(fleet: Fleet, sandbox: Sandbox) -> None:
    fleet.look.rows("UPDATE shards SET worker = 'second'")
    ask_to_apply(fleet, "--yes")
    done = answered(fleet)
    assert (done.exit_code, deletes(sandbox)) == (1, [])
    assert done.errors is not None
    assert "first has not leased shard" in done.errors


def test_nothing_more_is_deleted_once_another_worker_took_the_account(
    fleet: Fleet, sandbox: Sandbox, other: Connection, desk: Desk
) -> None:
    meanwhile = (
        "from janitor.fleet.authority import AccountAuthority as A; from janitor.fleet.database import connect; "
        "from janitor.fleet.ownership import take; admit = A.admit; "
        f"c = connect({fleet.url!r}); "
        "change = lambda: (c.rows(\"UPDATE shards SET worker = 'second'\"), "
        f"take(c, 'lab', {shard_of('lab', SHARDS)}, 'second')); "
        "A.reserve = lambda self, target, n: change() and None"
    )
    asked = ("--here", WORKER, "--digest", digest(fleet))
    done = desk.janitor("fleet", "exec", *asked, "lab", "--", "apply", "1", "--yes", before=meanwhile)
    assert (done.returncode, deletes(sandbox)) == (1, []), done.stderr
    assert "second took it in epoch 3" in done.stderr


def test_a_deletion_is_never_performed_where_it_is_asked(desk: Desk, fleet: Fleet, sandbox: Sandbox) -> None:
    done = desk.janitor("fleet", "exec", "--wait", "1s", "lab", "--", "apply", "1", "--yes")
    assert (done.returncode, deletes(sandbox)) == (1, [])
    assert "nobody began it within 1s" in done.stderr


def test_reports_and_messages_name_commands_that_a_fleet_accepts(fleet: Fleet, desk: Desk) -> None:
    shown = " ".join(desk.janitor("fleet", "exec", "lab", "--", "show", "latest").stdout.split())
    assert "`janitor fleet exec lab -- keep`" in shown
    nobody = desk.janitor("fleet", "exec", "lab", "--", "keep", "--for", "30d", "--why", "mine")
    assert "name the image to exempt: janitor fleet exec lab -- keep IMAGE …" in nobody.stderr
    unknown = desk.janitor("fleet", "exec", "lab", "--", "keep", "--fro", "30d")
    assert "janitor fleet exec lab -- keep" in unknown.stderr
    assert "TARGET" not in unknown.stderr


def test_what_a_worker_records_names_such_commands(fleet: Fleet, sandbox: Sandbox) -> None:
    fleet.write(target_of(sandbox, "lab"))
    amend(fleet, "max_deletions: 1000", "max_deletions: 0")
    fleet.clean("lab", fleet.begin().night)
    with Store.open_existing(fleet.settings_of("lab").database) as store:
        run = store.latest_run()
        assert run is not None
        [target] = store.load_run(run).targets
    assert (target.error or "").endswith(f"after reviewing it: janitor fleet exec lab -- apply {run} --yes")


def test_an_account_whose_name_begins_like_an_option(fleet: Fleet, desk: Desk, sandbox: Sandbox) -> None:
    fleet.write({**target_of(sandbox, "lab"), "name": "-x"})
    done = desk.janitor("fleet", "exec", "--", "-x", "--", "waitin")
    assert (done.returncode, "waitin cannot be asked of one account" in done.stderr) == (2, True)


def test_a_run_by_a_person_is_the_work_of_a_worker_and_counts_in_the_night(fleet: Fleet, sandbox: Sandbox) -> None:
    fleet.write(target_of(sandbox, "lab"), max_deletions_per_night=1)
    ask(fleet, "run", "--format", "json")
    said = answered(fleet)
    assert (said.exit_code, deletes(sandbox)) == (4, []), said
    told = json.loads(said.output or "")
    assert "all accounts may have 1 together" in told["targets"][0]["error"]
    assert told["begun_by"] == "by fleet exec, kim@desk"


def test_a_run_is_never_performed_where_it_is_asked(desk: Desk, fleet: Fleet) -> None:
    done = desk.janitor("fleet", "exec", "--wait", "1s", "lab", "--", "run", "--dry-run")
    assert (done.returncode, "nobody began it within 1s" in done.stderr) == (1, True)


def test_an_account_is_bound_anew_as_of_who_asked(fleet: Fleet) -> None:
    ask(fleet, "target", "rebind", "lab", "--yes")
    said = answered(fleet)
    assert (said.exit_code, (said.output or "").startswith("lab: the next run binds it")) == (Exit.OK, True), said


def test_an_answer_is_asked_for_by_its_id(desk: Desk, fleet: Fleet) -> None:
    done = desk.janitor("fleet", "exec", "--answer", "4711")
    assert (done.returncode, "'4711' is no id of an answer: stderr said it" in done.stderr) == (2, True)
