"""The key `fleet`: its values, what is wrong with them, and that nothing is loaded where it is not written."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from janitor.config import load_settings
from janitor.config.fleet import Fleet
from janitor.config.fleet.loading import refusal
from janitor.errors import ConfigurationError
from janitor.redaction import Redaction
from tests.config.configuration import TARGET, Write
from tests.config.fleet.fleets import ENVIRON, WHOLE, write_fleet
from tests.config.json_schemas import hold_files

pytestmark = pytest.mark.usefixtures("empty_folder")

FULL = """\
fleet:
  database_file: url
  state: /data/shards
  shards: "8"
  targets: accounts.csv
  template: {name: "{account}", password: "${PASSWORD_{account}}"}
  deadline: 90min
  retries: 0
  max_deletions_per_night: 5000
  allow_network_filesystem: true
"""
NOWHERE = "http://127.0.0.1:9"
NFS = "23 1 8:1 / / rw - ext4 /dev/sda rw\n24 23 0:40 / {folder} rw - nfs4 server:/x rw\n"


def problems_of(config: Path, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(config, ENVIRON if environ is None else environ, whole=True)
    hold_files("config", [config], caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


def fleet_of(config: Path) -> Fleet:
    fleet = load_settings(config, ENVIRON, whole=True).fleet
    assert fleet is not None
    return fleet


def test_only_what_has_no_default_is_needed() -> None:
    assert fleet_of(write_fleet()) == Fleet(
        database=ENVIRON["FLEET_URL"],
        state=Path.cwd() / "shards",
        shards=64,
        targets=Path.cwd() / "accounts.yaml",
        template=None,
        deadline=timedelta(hours=6),
        retries=3,
        max_deletions_per_night=None,
        allow_network_filesystem=False,
    )


def test_every_key_is_read() -> None:
    Path("url").write_text("postgres://db\n")
    assert fleet_of(write_fleet(FULL)) == Fleet(
        database="postgres://db",
        state=Path("/data/shards"),
        shards=8,
        targets=Path.cwd() / "accounts.csv",
        template={"name": "{account}", "password": "${PASSWORD_{account}}"},
        deadline=timedelta(minutes=90),
        retries=0,
        max_deletions_per_night=5000,
        allow_network_filesystem=True,
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param("${FLEET_URL}", "${NONE}", "5: fleet.database: environment variable NONE is not set", id="unset"),
        pytest.param("${FLEET_URL}", "", "5: fleet.database: is empty", id="no-database"),
        pytest.param("${FLEET_URL}", "mysql://db", "5: fleet.database: is not a URL like postgresql://", id="mysql"),
        pytest.param("${FLEET_URL}", "postgresql://a b", "5: fleet.database: is not a URL like", id="a-blank"),
        pytest.param("${FLEET_URL}", "'postgresql://u:[@db'", "5: fleet.database: is not a URL: a pass", id="bracket"),
        pytest.param(
            "  state: shards\n", "", "4: fleet.state: is missing: name the folder of the databases", id="state"
        ),
        pytest.param("accounts.yaml", "", "7: fleet.targets: is empty", id="no-targets"),
        pytest.param("shards\n", "shards\n  shards: 0\n", "7: fleet.shards: must be at least 1", id="no-shards"),
        pytest.param("shards\n", "shards\n  shards: 1001\n", "7: fleet.shards: must be at most 1000", id="many"),
        pytest.param("shards\n", "shards\n  retries: -1\n", "7: fleet.retries: must be at least 0", id="retries"),
        pytest.param("shards\n", "shards\n  deadline: 0m\n", '7: fleet.deadline: "0m" must be greater', id="no-time"),
        pytest.param(
            "shards\n", "shards\n  shard: 5\n", '7: fleet.shard: unknown key, did you mean "shards"?', id="near"
        ),
        pytest.param("shards\n", "shards\n  shard:\n", "7: fleet.shard: unknown key", id="unknown-and-empty"),
        pytest.param(
            "fleet:", "database: x.db\nfleet:", "4: database: must not be given beside `fleet`", id="database"
        ),
        pytest.param("shards\n", "shards\n  allow_network_filesystem: 1\n", "7: fleet.allow_network", id="no-boolean"),
    ],
)
def test_a_wrong_value_is_told_with_line_and_key(old: str, new: str, problem: str) -> None:
    [told] = problems_of(write_fleet(WHOLE.replace(old, new, 1)))
    assert told.startswith(f"janitor.yaml:{problem}")


def test_targets_are_not_given_beside_it(write: Write) -> None:
    [told] = problems_of(write(TARGET + WHOLE))
    assert told == (
        "janitor.yaml:1: targets: must not be given beside `fleet`: its accounts are where fleet.targets says"
    )


@pytest.mark.parametrize("empty", ["", "{}", '""', "${NONE:-}"])
def test_it_may_be_left_empty_as_every_key_unless_it_has_keys(write: Write, empty: str) -> None:
    path = write(f"{TARGET}fleet: {empty}\n")
    if empty == "{}":
        assert len(problems_of(path)) == 4
    else:
        assert load_settings(path, {}).fleet is None


def test_it_holds_keys(write: Write) -> None:
    with pytest.raises(ConfigurationError, match="fleet: is a list: write keys and values, like key: value"):
        load_settings(write(f"{TARGET}fleet: [a]\n"), {})


def test_the_password_of_its_database_is_never_shown_and_its_user_is_a_word() -> None:
    path = write_fleet(WHOLE.replace("${FLEET_URL}", "postgresql://janitor:p%40ss@db/x?sslpassword=of-a-key"))
    settings = load_settings(path, {}, whole=True)
    redact = Redaction(*settings.secrets)
    assert redact("p%40ss p@ss of-a-key janitor") == "*** *** *** janitor"
    assert "p%40ss" not in repr(settings)
    assert redact("postgresql://janitor:p%40ss@db/x?sslpassword=of-a-key") == "***"


def test_a_database_without_a_password_has_no_secret_words() -> None:
    settings = load_settings(write_fleet(WHOLE.replace("${FLEET_URL}", "postgresql://janitor@db/x")), {}, whole=True)
    assert settings.secrets == {"xoxb-token", "postgresql://janitor@db/x"}


def test_offline_it_needs_no_database() -> None:
    settings = load_settings(write_fleet(), {}, whole=True, offline=True)
    assert settings.fleet is not None
    assert settings.secrets == {"xoxb-token"}


def test_shards_on_a_network_file_system_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("shards").mkdir()
    Path("mountinfo").write_text(NFS.format(folder=Path.cwd()))
    monkeypatch.setattr("janitor.filesystems.MOUNTS", Path("mountinfo"))
    with pytest.raises(ConfigurationError) as caught:
        fleet_of(write_fleet())
    [problem] = caught.value.problems
    assert str(problem).startswith("janitor.yaml:6: fleet.state: is on a network file system (nfs4), where two hosts")

    allowed = fleet_of(write_fleet(f"{WHOLE}  allow_network_filesystem: true\n"))
    assert refusal(allowed) is None


def test_a_host_without_the_shards_may_be_on_one(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mountinfo").write_text(NFS.format(folder=Path.cwd()))
    monkeypatch.setattr("janitor.filesystems.MOUNTS", Path("mountinfo"))
    why = refusal(fleet_of(write_fleet()))
    assert why is not None
    assert "allow_network_filesystem: true" in why


@pytest.mark.parametrize("command", ["check", "run", "images", "explain", "serve --help", "schema policies"])
def test_without_it_nothing_of_it_is_loaded(command: str) -> None:
    slack = f"slack: {{token: x, channel: c, base_url: '{NOWHERE}'}}"
    write_fleet(f"{TARGET.replace('https://cloud.example', NOWHERE)}{slack}\nhttp: {{attempts: 1}}\n")
    script = (
        "import sys; from contextlib import suppress; from janitor.cli.app import main\n"
        "with suppress(SystemExit): main()\n"
        "assert 'janitor.cli.app' in sys.modules\n"
        "of_it = ('janitor.config.fleet', 'janitor.fleet', 'psycopg', 'procrastinate')\n"
        "print([name for name in sys.modules if name.startswith(of_it)])"
    )
    done = subprocess.run([sys.executable, "-c", script, *command.split()], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
