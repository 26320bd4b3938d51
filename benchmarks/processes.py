"""Runs whole processes, and measures the cost of each."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

JANITOR = str(Path(sys.executable).with_name("janitor"))
_MIB = 2**20
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Spent:
    """The cost of one process, from its start to its end: wall and CPU seconds, and peak memory in MiB."""

    wall: float
    cpu: float
    peak: float


def spend(command: Sequence[str], output: Path) -> Spent:
    """Run a command to its end, its output into a file. Raises RuntimeError where it fails.

    The peak of a child is never less than that of the process it was started from, so this one has to stay small.
    """
    with output.open("wb") as sink:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        end = output.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{end}")
    return Spent(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _MAXRSS_UNIT / _MIB)
