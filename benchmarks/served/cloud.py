"""The served accounts in a process of their own, stopped by its own id when the block ends."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import ProxyHandler, Request, build_opener

_DIRECTLY = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Served:
    """Where the accounts are, and their appkeys."""

    url: str
    appkeys: tuple[str, ...]

    def targets(self) -> list[dict[str, object]]:
        """The accounts as targets of a janitor.yaml."""
        return [
            {"name": appkey, "endpoint": self.url, "appkey": appkey, "username": "bench", "password": "bench"}
            for appkey in self.appkeys
        ]

    def again(self, first: int, images: int) -> None:
        """Let every account list so many of its images, from the first-newest on, with none deleted."""
        self._ask("POST", f"/again?first={first}&images={images}")

    def counts(self) -> dict[str, int]:
        """How many `requests` there were, and the most of them `at_once`."""
        counts: dict[str, int] = json.loads(self._ask("GET", "/counts"))
        return counts

    def _ask(self, method: str, path: str) -> bytes:
        with _DIRECTLY.open(Request(f"{self.url}{path}", method=method)) as answer:
            content: bytes = answer.read()
            return content


@contextmanager
def served(images: int, latency: int, accounts: int = 1) -> Iterator[Served]:
    """Fresh accounts, with so many images in all; `latency` is milliseconds a request. Raises RuntimeError."""
    command = [sys.executable, "-m", "benchmarks.served", str(images), str(latency), str(accounts)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        listening = process.stdout.readline()
        if not listening:
            raise RuntimeError("the server of the benchmarks did not start; see above")
        said = json.loads(listening)
        yield Served(f"http://127.0.0.1:{said['port']}", tuple(said["appkeys"]))
    finally:
        process.terminate()
        process.communicate()
