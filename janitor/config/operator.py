"""Who or what began a run, in the words of its report."""

import os
import pwd
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

BY_SCHEDULE = "by its schedule"

_FIRST = 1
_JOBS = frozenset({"KUBERNETES_SERVICE_HOST", "GITLAB_CI", "GITHUB_ACTIONS"})
"""Variables that Kubernetes and pipelines set for what they start."""

_SCHEDULERS = frozenset({"cron", "crond", "CRON", "anacron", "fcron", "supercronic", "atd"})
_MOST_ANCESTORS = 20


def user_name() -> str:
    """The name of the system's user who runs this."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def begun_by(environ: Mapping[str, str] = os.environ, proc: Path = Path("/proc")) -> str:
    """`by hand, kim@host`, or `by a job, kim@host` for what a scheduler, a pipeline or a container begins.

    A terminal means that a person is there. Without one, it is a job if the system shows what started it.
    """
    how = "by hand" if _on_terminal() or not _is_job(environ, proc) else "by a job"
    return f"{how}, {user_name()}@{socket.gethostname()}"


def _on_terminal() -> bool:
    return any(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def _is_job(environ: Mapping[str, str], proc: Path) -> bool:
    if _JOBS & environ.keys() or _FIRST in (os.getpid(), os.getppid()):
        return True
    return any(name in _SCHEDULERS for name in _ancestors(proc, os.getppid()))


def _ancestors(proc: Path, pid: int) -> list[str]:
    """The names of the processes that started this one, nearest first."""
    names: list[str] = []
    while pid > 0 and len(names) < _MOST_ANCESTORS:
        status = _status(proc / str(pid) / "status")
        names.append(status.get("Name", ""))
        pid = int(status.get("PPid", 0))
    return names


def _status(path: Path) -> dict[str, str]:
    """What the kernel says of a process; nothing where it does not."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return {}
    return {key: value.strip() for key, found, value in (line.partition(":") for line in lines) if found}
