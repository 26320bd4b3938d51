"""The command `janitor` as a process that is forked from one in which everything is imported already.

Starting Python, importing, and taking all modules apart at the end took most of the time of the tests that run the
command. Such a process has arguments, environment, folder, streams and exit code of its own; at its end it waits for
threads, does what is registered for then, and warns about what is still open. What else belongs to the start and the
end of Python is tested with processes that are started: `Desk.command`.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, NoReturn

_ROOT = Path(__file__).parent.parent
_ENVIRONMENT_OF_PYTHON = ("PYTHON", "LC_", "LANG")
_READS_THE_ENVIRONMENT = "janitor.cloud.openstack.clouds"  # imports openstack.config, which looks for HOME at once
_USED_LATE = (
    "apscheduler.schedulers.background",
    "keystoneauth1.loading",
    "prometheus_client",
    "rich.console",
    "rich.table",
    "slack_sdk.web",
    "uvicorn",
)
_STANDARD_STREAMS = 3


class ForkServer:
    """Runs commands; the server behind it is started when it is first needed, and ends with the block."""

    def __init__(self) -> None:
        self._control: socket.socket | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ForkServer":
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._control is not None:
            self._control.close()
        if self._server is not None:
            self._server.wait()

    def run(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float
    ) -> "subprocess.CompletedProcess[str]":
        """What `janitor` with these words did. Raises TimeoutError where it takes longer than so many seconds."""
        if any(name.startswith(_ENVIRONMENT_OF_PYTHON) for name in environment):
            raise ValueError("Python reads this when it starts")
        request = json.dumps({"words": list(words), "folder": str(folder), "environment": dict(environment)})
        with TemporaryFile() as asked, TemporaryFile() as stdout, TemporaryFile() as stderr:
            asked.write(request.encode())
            asked.flush()
            code = self._code([asked.fileno(), 0, stdout.fileno(), stderr.fileno()], timeout)
            texts = [os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode() for file in (stdout, stderr)]
        return subprocess.CompletedProcess(["janitor", *words], code, *texts)

    def _code(self, files: list[int], timeout: float) -> int:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                socket.send_fds(self._started(), [b"?"], [*files, theirs.fileno()])
            ours.settimeout(timeout)
            return int(ours.makefile().readline())

    def _started(self) -> socket.socket:
        if self._control is None:
            self._control, theirs = socket.socketpair()
            with theirs:
                self._server = subprocess.Popen(
                    [sys.executable, "-W", "error", "-m", __name__, str(theirs.fileno())],
                    cwd=_ROOT,
                    env={"PATH": os.environ["PATH"]},
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
        return self._control


def _serve(control: socket.socket) -> bool:
    """Fork for each request; returns True in a child that is to run the command, and False at the end of requests."""
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    waiting: dict[int, socket.socket] = {}
    with control, woken, wake:
        files = _fork(control, woken, waiting)
        signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for asker in waiting.values():
        asker.close()
    if files:
        _become(files)
    return bool(files)


def _fork(control: socket.socket, woken: socket.socket, waiting: dict[int, socket.socket]) -> list[int]:
    """Fork for each request, and tell how children ended; returns the files of its request in a child, else none."""
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            woken.recv(4096)
            _tell_ended(waiting)
        if control in ready:
            asked, files, _, _ = socket.recv_fds(control, 1, _STANDARD_STREAMS + 2)
            if not asked or (child := os.fork()) == 0:
                return files
            waiting[child] = socket.socket(fileno=files.pop())
            for file in files:
                os.close(file)


def _tell_ended(waiting: dict[int, socket.socket]) -> None:
    while waiting:
        ended, status = os.waitpid(-1, os.WNOHANG)
        if not ended:
            return
        with waiting.pop(ended) as asker:
            asker.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _become(files: list[int]) -> None:
    """The process that the request describes."""
    for number, file in enumerate(files[1:-1]):
        os.dup2(file, number)
    with os.fdopen(files[0], "rb") as asked:
        request: dict[str, Any] = json.loads(os.pread(asked.fileno(), os.fstat(asked.fileno()).st_size, 0))
    for file in files[1:]:
        os.close(file)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.path[0] = request["folder"]
    sys.argv[1:] = request["words"]


def _run() -> NoReturn:
    """Run the command, and end as Python does."""
    try:
        runpy.run_module("janitor", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        threading._shutdown()  # type: ignore[attr-defined] # it has no public name
        atexit._run_exitfuncs()
        gc.collect()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(ended.code or 0))
    raise AssertionError("the command returned without an exit code")


def _import_all() -> None:
    for file in sorted((_ROOT / "janitor").rglob("*.py")):
        name = ".".join(file.relative_to(_ROOT).with_suffix("").parts).removesuffix(".__init__")
        if not name.startswith(_READS_THE_ENVIRONMENT) and not name.endswith(".__main__"):
            importlib.import_module(name)
    for name in _USED_LATE:
        importlib.import_module(name)


if __name__ == "__main__":
    _import_all()
    gc.collect()
    gc.freeze()
    if _serve(socket.socket(fileno=int(sys.argv[1]))):
        _run()
