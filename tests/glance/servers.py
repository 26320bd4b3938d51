"""WSGI applications of .venv-glance as processes on loopback, each stopped by its own id."""

import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT = Path(__file__).parents[2] / ".venv-glance"
_SERVE = Path(__file__).with_name("serve.py")
_HOST = "127.0.0.1"
_RUN_WITHIN = 300
_STOP_WITHIN = 10
_TOLD = 3000


class NotStarted(Exception):
    """A part of the cloud is not installed, or did not start; the message names it and quotes its output."""


class Server:
    """One application on a free port, which stays its own through restarts.

    Requests made while it is down wait until it is up again. Several workers are several processes.
    """

    def __init__(self, name: str, module: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._name = name
        self._module = module
        self._output = folder / f"{name}.out"
        self._environment = environment
        self._processes: list[subprocess.Popen[bytes]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind((_HOST, 0))
        self._socket.listen(128)

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self._socket.getsockname()[1]}"

    @property
    def processes(self) -> list[int]:
        """The ids of its processes."""
        return [process.pid for process in self._processes]

    def start(self, *, workers: int = 1, threads: int = 1) -> None:
        """Start it, as so many processes of so many threads; it is loading when this returns, see `wait`.

        With more than one of either, SQLite does not support parallel writes.
        """
        descriptor = self._socket.fileno()
        command = [python(), "-W", "ignore", str(_SERVE), self._module, str(descriptor), str(threads)]
        for _ in range(workers):
            with self._output.open("ab") as sink:
                self._processes.append(
                    subprocess.Popen(
                        command,
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=sink,
                        env=plain_environment(self._environment),
                        pass_fds=[descriptor],
                    )
                )

    def wait(self) -> None:
        """Wait until it serves. Raises NotStarted if one of its processes ends instead."""
        for process in self._processes:
            assert process.stdout is not None
            if b"ready\n" not in process.stdout:  # reads no further than to that line, or to the end
                said = self._output.read_text(errors="replace")[-_TOLD:]
                raise NotStarted(f"{self._name} did not start; it ended with {process.wait()}:\n{said}")

    def stop(self) -> None:
        """Stop its processes, and wait for their end; the port is kept."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(_STOP_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
            process.communicate()
        self._processes.clear()

    def close(self) -> None:
        """Stop it, and release the port."""
        self.stop()
        self._socket.close()


def python() -> str:
    """The interpreter of .venv-glance. Raises NotStarted where there is none."""
    return program("python")


def program(name: str) -> str:
    """A command of .venv-glance. Raises NotStarted where there is none."""
    path = ENVIRONMENT / "bin" / name
    if not path.exists():
        raise NotStarted(f"{path.parent.parent.name} has no {name}: `make test-glance` installs it")
    return str(path)


def plain_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process: nothing of ours, so that no proxy or OS_ variable of the caller applies."""
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **extra}


def run(name: str, *words: str) -> None:
    """Run a command of .venv-glance to its end. Raises NotStarted if it fails."""
    done = subprocess.run(
        [program(name), *words],
        capture_output=True,
        text=True,
        env=plain_environment({}),
        timeout=_RUN_WITHIN,
        check=False,
    )
    if done.returncode != 0:
        raise NotStarted(f"{' '.join((name, *words))} failed:\n{(done.stdout + done.stderr)[-_TOLD:]}")
