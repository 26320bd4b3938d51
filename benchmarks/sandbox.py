"""A sandbox in a process of its own, stopped by its own id when the block ends."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes import JANITOR

Configuration = dict[str, Any]


@contextmanager
def sandbox(images: int, latency: int, folder: Path, *more: str) -> Iterator[Configuration]:
    """The configuration of a fresh sandbox; `latency` is milliseconds a request, and `more` are options of it.

    The block may write into `folder`.
    """
    command = [JANITOR, "sandbox", "--port", "0", "--images", str(images), "--latency", str(latency), *more]
    announced = folder / "sandbox.yaml"
    with announced.open("wb") as sink:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        # It has printed its configuration before it says anything, and says why where it cannot.
        said = process.stderr.readline()
        configuration = yaml.safe_load(announced.read_text(encoding="utf-8"))
        if not configuration:
            raise RuntimeError(f"the sandbox did not start: {said.decode(errors='replace')}")
        yield configuration
    finally:
        process.terminate()
        process.communicate()
