"""Processes: one that does not start says why, and none outlives the process that started it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.glance import servers
from tests.glance.patience import until
from tests.glance.servers import NotStarted, Server

APPLICATION = """
print("loading, as some say aloud")


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
"""

START_AND_WAIT = """
import sys, time
from pathlib import Path
from tests.glance.servers import Server
server = Server("tiny", "tiny", Path(sys.argv[1]), {"PYTHONPATH": sys.argv[1]})
server.start(workers=2)
server.wait()
print(*server.processes, flush=True)
time.sleep(60)
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Server]:
    """The smallest possible application, not started yet."""
    (tmp_path / "tiny.py").write_text(APPLICATION)
    with closing(Server("tiny", "tiny", tmp_path, {"PYTHONPATH": str(tmp_path)})) as server:
        yield server


def started(server: Server, workers: int = 1) -> list[int]:
    server.start(workers=workers)
    server.wait()
    return server.processes


def says(server: Server) -> str:
    return httpx.get(server.url, timeout=30, trust_env=False).text


def alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def test_it_serves_and_keeps_its_port_through_a_restart(tiny: Server) -> None:
    started(tiny)
    url = tiny.url
    assert says(tiny) == "hello"
    tiny.stop()
    started(tiny)
    assert (tiny.url, says(tiny)) == (url, "hello")


def test_several_workers_are_several_processes_and_all_of_them_end(tiny: Server) -> None:
    processes = started(tiny, workers=2)
    assert len(set(processes)) == 2
    tiny.stop()
    assert not any(map(alive, processes))
    assert tiny.processes == []


def test_one_that_breaks_says_what_it_said(tiny: Server, tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text("raise SystemExit('the configuration is nonsense')")
    with pytest.raises(NotStarted, match=r"(?s)tiny did not start; it ended with 1:.*configuration is nonsense"):
        started(tiny)


def test_a_missing_installation_is_named_with_what_makes_it(
    tiny: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "ENVIRONMENT", tmp_path / ".venv-glance")
    with pytest.raises(NotStarted, match=r"\.venv-glance has no python: `make test-glance` installs it"):
        started(tiny)
    with pytest.raises(NotStarted, match="has no glance-manage"):
        servers.run("glance-manage", "db_sync")


def test_a_command_that_fails_says_what_it_said() -> None:
    with pytest.raises(NotStarted, match=r"(?s)python nonsense failed:.*can't open file"):
        servers.run("python", "nonsense")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks processes up in /proc")
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_they_end_with_whoever_started_them_however_that_ends(
    tiny: Server, tmp_path: Path, ending: signal.Signals
) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", START_AND_WAIT, str(tmp_path)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        processes = [int(word) for word in starter.stdout.readline().split()]
        assert len(processes) == 2
        assert all(map(alive, processes))
        starter.send_signal(ending)
    until(lambda: not any(map(alive, processes)))
