"""`janitor sandbox --accounts`: what it writes, and that it is a configuration of a fleet."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from janitor.config.fleet.accounts import load_accounts
from janitor.sandbox.calls import Api
from janitor.sandbox.options import Options
from tests.conftest import Desk
from tests.in_process import in_process


@contextmanager
def started(desk: Desk, *words: str) -> Iterator[None]:
    command = desk.command("sandbox", "--port", "0", "--images", "5", *words)
    with subprocess.Popen(command, stderr=subprocess.PIPE, **desk.settings_for_process()) as process:
        assert process.stderr is not None
        try:
            assert "is listening" in process.stderr.readline()
            yield
        finally:
            process.terminate()
            process.stderr.read()


def test_it_writes_a_configuration_and_the_list_of_accounts_beside_it(desk: Desk) -> None:
    desk.write("policies/a.yaml", "")
    desk.write("there/keep", "")
    with started(desk, "--accounts", "3", "--write", "there/janitor.yaml"):
        whole = yaml.safe_load((desk.folder / "there/janitor.yaml").read_text())
        listed = yaml.safe_load((desk.folder / "there/accounts.yaml").read_text())
        codes = [httpx.get(target["endpoint"], trust_env=False).json()["header"]["resultCode"] for target in listed]
    assert whole == {
        "mode": "dry-run",
        "policies": "policies",
        "timezone": "UTC",
        "fleet": {"database": "${JANITOR_FLEET_URL}", "state": "shards", "shards": 16, "targets": "accounts.yaml"},
    }
    assert [target["name"] for target in listed] == ["account-0001", "account-0002", "account-0003"]
    assert codes == [-7, -7, -7]


@pytest.mark.parametrize(
    ("words", "there", "sentence"),
    [
        ((), "", "add --write FILE"),
        (("--write", "accounts.yaml"), "", "give another name"),
        (("--write", "janitor.yaml"), "janitor.yaml", "janitor.yaml exists"),
        (("--write", "janitor.yaml"), "accounts.yaml", "accounts.yaml exists"),
        (("--write", "policies/x.txt"), "policies/a.yaml", "accounts.yaml would be read as a policy file"),
        (("--write", "no/janitor.yaml"), "", "No such file"),
    ],
    ids=lambda each: each if isinstance(each, str) else "-".join(each),
)
def test_where_it_cannot_write_it_says_so_and_leaves_nothing(
    desk: Desk, words: tuple[str, ...], there: str, sentence: str
) -> None:
    if there:
        desk.write(there, "# mine\n")
    done = desk.janitor("sandbox", "--port", "0", "--accounts", "2", "--images", "1", *words)
    assert (done.returncode, sentence in done.stderr) == (2, True), done.stderr
    written = [path.relative_to(desk.folder).as_posix() for path in desk.folder.rglob("*.yaml")]
    assert written == ([there] if there else [])


def test_of_two_files_none_is_left_where_the_second_cannot_be_written(desk: Desk) -> None:
    before = (
        "from janitor.cli import written_configuration as w\n"
        "from janitor.errors import JanitorError\n"
        "def fail(*_): raise JanitorError('no space')\n"
        "w.write_configuration = fail\n"
    )
    done = desk.janitor(
        "sandbox", "--port", "0", "--accounts", "2", "--images", "1", "--write", "janitor.yaml", before=before
    )
    assert (done.returncode != 0, "no space" in done.stderr, list(desk.folder.glob("*.yaml"))) == (True, True, [])


@pytest.mark.parametrize(
    ("accounts", "images", "sentence"),
    [
        ("0", "5", "0 accounts: choose 1 to 10000"),
        ("10001", "5", "choose 1 to 10000"),
        ("2", "500001", "1000002 images"),
    ],
)
def test_how_many_there_can_be(desk: Desk, accounts: str, images: str, sentence: str) -> None:
    done = desk.janitor("sandbox", "--accounts", accounts, "--images", images, "--write", "janitor.yaml")
    assert (done.returncode, sentence in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("api", list(Api))
def test_what_it_writes_is_the_configuration_of_a_fleet(tmp_path: Path, api: Api) -> None:
    sandbox, _ = in_process(Options(accounts=2, images=5, api=api))
    config = tmp_path / "janitor.yaml"
    config.write_text(sandbox.configuration(mode="delete"))
    (tmp_path / "accounts.yaml").write_text(sandbox.accounts_text())
    (tmp_path / "policies").mkdir()
    accounts = load_accounts(config, {"JANITOR_FLEET_URL": "postgresql://janitor@127.0.0.1/janitor"})
    assert accounts.names == tuple(sandbox.members)
    assert [target.name for target in accounts.targets()] == ["account-0001", "account-0002"]
    assert [target.name for target in accounts.settings_of("account-0002").targets] == ["account-0002"]
