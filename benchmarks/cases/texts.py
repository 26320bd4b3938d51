"""Texts that name images, and sources of usage; each measured in a process of its own."""

import json
import subprocess
import sys

from benchmarks.case import Case, Measure, Tell
from benchmarks.rounds import Measured


def declared(mib: int) -> Measure:
    """Finding what so many MiB of texts name, beside a bare pass of the matcher over them."""

    def measure(rounds: int, tell: Tell) -> Measured:
        tell(f"{rounds} rounds")
        return _ratios("all that they name: CPU ÷ bare pass", "benchmarks.declared", mib, rounds)

    return measure


def sources(latency: int) -> Measure:
    """Asking all sources of usage, beside the slowest of them."""

    def measure(rounds: int, tell: Tell) -> Measured:
        tell(f"{rounds} rounds")
        return _ratios("all of them: wall ÷ the slowest", "benchmarks.sources", latency, rounds)

    return measure


def _ratios(figure: str, module: str, *words: int) -> Measured:
    command = [sys.executable, "-m", module, *map(str, words)]
    output = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout
    measured = Measured()
    for ratio in json.loads(output):
        measured.found(figure, ratio)
    return measured


CASES = (
    Case("texts", "100 MiB of declared texts, 10,000 images", declared(100), by_itself=True),
    Case("sources", "all sources of usage, 100 ms a request", sources(100), by_itself=True),
)
