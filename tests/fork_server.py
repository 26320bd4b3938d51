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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, NoReturn, TextIO

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


class Forked:
    """A forked command, as `subprocess.Popen` has one that was started; its streams are files."""

    def __init__(self, pid: int, streams: tuple[int, int], told: socket.socket, ended: TextIO) -> None:
        self.pid = pid
        self._streams = streams
        self._told = told
        self._ended = ended
        self._code: int | None = None

    @property
    def returncode(self) -> int:
        """Its exit code, or the number of the signal that ended it, negated; only once it was waited for."""
        assert self._code is not None, "it was not waited for"
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """The same once it has ended. Raises TimeoutError where that takes longer than so many seconds."""
        if self._code is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise TimeoutError(f"it has not ended within {timeout} seconds")
            self._code = int(self._ended.readline())
        return self._code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it wrote, once it has ended. Raises TimeoutError, too."""
        self.wait(timeout)
        output, errors = (os.pread(file, os.fstat(file).st_size, 0).decode() for file in self._streams)
        return output, errors

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self._code is None and not select.select([self._told], [], [], 0)[0]:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


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

    @contextmanager
    def started(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], *, before: str = "", stdin: int = 0
    ) -> "Iterator[Forked]":
        """`janitor` with these words, at work; at the end of the block it is killed, if it is still.

        `before` is Python code that the process runs first.
        """
        with TemporaryFile() as stdout, TemporaryFile() as stderr:
            streams = stdin, stdout.fileno(), stderr.fileno()
            with self.on_streams(streams, words, folder, environment, before=before) as process:
                yield process

    @contextmanager
    def on_streams(
        self,
        streams: tuple[int, int, int],
        words: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        before: str = "",
    ) -> "Iterator[Forked]":
        """The same on these standard streams, of which the last two are files that can be read, for `communicate`."""
        if any(name.startswith(_ENVIRONMENT_OF_PYTHON) for name in environment):
            raise ValueError("Python reads this when it starts")
        request = {"words": list(words), "folder": str(folder), "environment": dict(environment), "before": before}
        ours, theirs = socket.socketpair()
        with ours, TemporaryFile() as asked:
            asked.write(json.dumps(request).encode())
            asked.flush()
            with theirs:
                socket.send_fds(self._started(), [b"?"], [asked.fileno(), *streams, theirs.fileno()])
            with ours.makefile() as told:
                process = Forked(int(told.readline()), streams[1:], ours, told)
                try:
                    yield process
                finally:
                    process.kill()
                    process.wait()

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


def _serve(control: socket.socket) -> str | None:
    """Fork for each request; returns in a child that is to run the command, with the code before that, and at the end
    of requests with None."""
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
    return _become(files) if files else None


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
            waiting[child].sendall(f"{child}\n".encode())
            for file in files:
                os.close(file)


def _tell_ended(waiting: dict[int, socket.socket]) -> None:
    while waiting:
        ended, status = os.waitpid(-1, os.WNOHANG)
        if not ended:
            return
        with waiting.pop(ended) as asker:
            asker.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _become(files: list[int]) -> str:
    """The process that the request describes; returns the code that it is to run first."""
    for number, file in enumerate(files[1:-1]):
        os.dup2(file, number)
    sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())  # type: ignore[union-attr] # as at a start
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
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these may have been ignored where the tests were started
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return str(request["before"])


def _run(before: str) -> NoReturn:
    """Run the command, and end as Python does."""
    try:
        exec(before, {})
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
    if (code := _serve(socket.socket(fileno=int(sys.argv[1])))) is not None:
        _run(code)
