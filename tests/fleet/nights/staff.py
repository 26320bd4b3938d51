"""The processes of a fleet: the cloud, and workers that are begun anew when they were killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.fleet.nights.cloud import DELETING
from tests.fleet.nights.record import Mishap


@dataclass
class Place:
    """Where one worker is at a time, with these shards; `url` is how it reaches PostgreSQL."""

    number: int
    shards: Sequence[int]
    url: str
    begun: int = 0
    process: subprocess.Popen[bytes] | None = None
    stopped: tuple[float, float] | None = None

    @property
    def worker(self) -> str:
        """The name of the worker that is there now."""
        return f"place-{self.number}-{self.begun}"


@dataclass
class Staff:
    """All places. What is done to their workers is noted in `mishaps`."""

    folder: Path
    places: list[Place]
    without: str | None = None
    mishaps: list[Mishap] = field(default_factory=list)

    def begin(self, place: Place) -> None:
        """A new worker begins at a place."""
        place.begun += 1
        words = ["-m", "tests.fleet.nights.worker", place.worker, "--config", str(self.folder / "janitor.yaml")]
        words += ["--clock", str(self.folder / "clock"), "--shards", ",".join(map(str, place.shards))]
        words += ["--without", self.without] if self.without else []
        with (self.folder / f"{place.worker}.log").open("wb") as log:
            environment = {**os.environ, "JANITOR_FLEET_URL": place.url}
            place.process = subprocess.Popen(
                [sys.executable, *words], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self, place: Place) -> None:
        """Kill a worker, and begin another in its place."""
        assert place.process is not None
        place.process.kill()
        place.process.wait()
        self._note("killed", place.worker, time.time())
        self.begin(place)

    def stop(self, place: Place, seconds: float, *, caught: bool = False) -> None:
        """Stop a worker, which goes on after so long."""
        assert place.process is not None
        place.process.send_signal(signal.SIGSTOP)
        place.stopped = time.time(), time.time() + seconds
        if caught:
            self._note("caught", place.worker, time.time())

    def deleting(self, within: float) -> tuple[Place, str] | None:
        """Where the worker is that sent the last deletion, and in which account, if that is so few seconds ago."""
        file = self.folder / DELETING
        try:
            name, account = file.read_text().split()
            at = file.stat().st_mtime
        except FileNotFoundError:
            return None
        here = [place for place in self.places if place.worker == name and place.stopped is None]
        return (here[0], account) if here and time.time() - at < within else None

    def go_on(self, every: bool = False) -> None:
        """Let those go on whose time has come, or all."""
        for place in self.places:
            if place.stopped is not None and (every or time.time() >= place.stopped[1]):
                assert place.process is not None
                place.process.send_signal(signal.SIGCONT)
                self.mishaps.append(Mishap("stopped", place.worker, place.stopped[0], time.time()))
                place.stopped = None

    def ended_by_themselves(self) -> list[str]:
        """The workers that ended although nobody told them to; others begin in their places."""
        found = [place for place in self.places if place.process is not None and place.process.poll() is not None]
        names = [place.worker for place in found]
        for place in found:
            self.begin(place)
        return names

    def _note(self, kind: str, worker: str, at: float) -> None:
        self.mishaps.append(Mishap(kind, worker, at, at))

    def end(self) -> None:
        """Tell all to stop, and wait."""
        self.go_on(every=True)
        for place in self.places:
            if place.process is not None:
                place.process.terminate()
        for place in self.places:
            if place.process is not None:
                try:
                    place.process.wait(15)
                except subprocess.TimeoutExpired:
                    place.process.kill()
                    place.process.wait()


@contextmanager
def cloud(folder: Path, **options: int) -> Iterator[Callable[[Path], None]]:
    """The sandbox in a process of its own; what is given writes what it has seen into a file."""
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = (sys.executable, "-m", "tests.fleet.nights.cloud", str(folder), *words)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        say, heard = process.stdin, process.stdout
        assert heard.readline() == "ready\n"

        def write(file: Path) -> None:
            say.write(f"{file}\n")
            say.flush()
            assert heard.readline() == "written\n"

        yield write
        say.close()
