"""The command as a user sees it: a real process, a loopback cloud, its output and exit codes."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from janitor.sandbox.server import Sandbox
from tests.conftest import WITHOUT_WAITING, Desk
from tests.slack_stand_in import Reply, SlackStandIn

BROKEN_POLICY = """\
policies:
  - name: ci-images
    match: {name: "ci-*"}
    expire:
      after: 14 fortnights
      sinse: created
"""


def deletes(sandbox: Sandbox) -> list[str]:
    return [request.image for request in sandbox.requests if request.method == "DELETE" and request.image]


def test_a_full_cycle_ends_in_an_empty_plan(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    dry = json.loads(sandbox_desk.janitor("run", "--dry-run", "--format", "json").stdout)
    assert deletes(sandbox) == []
    planned = {d["image"] for d in dry["targets"][0]["decisions"] if d["verdict"] == "delete"}
    assert planned
    assert (dry["run"], dry["mode"], dry["outcome"], dry["targets"][0]["deletions"]) == (1, "dry-run", "ok", [])

    done = sandbox_desk.janitor("run", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    live = json.loads(done.stdout)
    assert {d["image"] for d in live["targets"][0]["deletions"]} == planned == set(deletes(sandbox))
    assert {d["outcome"] for d in live["targets"][0]["deletions"]} == {"deleted"}

    again = json.loads(sandbox_desk.janitor("run", "--format", "json").stdout)
    assert (again["outcome"], again["targets"][0]["deletions"]) == ("ok", [])
    assert "delete" not in {d["verdict"] for d in again["targets"][0]["decisions"]}


def test_the_json_is_the_documented_object(sandbox_desk: Desk) -> None:
    result = json.loads(sandbox_desk.janitor("run", "--dry-run", "--format", "json").stdout)
    assert {"run", "mode", "outcome", "started_at", "finished_at", "targets"} <= set(result)
    target = result["targets"][0]
    assert {"target", "outcome", "error", "images", "decisions", "deletions"} <= set(target)
    keys = {"image", "name", "status", "size", "verdict", "policy", "reason", "detail", "due", "owner", "contact"}
    assert all(set(decision) == keys for decision in target["decisions"])
    assert len(target["decisions"]) == target["images"] == len({d["image"] for d in target["decisions"]})
    assert result["started_at"].endswith("Z")


def test_a_dry_run_says_so_and_a_live_run_does_not(sandbox_desk: Desk) -> None:
    assert "DRY RUN" in sandbox_desk.janitor("run", "--dry-run").stdout
    assert "DRY RUN" not in sandbox_desk.janitor("run").stdout


def test_over_the_limit_exits_4_and_deletes_nothing(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    config = (sandbox_desk.folder / "janitor.yaml").read_text()
    sandbox_desk.write("janitor.yaml", config.replace("max_deletions: 1000", "max_deletions: 1"))
    done = sandbox_desk.janitor("run")
    assert done.returncode == 4
    assert "max_deletions allows 1" in " ".join(done.stdout.split())
    assert deletes(sandbox) == []


def test_wrong_files_exit_2_with_every_problem_and_no_request(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.write("policies/ci.yaml", BROKEN_POLICY)
    sandbox_desk.amend("limit: {}\n")
    done = sandbox_desk.janitor("run")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        'policies/ci.yaml:5: ci-images: expire.after: "14 fortnights" is not a duration like 36h or 14d' in done.stderr
    )
    assert 'did you mean "since"?' in done.stderr
    assert 'did you mean "limits"?' in done.stderr
    assert sandbox.requests == ()


def test_wrong_credentials_are_one_line_without_a_storm(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    config = (sandbox_desk.folder / "janitor.yaml").read_text()
    sandbox_desk.write("janitor.yaml", config.replace(sandbox.options.password, "not-the-password"))
    done = sandbox_desk.janitor("run")
    assert done.returncode == 1
    assert "not-the-password" not in done.stdout + done.stderr
    assert sandbox.options.appkey not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert len(sandbox.requests) == 1


def test_an_unknown_target_exits_2(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    done = sandbox_desk.janitor("run", "--target", "nope")
    assert (done.returncode, sandbox.requests) == (2, ())
    assert "no target named nope; there is sandbox" in done.stderr


def test_no_configuration_says_how_to_write_one(desk: Desk) -> None:
    done = desk.janitor("run")
    assert done.returncode == 2
    assert "janitor.yaml" in done.stderr
    assert "targets:" in done.stderr


@pytest.mark.parametrize("words", [("run", "--frobnicate"), ("nonsense",), ("show",), ("run", "--format", "xml")])
def test_wrong_usage_exits_2(desk: Desk, words: tuple[str, ...]) -> None:
    done = desk.janitor(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("check", "-c", ""), "Invalid value for '-c' / '--config': is empty: name a file"),
        (("sandbox", "--write", ""), "Invalid value for '--write': is empty: name a file"),
        (("run", "--target", ""), 'no target named ""; there is sandbox'),
    ],
)
def test_an_empty_name_is_said(sandbox_desk: Desk, words: tuple[str, ...], told: str) -> None:
    done = sandbox_desk.janitor(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("lastest", "'lastest' is not a run, did you mean \"latest\"?"),
        ("first", "'first' is not a run: write its number, or \"latest\""),
        ("2x", "'2x' is not a valid integer"),
    ],
)
def test_a_word_that_is_no_run_is_told_of_the_latest(desk: Desk, word: str, said: str) -> None:
    done = desk.janitor("show", word)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("words", [("runs", "--limit"), ("images", "--run"), ("show",), ("apply",)], ids=" ".join)
@pytest.mark.parametrize("number", ["0", "1000000001", "9" * 30], ids=["zero", "one-more", "huge"])
def test_a_number_out_of_range_exits_2(desk: Desk, words: tuple[str, ...], number: str) -> None:
    done = desk.janitor(*words, number)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{number} is not in the range 1<=x<=1000000000." in done.stderr


def test_check_shows_the_next_three_runs_without_network(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    config = (sandbox_desk.folder / "janitor.yaml").read_text()
    sandbox_desk.write("janitor.yaml", config.replace("UTC", "Asia/Seoul") + 'schedule: "0 3 * * *"\n')
    done = sandbox_desk.janitor("check")
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"\d{4}-\d\d-\d\dT03:00:00\+09:00", done.stdout)) == 3
    assert sandbox.requests == ()


def test_check_live_tries_everything(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}'}}\n")
        done = sandbox_desk.janitor("check", "--live")
        assert done.returncode == 0, done.stdout
        assert len(slack.posted) == 1
    assert "120 images" in done.stdout
    done = sandbox_desk.janitor("check", "--live", before=WITHOUT_WAITING)
    assert done.returncode == 1
    assert slack.webhook_url not in done.stdout + done.stderr


def test_check_says_which_answers_of_slack_count(sandbox_desk: Desk) -> None:
    with SlackStandIn() as slack:
        slack.script += [Reply(200, "accepted", {"Content-Type": "text/plain"})] * 2
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}'}}\n")
        refused = sandbox_desk.janitor("check", "--live")
        assert (refused.returncode, "slack.accepts: any-2xx" in refused.stdout) == (1, True), refused.stdout
        config = (sandbox_desk.folder / "janitor.yaml").read_text()
        sandbox_desk.write("janitor.yaml", config.replace("slack: {", "slack: {accepts: any-2xx, "))
        accepted = sandbox_desk.janitor("check", "--live")
    assert accepted.returncode == 0, accepted.stdout
    assert "note: accepts: any-2xx: answers that are not Slack's can start notices" in accepted.stdout


def test_images_gives_back_what_a_run_saw(sandbox_desk: Desk) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    before = json.loads(sandbox_desk.janitor("images", "--format", "json").stdout)
    sandbox_desk.janitor("run")
    sandbox_desk.janitor("run")
    again = json.loads(sandbox_desk.janitor("images", "--run", "1", "--format", "json").stdout)
    latest = json.loads(sandbox_desk.janitor("images", "--format", "json").stdout)
    assert again == before
    assert len(latest["targets"][0]["images"]) < len(before["targets"][0]["images"])
    assert sandbox_desk.janitor("images").returncode == 0


def test_show_prints_a_past_report_again(sandbox_desk: Desk) -> None:
    first = sandbox_desk.janitor("run")
    sandbox_desk.janitor("run")
    assert sandbox_desk.janitor("show", "1").stdout == first.stdout
    assert json.loads(sandbox_desk.janitor("show", "1", "--format", "json").stdout)["run"] == 1
    unknown = sandbox_desk.janitor("show", "99")
    assert unknown.returncode == 2
    assert "2" in sandbox_desk.janitor("runs").stdout


def test_explain_tells_one_image(sandbox_desk: Desk) -> None:
    result = json.loads(sandbox_desk.janitor("run", "--format", "json").stdout)
    deleted = result["targets"][0]["deletions"][0]["image"]
    kept = next(d for d in result["targets"][0]["decisions"] if d["reason"] == "too-young")
    told = sandbox_desk.janitor("explain", kept["image"][:13])
    assert told.returncode == 0, told.stderr
    for words in (kept["image"], "too-young", kept["detail"], "owns it", "first seen"):
        assert words in " ".join(told.stdout.split())
    sandbox_desk.janitor("run")
    gone = sandbox_desk.janitor("explain", deleted).stdout
    assert "confirmed gone" in " ".join(gone.split())


def test_explain_wants_one_image(sandbox_desk: Desk) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    assert sandbox_desk.janitor("explain", "zzz").returncode == 2
    ambiguous = [sandbox_desk.janitor("explain", digit) for digit in "0123456789abcdef"]
    assert any("is the start of" in done.stderr and done.returncode == 2 for done in ambiguous)


def test_nothing_recorded_is_said(sandbox_desk: Desk) -> None:
    for words in (("images",), ("runs",), ("show", "1"), ("explain", "a")):
        done = sandbox_desk.janitor(*words)
        assert done.returncode == 2
        assert "janitor run --dry-run" in done.stderr
    assert not (sandbox_desk.folder / "sandbox.db").exists()


def test_reports_go_to_slack_and_dry_runs_too(sandbox_desk: Desk) -> None:
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}'}}\n")
        assert sandbox_desk.janitor("run", "--dry-run").returncode == 0
        assert "DRY RUN" in slack.posted[0].shown
        posted = len(slack.posted)
        assert sandbox_desk.janitor("run", "--no-post", "--dry-run").returncode == 0
        assert len(slack.posted) == posted


def test_an_undelivered_report_exits_1_and_stays_in_the_database(sandbox_desk: Desk) -> None:
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}'}}\n")
    done = sandbox_desk.janitor("run", before=WITHOUT_WAITING)
    assert done.returncode == 1
    assert slack.webhook_url not in done.stdout + done.stderr
    with closing(sqlite3.connect(sandbox_desk.folder / "sandbox.db")) as db:
        assert db.execute("SELECT count(*) FROM reports WHERE delivered_at IS NULL").fetchone() == (1,)


def test_a_failed_run_is_reported_too(sandbox_desk: Desk) -> None:
    config = (sandbox_desk.folder / "janitor.yaml").read_text()
    with SlackStandIn() as slack:
        wrong = config.replace("sandbox-password", "wrong-password")
        sandbox_desk.write("janitor.yaml", wrong + f"slack: {{webhook_url: '{slack.webhook_url}', post: problems}}\n")
        assert sandbox_desk.janitor("run").returncode == 1
        assert len(slack.posted) == 1


def test_a_database_that_cannot_be_written_fails_the_run_and_is_reported(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.write("sandbox.db", "this is no database, and must not be overwritten")
    with SlackStandIn() as slack:
        sandbox_desk.amend(f"slack: {{webhook_url: '{slack.webhook_url}'}}\n")
        done = sandbox_desk.janitor("run")
        assert done.returncode == 1
        assert len(slack.posted) == 1
    assert deletes(sandbox) == []
    assert "sandbox.db" in "".join(done.stdout.split())
    assert (sandbox_desk.folder / "sandbox.db").read_text().startswith("this is no database")


def test_the_database_is_for_its_owner_only(sandbox_desk: Desk) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    assert (sandbox_desk.folder / "sandbox.db").stat().st_mode & 0o077 == 0


def test_no_secret_in_anything_that_is_written(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    done = sandbox_desk.janitor("run", "-vv")
    database = (sandbox_desk.folder / "sandbox.db").read_bytes().decode("latin-1")
    for secret in (sandbox.options.password, sandbox.options.appkey):
        assert secret not in done.stdout + done.stderr + database


def test_the_sandbox_prints_a_configuration_that_works(desk: Desk) -> None:
    desk.write("policies/old.yaml", 'policies: [{name: old, match: {name: "*"}, expire: {after: 90d}}]\n')
    process = subprocess.Popen(
        desk.command("sandbox", "--port", "0", "--images", "50"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **desk.settings_for_process(),
    )
    assert process.stdout is not None
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.strip().startswith("password:"):
                break
        assert yaml.safe_load("".join(lines))["targets"][0]["api"] == "toast"
        desk.write("janitor.yaml", "".join(lines))
        assert desk.janitor("run", "--dry-run").returncode in (0, 4)
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_the_sandbox_writes_a_configuration_that_works_and_ends_without_it(desk: Desk) -> None:
    desk.write("policies/old.yaml", 'policies: [{name: old, match: {name: "*"}, expire: {after: 90d}}]\n')
    process = subprocess.Popen(
        desk.command("sandbox", "--port", "0", "--images", "50", "--write", "janitor.yaml"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **desk.settings_for_process(),
    )
    assert process.stderr is not None
    try:
        assert "its configuration is in janitor.yaml" in process.stderr.readline()
        assert desk.janitor("run", "--dry-run").returncode in (0, 4)
    finally:
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=20)
    assert (process.returncode, output, errors) == (0, "", "")


def made_by(kind: str, path: Path) -> None:
    match kind:
        case "file":
            path.write_text("mine")
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(path))
        case "link":
            path.with_name("linked.yaml").write_text("mine")
            path.symlink_to("linked.yaml")
        case "dangling":
            path.symlink_to("nowhere.yaml")


@pytest.mark.parametrize("kind", ["file", "folder", "pipe", "socket", "link", "dangling"])
def test_the_sandbox_writes_over_nothing(desk: Desk, kind: str) -> None:
    path = desk.folder / "janitor.yaml"
    made_by(kind, path)

    def there() -> tuple[object, ...]:
        found = path.lstat()
        return (found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, sorted(desk.folder.iterdir()))

    before = there()
    done = desk.janitor("sandbox", "--port", "0", "--images", "5", "--write", "janitor.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "janitor.yaml exists and was not changed" in done.stderr
    assert there() == before


def test_a_sandbox_whose_port_is_taken_writes_nothing(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = desk.janitor("sandbox", "--port", port, "--images", "5", "--write", "janitor.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is taken" in done.stderr
    assert list(desk.folder.iterdir()) == []


def test_a_configuration_that_cannot_be_written_ends_the_sandbox(desk: Desk) -> None:
    done = desk.janitor("sandbox", "--port", "0", "--images", "5", "--write", "nowhere/janitor.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "janitor: --write: nowhere/janitor.yaml: No such file or directory\n"


def test_a_configuration_that_is_cut_off_by_a_full_disk_is_not_left(desk: Desk) -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (9, 9)); from janitor.cli.app import main; main()"
    )
    words = ["-c", code, "sandbox", "--port", "0", "--images", "5", "--write", "janitor.yaml"]
    done = subprocess.run(
        [desk.command()[0], *words], capture_output=True, check=False, timeout=60, **desk.settings_for_process()
    )
    assert (done.returncode, done.stderr) == (1, "janitor: --write: janitor.yaml: File too large\n")
    assert list(desk.folder.iterdir()) == []


def test_serve_needs_a_schedule_and_ends_cleanly_on_sigterm(sandbox_desk: Desk) -> None:
    assert sandbox_desk.janitor("serve").returncode == 2
    sandbox_desk.amend('schedule: "0 3 * * *"\n')
    process = subprocess.Popen(
        sandbox_desk.command("serve"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **sandbox_desk.settings_for_process(),
    )
    assert process.stderr is not None
    try:
        assert "next-run" in process.stderr.readline()
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_every_command_takes_config_and_verbose(desk: Desk, line_of: Callable[[str, str], str]) -> None:
    def listed(*words: str) -> list[str]:
        commands = desk.janitor(*words, "--help").stdout.partition("Commands:")[2]
        return re.findall(r"^  ([a-z]+)  ", commands, re.MULTILINE)

    commands = listed()
    known = "init run apply serve check images waiting policies explain keep unkeep runs show resend"
    known += " preview backtest test diff schema sandbox demo target db completion fleet"
    assert set(commands) == set(known.split())
    groups = {group: listed(group) for group in ("target", "db", "fleet")}
    assert {"init", "enqueue", "work", "drain"} <= set(groups["fleet"])
    assert all(groups.values())
    grouped = [(group, name) for group, names in groups.items() for name in names]
    for words in [*((name,) for name in commands if name not in groups), *grouped]:
        text = desk.janitor(*words, "--help").stdout
        assert "--config" in line_of(text, "--config")
        assert "--verbose" in text
