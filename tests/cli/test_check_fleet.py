"""`janitor check` reads every account of a fleet, and remarks where SQLite is on a network file system."""

import pytest

from janitor.cli.completion import Kind
from janitor.cli.completion.candidates import candidates
from tests.conftest import POLICY, Desk

FLEET = """\
fleet:
  database: postgresql://janitor:the-pw@db.example/janitor
  state: shards
  targets: accounts
"""
ACCOUNTS = """\
- {name: web, appkey: a, username: u, password: "${PASSWORD}"}
- {name: data, api: openstack, cloud: lab}
"""
ALONE = "targets: [{name: old, appkey: a, username: u, password: p}]\n"
MOUNTED = "23 1 8:1 / / rw - ext4 /dev/sda rw\n24 23 0:40 / {folder} rw - nfs4 server:/x rw\n"


@pytest.fixture
def fleet(desk: Desk) -> Desk:
    desk.write("janitor.yaml", FLEET)
    desk.write("policies/all.yaml", POLICY)
    desk.write("accounts/a.yaml", ACCOUNTS)
    desk.environment["PASSWORD"] = "password-of-web"
    return desk


def on_nfs(desk: Desk) -> str:
    """Code by which a process believes that its folder is on NFS."""
    mounts = desk.write("mountinfo", MOUNTED.format(folder=desk.folder))
    return f"import janitor.filesystems, pathlib; janitor.filesystems.MOUNTS = pathlib.Path({str(mounts)!r})"


def test_it_says_what_the_fleet_is(fleet: Desk) -> None:
    fleet.write("accounts/more.csv", "a")
    done = fleet.janitor("check")
    assert done.returncode == 0, done.stderr
    assert "mode dry-run, a fleet of 2 accounts\n" in done.stdout
    assert f"accounts       ok: {fleet.folder}/accounts\n" in done.stdout
    assert "accounts       note: only *.yaml and *.yml files are read there: more.csv\n" in done.stdout
    assert f"shards         ok: {fleet.folder}/shards, 64\n" in done.stdout
    assert "none: `janitor fleet serve` needs one" in done.stdout
    assert not (fleet.folder / "shards").exists()


def test_it_tells_every_problem_of_every_account(fleet: Desk) -> None:
    fleet.write("accounts/b.yaml", "- {name: lab, api: openstack}\n- {name: old, cluod: x, api: openstack}\n")
    fleet.environment.clear()
    done = fleet.janitor("check")
    assert done.returncode == 2
    for told in (
        "accounts/a.yaml:1: web: password: environment variable PASSWORD is not set",
        "accounts/b.yaml:1: lab: has no credentials",
        'accounts/b.yaml:2: old: cluod: unknown key, did you mean "cloud"?',
        "next: set 1 variable (PASSWORD) in the environment",
    ):
        assert told in done.stderr


def test_a_policy_for_no_account_is_remarked(fleet: Desk) -> None:
    fleet.write("policies/all.yaml", "policies: [{name: all, match: {targets: prod}}]")
    assert "prod" in fleet.janitor("check").stdout.partition("policies       note: ")[2]
    fleet.write("policies/all.yaml", "policies: [{name: all, match: {targets: data}}]")
    assert "policies       note: " not in fleet.janitor("check").stdout


def test_the_problems_of_policies_are_told_too(fleet: Desk) -> None:
    fleet.write("policies/all.yaml", "policies: [{name: all, mach: x}]")
    fleet.write("janitor.yaml", FLEET.replace("state", "stat"))
    told = fleet.janitor("check").stderr
    assert "fleet.stat: unknown key" in told
    assert "policies/all.yaml:1: all: mach: unknown key" in told


def test_shards_on_a_network_file_system_are_refused(fleet: Desk) -> None:
    (fleet.folder / "shards").mkdir()
    done = fleet.janitor("check", before=on_nfs(fleet))
    assert done.returncode == 2
    assert "janitor.yaml:3: fleet.state: is on a network file system (nfs4)" in done.stderr
    fleet.amend("  allow_network_filesystem: true\n")
    assert fleet.janitor("check", before=on_nfs(fleet)).returncode == 0


def test_without_a_fleet_a_database_on_one_is_remarked(desk: Desk) -> None:
    desk.write("janitor.yaml", ALONE)
    desk.write("policies/all.yaml", POLICY)
    assert "network file system" not in desk.janitor("check").stdout
    done = desk.janitor("check", before=on_nfs(desk))
    assert done.returncode == 0
    assert "database       note: it is on a network file system (nfs4)" in done.stdout


@pytest.mark.parametrize("command", ["run", "images", "explain web", "waiting", "serve", "runs", "keep web"])
def test_a_command_for_one_account_says_how_to_name_one(fleet: Desk, command: str) -> None:
    done = fleet.janitor(*command.split())
    assert done.returncode == 2
    assert "`janitor fleet exec NAME -- …`" in done.stderr
    assert not list(fleet.folder.glob("**/*.db"))


def test_tests_of_policies_need_no_account(fleet: Desk) -> None:
    fleet.write("policies/all.test.yaml", "now: 2026-06-01\nimages: [{name: a, age: 3d}]\nexpect: {a: any}\n")
    done = fleet.janitor("test")
    assert done.returncode == 0, done.stderr


def test_accounts_are_offered_where_targets_are(fleet: Desk) -> None:
    assert {value for value, _ in candidates(Kind.TARGETS, fleet.folder / "janitor.yaml", "")} == {"web", "data"}
    fleet.amend("limits: {max_deletions: many}\n")
    assert candidates(Kind.TARGETS, fleet.folder / "janitor.yaml", "w") == [("web", "")]


def test_the_database_of_the_fleet_is_asked_only_live(fleet: Desk) -> None:
    assert "fleet database not asked: --live does\n" in fleet.janitor("check").stdout
    fleet.write("janitor.yaml", FLEET.replace("db.example", "127.0.0.1:1"))
    done = fleet.janitor("check", "--live")
    assert done.returncode == 1
    assert "fleet database failed: fleet database janitor on 127.0.0.1:1: " in done.stdout
    assert "the-pw" not in done.stdout + done.stderr


def test_it_promises_no_clicks_to_a_fleet(fleet: Desk) -> None:
    fleet.amend("slack: {token: xoxb-1, app_token: xapp-1, channel: '#c', base_url: 'http://127.0.0.1:1/api'}\n")
    done = fleet.janitor("check", "--live")
    assert "slack          note: app_token: in a fleet nobody listens to clicks" in done.stdout
    assert "slack clicks" not in done.stdout + done.stderr
