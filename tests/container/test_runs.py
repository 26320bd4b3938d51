"""The container at work on a sandbox: as its user, with nothing written but /data, and ending when it is told to."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from janitor.sandbox.calls import Api
from janitor.sandbox.models import OURS
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox, running
from tests.container.engine import Container, State, below

USER = 10001
SECONDS_TO_END = 10  # the time that engines give a container before they kill it
TOAST, OPENSTACK = Options(api=Api.TOAST, images=60), Options(api=Api.OPENSTACK, images=60)


@pytest.fixture(scope="module")
def untouched(container: Container) -> State:
    """The container before anything ran in it."""
    state = container.state()
    assert {"etc/janitor/janitor.yaml", "opt/janitor/bin/janitor"} <= state.keys()
    return state


@pytest.fixture(autouse=True)
def _nothing_is_written_but_data(container: Container, untouched: State) -> Iterator[None]:
    yield
    assert container.state() == untouched


@pytest.fixture
def data() -> Iterator[Path]:
    """A new volume: a folder with the owner and mode that /data has in the image."""
    with TemporaryDirectory() as name:
        os.chown(name, USER, USER)
        yield Path(name)


def settings_of(cloud: Sandbox) -> dict[str, str]:
    """The container's settings for that sandbox, except the password."""
    options = cloud.options
    given = {"NHN_USERNAME": options.username, "JANITOR_MAX_SHARE": "100%", "JANITOR_MAX_DELETIONS": "1000"}
    if options.api is Api.TOAST:
        return {**given, "JANITOR_API": "toast", "TOAST_ENDPOINT": cloud.url, "NHN_APPKEY": options.appkey}
    return {**given, "NHN_IDENTITY": cloud.url, "NHN_TENANT_ID": OURS, "NHN_REGION": next(iter(cloud.accounts))}


def with_password(cloud: Sandbox) -> dict[str, str]:
    return {**settings_of(cloud), "NHN_PASSWORD": cloud.options.password}


def deletions(cloud: Sandbox) -> int:
    return sum(request.method == "DELETE" for request in cloud.requests)


def test_a_dry_run_deletes_nothing_and_keeps_its_database(container: Container, data: Path) -> None:
    with running(OPENSTACK) as cloud:
        done = container.run(data, with_password(cloud), "run", "--dry-run", "--format", "json")
        assert done.returncode == 0, done.stderr
        assert deletions(cloud) == 0
    [target] = json.loads(done.stdout)["targets"]
    assert any(one["verdict"] == "delete" for one in target["decisions"]), "there was something to delete"
    status = (data / "janitor.db").stat()
    assert (status.st_uid, oct(status.st_mode & 0o777)) == (USER, "0o600")


def test_a_live_run_deletes_with_secrets_from_files(container: Container, data: Path) -> None:
    with running(TOAST) as cloud, TemporaryDirectory() as secrets:
        (Path(secrets) / "password").write_text(f"\ufeff{cloud.options.password}\r\n")
        (Path(secrets) / "password").chmod(0o400)
        for path in (Path(secrets), Path(secrets) / "password"):
            os.chown(path, USER, USER)
        given = {**settings_of(cloud), "JANITOR_MODE": "delete", "NHN_PASSWORD_FILE": "/run/secrets/password"}
        done = container.run(data, given, "run", "--format", "json", secrets=Path(secrets))
        assert done.returncode == 0, done.stderr
        deleted = [one for one in json.loads(done.stdout)["targets"][0]["deletions"] if one["outcome"] == "deleted"]
        assert 0 < len(deleted) == deletions(cloud)
    assert cloud.options.password not in done.stdout + done.stderr


def test_it_serves_by_itself_until_it_is_told_to_end(container: Container, data: Path) -> None:
    with running(TOAST) as cloud, container.running(data, with_password(cloud)) as service:
        assert service.stderr is not None
        assert "next-run" in service.stderr.readline()
        janitor = below(service.pid)[-1]
        assert Path(f"/proc/{janitor}").stat().st_uid == USER
        watchdog = threading.Timer(SECONDS_TO_END, service.kill)
        watchdog.start()
        os.kill(janitor, getattr(signal, container.configuration["StopSignal"]))
        code = service.wait()
        watchdog.cancel()
        assert code == 0, service.stderr.read()
        assert not Path(f"/proc/{janitor}").exists()


@pytest.mark.parametrize("words", [("run",), ("run", "--dry-run"), ("check",)], ids=" ".join)
def test_data_of_somebody_else_is_a_clear_error(container: Container, data: Path, words: tuple[str, ...]) -> None:
    os.chown(data, 0, 0)
    data.chmod(0o755)
    with running(TOAST) as cloud:
        done = container.run(data, with_password(cloud), *words)
        assert (done.returncode, deletions(cloud)) == (1, 0)
    told = " ".join((done.stdout + done.stderr).split())
    assert "database /data/janitor.db: it cannot be written: allow writing to the file and its folder" in told
    assert "Traceback" not in told
    assert list(data.iterdir()) == []


def test_a_secret_that_its_user_may_not_read_is_named(container: Container, data: Path) -> None:
    with running(TOAST) as cloud, TemporaryDirectory() as secrets:
        Path(secrets).chmod(0o755)
        (Path(secrets) / "password").write_text(cloud.options.password)
        (Path(secrets) / "password").chmod(0o400)
        given = {**settings_of(cloud), "NHN_PASSWORD_FILE": "/run/secrets/password"}
        done = container.run(data, given, "check", secrets=Path(secrets))
    assert done.returncode == 2
    assert "targets[0].password_file: /run/secrets/password cannot be read: Permission denied" in done.stderr


def test_without_anything_it_says_what_is_missing(container: Container, data: Path) -> None:
    done = container.run(data, {})
    assert done.returncode == 2
    assert "environment variable NHN_PASSWORD is not set" in done.stderr


def test_it_runs_as_the_user_that_the_image_names(container: Container) -> None:
    assert container.configuration["User"] == f"{USER}:{USER}"
    assert (container.tree / "data").stat().st_uid == USER
